// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/conversation"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

// Commit implements reader.Hub: the page, the cursor behind it and every effect in one transaction, or nothing.
func (h *Hub) Commit(ctx context.Context, c event.Commit) error {
	if h.engine.Load() == nil {
		return ErrNoBlueprint
	}
	if err := check(&c); err != nil {
		return fmt.Errorf("%w: %w", reader.ErrRefused, err)
	}
	if err := h.room(); err != nil {
		return err
	}
	texts := conversation.Prepare(c.Observations, 2)
	n, err := h.channelNumber(ctx, c.Channel)
	if err != nil {
		return err
	}
	done, err := h.turn(ctx, n)
	if err != nil {
		return err
	}
	drain := false
	defer func() {
		if drain {
			h.work.Go(func() {
				defer done()
				h.drainAll(n)
			})
			return
		}
		done()
	}()
	tx, err := h.ledger.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	drain, err = h.commitPage(tx, h.engine.Load(), &c, texts)
	if err == nil {
		err = tx.Commit()
	}
	h.wrote(err)
	drain = drain && err == nil
	return err
}

// channelNumber gives the row number of a channel, which never changes: it is asked for once.
func (h *Hub) channelNumber(ctx context.Context, ref event.ChannelRef) (int64, error) {
	h.mu.Lock()
	n, known := h.numbers[ref]
	h.mu.Unlock()
	if known {
		return n, nil
	}
	tx, err := h.ledger.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	ch, err := tx.Channel(ref)
	if err != nil {
		return 0, err
	}
	if ch == nil {
		return 0, fmt.Errorf("%w: the channel has no lease: acquire it first", reader.ErrRefused)
	}
	h.mu.Lock()
	h.numbers[ref] = ch.N
	h.mu.Unlock()
	return ch.N, nil
}

// commitPage writes one page. It reports whether the channel's history is now there to be processed.
func (h *Hub) commitPage(tx *ledger.Tx, g *behaviour.Engine, c *event.Commit, texts map[*event.Message]*conversation.Prepared) (drain bool, err error) {
	ch, err := tx.Channel(c.Channel)
	if err != nil {
		return false, err
	}
	cursors, err := tx.Cursors(ch.N)
	if err != nil {
		return false, err
	}
	stored := cursors[c.Lane]
	if ch.Epoch != c.Epoch || !sameCursor(stored.Cursor, c.Previous) {
		return false, &reader.Conflict{Epoch: ch.Epoch, Holder: ch.Holder, Lane: c.Lane, Cursor: stored.Cursor}
	}
	observed := c.ObservedAt.UnixMilli()
	p, err := h.newPipeline(tx, ch, g, observed, false)
	if err != nil {
		return false, err
	}
	p.conv.Prepared = texts
	p.limitAge(c)
	if err := p.prefetch(c.Observations); err != nil {
		return false, err
	}
	through := int64(0)
	if !c.CompleteThrough.IsZero() {
		// A platform's clock may run ahead; what has not been observed yet cannot have been read.
		through = min(c.CompleteThrough.UnixMilli(), observed+time.Minute.Milliseconds())
	}
	if err := p.take(c.Observations, through); err != nil {
		return false, err
	}
	if !sameCursor(c.Next, c.Previous) { // the same records are not counted again
		ch.Quarantined += int64(c.Quarantined)
	}
	if err := tx.SetCursor(ch.N, c.Lane, ledger.Cursor{Cursor: compact(c.Next), Done: c.Done, CompleteThrough: through}); err != nil {
		return false, err
	}
	if c.Lane != event.Sweep {
		ch.PendingWatermark = max(ch.PendingWatermark, through)
	}
	if c.Lane == event.Backfill && c.Done && ch.History == ledger.HistoryReading {
		ch.History, ch.FromBeginning = ledger.HistoryProcessing, c.FromBeginning
		return true, p.widened()
	}
	if ch.History == ledger.HistoryComplete && ch.PendingWatermark > ch.Watermark {
		ch.Watermark = ch.PendingWatermark
		return false, p.advance(ch.Watermark)
	}
	return false, nil
}

// check refuses pages beyond the bounds and cuts what may be cut.
func check(c *event.Commit) error {
	if len(c.Observations) > event.MaxObservations {
		return fmt.Errorf("a page holds %d observations and may hold %d: return smaller pages", len(c.Observations), event.MaxObservations)
	}
	if c.Lane != event.Live && c.Lane != event.Backfill && c.Lane != event.Sweep {
		return fmt.Errorf("lane %q is none of live, backfill, sweep", c.Lane)
	}
	if c.ObservedAt.IsZero() {
		return fmt.Errorf("the page does not say when it was observed")
	}
	if len(c.Next) > 256<<10 {
		return fmt.Errorf("the cursor has %d bytes and may have %d", len(c.Next), 256<<10)
	}
	for i := range c.Observations {
		if err := checkObservation(&c.Observations[i]); err != nil {
			return fmt.Errorf("observation %d of the page: %w", i, err)
		}
	}
	return nil
}

