// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/internal/blueprint"
)

// The question of each live test: topic 1 by ann (post 1), answered by ben (2) after an hour, by cat (3) after two.
const (
	topic    = 1
	question = 1
	bens     = 2
	cats     = 3
)

func asked(t *testing.T) *watched {
	t.Helper()
	f := newForum(t, answers())
	f.connect()
	f.look(time.Minute)
	f.NewTopic(ann, support, "Which cable?", "<p>Which cable do I need?</p>")
	f.look(time.Hour)
	f.Reply(topic, ben, "<p>The short one.</p>", 0)
	f.look(time.Hour)
	f.Reply(topic, cat, "<p>The long one.</p>", 0)
	f.look(time.Minute)
	want := []string{"ThreadOpened 1", "MessagePosted 1", "MessagePosted 2", "MessagePosted 3"}
	if d := cmp.Diff(want, f.events()); d != "" {
		t.Fatalf("events of the question (-want +got):\n%s", d)
	}
	return f
}

// turn is something that happens in the forum, how it is seen, and what must come of it.
type turn struct {
	do     func(f *watched)
	events []string
	// totals are "N State …; +raised -lowered" by behaviour, for those that are to be looked at.
	totals map[string]string
}

func TestLiveChanges(t *testing.T) {
	const aged = "ThreadAged 1@86400000"
	tests := map[string][]turn{
		"edits": {
			{func(f *watched) { f.Edit(bens, "<p>The red one.</p>"); f.look(time.Minute) }, []string{"MessageEdited 2#1"}, map[string]string{"answer": "2 Counted; +2 -0"}},
			{func(f *watched) { f.Edit(bens, "<p>The blue one.</p>"); f.look(time.Minute) }, []string{"MessageEdited 2#2"}, nil},
			{func(f *watched) { f.Edit(bens, "<p>The red one.</p>"); f.look(time.Minute) }, []string{"MessageEdited 2#3"}, nil},
			{func(f *watched) { f.look(day) }, []string{aged}, map[string]string{"due": "1 Counted; +1 -0", "answered": "1 Counted; +1 -0"}},
		},
		"removal by the author and back": {
			{func(f *watched) { f.RemoveByAuthor(bens); f.look(time.Minute) }, []string{"MessageRemoved 2 by Author"}, map[string]string{"answer": "1 Counted, 1 Undone; +2 -1"}},
			{func(f *watched) { f.look(day) }, []string{aged}, map[string]string{"answered": "1 Counted; +1 -0"}},
			{func(f *watched) { f.Restore(bens); f.look(time.Minute) }, []string{"MessageReleased 2"}, map[string]string{"answer": "2 Counted; +3 -1", "answered": "1 Counted; +2 -1"}},
			{func(f *watched) { f.RemoveByAuthor(bens); f.look(time.Minute) }, []string{"MessageRemoved 2#1 by Author"}, map[string]string{"answer": "1 Counted, 1 Undone; +3 -2", "answered": "1 Counted; +3 -2"}},
		},
		"removal by a moderator and back": {
			{func(f *watched) { f.RemoveByModerator(bens, mod); f.grace() }, []string{"MessageRemoved 2 by Unknown"}, map[string]string{"answer": "1 Counted, 1 Undone; +2 -1"}},
			{func(f *watched) { f.Restore(bens); f.look(time.Minute) }, []string{"MessageReleased 2"}, map[string]string{"answer": "2 Counted; +3 -1"}},
			{func(f *watched) { f.RemoveByModerator(bens, mod); f.grace() }, []string{"MessageRemoved 2#1 by Unknown"}, map[string]string{"answer": "1 Counted, 1 Undone; +3 -2"}},
			{func(f *watched) { f.RemoveByModerator(cats, mod); f.grace() }, []string{"MessageRemoved 3 by Unknown"}, map[string]string{"answer": "2 Undone; +3 -3"}},
			{func(f *watched) { f.look(day) }, []string{aged}, map[string]string{"answered": "1 Unfulfilled; +0 -0"}},
			{func(f *watched) { f.Restore(cats); f.look(time.Minute) }, []string{"MessageReleased 3"}, map[string]string{"answered": "1 Counted; +1 -0"}},
		},
		"hidden by flags and shown again": {
			{func(f *watched) { f.Hide(bens); f.look(time.Minute) }, []string{"MessageHeld 2"}, map[string]string{"answer": "1 Counted, 1 Undone; +2 -1"}},
			{func(f *watched) { f.Unhide(bens); f.look(time.Minute) }, []string{"MessageReleased 2"}, map[string]string{"answer": "2 Counted; +3 -1"}},
		},
		"a topic removed and restored": {
			{func(f *watched) { f.look(day) }, []string{aged}, map[string]string{"due": "1 Counted; +1 -0", "answered": "1 Counted; +1 -0"}},
			{func(f *watched) { f.RemoveTopic(topic, mod); f.grace() }, []string{"ThreadUpdated 1"},
				map[string]string{"answer": "2 Undone; +2 -2", "due": "1 Undone; +1 -1", "answered": "1 Undone; +1 -1"}},
			{func(f *watched) { f.RestoreTopic(topic); f.look(time.Minute) }, []string{"ThreadUpdated 1#1"},
				map[string]string{"answer": "2 Counted; +4 -2", "due": "1 Counted; +2 -1", "answered": "1 Counted; +2 -1"}},
		},
		"acceptance taken back before it settles": {
			{func(f *watched) { f.Accept(bens); f.look(time.Minute) }, []string{"AnswerAccepted 2"}, map[string]string{"solved": "1 Pending; +0 -0"}},
			{func(f *watched) { f.Unaccept(bens); f.look(time.Minute) }, []string{"AnswerUnaccepted 2"}, map[string]string{"solved": "1 Undone; +0 -0"}},
			{func(f *watched) { f.Accept(bens); f.look(time.Minute) }, []string{"AnswerAccepted 2#1"}, map[string]string{"solved": "1 Pending, 1 Undone; +0 -0"}},
			{func(f *watched) { f.look(8 * day) }, []string{aged}, map[string]string{"solved": "1 Counted, 1 Undone; +1 -0"}},
		},
		"acceptance taken back after it has settled": {
			{func(f *watched) { f.Accept(bens); f.look(time.Minute) }, []string{"AnswerAccepted 2"}, map[string]string{"solved": "1 Pending; +0 -0"}},
			{func(f *watched) { f.look(6 * day) }, []string{aged}, map[string]string{"solved": "1 Pending; +0 -0"}},
			{func(f *watched) { f.look(2 * day) }, []string{}, map[string]string{"solved": "1 Counted; +1 -0"}},
			{func(f *watched) { f.Unaccept(bens); f.look(time.Minute) }, []string{"AnswerUnaccepted 2"}, map[string]string{"solved": "1 Undone; +1 -1"}},
			{func(f *watched) { f.Accept(cats); f.look(time.Minute) }, []string{"AnswerAccepted 3"}, map[string]string{"solved": "1 Pending, 1 Undone; +1 -1"}},
			{func(f *watched) { f.look(8 * day) }, []string{}, map[string]string{"solved": "1 Counted, 1 Undone; +2 -1"}},
		},
		"acceptance moves to another answer": {
			{func(f *watched) { f.Accept(bens); f.look(time.Minute) }, []string{"AnswerAccepted 2"}, nil},
			{func(f *watched) { f.Accept(cats); f.look(time.Minute) }, []string{"AnswerUnaccepted 2", "AnswerAccepted 3"}, map[string]string{"solved": "1 Pending, 1 Undone; +0 -0"}},
			{func(f *watched) { f.look(8 * day) }, []string{aged}, map[string]string{"solved": "1 Counted, 1 Undone; +1 -0"}},
		},
		"an accepted answer is removed and restored": {
			{func(f *watched) { f.Accept(bens); f.look(8 * day) }, []string{aged, "AnswerAccepted 2"}, nil},
			{func(f *watched) { f.look(8 * day) }, []string{}, map[string]string{"solved": "1 Counted; +1 -0"}},
			{func(f *watched) { f.RemoveByModerator(bens, mod); f.grace() }, []string{"MessageRemoved 2 by Unknown"}, map[string]string{"solved": "1 Undone; +1 -1"}},
			{func(f *watched) { f.Restore(bens); f.look(time.Minute); f.look(time.Minute) }, []string{"MessageReleased 2"}, map[string]string{"solved": "1 Counted; +2 -1"}},
		},
		"closed and reopened": {
			{func(f *watched) { f.Close(topic, mod); f.look(time.Minute) }, []string{"ThreadUpdated 1"}, map[string]string{"answer": "2 Counted; +2 -0"}},
			{func(f *watched) { f.Reopen(topic, mod); f.look(time.Minute) }, []string{"ThreadReopened 1"}, map[string]string{"answer": "2 Counted; +2 -0"}},
			{func(f *watched) { f.Close(topic, mod); f.look(time.Minute) }, []string{"ThreadUpdated 1#1"}, nil},
			{func(f *watched) { f.Reopen(topic, mod); f.look(time.Minute) }, []string{"ThreadReopened 1#1"}, nil},
			{func(f *watched) { f.look(day) }, []string{aged}, map[string]string{"due": "1 Counted; +1 -0"}},
		},
		"moved out of the support room and back": {
			{func(f *watched) { f.look(day) }, []string{aged}, map[string]string{"due": "1 Counted; +1 -0"}},
			{func(f *watched) { f.Recategorise(topic, 6); f.look(time.Minute) }, []string{"ThreadUpdated 1"}, nil},
			{func(f *watched) { f.Recategorise(topic, support); f.look(time.Minute) }, []string{"ThreadUpdated 1#1"}, map[string]string{"due": "1 Counted; +1 -0"}},
		},
		"a reply is moved to another topic": {
			{func(f *watched) {
				f.NewTopic(cat, support, "Which plug?", "<p>Which plug do I need?</p>")
				f.look(time.Minute)
			}, []string{"ThreadOpened 2", "MessagePosted 4"}, nil},
			{func(f *watched) { f.Move([]int64{bens}, 2, mod); f.grace() }, []string{"MessageMoved 2"}, map[string]string{"answer": "2 Counted, 1 Undone; +3 -1"}},
			{func(f *watched) { f.look(day) }, []string{aged, "ThreadAged 2@86400000"}, map[string]string{"due": "2 Counted; +2 -0", "answered": "2 Counted; +2 -0"}},
			{func(f *watched) { f.Move([]int64{bens}, topic, mod); f.grace() }, []string{"MessageMoved 2#1"}, nil},
		},
		"a topic is merged into another": {
			{func(f *watched) {
				f.NewTopic(cat, support, "Cable again?", "<p>Which cable was it?</p>")
				f.clock.Advance(time.Minute)
				f.Reply(2, ben, "<p>Still the short one.</p>", 0)
				f.look(time.Minute)
			}, []string{"ThreadOpened 2", "MessagePosted 4", "MessagePosted 5"}, map[string]string{"answer": "3 Counted; +3 -0"}},
			{func(f *watched) { f.Merge(2, topic, mod); f.grace() }, []string{"MessagePosted 6", "MessageMoved 5", "ThreadMerged 2"}, nil},
			{func(f *watched) { f.look(day) }, []string{aged, "ThreadAged 2@86400000"}, map[string]string{"due": "1 Counted; +1 -0"}},
		},
		"a reply arrives late, before its question is due": {
			{func(f *watched) { f.RemoveByAuthor(bens); f.RemoveByAuthor(cats); f.look(time.Minute) }, []string{"MessageRemoved 2 by Author", "MessageRemoved 3 by Author"}, nil},
			{func(f *watched) { f.late(time.Hour) }, []string{"MessagePosted 4"}, map[string]string{"answer": "1 Counted, 2 Undone; +3 -2"}},
			{func(f *watched) { f.look(day) }, []string{aged}, map[string]string{"answered": "1 Counted; +1 -0"}},
		},
		"a reply arrives late, after its question was due": {
			{func(f *watched) { f.RemoveByAuthor(bens); f.RemoveByAuthor(cats); f.look(time.Minute) }, []string{"MessageRemoved 2 by Author", "MessageRemoved 3 by Author"}, nil},
			{func(f *watched) { f.look(day) }, []string{aged}, map[string]string{"answered": "1 Unfulfilled; +0 -0"}},
			{func(f *watched) { f.late(6 * time.Hour) }, []string{"MessagePosted 4"}, map[string]string{"answered": "1 Counted; +1 -0", "due": "1 Counted; +1 -0"}},
		},
		"a reply arrives late and is the first response": {
			{func(f *watched) { f.look(day) }, []string{aged}, map[string]string{"answered": "1 Counted; +1 -0"}},
			{func(f *watched) { f.late(25*time.Hour + 20*time.Minute) }, []string{"MessagePosted 4"}, map[string]string{"answered": "1 Counted; +2 -1"}},
		},
		"nobody looks for ten days": {
			{func(f *watched) {
				f.NewTopic(cat, support, "Which plug?", "<p>Which plug do I need?</p>")
				f.clock.Advance(20 * time.Hour)
				f.Reply(2, ben, "<p>The flat one.</p>", 0)
				f.clock.Advance(20 * time.Hour)
				f.Reply(2, ann, "<p>Or none.</p>", 0)
				f.look(9 * day)
			}, []string{"ThreadOpened 2", "MessagePosted 4", "MessagePosted 5", aged, "ThreadAged 2@86400000", "MessagePosted 6"},
				map[string]string{"due": "2 Counted; +2 -0", "answered": "2 Counted; +2 -0"}},
		},
	}
	for name, turns := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := asked(t)
			for i, turn := range turns {
				turn.do(f)
				if d := cmp.Diff(turn.events, f.events()); d != "" {
					t.Errorf("turn %d: events (-want +got):\n%s", i, d)
				}
				got := f.totals()
				for b, want := range turn.totals {
					if got[b] != want {
						t.Errorf("turn %d: %s is %q, want %q", i, b, got[b], want)
					}
				}
				f.look(10 * time.Second)
				if again := f.events(); len(again) > 0 {
					t.Errorf("turn %d: looking again found %v", i, again)
				}
			}
			f.sound()
			totals := f.totals()
			f.again()
			if again := f.events(); len(again) > 0 {
				t.Errorf("reading everything again found %v", again)
			}
			if d := cmp.Diff(totals, f.totals()); d != "" {
				t.Errorf("totals after reading everything again:\n%s", d)
			}
			f.sound()
		})
	}
}

