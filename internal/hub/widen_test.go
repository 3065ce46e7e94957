// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
)

// TestWideningTakesWhatIsReadOutOfWhatWasBefore: the platform's own count of somebody's messages covers those that a
// wider horizon brings in; they must not count twice.
func TestWideningTakesWhatIsReadOutOfWhatWasBefore(t *testing.T) {
	l := openLedger(t)
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	h := hub.New(l, hub.Options{Now: func() time.Time { return now }})
	defer h.Close()
	if err := h.Apply(t.Context(), yearBlueprint()); err != nil {
		t.Fatal(err)
	}
	ref := event.ChannelRef{Platform: "discourse", Instance: "forum.example"}
	cursor := json.RawMessage(nil)
	read := func(since blueprint.Since, thread string, at time.Time, messages int) {
		t.Helper()
		if _, err := h.ResolveSince(t.Context(), "forum", since); err != nil {
			t.Fatal(err)
		}
		lease, err := h.Acquire(t.Context(), ref, "forum", "test")
		if err != nil {
			t.Fatal(err)
		}
		count := 10
		author := event.Actor{ID: "7"}
		list := []event.Observation{{Member: &event.Member{Actor: author, Messages: &count}}, {Thread: &event.Thread{ID: thread, CreatedAt: at, Author: author}}}
		for i := range messages {
			list = append(list, event.Observation{Message: &event.Message{ID: thread + "." + strconv.Itoa(i), Thread: thread, Opening: i == 0,
				Author: author, CreatedAt: at.Add(time.Duration(i) * time.Minute), Text: "Some words."}})
		}
		next := json.RawMessage(`{"read":"` + thread + `"}`)
		if err := h.Commit(t.Context(), event.Commit{Channel: ref, Epoch: lease.Epoch, Lane: event.Backfill, Previous: cursor, Next: next,
			Done: true, ObservedAt: now, CompleteThrough: now, Observations: list}); err != nil {
			t.Fatal(err)
		}
		cursor = next
		if err := h.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	prior := func() (prior, written int64) {
		t.Helper()
		if err := l.Reader().QueryRowContext(t.Context(), "SELECT prior, messages FROM stats WHERE prior IS NOT NULL").Scan(&prior, &written); err != nil {
			t.Fatal(err)
		}
		return prior, written
	}
	read(blueprint.Since{Duration: 30 * 24 * time.Hour}, "new", now.AddDate(0, 0, -10), 3)
	if before, written := prior(); before != 7 || written != 3 {
		t.Errorf("of 10 messages %d were read and %d lie before, want 3 and 7", written, before)
	}
	read(blueprint.Since{All: true}, "old", now.AddDate(0, -6, 0), 4)
	if before, written := prior(); before != 3 || written != 7 {
		t.Errorf("after widening %d of 10 messages were read and %d lie before, want 7 and 3", written, before)
	}
	checkRebuild(t, l)
}
