// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// The suite itself must be able to fail: each page below breaks one rule.
func TestCheckPageFindsWhatNoPageMayBe(t *testing.T) {
	message := func(change func(*event.Message)) []event.Observation {
		m := &event.Message{ID: "1", Thread: "2", CreatedAt: at}
		change(m)
		return []event.Observation{{Message: m}}
	}
	many := func(n int, text string) []event.Observation {
		var out []event.Observation
		for range n {
			out = append(out, message(func(m *event.Message) { m.Text = text })...)
		}
		return out
	}
	next := sdk.Cursor(`{"v":1}`)
	tests := map[string]struct {
		page sdk.Page
		want string
	}{
		"good":              {sdk.Page{Next: next, Observations: many(2, "x")}, ""},
		"too many":          {sdk.Page{Next: next, Observations: many(501, "x")}, "501 observations"},
		"too large":         {sdk.Page{Next: next, Observations: many(200, strings.Repeat("<", 10_000))}, "bytes"},
		"no cursor":         {sdk.Page{}, "no JSON"},
		"huge cursor":       {sdk.Page{Next: sdk.Cursor(`"` + strings.Repeat("x", maxCursor) + `"`)}, "a cursor of"},
		"stands still":      {sdk.Page{Next: sdk.Cursor(`{"v":0}`), More: true}, "does not move"},
		"two kinds at once": {sdk.Page{Next: next, Observations: []event.Observation{{Message: &event.Message{}, Thread: &event.Thread{}}}}, "2 kinds"},
		"no id":             {sdk.Page{Next: next, Observations: message(func(m *event.Message) { m.ID = "" })}, "ids of 0"},
		"long id":           {sdk.Page{Next: next, Observations: message(func(m *event.Message) { m.Thread = strings.Repeat("x", 600) })}, "600 bytes"},
		"no time":           {sdk.Page{Next: next, Observations: message(func(m *event.Message) { m.CreatedAt = time.Time{} })}, "without a time"},
		"many links":        {sdk.Page{Next: next, Observations: message(func(m *event.Message) { m.Links = make([]string, 201) })}, "201 links"},
		"long title":        {sdk.Page{Next: next, Observations: []event.Observation{{Thread: &event.Thread{ID: "1", CreatedAt: at, Title: strings.Repeat("x", 2000)}}}}, "a title of"},
		"member without id": {sdk.Page{Next: next, Observations: []event.Observation{{Member: &event.Member{}}}}, "a member"},
		"long listing":      {sdk.Page{Next: next, Observations: []event.Observation{{Listing: &event.Listing{IDs: make([]string, 20_001)}}}}, "a listing of"},
		"unsaid quarantine": {sdk.Page{Next: next, Quarantined: []sdk.Quarantined{{ID: "1"}}}, "without saying"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := checkPage(tc.page, sdk.Cursor(`{"v":0}`))
			switch {
			case tc.want == "" && err != nil:
				t.Error(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

func TestWorldConcludesAsTheHubDoes(t *testing.T) {
	m := func(id, text string, created time.Time) event.Observation {
		return event.Observation{Message: &event.Message{ID: id, Thread: "t", Text: text, CreatedAt: created}}
	}
	w := newWorld().see([]event.Observation{m("1", "a", at), m("2", "a", at), m("3", "a", at.Add(time.Hour))})
	w.see([]event.Observation{{Listing: &event.Listing{Thread: "t", IDs: []string{"1"}, To: at.Add(time.Minute)}}})
	if diff := cmp.Diff([]bool{true, false, true}, []bool{w.here("1"), w.here("2"), w.here("3")}); diff != "" {
		t.Errorf("a listing speaks of what it covers:\n%s", diff)
	}
	w.see([]event.Observation{m("1", "b", at), m("3", "a", at.Add(time.Hour))})
	if diff := cmp.Diff(map[string]bool{"1": true}, w.changed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"4"}, w.missing([]string{"1", "4"})); diff != "" {
		t.Error(diff)
	}
	w.see([]event.Observation{{Thread: &event.Thread{ID: "t", Presence: event.Removed}}})
	if w.here("1") {
		t.Error("a message is here though its thread is gone")
	}
}

// careless is a connector with one defect: it says its secret when it fails.
type careless struct{ secret string }

func (c careless) Probe(context.Context) (sdk.Account, error) { return sdk.Account{}, nil }

func (c careless) Read(context.Context, event.Lane, sdk.Cursor) (sdk.Page, error) {
	return sdk.Page{}, &sdk.Error{Reason: sdk.PlatformError, Message: "refused", Body: "token=" + c.secret}
}

type nothing struct{}

func (nothing) Config() sdk.Config          { return sdk.Config{} }
func (nothing) Open(int) (string, []string) { return "", nil }
func (nothing) Reply(string) string         { return "" }
func (nothing) Now() time.Time              { return at }
func (nothing) Advance(time.Duration)       {}

// recorder is a test that notes its failures instead of failing.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, _ ...any) {
	r.failures = append(r.failures, format)
}

func TestSecretsAreHeard(t *testing.T) {
	s := Suite{
		Descriptor: sdk.Descriptor{Name: "careless", Secrets: []sdk.SecretKey{{Name: "token"}}, New: func(c sdk.Config) (sdk.Connector, error) {
			v, _ := c.Secrets("token")
			return careless{v}, nil
		}},
		NewPlatform: func(testing.TB) Platform { return nothing{} },
	}
	e := newEnv(t, s)
	if _, err := e.call(e.connect(e.withSecrets), event.Live, nil); err == nil {
		t.Fatal("the careless connector reads")
	}
	r := &recorder{TB: t}
	e.in(r).checkSecrets()
	if len(r.failures) == 0 {
		t.Error("a secret in an error's body was not found")
	}
}

func TestCursorsAreShortInMessages(t *testing.T) {
	if s := short(json.RawMessage(strings.Repeat("x", 1000))); len(s) != 300 {
		t.Errorf("%d bytes", len(s))
	}
}
