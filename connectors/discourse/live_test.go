// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
)

func id(n int64) string { return strconv.FormatInt(n, 10) }

func TestLiveStartsWhereTheForumStands(t *testing.T) {
	f := newForum(t, nil)
	topic, _ := f.NewTopic(ann, 5, "Old", "<p>old</p>")
	r := f.reader()
	obs, first := drain(t, r, event.Live, nil)
	if len(obs) > 0 {
		t.Errorf("the first read gave %d observations; history is the backfill's", len(obs))
	}
	before := f.Requests()
	if _, idle := drain(t, r, event.Live, first.Next); string(idle.Next) != string(first.Next) {
		t.Errorf("nothing is new, and the cursor moved from %s to %s", first.Next, idle.Next)
	}
	if n := f.Requests() - before; n != 2 {
		t.Errorf("idle polling twice took %d requests, want 2", n)
	}

	f.clock.Advance(time.Minute)
	reply := f.Reply(topic, ben, "<p>new</p>", 1)
	f.clock.Advance(time.Minute)
	obs, page := drain(t, r, event.Live, first.Next)
	got := sorted(obs)
	if m := got.messages[id(reply)]; m == nil || m.Author.ID != "12" || m.Parent == "" {
		t.Errorf("the reply: %+v", m)
	}
	if len(got.listings) > 0 {
		t.Error("live gave a listing, which is the sweep's")
	}
	if want := start.Add(2*time.Minute - 5*time.Second); !page.CompleteThrough.Equal(want) {
		t.Errorf("complete through %s, want %s", page.CompleteThrough, want)
	}
}

func TestLiveInAnEmptyForum(t *testing.T) {
	f := newForum(t, nil)
	r := f.reader()
	_, p := drain(t, r, event.Live, nil)
	_, post := f.NewTopic(ann, 5, "First", "<p>x</p>")
	f.clock.Advance(time.Minute)
	obs, _ := drain(t, r, event.Live, p.Next)
	if sorted(obs).messages[id(post)] == nil {
		t.Error("the very first post was not seen")
	}
}

// TestLiveCatchesUp: however much is new, and however the server lists, each post is seen.
func TestLiveCatchesUp(t *testing.T) {
	for name, options := range map[string][]discoursetest.Option{
		"by newest":         nil,
		"by windows of ids": {discoursetest.WithOldPostListing()},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForum(t, nil, options...)
			topic, _ := f.NewTopic(ann, 5, "Old", "<p>old</p>")
			r := f.reader()
			_, p := drain(t, r, event.Live, nil)
			var want []string
			for n := range 1500 {
				switch {
				case n%40 == 0:
					topic, _ = f.NewTopic(ann, 5, fmt.Sprintf("Topic %d", n), "<p>x</p>")
				case n%3 == 0:
					f.NewPrivateMessage(ann, "Secret", "<p>x</p>") // Takes ids that no reader sees.
					continue
				}
				want = append(want, id(f.Reply(topic, ben, "<p>x</p>", 0)))
			}
			f.clock.Advance(time.Minute)
			obs, last := drain(t, r, event.Live, p.Next)
			got := sorted(obs)
			for _, w := range want {
				if got.messages[w] == nil {
					t.Fatalf("post %s was not seen", w)
				}
			}
			if last.CompleteThrough.IsZero() {
				t.Error("all is read, and nothing is said to be complete")
			}
		})
	}
}

// TestLiveReadsOnlyWhatIsNewInLongTopics keeps a busy long topic affordable, and still sees its acceptance.
func TestLiveReadsOnlyWhatIsNewInLongTopics(t *testing.T) {
	f := newForum(t, nil)
	topic, _ := f.NewTopic(ann, 5, "Long", "<p>x</p>")
	var posts []int64
	for range 400 {
		posts = append(posts, f.Reply(topic, ben, "<p>x</p>", 0))
	}
	r := f.reader()
	_, p := drain(t, r, event.Live, nil)
	f.Accept(posts[200])
	reply := f.Reply(topic, ann, "<p>thanks</p>", 300)
	f.clock.Advance(time.Minute)
	before := f.Requests()
	obs, _ := drain(t, r, event.Live, p.Next)
	got := sorted(obs)
	if m := got.messages[id(reply)]; m == nil || m.Parent != id(posts[298]) {
		t.Errorf("the new reply: %+v", m)
	}
	if m := got.messages[id(posts[200])]; m == nil || m.Accepted == nil || !*m.Accepted {
		t.Errorf("the accepted answer: %+v", m)
	}
	if n := (f.Requests() - before) / 2; n > 8 {
		t.Errorf("one reply to a long topic took %d requests", n)
	}
}

