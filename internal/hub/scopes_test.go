// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
)

// fed is a hub that a test feeds with observations, page by page; history is complete and empty.
type fed struct {
	t      *testing.T
	hub    *hub.Hub
	ledger *ledger.Ledger
	lease  int64
	cursor int
}

func feed(t *testing.T, b blueprint.Behaviour) *fed {
	t.Helper()
	b.Name, b.Generation, b.Role = "b", "1", blueprint.RoleValue
	if b.Credit == "" {
		b.Credit, b.Benefits = blueprint.CreditAuthor, blueprint.BenefitsThreadAuthor
	}
	bp := answers()
	bp.Behaviours = []blueprint.Behaviour{b}
	f := &fed{t: t, ledger: openLedger(t)}
	f.hub = hub.New(f.ledger, hub.Options{Now: func() time.Time { return start }})
	t.Cleanup(f.hub.Close)
	if err := f.hub.Apply(t.Context(), bp); err != nil {
		t.Fatal(err)
	}
	lease, err := f.hub.Acquire(t.Context(), forumRef(), "forum", "test")
	if err != nil {
		t.Fatal(err)
	}
	f.lease = lease.Epoch
	f.commit(event.Commit{Lane: event.Backfill, Done: true, FromBeginning: true, Next: json.RawMessage(`1`), CompleteThrough: start, ObservedAt: start})
	if err := f.hub.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fed) commit(c event.Commit) {
	f.t.Helper()
	c.Channel, c.Epoch = forumRef(), f.lease
	if err := f.hub.Commit(f.t.Context(), c); err != nil {
		f.t.Fatal(err)
	}
}

// page sends what is seen some time after the start, when everything up to then has been read.
func (f *fed) page(after time.Duration, list ...event.Observation) {
	f.t.Helper()
	previous := json.RawMessage(fmt.Sprint(f.cursor))
	if f.cursor == 0 {
		previous = nil
	}
	f.cursor++
	f.commit(event.Commit{Lane: event.Live, Previous: previous, Next: json.RawMessage(fmt.Sprint(f.cursor)), CompleteThrough: start.Add(after), ObservedAt: start.Add(after), Observations: list})
}

// asks is a thread with its opening.
func asks(thread, by string, after time.Duration) []event.Observation {
	at, author := start.Add(after), event.Actor{ID: by}
	return []event.Observation{
		{Thread: &event.Thread{ID: thread, Room: "support", Title: "Which one?", CreatedAt: at, Author: author}},
		{Message: &event.Message{ID: thread + "/0", Thread: thread, Opening: true, Author: author, CreatedAt: at, Text: "Which one do I need?"}},
	}
}

func reply(thread, id, by string, after time.Duration, text string) event.Observation {
	return event.Observation{Message: &event.Message{ID: id, Thread: thread, Author: event.Actor{ID: by}, CreatedAt: start.Add(after), Text: text}}
}

func removed(o event.Observation) event.Observation {
	m := *o.Message
	m.Presence, m.RemovedBy = event.Removed, event.ByAuthor
	return event.Observation{Message: &m}
}

