// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
)

// life is what people do in the forum while things break: they ask, answer, edit, accept, and take back.
type life struct {
	forum  *forum
	random *rand.Rand
	// began is when it began: what counts while Kith watches is younger.
	began time.Time
	deeds map[string]int

	users   []discoursetest.User
	topics  []*liveTopic
	stopped chan struct{}
	done    sync.WaitGroup
	once    sync.Once
}

// liveTopic is a topic of this life, with the replies that stand and those that were taken back.
type liveTopic struct {
	id       int64
	standing []int64
	removed  []int64
	accepted int64
	closed   bool
}

// Bounds of a life: the connector looks at that many topics again in one pass.
const (
	liveTopics = 120
	deedEvery  = 400 * time.Millisecond
)

// startLife lets people do something at random moments until stop.
func startLife(t *testing.T, f *forum) *life {
	t.Helper()
	l := &life{
		forum: f, random: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)), began: time.Now().Truncate(time.Millisecond),
		deeds: map[string]int{}, stopped: make(chan struct{}),
	}
	for i := range int64(12) {
		l.users = append(l.users, discoursetest.User{ID: 900_001 + i, Username: fmt.Sprintf("live%d", i), TrustLevel: 1})
	}
	l.done.Go(func() {
		for {
			select {
			case <-l.stopped:
				return
			case <-time.After(time.Duration(l.random.Int64N(int64(2 * deedEvery)))):
				l.deed()
			}
		}
	})
	t.Cleanup(l.stop)
	return l
}

// stop ends it; what was done stays.
func (l *life) stop() {
	l.once.Do(func() { close(l.stopped) })
	l.done.Wait()
}

// deed does one thing. A thing that cannot be done now is left.
func (l *life) deed() {
	n := l.random.IntN(100)
	if len(l.topics) < 5 || n < 12 && len(l.topics) < liveTopics {
		l.ask()
		return
	}
	t := l.topics[l.random.IntN(len(l.topics))]
	switch {
	case n < 50:
		l.answer(t)
	case n < 55:
		l.answerOld()
	case n < 65:
		l.with(t.standing, "edits", func(post int64) { l.forum.Edit(post, "<p>"+l.text()+"</p>") })
	case n < 70:
		l.with(t.standing, "likes", l.forum.Like)
	case n < 82:
		l.with(t.standing, "acceptances", func(post int64) { l.forum.Accept(post); t.accepted = post })
	case n < 85:
		if t.accepted != 0 {
			l.forum.Unaccept(t.accepted)
			t.accepted = 0
			l.deeds["acceptances taken back"]++
		}
	case n < 92:
		l.remove(t)
	case n < 96:
		l.with(t.removed, "restorations", func(post int64) {
			l.forum.Restore(post)
			t.removed = slices.DeleteFunc(t.removed, func(p int64) bool { return p == post })
			t.standing = append(t.standing, post)
		})
	default:
		if t.closed {
			l.forum.Reopen(t.id, l.users[0])
		} else {
			l.forum.Close(t.id, l.users[0])
		}
		t.closed = !t.closed
		l.deeds["closings and reopenings"]++
	}
}

func (l *life) with(posts []int64, deed string, do func(int64)) {
	if len(posts) > 0 {
		do(posts[l.random.IntN(len(posts))])
		l.deeds[deed]++
	}
}

func (l *life) ask() {
	id, _ := l.forum.NewTopic(l.user(), 10, fmt.Sprintf("How does number %d work?", len(l.topics)), "<p>How does "+l.text()+" work?</p>")
	l.forum.began(id)
	l.topics = append(l.topics, &liveTopic{id: id})
	l.deeds["questions"]++
}

func (l *life) answer(t *liveTopic) {
	if t.closed {
		return
	}
	t.standing = append(t.standing, l.forum.Reply(t.id, l.user(), "<p>"+l.text()+"</p>", 0))
	l.deeds["answers"]++
}

// answerOld answers in a topic that Kith read as history.
func (l *life) answerOld() {
	l.forum.Reply(l.forum.known[l.random.IntN(len(l.forum.known))].ID, l.user(), "<p>"+l.text()+"</p>", 0)
	l.deeds["answers to old questions"]++
}

// remove takes back any reply but the accepted one, which forums protect.
func (l *life) remove(t *liveTopic) {
	free := slices.DeleteFunc(slices.Clone(t.standing), func(p int64) bool { return p == t.accepted })
	l.with(free, "removals", func(post int64) {
		if l.random.IntN(2) == 0 {
			l.forum.RemoveByAuthor(post)
		} else {
			l.forum.RemoveByModerator(post, l.users[0])
		}
		t.standing = slices.DeleteFunc(t.standing, func(p int64) bool { return p == post })
		t.removed = append(t.removed, post)
	})
}

func (l *life) user() discoursetest.User { return l.users[l.random.IntN(len(l.users))] }

func (l *life) text() string { return fmt.Sprintf("part %d of the machine", l.random.IntN(1_000_000)) }
