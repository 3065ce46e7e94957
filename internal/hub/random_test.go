// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/internal/blueprint"
)

// TestRandomLiveChanges lets random things happen in a forum while it is watched. Whatever it is: nothing is set aside,
// a rebuild gives the same, and reading everything again finds nothing. KITH_SEEDS=N tries more of them.
func TestRandomLiveChanges(t *testing.T) {
	seeds := 12
	if n, err := strconv.Atoi(os.Getenv("KITH_SEEDS")); err == nil {
		seeds = n
	}
	for seed := range seeds {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			w := &wild{watched: newForum(t, readingTexts()), rand: rand.New(rand.NewPCG(uint64(seed), 1)), state: map[int64]string{}, gone: map[int64]bool{}, steady: seed%2 == 0}
			w.watched.connect()
			for range 60 {
				w.happen()
			}
			w.grace()
			w.rebuilt()
			w.consistent()
			if n := len(w.events()); n < 15 {
				t.Errorf("only %d events: the test does not test much", n)
			}
			totals := fmt.Sprint(w.totals())
			w.again()
			if again := w.events(); len(again) > 0 {
				t.Errorf("reading everything again found %v", again)
			}
			if now := fmt.Sprint(w.totals()); now != totals {
				t.Errorf("reading everything again changed the totals\nfrom %s\nto   %s", totals, now)
			}
			w.look(30 * day)
			w.rebuilt()
			w.consistent()
			if t.Failed() {
				t.Logf("what happened:\n%s", w.log)
			}
		})
	}
}

// wild is a forum in which things happen at random.
type wild struct {
	*watched
	rand   *rand.Rand
	topics []int64
	posts  []int64          // replies; openings stay where they are
	state  map[int64]string // of posts that are not plainly there
	gone   map[int64]bool   // topics
	log    string
	// steady: the blueprint never changes.
	steady bool
}

// consistent compares what counts with the state of threads and messages, and the counters with what counts.
func (w *wild) consistent() {
	w.t.Helper()
	tests := map[string]string{
		"counters of %s lead to %d, and %d count": `SELECT o.behaviour, coalesce((SELECT sum(CASE name WHEN 'behaviours' THEN value ELSE -value END) FROM counters k WHERE k.behaviour = o.behaviour), 0),
			count(*) FILTER (WHERE o.state = 1 AND NOT o.imported) FROM occurrences o GROUP BY 1`,
	}
	if w.steady {
		tests["question %s has %d cases that are due, want %d"] = `SELECT t.native, (SELECT count(*) FROM occurrences o WHERE o.thread = t.n AND o.behaviour = 'due' AND o.state = 1),
			t.question AND t.visible AND t.opened + 86400000 <= c.watermark FROM threads t JOIN channels c ON c.n = t.channel`
		tests["question %s has %d cases answered in time, want %d"] = `SELECT t.native, (SELECT count(*) FROM occurrences o WHERE o.thread = t.n AND o.behaviour = 'answered' AND o.state = 1),
			t.question AND t.visible AND t.opened + 86400000 <= c.watermark AND t.first_at <> 0 AND t.first_at - t.opened <= 86400000 FROM threads t JOIN channels c ON c.n = t.channel`
		tests["question %s has %d cases not answered in time, want %d"] = `SELECT t.native, (SELECT count(*) FROM occurrences o WHERE o.thread = t.n AND o.behaviour = 'answered' AND o.state = 5),
			t.question AND t.visible AND t.opened + 86400000 <= c.watermark AND NOT (t.first_at <> 0 AND t.first_at - t.opened <= 86400000) FROM threads t JOIN channels c ON c.n = t.channel`
		tests["thread %s has %d answers that count, want %d"] = `SELECT t.native, (SELECT count(*) FROM occurrences o WHERE o.thread = t.n AND o.behaviour = 'answer' AND o.state = 1),
			(SELECT count(*) FROM messages m WHERE m.thread = t.n AND m.author <> t.asker AND m.flags & 31 = 0 AND t.visible AND t.question) FROM threads t`
	}
	for text, query := range tests {
		w.rows(query, func(scan func(...any) error) error {
			var what string
			var got, want int
			err := scan(&what, &got, &want)
			if got != want {
				w.t.Errorf(text, what, got, want)
			}
			return err
		})
	}
}

func (w *wild) note(format string, args ...any) { w.log += fmt.Sprintf(format+"\n", args...) }

func pick[T any](w *wild, list []T) T { return list[w.rand.IntN(len(list))] }

func (w *wild) user() discoursetest.User { return pick(w, []discoursetest.User{ann, ben, cat, mod}) }

