// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// fakeHub keeps cursors and observations as the ledger does: compare-and-set per lane under a lease epoch.
type fakeHub struct {
	mu      sync.Mutex
	epoch   int64
	holder  string
	cursors map[event.Lane]json.RawMessage
	done    map[event.Lane]bool
	// seen lists "lane:id" of committed observations in order; commits the lanes.
	seen    []string
	commits []event.Commit
	reports []State
	// onCommit runs before (false) and after (true) each commit; an error is what the reader gets.
	onCommit  func(c event.Commit, after bool) error
	onAcquire func() error
}

func newFakeHub() *fakeHub {
	return &fakeHub{cursors: map[event.Lane]json.RawMessage{}, done: map[event.Lane]bool{}}
}

func (h *fakeHub) Acquire(_ context.Context, _ event.ChannelRef, _, holder string) (Lease, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.onAcquire != nil {
		if err := h.onAcquire(); err != nil {
			return Lease{}, err
		}
	}
	h.epoch++
	h.holder = holder
	l := Lease{Epoch: h.epoch, Cursors: map[event.Lane]json.RawMessage{}, Done: map[event.Lane]bool{}}
	for k, v := range h.cursors {
		l.Cursors[k] = v
	}
	for k, v := range h.done {
		l.Done[k] = v
	}
	return l, nil
}

func (h *fakeHub) Commit(_ context.Context, c event.Commit) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.onCommit != nil {
		if err := h.onCommit(c, false); err != nil {
			return err
		}
	}
	if c.Epoch != h.epoch || !sameCursor(c.Previous, h.cursors[c.Lane]) {
		return &Conflict{Epoch: h.epoch, Holder: h.holder, Lane: c.Lane, Cursor: h.cursors[c.Lane]}
	}
	h.cursors[c.Lane] = c.Next
	if c.Lane != event.Live {
		h.done[c.Lane] = c.Done
	}
	for _, o := range c.Observations {
		h.seen = append(h.seen, string(c.Lane)+":"+o.Message.ID)
	}
	h.commits = append(h.commits, c)
	if h.onCommit != nil {
		return h.onCommit(c, true)
	}
	return nil
}

func (h *fakeHub) Report(_ context.Context, _ string, s State) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports = append(h.reports, s)
	return nil
}

func (h *fakeHub) order() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.seen...)
}

func (h *fakeHub) phases() []Phase {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Phase
	for _, r := range h.reports {
		if len(out) == 0 || out[len(out)-1] != r.Phase {
			out = append(out, r.Phase)
		}
	}
	return out
}

// fakeConnector serves lists of message ids per lane, two to a page; its cursor is {"at": n}.
type fakeConnector struct {
	mu    sync.Mutex
	lists map[event.Lane][]string
	reads []readCall
	// onRead may fail or replace a read; nil page and nil error let it go on.
	onRead  func(ctx context.Context, lane event.Lane, n int) (*sdk.Page, error)
	onProbe func() error
}

type readCall struct {
	lane event.Lane
	at   time.Time
}

const pageSize = 2

func newFakeConnector() *fakeConnector {
	return &fakeConnector{lists: map[event.Lane][]string{
		event.Live: {"l1", "l2", "l3"}, event.Backfill: {"b1", "b2", "b3", "b4", "b5"}, event.Sweep: {"s1", "s2", "s3"},
	}}
}

func (c *fakeConnector) Probe(context.Context) (sdk.Account, error) {
	if c.onProbe != nil {
		if err := c.onProbe(); err != nil {
			return sdk.Account{}, err
		}
	}
	return sdk.Account{Channel: event.ChannelRef{Platform: "fake", Instance: "fake.example"}, Title: "Fake"}, nil
}

func (c *fakeConnector) Read(ctx context.Context, lane event.Lane, cursor sdk.Cursor) (sdk.Page, error) {
	c.mu.Lock()
	c.reads = append(c.reads, readCall{lane, time.Now()})
	n := len(c.reads)
	list := c.lists[lane]
	c.mu.Unlock()
	if c.onRead != nil {
		if p, err := c.onRead(ctx, lane, n); err != nil || p != nil {
			if p == nil {
				p = &sdk.Page{}
			}
			return *p, err
		}
	}
	var pos struct{ At int }
	if cursor != nil {
		if err := json.Unmarshal(cursor, &pos); err != nil {
			return sdk.Page{}, err
		}
	}
	if lane == event.Sweep && pos.At >= len(list) {
		pos.At = 0
	}
	end := min(pos.At+pageSize, len(list))
	p := sdk.Page{Next: json.RawMessage(fmt.Sprintf(`{"at": %d}`, end)), More: end < len(list), Progress: sdk.Progress{Done: int64(end), Total: int64(len(list)), Unit: "messages"}}
	for _, id := range list[pos.At:end] {
		p.Observations = append(p.Observations, event.Observation{Message: &event.Message{ID: id, Thread: "t"}})
	}
	if lane == event.Live {
		p.CompleteThrough = time.Now()
	}
	return p, nil
}

func (c *fakeConnector) add(lane event.Lane, ids ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists[lane] = append(c.lists[lane], ids...)
}

// times gives when a lane was read, in seconds since begin.
func (c *fakeConnector) times(lane event.Lane, begin time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, r := range c.reads {
		if r.lane == lane {
			out = append(out, strconv.Itoa(int(r.at.Sub(begin).Round(time.Second).Seconds())))
		}
	}
	return out
}

func fakeChannel(c sdk.Connector) Channel {
	return Channel{
		Name: "forum", Generation: 1,
		Descriptor: sdk.Descriptor{
			Name: "fake", Lanes: []event.Lane{event.Live, event.Backfill, event.Sweep},
			New: func(sdk.Config) (sdk.Connector, error) { return c, nil },
		},
	}
}

// steady is jitter that changes no poll interval and halves no more than a quarter of a backoff.
func steady() float64 { return 0.5 }
