// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

// EngineVersion is recorded with each blueprint: a rebuild by another version may differ, and says so.
const EngineVersion = "1"

// Options of New.
type Options struct {
	Log logr.Logger
	// Now is the clock of what is stamped; nil means time.Now. It decides nothing that is counted.
	Now func() time.Time
	// BeforeObservation is called before each observation is processed; an error sets the observation aside. Tests use
	// it to make faults.
	BeforeObservation func(*event.Observation) error
}

// Hub owns a ledger and runs one community's blueprint on it.
type Hub struct {
	ledger *ledger.Ledger
	o      Options
	engine atomic.Pointer[behaviour.Engine]

	mu       sync.Mutex
	numbers  map[event.ChannelRef]int64
	turns    map[int64]chan struct{} // one writer per channel; held while its history is processed
	states   map[string]reader.State
	sinces   map[string]time.Time
	draining map[int64]drainProgress

	work    sync.WaitGroup
	ctx     context.Context //nolint:containedctx // the life of background work, ended by Close
	stop    context.CancelFunc
	failure atomic.Pointer[error]
	// full is set while the last write failed for lack of space, or was not begun for it.
	full atomic.Bool
}

type drainProgress struct{ done, total int64 }

// ErrNoBlueprint says that pages come before Apply.
var ErrNoBlueprint = errors.New("the hub has no blueprint yet: apply one first")

// New makes a hub on an open ledger, and goes on with history that was being processed when the last one stopped once
// a blueprint is there.
func New(l *ledger.Ledger, o Options) *Hub {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Hub{ledger: l, o: o, numbers: map[event.ChannelRef]int64{}, turns: map[int64]chan struct{}{}, states: map[string]reader.State{},
		sinces: map[string]time.Time{}, draining: map[int64]drainProgress{}, ctx: ctx, stop: stop}
}

// Close ends background work and waits for it. The ledger stays open.
func (h *Hub) Close() {
	h.stop()
	h.work.Wait()
}

// Ledger gives the hub's ledger, for reading.
func (h *Hub) Ledger() *ledger.Ledger { return h.ledger }

// Blueprint gives the blueprint in force; nil before Apply.
func (h *Hub) Blueprint() *blueprint.Blueprint {
	if g := h.engine.Load(); g != nil {
		return g.Blueprint
	}
	return nil
}

func (h *Hub) millis() int64 { return h.o.Now().UnixMilli() }

// turn waits until nobody else writes to a channel, and gives the function that ends the turn.
func (h *Hub) turn(ctx context.Context, channel int64) (func(), error) {
	h.mu.Lock()
	t := h.turns[channel]
	if t == nil {
		t = make(chan struct{}, 1)
		h.turns[channel] = t
	}
	h.mu.Unlock()
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the channel's history is being processed, or another page of it is being written: %w", ctx.Err())
	}
}

// ResolveSince turns a declared horizon into a date. A horizon relative to now is resolved once, when the channel is
// first seen; later only widening moves it.
func (h *Hub) ResolveSince(ctx context.Context, name string, s blueprint.Since) (time.Time, error) {
	want := resolveSince(s, h.o.Now())
	tx, err := h.ledger.Begin(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer tx.Rollback()
	channels, err := tx.Channels()
	if err != nil {
		return time.Time{}, err
	}
	for _, c := range channels {
		if c.Name == name && c.LiveFrom != 0 {
			have := sinceTime(c.Since)
			if !have.IsZero() && (want.IsZero() || want.Before(have)) {
				break // widened
			}
			want = have
		}
	}
	h.mu.Lock()
	h.sinces[name] = want
	h.mu.Unlock()
	return want, nil
}

func resolveSince(s blueprint.Since, now time.Time) time.Time {
	switch {
	case s.All:
		return time.Time{}
	case !s.Date.IsZero():
		return s.Date.UTC()
	case s.Duration > 0:
		return now.Add(-s.Duration).UTC().Truncate(time.Second)
	}
	return now.Add(-90 * 24 * time.Hour).UTC().Truncate(time.Second)
}

func sinceTime(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func sinceMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(1, t.UnixMilli())
}

// Acquire implements reader.Hub: a new epoch, under which the older holder's pages are refused.
func (h *Hub) Acquire(ctx context.Context, ref event.ChannelRef, name, holder string) (reader.Lease, error) {
	if ref.Platform == "" || ref.Instance == "" || len(ref.Instance) > event.MaxID || len(ref.Account) > event.MaxID {
		return reader.Lease{}, fmt.Errorf("%w: a channel needs a platform and an instance of at most %d bytes", reader.ErrRefused, event.MaxID)
	}
	tx, err := h.ledger.Begin(ctx)
	if err != nil {
		return reader.Lease{}, err
	}
	defer tx.Rollback()
	c, err := tx.Channel(ref)
	if err != nil {
		return reader.Lease{}, err
	}
	h.mu.Lock()
	since, resolved := h.sinces[name]
	h.mu.Unlock()
	if c == nil {
		c = tx.NewChannel(ledger.Channel{Ref: ref, LiveFrom: h.millis()})
		if resolved {
			c.Since = sinceMillis(since)
		}
	} else if want := sinceMillis(since); resolved && c.Since != 0 && (want == 0 || want < c.Since) {
		c.Since, c.History, c.FromBeginning = want, ledger.HistoryReading, false
		c.PendingWatermark = max(c.PendingWatermark, c.Watermark)
	}
	c.Name, c.Holder = name, holder
	c.Epoch++
	cursors, err := tx.Cursors(c.N)
	if err != nil {
		return reader.Lease{}, err
	}
	lease := reader.Lease{Epoch: c.Epoch, Cursors: map[event.Lane]json.RawMessage{}, Done: map[event.Lane]bool{}}
	for lane, cur := range cursors {
		lease.Cursors[lane] = cur.Cursor
		lease.Done[lane] = cur.Done && (lane != event.Backfill || c.History != ledger.HistoryReading)
	}
	return lease, tx.Commit()
}

// Report implements reader.Hub.
func (h *Hub) Report(_ context.Context, channel string, s reader.State) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old, ok := h.states[channel]; ok && s.Epoch != 0 && old.Epoch > s.Epoch {
		return nil
	}
	h.states[channel] = s
	return nil
}

// States gives the readers' last reports by channel.
func (h *Hub) States() map[string]reader.State {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make(map[string]reader.State, len(h.states))
	for k, v := range h.states {
		out[k] = v
	}
	return out
}

// Forget drops the state of a channel that is no longer declared, and with it its series.
func (h *Hub) Forget(channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.states, channel)
	delete(h.sinces, channel)
}
