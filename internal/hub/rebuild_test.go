// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
)

// rebuilt fails where a rebuild changes anything, the labels that were counted under included.
func (f *watched) rebuilt() {
	f.t.Helper()
	f.sound()
	before := dump(f.t, f.ledger, ledger.DumpOptions{Labels: true})
	if err := hub.Rebuild(f.t.Context(), f.ledger, nil); err != nil {
		f.t.Fatal(err)
	}
	sameDump(f.t, "rebuild", before, dump(f.t, f.ledger, ledger.DumpOptions{Labels: true}))
	f.sound()
}

// busyDay lets most kinds of things happen within a day and four hours.
func (f *watched) busyDay() {
	f.t.Helper()
	f.clock.Advance(time.Minute)
	t1, _ := f.NewTopic(ann, support, "Which cable?", "<p>Which cable do I need?</p>")
	t2, _ := f.NewTopic(cat, support, "Which plug?", "<p>Which plug do I need?</p>")
	f.look(time.Hour)
	short := f.Reply(t1, ben, "<p>The short one.</p>", 0)
	long := f.Reply(t1, cat, "<p>The long one.</p>", 0)
	flat := f.Reply(t2, ben, "<p>The flat one.</p>", 0)
	f.look(time.Hour)
	f.Edit(short, "<p>The short red one.</p>")
	f.Accept(short)
	f.Accept(flat)
	f.Reply(t2, ann, "<p>Or the short one.</p>", 0)
	f.look(time.Hour)
	f.RemoveByAuthor(long)
	f.Unaccept(flat)
	f.Like(short)
	f.look(time.Hour)
	f.look(day)
	f.Restore(long)
	f.look(time.Minute)
}