func (w *wild) happen() {
	if len(w.topics) < 2 || w.rand.IntN(12) == 0 {
		u := w.user()
		id, _ := w.NewTopic(u, pick(w, []int64{support, support, 6}), "Which one?", "<p>Which one do I need?</p>")
		w.topics = append(w.topics, id)
		w.note("topic %d by %s", id, u.Username)
		return
	}
	topic := pick(w, w.topics)
	switch w.rand.IntN(12) {
	case 0:
		w.wait(time.Duration(w.rand.IntN(40)) * time.Hour)
	case 1, 2:
		w.wait(time.Duration(1+w.rand.IntN(60)) * time.Minute)
	case 3, 4:
		w.reply(topic)
	case 5:
		w.changeTopic(topic)
	case 6:
		if w.rand.IntN(4) == 0 && !w.steady {
			w.redeclare()
		}
	default:
		if len(w.posts) > 0 {
			w.changePost(pick(w, w.posts))
		}
	}
}

func (w *wild) wait(d time.Duration) {
	w.note("%s pass", d)
	w.look(d + time.Minute)
}

func (w *wild) reply(topic int64) {
	if w.gone[topic] {
		return
	}
	u, ago := w.user(), time.Duration(0)
	if w.rand.IntN(5) == 0 {
		ago = time.Duration(w.rand.IntN(30)) * time.Hour
	}
	w.clock.Advance(-ago)
	id := w.Reply(topic, u, pick(w, []string{"<p>The short one.</p>", "<p>The red short one.</p>", "<p>Thank you, that was it!</p>"}), 0)
	w.clock.Advance(ago)
	w.posts = append(w.posts, id)
	w.note("reply %d in %d by %s, written %s ago", id, topic, u.Username, ago)
}

func (w *wild) changeTopic(topic int64) {
	n := w.rand.IntN(5)
	switch {
	case w.gone[topic]:
		w.RestoreTopic(topic)
		w.gone[topic] = false
		w.note("topic %d restored", topic)
	case n == 0:
		w.Close(topic, mod)
		w.note("topic %d closed", topic)
	case n == 1:
		w.Reopen(topic, mod)
		w.note("topic %d opened", topic)
	case n == 2:
		w.Recategorise(topic, pick(w, []int64{support, 6}))
		w.note("topic %d recategorised", topic)
	case n == 3:
		w.RemoveTopic(topic, mod)
		w.gone[topic] = true
		w.note("topic %d removed", topic)
	default:
		w.note("nothing")
	}
}

func (w *wild) changePost(id int64) {
	was := w.state[id]
	if was != "" && was != "accepted" {
		w.Restore(id)
		w.Unhide(id)
		delete(w.state, id)
		w.note("post %d restored", id)
		return
	}
	w.state[id] = pick(w, []string{"", "edited", "removed by author", "removed by moderator", "hidden", "accepted", "unaccepted", "liked", "moved"})
	switch w.state[id] {
	case "removed by author":
		w.RemoveByAuthor(id)
	case "removed by moderator":
		w.RemoveByModerator(id, mod)
	case "hidden":
		w.Hide(id)
	case "edited":
		w.Edit(id, fmt.Sprintf("<p>The short one, number %d.</p>", w.rand.IntN(3)))
	case "accepted":
		w.Accept(id)
	case "unaccepted":
		w.Unaccept(id)
	case "liked":
		w.Like(id)
	case "moved":
		into := pick(w, w.topics)
		if !w.gone[into] {
			w.Move([]int64{id}, into, mod)
			w.note("into %d:", into)
		}
	}
	w.note("post %d %s", id, w.state[id])
	if s := w.state[id]; !slices.Contains([]string{"removed by author", "removed by moderator", "hidden"}, s) {
		delete(w.state, id)
	}
}

// redeclare puts another blueprint in force.
func (w *wild) redeclare() {
	bp := readingTexts()
	switch w.rand.IntN(4) {
	case 0:
		bp.Behaviours = slices.Delete(bp.Behaviours, 3, 4)
	case 1:
		bp.Behaviours[0].Generation, bp.Behaviours[0].When = "2", "event.answer && event.words >= 3"
	case 2:
		bp.Behaviours[3].Generation, bp.Behaviours[3].Settle = "2", day
	case 3:
		bp.Behaviours = append(bp.Behaviours, blueprint.Behaviour{Name: "waiting", Generation: "1", Role: blueprint.RoleBasis,
			On: bp.Behaviours[2].On, After: 3 * day, When: "thread.question && !thread.solved",
			Credit: blueprint.CreditNone, Benefits: blueprint.BenefitsNone, Per: blueprint.Per{Scope: blueprint.PerThread}})
	}
	w.apply(bp)
	w.note("another blueprint")
}
