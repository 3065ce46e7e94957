// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/conversation"
	"github.com/kith-dev/kith/internal/ledger"
)

// Ranks order what happened at the same moment.
const (
	rankMember = iota
	rankThread
	rankMessage
	rankLater // what became of a message afterwards
	rankListing
)

type stagedDoc struct {
	Observed    int64             `json:"observed"`
	Observation event.Observation `json:"observation"`
}

// stage keeps observations until history has been read. A message that was accepted or removed at a known later time
// is kept twice: as it was, and as it became.
func (p *pipeline) stage(list []event.Observation) error {
	var rows []ledger.Staged
	latest := map[string]int{} // where a message is on this page more than once, only how it stood last counts
	for i, o := range list {
		if o.Message != nil {
			latest[o.Message.ID] = i
		}
	}
	add := func(at int64, rank int, ident string, author *event.Actor, o event.Observation) error {
		doc, err := json.Marshal(stagedDoc{p.conv.Observed, o})
		if err != nil {
			return fmt.Errorf("encode an observation: %w", err)
		}
		s := ledger.Staged{At: at, Rank: rank, Ident: ident, Doc: doc}
		if author != nil {
			s.Author = p.tx.Lookup(p.channel.N, author.ID)
		}
		rows = append(rows, s)
		return nil
	}
	var once []string // messages of which no later change is known, or none any more
	for i, o := range list {
		if o.Message != nil && latest[o.Message.ID] != i {
			continue
		}
		before := len(rows)
		var err error
		switch {
		case o.Member != nil:
			err = add(0, rankMember, o.Member.ID, &o.Member.Actor, o)
		case o.Thread != nil && o.Thread.CreatedAt.IsZero(): // a tombstone: what it was is staged already, if it was ever seen
			err = add(p.conv.Observed, rankListing, "gone/"+o.Thread.ID, nil, o)
		case o.Thread != nil:
			err = add(o.Thread.CreatedAt.UnixMilli(), rankThread, o.Thread.ID, &o.Thread.Author, o)
		case o.Listing != nil:
			err = add(p.conv.Observed, rankListing, o.Listing.Thread, nil, o)
		case o.Message != nil:
			err = p.stageMessage(o, add)
		}
		if err != nil {
			return err
		}
		if o.Message != nil && len(rows) == before+1 {
			once = append(once, o.Message.ID)
		}
	}
	if err := p.tx.DropStaged(p.channel.N, rankLater, once); err != nil {
		return err
	}
	return p.tx.Stage(p.channel.N, rows)
}

func (p *pipeline) stageMessage(o event.Observation, add func(int64, int, string, *event.Actor, event.Observation) error) error {
	m := o.Message
	first := *m
	later := m.CreatedAt
	if m.Presence == event.Removed && m.RemovedAt.After(m.CreatedAt) {
		first.Presence, first.RemovedAt, first.RemovedBy, first.Remover = "", time.Time{}, "", nil
		later = m.RemovedAt
	}
	if m.Accepted != nil && *m.Accepted && m.AcceptedAt.After(m.CreatedAt) {
		first.Accepted, first.AcceptedAt, first.AcceptedBy = nil, time.Time{}, nil
		if m.AcceptedAt.After(later) {
			later = m.AcceptedAt
		}
	}
	if later.Equal(m.CreatedAt) {
		return add(m.CreatedAt.UnixMilli(), rankMessage, m.ID, &m.Author, o)
	}
	if err := add(m.CreatedAt.UnixMilli(), rankMessage, m.ID, &m.Author, event.Observation{Message: &first}); err != nil {
		return err
	}
	return add(later.UnixMilli(), rankLater, m.ID, &m.Author, o)
}

// drainChunk is how many observations of history one transaction processes.
const drainChunk = 1000

// drainAll processes a channel's history, which has been read, in the order of its own time: so that levels, parties
// and cases come out as if Kith had been there, whatever the order of reading. It holds the channel's turn.
func (h *Hub) drainAll(channel int64) {
	h.failure.Store(nil)
	for {
		more, err := h.drainSome(h.ctx, channel)
		h.wrote(err)
		if errors.Is(err, ledger.ErrStorage) && h.pause(err, channel) {
			continue // nothing was lost: what could not be written is still there to be processed
		}
		if err != nil {
			if h.ctx.Err() == nil {
				h.o.Log.Error(err, "Processing the history of a channel stopped; it goes on at the next start", "channel", channel)
				h.failure.Store(&err)
			}
			return
		}
		h.failure.Store(nil)
		if !more {
			return
		}
	}
}

// storagePause is how long the processing of history waits for a ledger that cannot be written.
const storagePause = 2 * time.Second

