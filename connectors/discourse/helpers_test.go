// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ann   = discoursetest.User{ID: 11, Username: "ann", TrustLevel: 1}
	ben   = discoursetest.User{ID: 12, Username: "ben", TrustLevel: 2}
	mod   = discoursetest.User{ID: 2, Username: "mod", Moderator: true, TrustLevel: 4}
)

// forum is a test forum with a reader.
type forum struct {
	*discoursetest.Server
	t     *testing.T
	clock *discoursetest.Clock
	url   string
	http  sdk.HTTPOptions
}

func newForum(t *testing.T, topics fs.FS, options ...discoursetest.Option) *forum {
	t.Helper()
	f := &forum{t: t, clock: discoursetest.NewClock(start)}
	s, err := discoursetest.New(topics, append([]discoursetest.Option{discoursetest.WithClock(f.clock.Now)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	f.Server, f.url = s, srv.URL
	f.http = sdk.HTTPOptions{
		Now: f.clock.Now, Jitter: func() float64 { return 0 },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	return f
}

func (f *forum) reader(change ...func(*sdk.Config)) sdk.Connector {
	f.t.Helper()
	c := sdk.Config{Name: "forum", URL: f.url, HTTP: sdk.NewHTTP(f.http), Now: f.clock.Now, Settings: map[string]any{}}
	for _, ch := range change {
		ch(&c)
	}
	r, err := discourse.New(c)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func withKey(key, user string) func(*sdk.Config) {
	return func(c *sdk.Config) {
		c.Secrets = func(k string) (string, bool) {
			v, ok := map[string]string{"apiKey": key, "apiUsername": user}[k]
			return v, ok && v != ""
		}
	}
}

func setting(key string, value any) func(*sdk.Config) {
	return func(c *sdk.Config) { c.Settings[key] = value }
}

// drain reads a lane until it says that nothing more is there at once. Every page is read twice and must be the same,
// within its bounds, and bring the lane forward.
func drain(t *testing.T, c sdk.Connector, lane event.Lane, cursor sdk.Cursor) ([]event.Observation, sdk.Page) {
	t.Helper()
	var all []event.Observation
	for range 2000 {
		p, err := c.Read(t.Context(), lane, cursor)
		if err != nil {
			t.Fatalf("%s: %v", lane, err)
		}
		again, err := c.Read(t.Context(), lane, cursor)
		if err != nil {
			t.Fatalf("%s again: %v", lane, err)
		}
		if d := cmp.Diff(p, again); d != "" {
			t.Fatalf("%s: the same cursor gave another page:\n%s", lane, d)
		}
		if len(p.Observations) > event.MaxObservations {
			t.Fatalf("%s: %d observations on a page", lane, len(p.Observations))
		}
		if len(p.Quarantined) > 0 {
			t.Fatalf("%s: quarantined %v", lane, p.Quarantined)
		}
		all = append(all, p.Observations...)
		if !p.More {
			return all, p
		}
		if string(p.Next) == string(cursor) {
			t.Fatalf("%s: more to come, and the cursor stands still at %s", lane, cursor)
		}
		cursor = p.Next
	}
	t.Fatalf("%s never ends", lane)
	return nil, sdk.Page{}
}

// seen sorts observations by what they are about; later ones win.
type seen struct {
	threads  map[string]*event.Thread
	messages map[string]*event.Message
	listings map[string]*event.Listing
	members  map[string]*event.Member
}

func sorted(obs []event.Observation) seen {
	s := seen{map[string]*event.Thread{}, map[string]*event.Message{}, map[string]*event.Listing{}, map[string]*event.Member{}}
	for _, o := range obs {
		switch {
		case o.Thread != nil:
			s.threads[o.Thread.ID] = o.Thread
		case o.Message != nil:
			s.messages[o.Message.ID] = o.Message
		case o.Listing != nil:
			s.listings[o.Listing.Thread] = o.Listing
		case o.Member != nil:
			s.members[o.Member.ID] = o.Member
		}
	}
	return s
}

// sharedFile finds a file of the shared data beside the project, or skips.
func sharedFile(t *testing.T, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here; the test needs it beside the project", filepath.Join(parts...))
	}
	return path
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
