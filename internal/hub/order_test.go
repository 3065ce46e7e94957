// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
)

// TestOlderThanItsThread reads as history what was moved into a younger thread: the thread is its asker's all the same,
// and the older message answers it.
func TestOlderThanItsThread(t *testing.T) {
	asker, helper := event.Actor{ID: "asker"}, event.Actor{ID: "helper"}
	opened := start.Add(-10 * day)
	got, err := dumpOf(t.TempDir(), testKeys(t), []page{{event.Backfill, start, []event.Observation{
		{Thread: &event.Thread{ID: "t", CreatedAt: opened, Author: asker, Room: "support"}},
		{Message: &event.Message{ID: "q", Thread: "t", Opening: true, Author: asker, CreatedAt: opened, Text: "Which one?"}},
		{Message: &event.Message{ID: "a", Thread: "t", Author: helper, CreatedAt: opened.Add(-day), Text: "The short one."}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"the thread's opening":    fmt.Sprintf(`"kind":"ThreadOpened","native":"t","at":%d,"imported":true,"thread":"t","author":"m2"`, opened.UnixMilli()),
		"an answer that counts":   `occurrence ["answer","1","t","a","1/a/0","","m1","m2"`,
		"a case that is due":      `occurrence ["due","1","t"`,
		"a case that is answered": `occurrence ["answered","1","t","a","1/a/0","due","m1","m2"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing: %s", what, want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// page is some observations on their way in.
type page struct {
	lane     event.Lane
	observed time.Time
	list     []event.Observation
}

// TestOrderOfReadingDoesNotMatter reads a random history in random pages and lanes, some of it more than once and first
// as it stood earlier: the ledger is the same as when all of it comes on one page.
func TestOrderOfReadingDoesNotMatter(t *testing.T) {
	keys := testKeys(t)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		final := drawHistory(rt)
		want, err := dumpOf(dir, keys, []page{{event.Backfill, start, final}})
		if err != nil {
			rt.Fatal(err)
		}
		got, err := dumpOf(dir, keys, drawPages(rt, final))
		if err != nil {
			rt.Fatal(err)
		}
		if want == got {
			return
		}
		for _, d := range hub.Compare(bytes.NewBufferString(want), bytes.NewBufferString(got), 20) {
			side := map[string]string{"ledger": "one page", "rebuilt": "many pages"}[d.Side]
			rt.Errorf("only with %s: %s", side, d.Line)
		}
		if !rt.Failed() {
			rt.Error("the dumps have the same lines in another order")
		}
	})
}

// drawHistory draws threads with messages as they stand in the end, all from before Kith came.
func drawHistory(rt *rapid.T) []event.Observation {
	minutes := rapid.IntRange(0, 3*24*60)
	person := rapid.Custom(func(rt *rapid.T) event.Actor {
		n := rapid.IntRange(0, 4).Draw(rt, "person")
		a := event.Actor{ID: fmt.Sprintf("p%d", n), Handle: fmt.Sprintf("p%d", n), Bot: n == 4}
		if n == 3 {
			a.Roles = []string{"moderator"}
		}
		return a
	})
	var out []event.Observation
	for n := range rapid.IntRange(1, 3).Draw(rt, "threads") {
		opened := start.Add(-40*day + time.Duration(minutes.Draw(rt, "opened"))*time.Minute)
		asker := person.Draw(rt, "asker")
		id := fmt.Sprintf("t%d", n)
		out = append(out, event.Observation{Thread: &event.Thread{ID: id, CreatedAt: opened, Author: asker, Title: "Which one?",
			Room: rapid.SampledFrom([]string{"support", "lounge"}).Draw(rt, "room"), Closed: rapid.Bool().Draw(rt, "closed"),
			Presence: rapid.SampledFrom([]event.Presence{event.Visible, event.Visible, event.Visible, event.Removed}).Draw(rt, "thread presence")}})
		for i := range rapid.IntRange(1, 5).Draw(rt, "messages") {
			m := &event.Message{ID: fmt.Sprintf("%s-%d", id, i), Thread: id, Opening: i == 0, Author: asker, CreatedAt: opened,
				Text: rapid.SampledFrom([]string{"Which one?", "The short one.", "Thank you, that was it!"}).Draw(rt, "text"), Accepted: new(bool)}
			if i > 0 {
				m.Author, m.CreatedAt = person.Draw(rt, "author"), opened.Add(time.Duration(minutes.Draw(rt, "at"))*time.Minute)
				*m.Accepted = rapid.Bool().Draw(rt, "accepted")
				m.Parent = rapid.SampledFrom([]string{"", fmt.Sprintf("%s-%d", id, i-1)}).Draw(rt, "parent")
			}
			later := m.CreatedAt.Add(time.Duration(minutes.Draw(rt, "later")) * time.Minute)
			m.Presence = rapid.SampledFrom([]event.Presence{event.Visible, event.Visible, event.Removed, event.Held}).Draw(rt, "presence")
			if m.Presence == event.Removed && rapid.Bool().Draw(rt, "removal has a time") {
				m.RemovedAt, m.RemovedBy = later, event.ByAuthor
			}
			if *m.Accepted && rapid.Bool().Draw(rt, "acceptance has a time") {
				m.AcceptedAt = later
			}
			if n := rapid.IntRange(0, 3).Draw(rt, "likes"); n > 0 {
				m.Reactions = []event.Reaction{{Name: "like", Count: n}}
			}
			out = append(out, event.Observation{Message: m})
		}
	}
	return out
}

// earlier draws how something stood before.
func earlier(rt *rapid.T, o event.Observation) event.Observation {
	if o.Thread != nil {
		t := *o.Thread
		t.Closed, t.Presence = false, event.Visible
		return event.Observation{Thread: &t}
	}
	m := *o.Message
	accepted := rapid.Bool().Draw(rt, "was accepted")
	m.Accepted, m.Reactions, m.Text = &accepted, nil, "As it was."
	m.AcceptedAt, m.Presence, m.RemovedAt, m.RemovedBy = time.Time{}, event.Visible, time.Time{}, ""
	if accepted {
		m.AcceptedAt = m.CreatedAt.Add(time.Hour)
	}
	return event.Observation{Message: &m}
}

// drawPages splits a history into pages of random lanes. What is read more than once comes as it stands last.
func drawPages(rt *rapid.T, final []event.Observation) []page {
	order := rapid.Permutation(final).Draw(rt, "order")
	var all []event.Observation
	for _, o := range order {
		if rapid.IntRange(0, 3).Draw(rt, "read before") == 0 {
			at := rapid.IntRange(0, len(all)).Draw(rt, "read at")
			all = slices.Insert(all, at, earlier(rt, o))
		}
		all = append(all, o)
	}
	var out []page
	for len(all) > 0 {
		n := rapid.IntRange(1, len(all)).Draw(rt, "page")
		out = append(out, page{
			lane:     rapid.SampledFrom([]event.Lane{event.Live, event.Backfill, event.Sweep}).Draw(rt, "lane"),
			observed: start.Add(time.Duration(rapid.IntRange(0, 100).Draw(rt, "observed")) * time.Second),
			list:     all[:n],
		})
		all = all[n:]
	}
	return out
}

// dumpOf reads pages as history and gives the canonical dump. History ends with an empty page, and then ten days pass.
func dumpOf(dir string, keys ledger.Keys, pages []page) (_ string, err error) {
	ctx := context.Background()
	dir, err = os.MkdirTemp(dir, "")
	if err != nil {
		return "", err
	}
	l, err := ledger.Open(ctx, filepath.Join(dir, "ledger.db"), ledger.Options{Keys: keys})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, l.Close(), os.RemoveAll(dir)) }()
	h := hub.New(l, hub.Options{Now: func() time.Time { return start }})
	defer h.Close()
	if err := h.Apply(ctx, answers()); err != nil {
		return "", err
	}
	ref := event.ChannelRef{Platform: "test", Instance: "test"}
	lease, err := h.Acquire(ctx, ref, "forum", "test")
	if err != nil {
		return "", err
	}
	cursors := map[event.Lane]json.RawMessage{}
	n := 0
	commit := func(c event.Commit) error {
		n++
		c.Channel, c.Epoch, c.Previous, c.Next = ref, lease.Epoch, cursors[c.Lane], json.RawMessage(fmt.Sprint(n))
		cursors[c.Lane] = c.Next
		return h.Commit(ctx, c)
	}
	for _, p := range pages {
		if err := commit(event.Commit{Lane: p.lane, ObservedAt: p.observed, Observations: p.list}); err != nil {
			return "", err
		}
	}
	if err := commit(event.Commit{Lane: event.Backfill, ObservedAt: start, Done: true, FromBeginning: true, CompleteThrough: start}); err != nil {
		return "", err
	}
	if err := h.Drain(ctx); err != nil {
		return "", err
	}
	if err := commit(event.Commit{Lane: event.Live, ObservedAt: start.Add(10 * day), CompleteThrough: start.Add(10 * day)}); err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := l.Dump(ctx, &b, ledger.DumpOptions{Labels: true}); err != nil {
		return "", err
	}
	differences, err := hub.Check(ctx, l, 10, nil)
	if err == nil && len(differences) > 0 {
		err = fmt.Errorf("a rebuild differs: only in the %s: %s", differences[0].Side, differences[0].Line)
	}
	return b.String(), err
}