func TestRebuildEqualsLive(t *testing.T) {
	tests := map[string]func(*testing.T, *watched){
		"without anything special": func(*testing.T, *watched) {},
		"a behaviour with a new age is added": func(t *testing.T, f *watched) {
			bp := answers()
			bp.Behaviours = append(bp.Behaviours, blueprint.Behaviour{Name: "waiting", Generation: "1", Role: blueprint.RoleBasis,
				On: []event.Kind{event.ThreadAged}, After: 3 * day, When: "thread.question && !thread.solved",
				Credit: blueprint.CreditNone, Benefits: blueprint.BenefitsNone, Per: blueprint.Per{Scope: blueprint.PerThread}})
			f.apply(bp)
			f.look(3 * day)
			if got, want := f.totals()["waiting"], "1 Counted; +1 -0"; got != want {
				t.Errorf("waiting is %q, want %q: the threads were younger than its age when it came", got, want)
			}
		},
		"a rule changes": func(t *testing.T, f *watched) {
			bp := answers()
			bp.Behaviours[0].Generation, bp.Behaviours[0].When = "2", "event.answer && thread.question && event.words >= 4"
			bp.Behaviours[3].Generation, bp.Behaviours[3].Settle = "2", 2*day
			before := f.totals()
			f.apply(bp)
			if d := cmp.Diff(before, f.totals()); d != "" {
				t.Errorf("a new definition changed what was counted:\n%s", d)
			}
			f.Reply(1, ann, "<p>Thanks.</p>", 0)
			f.Reply(1, cat, "<p>Indeed.</p>", 0)
			f.Reply(1, cat, "<p>The short one will do.</p>", 0)
			f.look(time.Minute)
			if got, want := f.totals()["answer"], "5 Counted; +6 -1"; got != want {
				t.Errorf("answer is %q, want %q", got, want)
			}
		},
		"a rule changes and what it counted is removed": func(_ *testing.T, f *watched) {
			bp := answers()
			bp.Behaviours[0].Generation, bp.Behaviours[0].When = "2", "event.answer && thread.question && event.words >= 4"
			f.apply(bp)
			f.RemoveByAuthor(3)
			f.look(time.Minute)
			f.Restore(3)
			f.look(time.Minute)
		},
		"a behaviour goes and comes back": func(_ *testing.T, f *watched) {
			bp := answers()
			bp.Behaviours = slices.Delete(bp.Behaviours, 3, 4)
			f.apply(bp)
			f.Accept(4)
			f.look(9 * day)
			f.apply(answers())
			f.Accept(5)
			f.look(9 * day)
		},
		"a basis goes": func(_ *testing.T, f *watched) {
			f.NewTopic(ann, support, "And the lamp?", "<p>Which lamp do I need?</p>")
			f.look(time.Minute)
			bp := answers()
			bp.Behaviours = slices.Delete(bp.Behaviours, 1, 3)
			f.apply(bp)
			f.RemoveByAuthor(3)
			f.look(2 * day)
		},
		"rooms are declared otherwise": func(_ *testing.T, f *watched) {
			bp := answers()
			bp.Channels[0].Rooms.Questions = nil
			f.apply(bp)
			f.NewTopic(ann, support, "Lamps", "<p>I like lamps.</p>")
			f.Close(1, mod)
			f.look(2 * day)
		},
		"texts have gone": func(t *testing.T, f *watched) {
			f.apply(readingTexts())
			f.Reply(1, ann, "<p>Is it short enough?</p>", 0)
			f.Reply(1, ben, "<p>It is short enough.</p>", 0)
			last := f.Reply(1, cat, "<p>It is too long.</p>", 0)
			f.look(time.Minute)
			want := "1 Pending; +0 -0"
			if got := f.totals()["short"]; got != want {
				t.Errorf("short is %q, want %q", got, want)
			}
			if _, _, err := f.ledger.Retain(t.Context(), f.clock.Now().UnixMilli(), 0); err != nil {
				t.Fatal(err)
			}
			if n := f.count("texts"); n != 0 {
				t.Fatalf("%d texts are left", n)
			}
			f.rebuilt()
			f.Edit(last, "<p>It is too short.</p>")
			f.look(3 * day)
		},
		"old activity has gone": func(t *testing.T, f *watched) {
			f.look(20 * day)
			f.NewTopic(cat, support, "And the lamp?", "<p>Which lamp do I need?</p>")
			f.look(time.Hour)
			f.Reply(3, ben, "<p>The small one.</p>", 0)
			f.look(2 * day)
			if _, threads, err := f.ledger.Retain(t.Context(), 0, f.clock.Now().Add(-10*day).UnixMilli()); err != nil || threads != 2 {
				t.Fatalf("%d threads retained away, %v", threads, err)
			}
			f.rebuilt()
			f.Reply(3, ann, "<p>The big one.</p>", 0)
			f.look(time.Hour)
		},
		"somebody is erased": func(t *testing.T, f *watched) {
			if _, err := f.ledger.EraseMember(t.Context(), "ben"); err != nil {
				t.Fatal(err)
			}
			f.rebuilt()
			f.Reply(1, ben, "<p>Still here.</p>", 0)
			f.Edit(3, "<p>And I edit.</p>")
			f.look(8 * day)
			f.NewTopic(ben, support, "Forget me", "<p>Who am I?</p>")
			f.look(2 * day)
			if found, err := f.ledger.FindPeople(t.Context(), "ben"); err != nil || len(found) != 0 {
				t.Errorf("after erasure %v is found, %v", found, err)
			}
		},
		"somebody objects": func(t *testing.T, f *watched) {
			if err := f.ledger.ObjectMember(t.Context(), "ben"); err != nil {
				t.Fatal(err)
			}
			f.rebuilt()
			before := f.totals()["answer"]
			f.Reply(1, ben, "<p>Do not look at me.</p>", 0)
			f.look(8 * day)
			if got := f.totals()["answer"]; got != before {
				t.Errorf("after an objection answer went from %q to %q", before, got)
			}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newForum(t, answers())
			f.connect()
			f.busyDay()
			f.rebuilt()
			change(t, f)
			f.rebuilt()
			f.look(9 * day)
			f.rebuilt()
			f.events()
			f.again()
			if again := f.events(); len(again) > 0 && !strings.Contains(name, "gone") {
				t.Errorf("reading everything again found %v", again)
			}
			f.rebuilt()
		})
	}
}

