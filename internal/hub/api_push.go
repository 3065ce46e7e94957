// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/reader"
)

// PushPlatform is the platform of channels that nobody reads: they are fed with CloudEvents.
const PushPlatform = "push"

// rememberIDs is how many of the latest events of a channel are recognised when they are sent again.
const rememberIDs = 2048

// pusher is the reader of channels that are fed: it holds their leases and makes pages of what comes. The ids of the
// latest events are in the cursor, so that they and the events they stand for are committed together.
type pusher struct {
	hub   *Hub
	mu    sync.Mutex
	feeds map[event.ChannelRef]*pushFeed
}

// pushFeed is one channel's. Its lock makes pages of the channel take turns.
type pushFeed struct {
	turn   chan struct{}
	lease  reader.Lease
	name   string
	cursor pushCursor
	raw    json.RawMessage
	taken  int64
	since  time.Time
	// through is the latest completethrough.
	through time.Time
}

// pushCursor is the cursor's form: how many events have been taken in, and the short hashes of the latest ids.
type pushCursor struct {
	Version int    `json:"version"`
	Count   int64  `json:"count"`
	IDs     string `json:"ids,omitempty"`

	known map[[8]byte]bool
	order [][8]byte
}

func newPusher(h *Hub) *pusher { return &pusher{hub: h, feeds: map[event.ChannelRef]*pushFeed{}} }

// commit takes events into a channel as one page, and says how many were there already. It is repeated once where
// somebody else has taken the lease meanwhile.
func (p *pusher) commit(ctx context.Context, c *blueprint.Channel, list []pushed) (repeated int, err error) {
	ref := event.ChannelRef{Platform: PushPlatform, Instance: c.URL}
	p.mu.Lock()
	f := p.feeds[ref]
	if f == nil {
		f = &pushFeed{turn: make(chan struct{}, 1), since: p.hub.o.Now()}
		p.feeds[ref] = f
	}
	p.mu.Unlock()
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for attempt := 0; ; attempt++ {
		if f.lease.Epoch == 0 || f.name != c.Name {
			if err := f.acquire(ctx, p.hub, ref, c); err != nil {
				return 0, err
			}
		}
		repeated, err = f.page(ctx, p.hub, ref, list)
		if err == nil {
			break
		}
		// What the ledger holds now is not known, or another hub's: the lease tells.
		f.lease = reader.Lease{}
		if attempt > 0 || !errors.Is(err, reader.ErrConflict) {
			return 0, err
		}
	}
	f.taken += int64(len(list) - repeated)
	return repeated, p.hub.Report(ctx, c.Name, f.state(c, p.hub.o.Now()))
}

// acquire takes the lease, and ends the channel's history at the first time: there is none to be read.
func (f *pushFeed) acquire(ctx context.Context, h *Hub, ref event.ChannelRef, c *blueprint.Channel) error {
	if err := h.resolveOnce(ctx, c); err != nil {
		return err
	}
	lease, err := h.Acquire(ctx, ref, c.Name, "hub")
	if err != nil {
		return err
	}
	f.raw = lease.Cursors[event.Live]
	if f.cursor, err = decodePushCursor(f.raw); err != nil {
		return err
	}
	if !lease.Done[event.Backfill] {
		err := h.Commit(ctx, event.Commit{Channel: ref, Epoch: lease.Epoch, Lane: event.Backfill, Previous: lease.Cursors[event.Backfill],
			Next: json.RawMessage(`{"version":1}`), Done: true, ObservedAt: h.o.Now()})
		if err != nil {
			return err
		}
	}
	f.lease, f.name = lease, c.Name
	return nil
}

// page commits what is new of the list.
func (f *pushFeed) page(ctx context.Context, h *Hub, ref event.ChannelRef, list []pushed) (repeated int, err error) {
	next := f.cursor.clone()
	page := event.Commit{Channel: ref, Epoch: f.lease.Epoch, Lane: event.Live, Previous: f.raw, ObservedAt: h.o.Now()}
	for _, e := range list {
		if e.completeThrough.After(page.CompleteThrough) && !e.completeThrough.After(page.ObservedAt) {
			page.CompleteThrough = e.completeThrough
		}
		if !next.add(e.id) {
			repeated++
			continue
		}
		page.Observations = append(page.Observations, e.observation)
	}
	if page.Next, err = next.encode(); err != nil {
		return 0, err
	}
	if err := h.Commit(ctx, page); err != nil {
		return 0, err
	}
	f.cursor, f.raw = next, page.Next
	if page.CompleteThrough.After(f.through) {
		f.through = page.CompleteThrough
	}
	return repeated, nil
}

func (f *pushFeed) state(c *blueprint.Channel, now time.Time) reader.State {
	return reader.State{Channel: c.Name, Platform: PushPlatform, Ref: event.ChannelRef{Platform: PushPlatform, Instance: c.URL}, Epoch: f.lease.Epoch,
		Phase: reader.Connected, Since: f.since, Ready: true, Heartbeat: now, LastProgress: now, BackfillDone: true,
		CompleteThrough: f.through, Observations: map[event.Lane]int64{event.Live: f.taken}}
}

func shortHash(id string) [8]byte {
	sum := sha256.Sum256([]byte(id))
	return [8]byte(sum[:8])
}

func decodePushCursor(raw json.RawMessage) (pushCursor, error) {
	c := pushCursor{Version: 1, known: map[[8]byte]bool{}}
	if raw == nil {
		return c, nil
	}
	if err := json.Unmarshal(raw, &c); err != nil || c.Version != 1 {
		return c, errors.New("the cursor of a push channel is not of this version of Kith: run the version that wrote it")
	}
	ids, err := base64.RawStdEncoding.DecodeString(c.IDs)
	if err != nil || len(ids)%8 != 0 {
		return c, fmt.Errorf("the cursor of a push channel is damaged after %d events", c.Count)
	}
	for i := 0; i < len(ids); i += 8 {
		h := [8]byte(ids[i : i+8])
		c.known[h] = true
		c.order = append(c.order, h)
	}
	return c, nil
}

func (c pushCursor) clone() pushCursor {
	known := make(map[[8]byte]bool, len(c.known))
	for h := range c.known {
		known[h] = true
	}
	c.known, c.order = known, append([][8]byte(nil), c.order...)
	return c
}

// add notes an event's id; false where it is known already.
func (c *pushCursor) add(id string) bool {
	h := shortHash(id)
	if c.known[h] {
		return false
	}
	c.known[h] = true
	c.order = append(c.order, h)
	if len(c.order) > rememberIDs {
		delete(c.known, c.order[0])
		c.order = c.order[1:]
	}
	c.Count++
	return true
}

func (c *pushCursor) encode() (json.RawMessage, error) {
	ids := make([]byte, 0, 8*len(c.order))
	for _, h := range c.order {
		ids = append(ids, h[:]...)
	}
	c.IDs = base64.RawStdEncoding.EncodeToString(ids)
	return json.Marshal(c)
}