func TestLiveSeesWhatBecomesVisibleLate(t *testing.T) {
	f := newForum(t, nil)
	topic, _ := f.NewTopic(ann, 5, "Topic", "<p>x</p>")
	held := f.Reply(topic, ben, "<p>held</p>", 0)
	f.Hide(held)
	f.Reply(topic, ann, "<p>x</p>", 0)
	r := f.reader()
	_, p := drain(t, r, event.Live, nil)
	f.Unhide(held)
	f.clock.Advance(time.Minute)
	obs, _ := drain(t, r, event.Live, p.Next)
	if m := sorted(obs).messages[id(held)]; m == nil || m.Presence != event.Visible {
		t.Errorf("a post with an id below the highest became visible: %+v", m)
	}
}

func TestLiveNeverClaimsMoreThanItRead(t *testing.T) {
	f := newForum(t, nil)
	r := f.reader()
	_, p := drain(t, r, event.Live, nil)
	first, _ := f.NewTopic(ann, 5, "One", "<p>x</p>")
	second, _ := f.NewTopic(ann, 5, "Two", "<p>x</p>")
	f.clock.Advance(time.Minute)
	f.SetFault(failing("/t/"+id(second)+".json", discoursetest.TooManyRequests(time.Minute)))
	page, err := r.Read(t.Context(), event.Live, p.Next)
	if err != nil {
		t.Fatalf("what was read before the refusal is lost: %v", err)
	}
	got := sorted(page.Observations)
	if got.threads[id(first)] == nil || !page.More || !page.CompleteThrough.IsZero() || page.Wait != time.Minute {
		t.Errorf("page: more %v, complete through %v, wait %s, threads %v", page.More, page.CompleteThrough, page.Wait, got.threads)
	}
	if _, err := r.Read(t.Context(), event.Live, page.Next); sdk.ReasonOf(err) != sdk.RateLimited {
		t.Errorf("want RateLimited, got %v", err)
	}
	f.SetFault(nil)
	f.clock.Advance(2 * time.Minute)
	obs, last := drain(t, r, event.Live, page.Next)
	if sorted(obs).threads[id(second)] == nil || last.CompleteThrough.After(start.Add(time.Minute)) || last.CompleteThrough.IsZero() {
		t.Errorf("after the pause: %d observations, complete through %s", len(obs), last.CompleteThrough)
	}
}

