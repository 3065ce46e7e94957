// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hubclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	hubclient "github.com/kith-dev/kith/internal/hub/client"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

const token = "a-token-of-the-test"

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

type place struct {
	hub    *hub.Hub
	ledger *ledger.Ledger
	// wrap stands before the API; tests replace it while the server runs.
	wrap   atomic.Pointer[func(http.Handler) http.Handler]
	server *httptest.Server
}

func newPlace(t *testing.T) *place {
	t.Helper()
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "l.db"), ledger.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	p := &place{hub: hub.New(l, hub.Options{Now: func() time.Time { return now }}), ledger: l}
	p.through(func(h http.Handler) http.Handler { return h })
	api := hub.Handler(p.hub, hub.ServerOptions{Verifier: bearer(token), BusyAfter: time.Second})
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*p.wrap.Load())(api).ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		p.server.Close()
		p.hub.Close()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *place) through(f func(http.Handler) http.Handler) { p.wrap.Store(&f) }

// bearer is a Verifier for one token.
type bearer string

func (b bearer) Verify(r *http.Request) (hub.Caller, error) {
	if r.Header.Get("Authorization") != "Bearer "+string(b) {
		return hub.Caller{}, hub.ErrUnknownCaller
	}
	return hub.Caller{Name: "test", All: true}, nil
}

func (p *place) apply(t *testing.T) *place {
	t.Helper()
	bp := &blueprint.Blueprint{Name: "acme", TimeZone: "UTC", Levels: blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * 24 * time.Hour},
		Channels: []blueprint.Channel{{Name: "forum", Platform: "discourse", Since: blueprint.Since{Date: now.AddDate(0, -1, 0)}}}}
	if err := p.hub.Apply(t.Context(), bp); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) client(t *testing.T, o hubclient.Options) *hubclient.Client {
	t.Helper()
	if o.FirstPause == 0 {
		o.FirstPause, o.MaxPause = time.Millisecond, 2*time.Millisecond
	}
	c, err := hubclient.New(p.server.URL, func() (string, error) { return token, nil }, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var ref = event.ChannelRef{Platform: "discourse", Instance: "forum.example"}

func page(epoch int64, previous, next string, ids ...string) event.Commit {
	c := event.Commit{Channel: ref, Epoch: epoch, Lane: event.Live, Previous: json.RawMessage(previous), Next: json.RawMessage(next), ObservedAt: now, Quarantined: 1}
	for _, id := range ids {
		c.Observations = append(c.Observations, event.Observation{Message: &event.Message{ID: id, Thread: "t", CreatedAt: now, Author: event.Actor{ID: "u"}}})
	}
	return c
}

func (p *place) staged(t *testing.T) (messages, quarantined int) {
	t.Helper()
	err := p.ledger.Reader().QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM staged), quarantined FROM channels").Scan(&messages, &quarantined)
	if err != nil {
		t.Fatal(err)
	}
	return messages, quarantined
}

func TestRoundTrip(t *testing.T) {
	for name, o := range map[string]hubclient.Options{"plain": {}, "packed": {Compress: true}} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t).apply(t)
			c := p.client(t, o)
			lease, err := c.Acquire(t.Context(), ref, "forum", "test")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(reader.Lease{Epoch: 1, Cursors: map[event.Lane]json.RawMessage{}, Done: map[event.Lane]bool{}}, lease); diff != "" {
				t.Errorf("first lease (-want +got):\n%s", diff)
			}
			var ids []string
			for i := range 100 {
				ids = append(ids, fmt.Sprint(i))
			}
			if err := c.Commit(t.Context(), page(1, "", `{"at": "<1>"}`, ids...)); err != nil {
				t.Fatal(err)
			}
			if n, _ := p.staged(t); n != 100 {
				t.Errorf("%d messages, want 100", n)
			}
			if lease, err = c.Acquire(t.Context(), ref, "forum", "test"); err != nil {
				t.Fatal(err)
			}
			want := reader.Lease{Epoch: 2, Cursors: map[event.Lane]json.RawMessage{event.Live: json.RawMessage(`{"at":"\u003c1\u003e"}`)}, Done: map[event.Lane]bool{event.Live: false}}
			if diff := cmp.Diff(want, lease); diff != "" {
				t.Errorf("second lease (-want +got):\n%s", diff)
			}
			if err := c.Commit(t.Context(), page(2, string(lease.Cursors[event.Live]), "2")); err != nil {
				t.Errorf("a page behind the lease's cursor: %v", err)
			}
			remaining := int64(7)
			state := reader.State{Channel: "forum", Platform: "discourse", Ref: ref, Phase: reader.Backfilling, Since: now, Heartbeat: now, RateLimitRemaining: &remaining,
				Progress: map[event.Lane]sdk.Progress{event.Backfill: {Done: 1, Total: 2, Unit: "topics"}}, Observations: map[event.Lane]int64{event.Live: 1},
				Errors: map[sdk.Reason]int64{sdk.Unreachable: 3}}
			if err := c.Report(t.Context(), "forum", state); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]reader.State{"forum": state}, p.hub.States()); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
			since, err := c.Since(t.Context(), "forum")
			if err != nil || !since.Equal(now.AddDate(0, -1, 0)) {
				t.Errorf("since %v, %v", since, err)
			}
			status, err := c.Status(t.Context())
			if err != nil || status.Community != "acme" || len(status.Channels) != 1 {
				t.Errorf("status %+v, %v", status, err)
			}
		})
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	p := newPlace(t).apply(t)
	c := p.client(t, hubclient.Options{Retries: -1})
	if _, err := c.Acquire(t.Context(), ref, "forum", "somebody"); err != nil {
		t.Fatal(err)
	}
	if err := c.Commit(t.Context(), page(1, "", "1", "a")); err != nil {
		t.Fatal(err)
	}
	many := page(1, "1", "2")
	many.Observations = make([]event.Observation, event.MaxObservations+1)
	huge := page(1, "1", "2", "b")
	huge.Observations[0].Message.Text = strings.Repeat("x", wire.MaxPage)
	for name, tc := range map[string]struct {
		page event.Commit
		want error
	}{
		"stale cursor":           {page(1, "", "2"), &reader.Conflict{Epoch: 1, Holder: "somebody", Lane: event.Live, Cursor: json.RawMessage("1")}},
		"older epoch":            {page(0, "1", "2"), &reader.Conflict{Epoch: 1, Holder: "somebody", Lane: event.Live, Cursor: json.RawMessage("1")}},
		"another lane's cursor":  {func() event.Commit { x := page(1, "1", "2"); x.Lane = event.Sweep; return x }(), &reader.Conflict{Epoch: 1, Holder: "somebody", Lane: event.Sweep}},
		"somebody else was here": {page(1, "", "1"), &reader.Conflict{Epoch: 1, Holder: "somebody", Lane: event.Live, Cursor: json.RawMessage("1")}},
		"too many observations":  {many, reader.ErrRefused},
		"too many bytes":         {huge, reader.ErrRefused},
		"no such lane":           {func() event.Commit { x := page(1, "1", "2"); x.Lane = "fast"; return x }(), reader.ErrRefused},
		"no lease":               {func() event.Commit { x := page(1, "1", "2"); x.Channel.Account = "x"; return x }(), reader.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.Commit(t.Context(), tc.page)
			if want, ok := errors.AsType[*reader.Conflict](tc.want); ok {
				got, _ := errors.AsType[*reader.Conflict](err)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("conflict (-want +got):\n%s", diff)
				}
				return
			}
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if strings.Count(err.Error(), reader.ErrRefused.Error()) != 1 {
				t.Errorf("the error repeats itself: %v", err)
			}
		})
	}
	if n, quarantined := p.staged(t); n != 1 || quarantined != 1 {
		t.Errorf("%d messages, %d quarantined in the ledger after refusals, want 1 and 1", n, quarantined)
	}
}