func (f *watched) apply(bp *blueprint.Blueprint) {
	f.t.Helper()
	if err := f.hub.Apply(f.t.Context(), bp); err != nil {
		f.t.Fatal(err)
	}
}

// readingTexts adds a behaviour whose outcome depends on texts, once when it happens and once when it settles.
func readingTexts() *blueprint.Blueprint {
	bp := answers()
	bp.Behaviours = append(bp.Behaviours, blueprint.Behaviour{Name: "short", Generation: "1", Role: blueprint.RoleValue,
		On: []event.Kind{event.MessagePosted}, When: "event.answer && event.text.contains('short')", Confirm: "!event.text.contains('red')", ReadsText: true,
		Credit: blueprint.CreditAuthor, Benefits: blueprint.BenefitsThreadAuthor, Per: blueprint.Per{Scope: blueprint.PerEvent}, Settle: 2 * day})
	return bp
}

// TestRestoreErasesAgain restores a backup from before an erasure: who was erased stays erased.
func TestRestoreErasesAgain(t *testing.T) {
	f := newForum(t, readingTexts())
	f.connect()
	f.busyDay()
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := f.ledger.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	atBackup := dump(t, f.ledger, ledger.DumpOptions{Labels: true})
	if _, err := f.ledger.EraseMember(t.Context(), "ben"); err != nil {
		t.Fatal(err)
	}
	f.Reply(1, ann, "<p>After the backup.</p>", 0)
	f.look(time.Hour)
	f.close()

	erased, err := ledger.Restore(t.Context(), backup, f.path, ledger.Options{Keys: testKeys(t)})
	if err != nil {
		t.Fatal(err)
	}
	if erased == 0 {
		t.Error("restoring erased nobody again")
	}
	f.open()
	f.apply(readingTexts())
	sameDump(t, "restore", atBackup, dump(t, f.ledger, ledger.DumpOptions{Labels: true}))
	if found, err := f.ledger.FindPeople(t.Context(), "ben"); err != nil || len(found) != 0 {
		t.Errorf("ben is found: %v, %v", found, err)
	}
	f.rows("SELECT text FROM texts", func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		if strings.Contains(s, "short red") {
			t.Errorf("a text of ben's is back: %q", s)
		}
		return err
	})
	f.rebuilt()
	f.events()
	f.connect()
	f.look(time.Hour)
	if d := cmp.Diff([]string{"MessagePosted 7"}, f.events()); d != "" {
		t.Errorf("events after going on (-want +got):\n%s", d)
	}
	f.rebuilt()
}

// TestSetAsideAndRetry breaks every third observation for a while: the rest of each page goes in, and after a retry the
// same has happened as without faults.
func TestSetAsideAndRetry(t *testing.T) {
	calm := newForum(t, answers())
	calm.connect()
	calm.busyDay()
	calm.look(9 * day)

	f := newForum(t, answers())
	f.close()
	broken, n := true, 0
	f.options.BeforeObservation = func(o *event.Observation) error {
		if n++; broken && n%3 == 0 && o.Message != nil {
			if n%2 == 0 {
				panic("a fault in the test")
			}
			return errors.New("a fault in the test")
		}
		return nil
	}
	f.open()
	f.apply(answers())
	f.connect()
	f.busyDay()
	aside, err := f.ledger.ListAside(t.Context())
	if err != nil || len(aside) == 0 {
		t.Fatalf("%d set aside, %v", len(aside), err)
	}
	if got, all := f.count("messages"), calm.count("messages"); got == 0 || got > all {
		t.Errorf("%d of %d messages went in", got, all)
	}
	if res, err := f.hub.Retry(t.Context()); err != nil || res.Tried != len(aside) {
		t.Errorf("a retry tried %d of %d, %v", res.Tried, len(aside), err)
	}
	broken = false
	if _, err := f.hub.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.sound()
	f.look(9 * day)
	if d := cmp.Diff(calm.posted(), f.posted()); d != "" {
		t.Errorf("messages and their states (-undisturbed +retried):\n%s", d)
	}
	f.sound()
}

