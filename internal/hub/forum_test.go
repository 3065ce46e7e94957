// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
)

const day = 24 * time.Hour

var (
	start = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	ann   = discoursetest.User{ID: 11, Username: "ann", TrustLevel: 1}
	ben   = discoursetest.User{ID: 12, Username: "ben", TrustLevel: 2}
	cat   = discoursetest.User{ID: 13, Username: "cat", TrustLevel: 2}
	mod   = discoursetest.User{ID: 2, Username: "mod", Moderator: true, TrustLevel: 4}
)

// support is the category whose topics are questions.
const support = 5

// watched is a test forum, read by the real connector over HTTP into a hub. Its clock is the forum's, the reader's and
// the hub's, and stands still until it is moved.
type watched struct {
	*discoursetest.Server
	t       *testing.T
	clock   *discoursetest.Clock
	url     string
	path    string
	ledger  *ledger.Ledger
	hub     *hub.Hub
	options hub.Options
	since   blueprint.Since
	horizon time.Time

	ref     event.ChannelRef
	epoch   int64
	cursors map[event.Lane]json.RawMessage
	seen    int64 // the last event that a test has looked at
	// topics counts requests for single topics.
	topics atomic.Int64
}

// answers is a blueprint with one behaviour of each shape: at once and for each event, settling, a basis and its share.
func answers() *blueprint.Blueprint {
	return &blueprint.Blueprint{
		Version: blueprint.Version, Name: "acme", TimeZone: "UTC",
		Levels:  blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * day},
		Parties: []blueprint.PartyRule{{Party: event.PartyCompany, Roles: []string{"moderator"}}},
		Behaviours: []blueprint.Behaviour{
			{Name: "answer", Generation: "1", Role: blueprint.RoleValue, On: []event.Kind{event.MessagePosted}, When: "event.answer && thread.question",
				Credit: blueprint.CreditAuthor, Benefits: blueprint.BenefitsThreadAuthor, Per: blueprint.Per{Scope: blueprint.PerEvent}},
			{Name: "answered", Generation: "1", Role: blueprint.RoleValue, Of: "due", Within: day, CompletedBy: []event.Kind{event.MessagePosted},
				When: "event.firstResponse", Credit: blueprint.CreditAuthor, Benefits: blueprint.BenefitsThreadAuthor, Per: blueprint.Per{Scope: blueprint.PerThread}},
			{Name: "due", Generation: "1", Role: blueprint.RoleBasis, On: []event.Kind{event.ThreadAged}, After: day, When: "thread.question",
				Credit: blueprint.CreditNone, Benefits: blueprint.BenefitsNone, Per: blueprint.Per{Scope: blueprint.PerThread}},
			{Name: "solved", Generation: "1", Role: blueprint.RoleValue, On: []event.Kind{event.AnswerAccepted}, When: "author.id != thread.author.id",
				Confirm: "event.accepted", Credit: blueprint.CreditAuthor, Benefits: blueprint.BenefitsThreadAuthor,
				Per: blueprint.Per{Scope: blueprint.PerThread}, Settle: 7 * day},
		},
		Channels: []blueprint.Channel{{Name: "forum", Rooms: blueprint.Rooms{Questions: []string{"support"}}}},
	}
}