// in gives the messages behind occurrences of a state, sorted.
func (f *fed) in(state ledger.State) []string {
	f.t.Helper()
	rs, err := f.ledger.Reader().QueryContext(f.t.Context(), "SELECT m.native FROM occurrences o JOIN messages m ON m.n = o.message WHERE o.state = ?", int(state))
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = rs.Close() }() // its error shows in rs.Err
	out := []string{}
	for rs.Next() {
		var s string
		if err := rs.Scan(&s); err != nil {
			f.t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rs.Err(); err != nil {
		f.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func (f *fed) want(what string, state ledger.State, want ...string) {
	f.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), f.in(state)); diff != "" {
		f.t.Errorf("%s: %s (-want +got):\n%s", what, state, diff)
	}
}

// counters gives how often the behaviour was counted and undone.
func (f *fed) counters() string {
	f.t.Helper()
	var raised, lowered int
	if err := f.ledger.Reader().QueryRowContext(f.t.Context(), `SELECT coalesce(sum(value) FILTER (WHERE name = 'behaviours'), 0), coalesce(sum(value) FILTER (WHERE name = 'undone'), 0)
		FROM counters`).Scan(&raised, &lowered); err != nil {
		f.t.Fatal(err)
	}
	return fmt.Sprintf("+%d -%d", raised, lowered)
}

func TestABehaviourCountsOncePerScope(t *testing.T) {
	// Ann asks t1 and t2, dan asks t3. Ben and cat answer.
	tests := map[string]struct {
		per blueprint.Per
		// counted at the end, and after ben's first answer has been taken back.
		counted, without []string
	}{
		"each event":                  {blueprint.Per{Scope: blueprint.PerEvent}, []string{"1", "2", "3", "4", "5", "6"}, []string{"2", "3", "4", "5", "6"}},
		"each thread":                 {blueprint.Per{Scope: blueprint.PerThread}, []string{"1", "4", "5"}, []string{"2", "4", "5"}},
		"each thread within a week":   {blueprint.Per{Scope: blueprint.PerThread, Within: 7 * day}, []string{"1", "4", "5", "6"}, []string{"2", "4", "5", "6"}},
		"each member":                 {blueprint.Per{Scope: blueprint.PerMember}, []string{"1", "3"}, []string{"2", "3"}},
		"each member within a week":   {blueprint.Per{Scope: blueprint.PerMember, Within: 7 * day}, []string{"1", "3", "6"}, []string{"2", "3", "6"}},
		"each pair":                   {blueprint.Per{Scope: blueprint.PerPair}, []string{"1", "3", "5"}, []string{"2", "3", "5"}},
		"each pair in a thread":       {blueprint.Per{Scope: blueprint.PerPairInThread}, []string{"1", "3", "4", "5"}, []string{"2", "3", "4", "5"}},
		"each pair within three days": {blueprint.Per{Scope: blueprint.PerPair, Within: 3 * day}, []string{"1", "3", "5", "6"}, []string{"2", "3", "5", "6"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := feed(t, blueprint.Behaviour{On: []event.Kind{event.MessagePosted}, When: "event.answer", Per: tc.per})
			first := reply("t1", "1", "ben", 2*time.Hour, "The short one.")
			f.page(time.Hour, slices.Concat(asks("t1", "ann", time.Minute), asks("t2", "ann", 2*time.Minute), asks("t3", "dan", 3*time.Minute))...)
			f.page(8*time.Hour, first, reply("t1", "2", "ben", 3*time.Hour, "Or the red one."), reply("t1", "3", "cat", 4*time.Hour, "Yes."),
				reply("t2", "4", "ben", 5*time.Hour, "The same."), reply("t3", "5", "ben", 6*time.Hour, "The same."))
			f.page(10*day, reply("t1", "6", "ben", 9*day, "And the blue one."))
			f.want("at the end", ledger.Counted, tc.counted...)
			if got, want := f.counters(), fmt.Sprintf("+%d -0", len(tc.counted)); got != want {
				t.Errorf("counters %s, want %s", got, want)
			}
			f.page(11*day, removed(first))
			f.want("without the first", ledger.Counted, tc.without...)
			f.want("without the first", ledger.Undone, "1")
			raised := len(tc.counted) + len(tc.without) - (len(tc.counted) - 1)
			if got, want := f.counters(), fmt.Sprintf("+%d -1", raised); got != want {
				t.Errorf("counters %s, want %s", got, want)
			}
			sound(t, f.ledger)
		})
	}
}

func TestWhatHasToBeConfirmedSettles(t *testing.T) {
	f := feed(t, blueprint.Behaviour{On: []event.Kind{event.MessagePosted}, When: "event.answer", Confirm: "event.thankedByAsker",
		Per: blueprint.Per{Scope: blueprint.PerThread}, Settle: 2 * day})
	f.page(time.Hour, slices.Concat(asks("t1", "ann", time.Minute), asks("t2", "ann", 2*time.Minute), asks("t3", "ann", 3*time.Minute))...)
	gone := reply("t3", "3", "ben", 2*time.Hour, "So.")
	f.page(8*time.Hour, reply("t1", "1", "ben", 2*time.Hour, "So."), reply("t1", "4", "ann", 3*time.Hour, "Thanks, that was it."),
		reply("t2", "2", "ben", 2*time.Hour, "So."), gone, reply("t3", "5", "ann", 3*time.Hour, "Thanks!"))
	f.want("before it settles", ledger.Pending, "1", "2", "3")
	f.page(day, removed(gone))
	f.want("after one was taken back", ledger.Undone, "3")
	if got := f.counters(); got != "+0 -0" {
		t.Errorf("counters %s before anything has settled", got)
	}
	// The thanks for the second answer come after it had to be confirmed.
	f.page(4*day, reply("t2", "6", "ann", 3*day, "Thanks, late."))
	f.want("after it has settled", ledger.Counted, "1")
	f.want("after it has settled", ledger.Dropped, "2")
	f.want("after it has settled", ledger.Undone, "3")
	if got := f.counters(); got != "+1 -0" {
		t.Errorf("counters %s", got)
	}
	sound(t, f.ledger)
}

func TestWhoWasErasedIsNotCredited(t *testing.T) {
	f := feed(t, blueprint.Behaviour{On: []event.Kind{event.MessagePosted}, When: "event.answer", Per: blueprint.Per{Scope: blueprint.PerEvent}})
	f.page(3*time.Hour, append(asks("t1", "ann", time.Minute), reply("t1", "1", "ben", 2*time.Hour, "So."))...)
	if _, err := f.ledger.EraseMember(t.Context(), "ben"); err != nil {
		t.Fatal(err)
	}
	f.page(5*time.Hour, reply("t1", "2", "ben", 4*time.Hour, "Or so."), reply("t1", "3", "cat", 4*time.Hour, "Yes."))
	f.want("after the erasure", ledger.Counted, "1", "3")
	sound(t, f.ledger)
}

func TestAThreadComesBeforeItsMessagesWhateverTheirOrderOnThePage(t *testing.T) {
	f := feed(t, blueprint.Behaviour{On: []event.Kind{event.MessagePosted}, When: "event.answer", Per: blueprint.Per{Scope: blueprint.PerEvent}})
	page := append(asks("t1", "ann", time.Minute), reply("t1", "1", "ben", time.Minute, "So."))
	slices.Reverse(page)
	f.page(time.Hour, page...)
	var room, title string
	if err := f.ledger.Reader().QueryRowContext(t.Context(), "SELECT t.doc ->> '$.room', coalesce(k.text, '') FROM threads t LEFT JOIN titles k ON k.thread = t.n").Scan(&room, &title); err != nil {
		t.Fatal(err)
	}
	if room != "support" || title != "Which one?" {
		t.Errorf("room %q, title %q", room, title)
	}
	if entries, err := f.ledger.Entries(t.Context(), 0, 100); err != nil || slices.ContainsFunc(entries, func(x ledger.Entry) bool { return x.Event != nil && x.Event.Kind == event.ThreadUpdated }) {
		t.Errorf("the thread was begun without what was known of it (%v)", err)
	}
}

func TestWhoIsOnlyNamedKeepsTheirRoles(t *testing.T) {
	f := feed(t, blueprint.Behaviour{On: []event.Kind{event.AnswerAccepted}, When: "event.accepted", Per: blueprint.Per{Scope: blueprint.PerThread}})
	accepted := true
	first := reply("t1", "1", "ben", 2*time.Hour, "So.")
	first.Message.Author.Roles = []string{"moderator"}
	second := reply("t1", "2", "cat", 2*time.Hour, "Or so.")
	f.page(3*time.Hour, append(asks("t1", "ann", time.Minute), first, second)...)
	now := *second.Message
	now.Accepted, now.AcceptedBy = &accepted, &event.Actor{ID: "ben"}
	now.Reactions = []event.Reaction{{Name: "like", Count: 1, By: []event.Actor{{ID: "ben"}}}}
	f.page(4*time.Hour, event.Observation{Message: &now})
	f.want("accepted", ledger.Counted, "2")
	var n int
	if err := f.ledger.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM stats WHERE roles = 'moderator'").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d moderators are left, %v; want 1", n, err)
	}
	sound(t, f.ledger)
}

func TestWhatComesFromTheFutureIsSetAside(t *testing.T) {
	f := feed(t, blueprint.Behaviour{On: []event.Kind{event.MessagePosted}, When: "event.answer", Per: blueprint.Per{Scope: blueprint.PerEvent}})
	f.page(3*time.Hour, append(asks("t1", "ann", time.Minute), reply("t1", "1", "ben", 4000*day, "So."), reply("t1", "2", "ben", 2*time.Hour, "Or so."))...)
	f.want("of the present", ledger.Counted, "2")
	aside, err := f.ledger.ListAside(t.Context())
	if err != nil || len(aside) != 1 || aside[0].Ident != "m1" {
		t.Errorf("set aside: %+v, %v; want the message of the future", aside, err)
	}
	// A clock that is a little ahead is no reason.
	f.page(5*time.Hour, reply("t1", "3", "cat", 6*time.Hour, "Yes."))
	f.want("of a clock ahead", ledger.Counted, "2", "3")
}