// TestChangesAreSeen makes each change that a forum knows and reads live and sweep until both are done.
func TestChangesAreSeen(t *testing.T) {
	f := newForum(t, nil, discoursetest.WithCategories(discoursetest.Category{ID: 5, Slug: "help"}, discoursetest.Category{ID: 6, Slug: "other"}))
	topic, opening := f.NewTopic(ann, 5, "Pump", "<p>It drips</p>")
	a, b, c := f.Reply(topic, ben, "<p>a</p>", 1), f.Reply(topic, ben, "<p>b</p>", 1), f.Reply(topic, ben, "<p>c</p>", 1)
	other, _ := f.NewTopic(ben, 5, "Valve", "<p>It sticks</p>")
	f.Reply(other, ann, "<p>d</p>", 1)
	f.clock.Advance(time.Minute)
	r := f.reader()
	_, live := drain(t, r, event.Live, nil)
	_, sweep := drain(t, r, event.Sweep, nil)
	liveCursor, sweepCursor := live.Next, sweep.Next

	look := func() seen {
		t.Helper()
		f.clock.Advance(time.Minute)
		one, p := drain(t, r, event.Live, liveCursor)
		two, q := drain(t, r, event.Sweep, sweepCursor)
		liveCursor, sweepCursor = p.Next, q.Next
		return sorted(append(one, two...))
	}
	listed := func(s seen, thread, post int64) bool {
		l := s.listings[id(thread)]
		return l != nil && slices.Contains(l.IDs, id(post))
	}
	message := func(s seen, post int64) event.Message {
		if m := s.messages[id(post)]; m != nil {
			return *m
		}
		return event.Message{}
	}
	accepted := func(s seen, post int64) bool {
		m := message(s, post)
		return m.Accepted != nil && *m.Accepted
	}
	var newTopic int64
	steps := []struct {
		name  string
		do    func()
		check func(seen) bool
	}{
		{"edit", func() { f.Edit(a, "<p>better</p>") }, func(s seen) bool {
			return message(s, a).Text == "<p>better</p>" && !message(s, a).EditedAt.IsZero()
		}},
		{"accept", func() { f.Accept(a) }, func(s seen) bool { return accepted(s, a) && !accepted(s, b) && s.threads[id(topic)].Type == "Question" }},
		{"accept another", func() { f.Accept(b) }, func(s seen) bool { return accepted(s, b) && !accepted(s, a) }},
		{"unaccept", func() { f.Unaccept(b) }, func(s seen) bool { return message(s, b).Accepted != nil && !accepted(s, b) }},
		{"removed by its author", func() { f.RemoveByAuthor(c) }, func(s seen) bool {
			return message(s, c).Presence == event.Removed && message(s, c).RemovedBy == event.ByAuthor && listed(s, topic, c)
		}},
		{"restored", func() { f.Restore(c) }, func(s seen) bool { return message(s, c).Presence == event.Visible && message(s, c).Text == "<p>c</p>" }},
		{"removed by a moderator", func() { f.RemoveByModerator(c, mod) }, func(s seen) bool {
			return s.messages[id(c)] == nil && !listed(s, topic, c) && listed(s, topic, a)
		}},
		{"like", func() { f.Like(a) }, func(s seen) bool {
			return cmp.Equal(message(s, a).Reactions, []event.Reaction{{Name: "like", Count: 1}})
		}},
		{"closed", func() { f.Close(topic, mod) }, func(s seen) bool { return s.threads[id(topic)].Closed }},
		{"reopened", func() { f.Reopen(topic, mod) }, func(s seen) bool { return !s.threads[id(topic)].Closed }},
		{"another room", func() { f.Recategorise(topic, 6) }, func(s seen) bool { return s.threads[id(topic)].Room == "other" }},
		{"moved to a topic of its own", func() { newTopic, _ = f.MoveToNewTopic([]int64{b}, "Hose", mod) }, func(s seen) bool {
			return message(s, b).Thread == id(newTopic) && s.threads[id(newTopic)] != nil && !listed(s, topic, b)
		}},
		{"moved to another topic", func() { f.Move([]int64{a}, other, mod) }, func(s seen) bool {
			return message(s, a).Thread == id(other) && listed(s, other, a) && !listed(s, topic, a)
		}},
		{"merged", func() { f.Merge(topic, other, mod) }, func(s seen) bool {
			th := s.threads[id(topic)]
			return th != nil && th.Closed && th.MergedInto == id(other) && listed(s, topic, opening)
		}},
		{"hidden", func() { f.Hide(a) }, func(s seen) bool { return message(s, a).Presence == event.Held }},
		{"topic removed", func() { f.RemoveTopic(topic, mod) }, func(s seen) bool {
			return s.threads[id(topic)] != nil && s.threads[id(topic)].Presence == event.Removed
		}},
	}
	for _, step := range steps {
		step.do()
		if s := look(); !step.check(s) {
			t.Errorf("%s was not seen: %s", step.name, asJSON(t, s.threads)+asJSON(t, s.messages)+asJSON(t, s.listings))
		}
	}
	if s := look(); len(s.threads) > 0 && s.threads[id(topic)] != nil {
		t.Error("the removed topic is still looked at")
	}
}

// TestMovedPostsAreSeenInTheirNewTopicFirst: else they would be taken for removed when they are missing from the old one.
func TestMovedPostsAreSeenInTheirNewTopicFirst(t *testing.T) {
	f := newForum(t, nil)
	from, _ := f.NewTopic(ann, 5, "From", "<p>x</p>")
	moved := f.Reply(from, ben, "<p>x</p>", 0)
	into, _ := f.NewTopic(ann, 5, "Into", "<p>x</p>")
	f.Reply(from, ben, "<p>later activity</p>", 0)
	f.clock.Advance(time.Minute)
	r := f.reader(setting("sweepTopics", 1))
	_, p := drain(t, r, event.Sweep, nil)
	f.clock.Advance(time.Minute)
	f.Move([]int64{moved}, into, mod)
	f.RemoveByModerator(f.Reply(from, ben, "<p>x</p>", 0), mod) // The old topic has lost a post on balance.
	f.clock.Advance(time.Minute)
	obs, _ := drain(t, r, event.Sweep, p.Next)
	seenIn := slices.IndexFunc(obs, func(o event.Observation) bool {
		return o.Message != nil && o.Message.ID == id(moved) && o.Message.Thread == id(into)
	})
	missing := slices.IndexFunc(obs, func(o event.Observation) bool {
		return o.Listing != nil && o.Listing.Thread == id(from) && !slices.Contains(o.Listing.IDs, id(moved))
	})
	if seenIn < 0 || missing < 0 || seenIn > missing {
		t.Errorf("seen in its new topic at %d, missing from the old one at %d", seenIn, missing)
	}
}