// late lets a reply show up now that was written a while ago.
func (f *watched) late(ago time.Duration) {
	f.t.Helper()
	f.clock.Advance(-ago)
	f.Reply(topic, cat, "<p>It took a while.</p>", 0)
	f.clock.Advance(ago)
	f.look(time.Minute)
}

// TestWideningSince reads a horizon first, then all: what was read stays as it is, and only the rest is asked for.
func TestWideningSince(t *testing.T) {
	f := newForum(t, answers())
	const old, recent = 7, 5
	topics := func(n int) {
		for range n {
			id, _ := f.NewTopic(ann, support, "Which cable?", "<p>Which cable do I need?</p>")
			f.clock.Advance(time.Hour)
			f.Reply(id, ben, "<p>The short one.</p>", 0)
			f.clock.Advance(3 * time.Hour)
		}
	}
	topics(old)
	f.clock.Advance(30 * day)
	topics(recent)
	f.clock.Advance(time.Hour)
	f.since = blueprint.Since{Duration: 10 * day}
	f.connect()
	if n := f.count("threads"); n != recent {
		t.Fatalf("%d threads within the horizon, want %d", n, recent)
	}
	f.look(time.Minute)
	f.look(time.Minute)
	f.sound()
	f.events()

	f.since = blueprint.Since{All: true}
	f.topics.Store(0)
	f.connect()
	if n := f.topics.Load(); n != old {
		t.Errorf("widening asked for %d topics, want the %d that were missing", n, old)
	}
	if n := f.count("threads"); n != old+recent {
		t.Errorf("%d threads after widening, want %d", n, old+recent)
	}
	kinds := map[string]int{}
	for _, e := range f.events() {
		kind, _, _ := strings.Cut(e, " ")
		kinds[kind]++
	}
	if d := cmp.Diff(map[string]int{"ThreadOpened": old, "MessagePosted": 2 * old, "ThreadAged": old}, kinds); d != "" {
		t.Errorf("events of what widening brought (-want +got):\n%s", d)
	}
	f.clock.Advance(day)
	f.look(time.Minute)
	want := map[string]string{ // history moves no counter; the recent questions fell due while Kith was there
		"answer":   fmt.Sprintf("%d Counted; +0 -0", old+recent),
		"due":      fmt.Sprintf("%d Counted; +%d -0", old+recent, recent),
		"answered": fmt.Sprintf("%d Counted; +%d -0", old+recent, recent),
	}
	if d := cmp.Diff(want, f.totals()); d != "" {
		t.Errorf("totals after widening (-want +got):\n%s", d)
	}
	f.sound()
	f.events()
	f.again()
	if again := f.events(); len(again) > 0 {
		t.Errorf("reading everything again found %v", again)
	}
	f.sound()
}

func (f *watched) count(table string) (n int) {
	f.t.Helper()
	f.rows("SELECT count(*) FROM "+table, func(scan func(...any) error) error { return scan(&n) })
	return n
}