// pause waits for the ledger to be written again, and says whether the hub goes on.
func (h *Hub) pause(err error, channel int64) bool {
	if h.failure.Swap(&err) == nil {
		h.o.Log.Error(err, "The history of a channel cannot be processed while the ledger cannot be written; it goes on by itself", "channel", channel)
	}
	wait := time.NewTimer(storagePause)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-h.ctx.Done():
		return false
	}
}

func (h *Hub) drainSome(ctx context.Context, channel int64) (more bool, err error) {
	tx, err := h.ledger.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	g := h.engine.Load()
	c, err := channelByNumber(tx, channel)
	if err != nil || c.History != ledger.HistoryProcessing {
		return false, err
	}
	p, err := h.newPipeline(tx, c, g, h.millis(), false)
	if err != nil {
		return false, err
	}
	staged, err := tx.NextStaged(channel, drainChunk)
	if err != nil {
		return false, err
	}
	if err := h.noteDrain(tx, channel, len(staged)); err != nil {
		return false, err
	}
	if err := p.drainList(staged); err != nil {
		return false, err
	}
	if err := tx.Unstage(staged); err != nil {
		return false, err
	}
	if len(staged) == 0 {
		c.History = ledger.HistoryComplete
		c.Watermark = max(c.Watermark, c.PendingWatermark)
		if err := p.advance(c.Watermark); err != nil {
			return false, err
		}
	}
	return len(staged) > 0, tx.Commit()
}

func (p *pipeline) drainList(staged []ledger.Staged) error {
	docs := make([]stagedDoc, len(staged))
	observations := make([]event.Observation, len(staged))
	for i, s := range staged {
		if err := json.Unmarshal(s.Doc, &docs[i]); err != nil {
			return fmt.Errorf("decode staged observation %d: %w", s.N, err)
		}
		observations[i] = docs[i].Observation
	}
	p.conv.Prepared = conversation.Prepare(observations, 2)
	if err := p.prefetch(observations); err != nil {
		return err
	}
	if n := len(staged); n > 0 {
		if err := p.tx.LoadTimers(p.channel.N, min(staged[n-1].At-1, p.channel.PendingWatermark)); err != nil { // in one go
			return err
		}
	}
	for i, s := range staged {
		// Up to here the past has happened: what was due by then fires first.
		if due := min(s.At-1, p.channel.PendingWatermark); due > 0 {
			if err := p.advance(due); err != nil {
				return err
			}
		}
		if m := observations[i].Message; m != nil {
			if err := p.drainThread(m.Thread); err != nil {
				return err
			}
		}
		p.conv.Observed = docs[i].Observed
		if err := p.observe(&observations[i]); err != nil {
			return err
		}
	}
	return nil
}

// drainThread processes a thread that waits, and of which an older message comes first: one that was moved there.
func (p *pipeline) drainThread(native string) error {
	t, err := p.tx.ThreadByNative(p.channel.N, native)
	if err != nil || t != nil {
		return err
	}
	s, err := p.tx.StagedOf(p.channel.N, rankThread, native)
	if err != nil || s == nil {
		return err
	}
	var doc stagedDoc
	if err := json.Unmarshal(s.Doc, &doc); err != nil {
		return fmt.Errorf("decode staged observation %d: %w", s.N, err)
	}
	p.conv.Observed = doc.Observed
	return p.observe(&doc.Observation)
}

func (h *Hub) noteDrain(tx *ledger.Tx, channel int64, now int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.draining[channel]
	if d.total == 0 {
		n, err := tx.CountStaged(channel, nil)
		if err != nil {
			return err
		}
		d.total = n
	} else {
		d.done = min(d.total, d.done+int64(now))
	}
	h.draining[channel] = d
	if now == 0 {
		delete(h.draining, channel)
	}
	return nil
}

// Resume goes on with history that was being processed when the last hub stopped.
func (h *Hub) Resume(ctx context.Context) error {
	channels, err := h.ledger.Channels(ctx)
	if err != nil {
		return err
	}
	for _, c := range channels {
		if c.History != ledger.HistoryProcessing {
			continue
		}
		done, err := h.turn(ctx, c.N)
		if err != nil {
			return err
		}
		h.work.Go(func() {
			defer done()
			h.drainAll(c.N)
		})
	}
	return nil
}

// Drain waits until no history is being processed.
func (h *Hub) Drain(ctx context.Context) error {
	channels, err := h.ledger.Channels(ctx)
	if err != nil {
		return err
	}
	for _, c := range channels {
		done, err := h.turn(ctx, c.N)
		if err != nil {
			return err
		}
		done()
	}
	if err := h.failure.Load(); err != nil {
		return *err
	}
	return nil
}
