// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/reader"
)

func TestProgressLinesAreFew(t *testing.T) {
	now := forumTime()
	var out strings.Builder
	p := newProgress(&out, false)
	p.now = func() time.Time { return now }
	at := func(done, total int64) reader.State {
		return reader.State{Channel: "forum", Phase: reader.Backfilling, Progress: map[event.Lane]sdk.Progress{event.Backfill: {Done: done, Total: total, Unit: "topics"}}}
	}
	p.state(reader.State{Channel: "forum", Phase: reader.Connecting})
	p.state(at(0, 0))
	for i := range int64(2000) {
		now = now.Add(2 * time.Millisecond)
		p.state(at(i, 2000))
	}
	limited := reader.State{Channel: "forum", Phase: reader.RateLimited, Message: "the forum asks for a pause", RetryAt: now.Add(30 * time.Second)}
	p.state(limited)
	p.state(limited)
	p.state(reader.State{Channel: "forum", Phase: reader.Connected, BackfillDone: true})
	p.sorting("forum", 10, 4000)
	now = now.Add(quiet)
	p.sorting("forum", 3000, 4000)
	p.sorted("forum")
	p.close()
	want := `forum: reading history
forum: reading history: 1,499 of 2,000 topics
forum: RateLimited: the forum asks for a pause (again in 30s)
forum: history read
forum: putting history in order: 10 of 4,000 observations
forum: putting history in order: 3,000 of 4,000 observations
forum: history read
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Bars are drawn by goroutines of their own: this is for the race detector and against dead locks.
func TestProgressBars(t *testing.T) {
	s := newScreen()
	p := newProgress(s, true)
	for i := range int64(50) {
		p.state(reader.State{Channel: "forum", Phase: reader.Backfilling, Progress: map[event.Lane]sdk.Progress{event.Backfill: {Done: i, Total: 50, Unit: "topics"}}})
		p.sorting("blog", i, 50)
	}
	p.print("a line between\n")
	p.sorted("blog")
	p.close()
	p.close()
	if !strings.Contains(s.String(), "a line between") {
		t.Errorf("lines are lost:\n%s", s)
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