func testKeys(t *testing.T) ledger.Keys {
	t.Helper()
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// newForum makes an empty forum and a hub that does not know it yet.
func newForum(t *testing.T, bp *blueprint.Blueprint) *watched {
	t.Helper()
	f := &watched{t: t, clock: discoursetest.NewClock(start), since: blueprint.Since{All: true}, cursors: map[event.Lane]json.RawMessage{}}
	var err error
	f.Server, err = discoursetest.New(nil, discoursetest.WithClock(f.clock.Now),
		discoursetest.WithCategories(discoursetest.Category{ID: support, Name: "Support", Slug: "support", Solved: true}, discoursetest.Category{ID: 6, Name: "Lounge", Slug: "lounge"}),
		discoursetest.OnRequest(func(r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/t/") {
				f.topics.Add(1)
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(f.Server)
	t.Cleanup(srv.Close)
	f.url = srv.URL
	f.path = filepath.Join(t.TempDir(), "ledger.db")
	f.options.Now = f.clock.Now
	f.open()
	t.Cleanup(func() { f.close() })
	if err := f.hub.Apply(t.Context(), bp); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *watched) open() {
	f.t.Helper()
	var err error
	if f.ledger, err = ledger.Open(context.Background(), f.path, ledger.Options{Keys: testKeys(f.t)}); err != nil {
		f.t.Fatal(err)
	}
	f.hub = hub.New(f.ledger, f.options)
}

func (f *watched) close() {
	f.t.Helper()
	if f.hub == nil {
		return
	}
	f.hub.Close()
	if err := f.ledger.Close(); err != nil {
		f.t.Error(err)
	}
	f.hub = nil
}

// connect takes the lease; the first time it also reads the history and waits until it is processed.
func (f *watched) connect() {
	f.t.Helper()
	ctx := f.t.Context()
	var err error
	if f.horizon, err = f.hub.ResolveSince(ctx, "forum", f.since); err != nil {
		f.t.Fatal(err)
	}
	account, err := f.connector().Probe(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	f.ref = account.Channel
	lease, err := f.hub.Acquire(ctx, f.ref, "forum", "test")
	if err != nil {
		f.t.Fatal(err)
	}
	f.epoch, f.cursors = lease.Epoch, lease.Cursors
	if lease.Cursors[event.Live] == nil {
		f.read(event.Live, nil)
	}
	if !lease.Done[event.Backfill] {
		f.read(event.Backfill, f.cursors[event.Backfill])
	}
	if err := f.hub.Drain(ctx); err != nil {
		f.t.Fatal(err)
	}
}

func (f *watched) connector() sdk.Connector {
	f.t.Helper()
	c, err := discourse.New(sdk.Config{Name: "forum", URL: f.url, Since: f.horizon, Now: f.clock.Now, Settings: map[string]any{},
		HTTP: sdk.NewHTTP(sdk.HTTPOptions{Now: f.clock.Now, Jitter: func() float64 { return 0 },
			Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// read reads a lane from a cursor until nothing more is there at once, and commits each page behind the lane's last.
func (f *watched) read(lane event.Lane, from json.RawMessage) {
	f.t.Helper()
	c := f.connector()
	for range 100 {
		p, err := c.Read(f.t.Context(), lane, from)
		if err != nil {
			f.t.Fatal(err)
		}
		if len(p.Quarantined) > 0 {
			f.t.Fatalf("%s: quarantined %v", lane, p.Quarantined)
		}
		commit := event.Commit{Channel: f.ref, Epoch: f.epoch, Lane: lane, Previous: f.cursors[lane], Next: p.Next,
			CompleteThrough: p.CompleteThrough, ObservedAt: f.clock.Now(), Observations: p.Observations}
		if lane != event.Live {
			commit.Done, commit.FromBeginning = !p.More, !p.More && p.FromBeginning
		}
		if err := f.hub.Commit(f.t.Context(), commit); err != nil {
			f.t.Fatal(err)
		}
		f.cursors[lane], from = p.Next, p.Next
		if !p.More {
			return
		}
	}
	f.t.Fatalf("%s never ends", lane)
}

// look lets a while pass and reads what is new and what has changed, as a reader does.
func (f *watched) look(after time.Duration) {
	f.t.Helper()
	f.clock.Advance(after)
	f.read(event.Live, f.cursors[event.Live])
	f.read(event.Sweep, f.cursors[event.Sweep])
}

// grace is long enough for what a listing lacks to count as removed.
func (f *watched) grace() {
	f.t.Helper()
	f.look(time.Minute)
	f.look(3 * time.Minute)
}

// again reads everything from the beginning under a fresh lease, as after a restore of an older reader.
func (f *watched) again() {
	f.t.Helper()
	lease, err := f.hub.Acquire(f.t.Context(), f.ref, "forum", "another")
	if err != nil {
		f.t.Fatal(err)
	}
	f.epoch, f.cursors = lease.Epoch, lease.Cursors
	for _, lane := range []event.Lane{event.Sweep, event.Backfill, event.Live} {
		f.read(lane, nil)
	}
	f.look(time.Minute) // the first pass of a sweep only notes what is there
	f.look(time.Minute)
	if err := f.hub.Drain(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// events gives what has happened since it was last called, in ledger order: kind, native id and revision; ":inferred"
// where the platform gave no time, "by" where somebody is known to have removed something.
func (f *watched) events() []string {
	f.t.Helper()
	out := []string{}
	entries, err := f.ledger.Entries(f.t.Context(), f.seen, 10_000)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, x := range entries {
		f.seen = x.Seq
		if x.Event == nil || x.Event.Data.Member != nil || x.Event.Kind == event.BlueprintApplied {
			continue
		}
		s := fmt.Sprintf("%s %s", x.Event.Kind, x.Event.Native)
		if x.Event.Revision > 0 {
			s += fmt.Sprintf("#%d", x.Event.Revision)
		}
		if x.Event.Data.By != "" {
			s += " by " + string(x.Event.Data.By)
		}
		out = append(out, s)
	}
	return out
}

// totals gives for each behaviour how often its counter was raised and lowered, and its cases by state.
func (f *watched) totals() map[string]string {
	f.t.Helper()
	out := map[string]string{}
	states := map[string][]string{}
	f.rows(`SELECT behaviour, state, count(*) FROM occurrences GROUP BY 1, 2 ORDER BY 1, 2`, func(scan func(...any) error) error {
		var b string
		var state ledger.State
		var n int
		err := scan(&b, &state, &n)
		states[b] = append(states[b], fmt.Sprintf("%d %s", n, state))
		return err
	})
	raised := map[string][2]int{}
	f.rows(`SELECT behaviour, coalesce(sum(value) FILTER (WHERE name = 'behaviours'), 0), coalesce(sum(value) FILTER (WHERE name = 'undone'), 0)
		FROM counters GROUP BY 1`, func(scan func(...any) error) error {
		var b string
		var n [2]int
		err := scan(&b, &n[0], &n[1])
		raised[b] = n
		return err
	})
	for b, list := range states {
		out[b] = fmt.Sprintf("%s; +%d -%d", strings.Join(list, ", "), raised[b][0], raised[b][1])
	}
	return out
}

func (f *watched) rows(query string, each func(scan func(...any) error) error) {
	f.t.Helper()
	rs, err := f.ledger.Reader().QueryContext(f.t.Context(), query)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = rs.Close() }() // its error shows in rs.Err
	for rs.Next() {
		if err := each(rs.Scan); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := rs.Err(); err != nil {
		f.t.Fatal(err)
	}
}

// sound fails where something was set aside, or where a rebuild gives anything else.
func (f *watched) sound() {
	f.t.Helper()
	sound(f.t, f.ledger)
}

func sound(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	aside, err := l.ListAside(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range aside {
		t.Errorf("set aside: %s %s: %s", s.What, s.Ident, s.Error)
	}
	differences, err := hub.Check(t.Context(), l, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		t.Errorf("only in the %s: %s", d.Side, d.Line)
	}
}

func dump(t *testing.T, l *ledger.Ledger, o ledger.DumpOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := l.Dump(t.Context(), &b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sameDump compares two dumps line by line, for the lines only one of them has.
func sameDump(t *testing.T, what, a, b string) {
	t.Helper()
	if a == b {
		return
	}
	only := func(x, y string) []string {
		have := strings.Split(y, "\n")
		return slices.DeleteFunc(strings.Split(x, "\n"), func(l string) bool { return slices.Contains(have, l) })
	}
	t.Errorf("%s: the dumps differ\nonly before:\n%s\nonly after:\n%s", what, strings.Join(only(a, b), "\n"), strings.Join(only(b, a), "\n"))
}