func checkObservation(o *event.Observation) error {
	switch {
	case o.Message != nil:
		m := o.Message
		if m.ID == "" || m.Thread == "" || m.CreatedAt.IsZero() || len(m.ID) > event.MaxID || len(m.Thread) > event.MaxID || len(m.Author.ID) > event.MaxID {
			return fmt.Errorf("a message needs an id, a thread and a time of posting, ids of at most %d bytes", event.MaxID)
		}
		if len(m.Links) > event.MaxLinks {
			m.Links = m.Links[:event.MaxLinks]
		}
		if len(m.Parent) > event.MaxID {
			m.Parent = ""
		}
		m.Reactions = countable(m.Reactions)
		m.Flags = max(0, m.Flags)
		if limit := 4 * event.MaxText; len(m.Text) > limit { // markup comes off later
			m.Text = m.Text[:limit]
		}
	case o.Thread != nil:
		t := o.Thread
		if t.ID == "" || len(t.ID) > event.MaxID || len(t.Room) > event.MaxName || (t.CreatedAt.IsZero() && t.Presence != event.Removed) {
			return fmt.Errorf("a thread needs an id and a time of opening, ids of at most %d bytes", event.MaxID)
		}
		if len(t.Tags) > event.MaxTags {
			t.Tags = t.Tags[:event.MaxTags]
		}
	case o.Member != nil:
		if o.Member.ID == "" || len(o.Member.ID) > event.MaxID {
			return fmt.Errorf("a member needs an id of at most %d bytes", event.MaxID)
		}
	case o.Moderation != nil:
		d := o.Moderation
		if d.ID == "" || d.At.IsZero() || len(d.ID) > event.MaxID || len(d.Message) > event.MaxID || len(d.By.ID) > event.MaxID {
			return fmt.Errorf("a moderation needs an id and a time, ids of at most %d bytes", event.MaxID)
		}
	case o.Listing != nil:
		if len(o.Listing.IDs) > event.MaxListing {
			return fmt.Errorf("a listing holds %d ids and may hold %d", len(o.Listing.IDs), event.MaxListing)
		}
	}
	return nil
}

// maxReactions is how many kinds of reactions a message may have.
const maxReactions = 100

// countable leaves out reactions that are none: without a name, named twice, or fewer than none. Names that begin with a
// zero byte are the state's own.
func countable(list []event.Reaction) []event.Reaction {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(r event.Reaction) bool {
		bad := r.Name == "" || r.Name[0] == 0 || len(r.Name) > event.MaxID || r.Count < 0 || seen[r.Name] || len(seen) == maxReactions
		if !bad {
			seen[r.Name] = true
		}
		return bad
	})
}

func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if len(raw) == 0 || json.Compact(&b, raw) != nil || b.String() == "null" {
		return nil
	}
	return b.Bytes()
}

func sameCursor(a, b json.RawMessage) bool { return bytes.Equal(compact(a), compact(b)) }

// limitAge leaves out what is older than the retention horizon on the channel's own clock, and counts it.
func (p *pipeline) limitAge(c *event.Commit) {
	keep := p.conv.Blueprint.Privacy.ActivityRetention
	if keep <= 0 {
		return
	}
	clock := c.ObservedAt
	if !c.CompleteThrough.IsZero() && c.CompleteThrough.Before(clock) {
		clock = c.CompleteThrough
	}
	horizon := clock.Add(-keep)
	kept := make([]event.Observation, 0, len(c.Observations)) // the caller may send the same page again
	for _, o := range c.Observations {
		if o.Message != nil && o.Message.CreatedAt.Before(horizon) || o.Thread != nil && !o.Thread.CreatedAt.IsZero() && o.Thread.CreatedAt.Before(horizon) {
			if o.Thread != nil && c.Lane == event.Backfill && p.channel.History == ledger.HistoryReading {
				p.channel.DroppedOld++
			}
			continue
		}
		kept = append(kept, o)
	}
	c.Observations = kept
}

// prefetch loads what a list of observations touches, in a few queries.
func (p *pipeline) prefetch(list []event.Observation) error {
	var threads, messages, actors []string
	for i := range list {
		switch o := &list[i]; {
		case o.Message != nil:
			threads, messages, actors = append(threads, o.Message.Thread), append(messages, o.Message.ID), append(actors, o.Message.Author.ID)
			if o.Message.Parent != "" {
				messages = append(messages, o.Message.Parent)
			}
		case o.Thread != nil:
			threads, actors = append(threads, o.Thread.ID), append(actors, o.Thread.Author.ID)
		case o.Member != nil:
			actors = append(actors, o.Member.ID)
		case o.Listing != nil:
			threads = append(threads, o.Listing.Thread)
		}
	}
	if err := p.tx.Prefetch(p.channel.N, threads, messages); err != nil {
		return err
	}
	if err := p.tx.PrefetchMembers(p.channel.N, actors); err != nil {
		return err
	}
	return p.tx.PrefetchPeople(p.channel.N, actors, messages)
}