func TestWhatPassesIsRepeated(t *testing.T) {
	calls := 0
	count := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls++; next.ServeHTTP(w, r) })
	}
	p := newPlace(t)
	p.through(count)
	c := p.client(t, hubclient.Options{Retries: 2})
	_, err := c.Acquire(t.Context(), ref, "forum", "test")
	if err == nil || errors.Is(err, reader.ErrRefused) || errors.Is(err, reader.ErrConflict) || calls != 3 {
		t.Errorf("without a blueprint: %v after %d calls, want a passing error after 3", err, calls)
	}
	p.apply(t)
	if _, err = c.Acquire(t.Context(), ref, "forum", "test"); err != nil {
		t.Error(err)
	}
	calls = 0
	stranger, err := hubclient.New(p.server.URL, func() (string, error) { return "a-stranger's-token", nil }, hubclient.Options{FirstPause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	err = stranger.Commit(t.Context(), page(1, "", "1"))
	if err == nil || errors.Is(err, reader.ErrRefused) || calls != 1 {
		t.Errorf("a stranger: %v after %d calls, want a passing error after one", err, calls)
	}
	if strings.Contains(err.Error(), "stranger") {
		t.Errorf("the error holds the token: %v", err)
	}
	p.server.Close()
	if err := c.Commit(t.Context(), page(1, "", "1")); err == nil || errors.Is(err, reader.ErrRefused) {
		t.Errorf("no hub: %v, want a passing error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Commit(ctx, page(1, "", "1")); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

// lost lets every call go through, and cuts the connection instead of answering while cut says so.
func lost(cut func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !cut(r) {
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
	}
}

func TestALostAnswerIsNoError(t *testing.T) {
	p := newPlace(t).apply(t)
	c := p.client(t, hubclient.Options{})
	if _, err := c.Acquire(t.Context(), ref, "forum", "test"); err != nil {
		t.Fatal(err)
	}
	cuts := 2
	p.through(lost(func(*http.Request) bool { cuts--; return cuts >= 0 }))
	if err := c.Commit(t.Context(), page(1, "", `{"at": 1}`, "a", "b")); err != nil {
		t.Errorf("the page is in the ledger, and the client says %v", err)
	}
	if cuts >= 0 {
		t.Error("no answer was lost: the test shows nothing")
	}
	if n, quarantined := p.staged(t); n != 2 || quarantined != 1 {
		t.Errorf("%d messages, %d quarantined, want 2 and 1", n, quarantined)
	}
	// Whoever lost the lease meanwhile is told so.
	cuts = 1
	p.through(lost(func(r *http.Request) bool {
		cuts--
		if cuts == 0 {
			if _, err := p.hub.Acquire(r.Context(), ref, "forum", "another"); err != nil {
				t.Error(err)
			}
		}
		return cuts >= 0
	}))
	err := c.Commit(t.Context(), page(1, `{"at":1}`, `{"at":2}`, "c"))
	if conflict, ok := errors.AsType[*reader.Conflict](err); !ok || conflict.Epoch != 2 || conflict.Holder != "another" {
		t.Errorf("got %v, want the other's lease", err)
	}
}

// conn gives threads two messages at a time, in all lanes.
type conn struct{}

func (conn) Probe(context.Context) (sdk.Account, error) { return sdk.Account{Channel: ref}, nil }

func (conn) Read(_ context.Context, lane event.Lane, cursor sdk.Cursor) (sdk.Page, error) {
	at := 0
	if cursor != nil {
		if err := json.Unmarshal(cursor, &at); err != nil {
			return sdk.Page{}, err
		}
	}
	const threads = 12
	p := sdk.Page{Next: json.RawMessage(fmt.Sprint(min(at+2, threads))), More: at+2 < threads, FromBeginning: true, CompleteThrough: now}
	for i := at; i < min(at+2, threads); i++ {
		id := fmt.Sprintf("%s-%d", lane, i)
		asked := now.Add(-time.Duration(i) * time.Hour)
		p.Observations = append(p.Observations,
			event.Observation{Thread: &event.Thread{ID: id, CreatedAt: asked, Type: "Question", Author: event.Actor{ID: "asker"}}},
			event.Observation{Message: &event.Message{ID: id + "q", Thread: id, Opening: true, CreatedAt: asked, Author: event.Actor{ID: "asker"}, Text: "How?"}},
			event.Observation{Message: &event.Message{ID: id + "a", Thread: id, CreatedAt: asked.Add(time.Minute), Author: event.Actor{ID: "helper"}, Text: "So."}})
	}
	return p, nil
}

func TestAReaderOverABadLineGivesTheSameLedger(t *testing.T) {
	read := func(p *place, h reader.Hub) string {
		t.Helper()
		d := sdk.Descriptor{Name: "discourse", Lanes: []event.Lane{event.Live, event.Backfill}, New: func(sdk.Config) (sdk.Connector, error) { return conn{}, nil }}
		o := reader.Options{Hub: h, Once: true, Holder: "test", Now: func() time.Time { return now }, FirstBackoff: time.Millisecond, MaxBackoff: time.Millisecond}
		if err := reader.New(reader.Channel{Name: "forum", Descriptor: d, Config: sdk.Config{Name: "forum"}}, o).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.hub.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := p.ledger.Dump(t.Context(), &b, ledger.DumpOptions{}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	direct := newPlace(t).apply(t)
	want := read(direct, direct.hub)
	if !strings.Contains(want, "backfill-11a") {
		t.Fatal("the undisturbed run has read nothing")
	}
	remote := newPlace(t).apply(t)
	n := 0
	remote.through(lost(func(r *http.Request) bool {
		if r.URL.Path != wire.PathPages {
			return false
		}
		n++
		return n%3 != 0
	}))
	if diff := cmp.Diff(want, read(remote, remote.client(t, hubclient.Options{}))); diff != "" {
		t.Errorf("ledger (-direct +over a bad line):\n%s", diff)
	}
}

func TestNothingFollowsARedirection(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirection was followed") }))
	defer elsewhere.Close()
	p := newPlace(t)
	p.through(func(http.Handler) http.Handler {
		return http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect)
	})
	if err := p.client(t, hubclient.Options{}).Commit(t.Context(), page(1, "", "1")); err == nil {
		t.Error("a redirection was taken for success")
	}
}

func TestTheTokenOfNowIsUsed(t *testing.T) {
	p := newPlace(t).apply(t)
	tokens := []string{"an-older-token", token}
	p.through(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.Header.Get("Authorization"), "older-token") {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	c, err := hubclient.New(p.server.URL+"/", func() (string, error) {
		got := tokens[0]
		tokens = tokens[1:]
		return got, nil
	}, hubclient.Options{FirstPause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Since(t.Context(), "forum"); err != nil {
		t.Errorf("after rotation: %v", err)
	}
}

func TestAddressesAreChecked(t *testing.T) {
	for _, address := range []string{"", "hub:8080", "ftp://hub", "http://", "http://user:pass@hub", "http://hub?x=y"} {
		if _, err := hubclient.New(address, nil, hubclient.Options{}); err == nil || strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