// TestWhatIsSetAsideIsOvertaken sets a message aside that is then seen as it stood later: a retry must not bring back
// the older state.
func TestWhatIsSetAsideIsOvertaken(t *testing.T) {
	f := asked(t)
	broken := true
	f.close()
	f.options.BeforeObservation = func(o *event.Observation) error {
		if broken && o.Message != nil && o.Message.ID == "2" {
			return errors.New("a fault in the test")
		}
		return nil
	}
	f.open()
	f.apply(answers())
	f.RemoveByAuthor(bens)
	f.look(time.Minute)
	if aside, err := f.ledger.ListAside(t.Context()); err != nil || len(aside) != 1 {
		t.Fatalf("set aside: %v, %v", aside, err)
	}
	broken = false
	f.Restore(bens)
	f.Edit(bens, "<p>The green one.</p>")
	f.look(time.Minute)
	if _, err := f.hub.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"MessageEdited 2#1"}, f.events()); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	f.sound()
}

// posted gives each message with its thread and state, whatever the order in which it came.
func (f *watched) posted() []string {
	f.t.Helper()
	var out []string
	f.rows("SELECT m.native || ' in ' || t.native || ' at ' || m.at || ' flags ' || m.flags || ' hash ' || m.hash FROM messages m JOIN threads t ON t.n = m.thread ORDER BY m.native",
		func(scan func(...any) error) error {
			var s string
			err := scan(&s)
			out = append(out, s)
			return err
		})
	return out
}

// TestRecomputeUnderTheSameRulesChangesNothing also where the recorded outcomes of texts are all that is left of them.
func TestRecomputeUnderTheSameRulesChangesNothing(t *testing.T) {
	f := newForum(t, readingTexts())
	f.connect()
	f.busyDay()
	f.look(9 * day)
	f.Reply(1, cat, "<p>The short one will do.</p>", 0)
	f.look(9 * day)
	if _, _, err := f.ledger.Retain(t.Context(), f.clock.Now().UnixMilli(), 0); err != nil {
		t.Fatal(err)
	}
	before := dump(t, f.ledger, ledger.DumpOptions{Labels: true})
	counts := func(l *ledger.Ledger, bp *blueprint.Blueprint) map[string]int {
		totals, err := behaviour.Totals(t.Context(), l.Reader(), bp, day)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]int{}
		for _, x := range totals {
			out[x.Behaviour.Name] = x.CountedAll
		}
		return out
	}
	recompute := func(bp *blueprint.Blueprint) map[string]int {
		shadow, err := hub.Recompute(t.Context(), f.ledger, bp, nil)
		if err != nil {
			t.Fatal(err)
		}
		out := counts(shadow, bp)
		if err := shadow.Discard(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := counts(f.ledger, readingTexts())
	if want["short"] == 0 {
		t.Fatalf("nothing to recompute: %v", want)
	}
	if diff := cmp.Diff(want, recompute(readingTexts())); diff != "" {
		t.Errorf("the same rules (-recorded +recomputed):\n%s", diff)
	}
	changed := readingTexts()
	last := &changed.Behaviours[len(changed.Behaviours)-1]
	last.Generation, last.Settle = "2", 3*day
	want["short"] = 0 // the recorded outcomes are of another rule, and its texts have gone
	if diff := cmp.Diff(want, recompute(changed)); diff != "" {
		t.Errorf("another rule (-want +recomputed):\n%s", diff)
	}
	sameDump(t, "recompute", before, dump(t, f.ledger, ledger.DumpOptions{Labels: true}))
}