// take processes the observations of a page, or keeps those of unknown threads for later while history is being read.
// Messages go before listings, so that what has moved is not taken for removed. What was due before something happened
// fires first, as far as the page is complete: a page that comes late must not let what came after a deadline count.
func (p *pipeline) take(list []event.Observation, through int64) error {
	var later []event.Observation
	live := map[string]bool{}
	for i := range list {
		if t := list[i].Thread; t != nil && t.CreatedAt.UnixMilli() >= p.channel.LiveFrom {
			live[t.ID] = true
		}
	}
	order, err := p.inOrder(list)
	if err != nil {
		return err
	}
	if p.channel.History == ledger.HistoryComplete && through > p.channel.Watermark && len(order) > 0 {
		if err := p.tx.LoadTimers(p.channel.N, through); err != nil { // in one go
			return err
		}
	}
	for _, x := range order {
		if due := min(x.at-1, through); due > p.channel.Watermark && p.channel.History == ledger.HistoryComplete {
			if err := p.advance(due); err != nil {
				return err
			}
		}
		wait, err := p.waits(x.o, live)
		if err != nil {
			return err
		}
		if wait {
			later = append(later, *x.o)
			continue
		}
		if err := p.observe(x.o); err != nil {
			return err
		}
	}
	return p.stage(later)
}

// widened takes what is about to be processed out of what members were known to have written before: with a widened
// horizon it has been read now, and would count twice.
func (p *pipeline) widened() error {
	waiting, err := p.tx.StagedByMember(p.channel.N)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		if err := p.conv.LowerPrior(w.Member, w.Messages); err != nil {
			return err
		}
	}
	return nil
}

type timed struct {
	o  *event.Observation
	at int64
}

// inOrder sorts the observations of a page by the time of what they tell: something new by its own time; anything else
// happened between two observations and counts as happening at this one. A thread, and its opening, come before what is
// new in it, since the new was seen in the thread as it stands. Listings come last. While history is being read the order
// stays: what waits is sorted later.
func (p *pipeline) inOrder(list []event.Observation) ([]timed, error) {
	order := make([]timed, len(list))
	opens := map[string][]int{} // a thread, and its opening if that is new
	for i := range list {
		o := &list[i]
		order[i] = timed{o: o, at: p.conv.Observed}
		if p.channel.History != ledger.HistoryComplete {
			continue
		}
		switch {
		case o.Thread != nil:
			t, err := p.tx.ThreadByNative(p.channel.N, o.Thread.ID)
			if err != nil {
				return nil, err
			}
			if t == nil && !o.Thread.CreatedAt.IsZero() {
				order[i].at = o.Thread.CreatedAt.UnixMilli()
			}
			opens[o.Thread.ID] = append(opens[o.Thread.ID], i)
		case o.Message != nil:
			m, err := p.tx.MessageByNative(p.channel.N, o.Message.ID)
			if err != nil {
				return nil, err
			}
			if m == nil {
				order[i].at = o.Message.CreatedAt.UnixMilli()
				if o.Message.Opening {
					opens[o.Message.Thread] = append(opens[o.Message.Thread], i)
				}
			}
		}
	}
	for _, x := range order {
		if x.o.Message == nil {
			continue
		}
		for _, i := range opens[x.o.Message.Thread] { // what was moved there may be older
			order[i].at = min(order[i].at, x.at)
		}
	}
	slices.SortStableFunc(order, func(a, b timed) int {
		switch la, lb := a.o.Listing != nil, b.o.Listing != nil; {
		case la && !lb:
			return 1
		case lb && !la:
			return -1
		}
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(opening(a.o), opening(b.o)))
	})
	return order, nil
}

// opening ranks what comes first of what happened at the same time.
func opening(o *event.Observation) int {
	switch {
	case o.Thread != nil:
		return 0
	case o.Message != nil && o.Message.Opening:
		return 1
	}
	return 2
}

// waits says whether an observation has to wait until history has been read: threads opened before the channel was
// first read are processed in the order of their time, whatever the order of reading.
func (p *pipeline) waits(o *event.Observation, live map[string]bool) (bool, error) {
	if p.channel.History == ledger.HistoryComplete {
		return false, nil
	}
	thread := ""
	switch {
	case o.Message != nil:
		thread = o.Message.Thread
	case o.Thread != nil:
		thread = o.Thread.ID
	case o.Listing != nil:
		thread = o.Listing.Thread
	case o.Member != nil:
		return true, nil // how much somebody wrote before can be told once all that is to be read is there
	default:
		return false, nil
	}
	if live[thread] {
		return false, nil
	}
	t, err := p.tx.ThreadByNative(p.channel.N, thread)
	return t == nil, err
}
