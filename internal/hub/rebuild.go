// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

// rebuildChunk is how many positions of the record one transaction replays.
const rebuildChunk = 2000

// Replay derives everything anew from the record into a shadow beside the ledger: events and facts in ledger order,
// under the blueprints that were in force then. The caller discards the shadow. progress may be nil.
func Replay(ctx context.Context, l *ledger.Ledger, progress func(done, total int64)) (*ledger.Ledger, error) {
	return replay(ctx, l, nil, progress)
}

// Recompute is Replay under one blueprint for the whole record, as if it had been in force from the start. Facts stay as
// they were recorded. The outcome of a rule that reads texts is the recorded one where the rule was the same then;
// elsewhere it is evaluated on what texts are left.
func Recompute(ctx context.Context, l *ledger.Ledger, bp *blueprint.Blueprint, progress func(done, total int64)) (*ledger.Ledger, error) {
	g, err := behaviour.NewEngine(bp, bp.Digest())
	if err != nil {
		return nil, fmt.Errorf("compile the blueprint of %s: %w", bp.Name, err)
	}
	return replay(ctx, l, g, progress)
}

func replay(ctx context.Context, l *ledger.Ledger, fixed *behaviour.Engine, progress func(done, total int64)) (*ledger.Ledger, error) {
	shadow, err := l.Shadow(ctx)
	if err != nil {
		return nil, fmt.Errorf("copy the record: %w", err)
	}
	r := &replayer{h: New(shadow, Options{}), shadow: shadow, fixed: fixed}
	defer r.h.Close()
	last := l.LastSeq()
	for at := int64(0); at < last; at += rebuildChunk {
		entries, err := l.Entries(ctx, at, rebuildChunk)
		if err == nil {
			err = r.replay(ctx, entries)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("replay the record near %d: %w", at, err), shadow.Discard())
		}
		if progress != nil {
			progress(min(at+rebuildChunk, last), last)
		}
	}
	if err := r.finish(ctx); err != nil {
		return nil, errors.Join(err, shadow.Discard())
	}
	if err := shadow.CarryOver(ctx, l); err != nil {
		return nil, errors.Join(fmt.Errorf("carry over what is no function of events: %w", err), shadow.Discard())
	}
	return shadow, nil
}

type replayer struct {
	h      *Hub
	shadow *ledger.Ledger
	// engine is the one in force, previous the one before it.
	engine, previous *behaviour.Engine
	// fixed takes the place of all engines where the record is recomputed.
	fixed *behaviour.Engine
}

// replay goes through entries, in one transaction for each run of entries of the same channel.
func (r *replayer) replay(ctx context.Context, entries []ledger.Entry) error {
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n].Channel == entries[0].Channel && !applies(entries[n]) && !applies(entries[n-1]) {
			n++
		}
		if err := r.replayRun(ctx, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

func applies(x ledger.Entry) bool { return x.Event != nil && x.Event.Kind == event.BlueprintApplied }

func (r *replayer) replayRun(ctx context.Context, run []ledger.Entry) error {
	tx, err := r.shadow.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if applies(run[0]) {
		return r.apply(tx, run[0].Event)
	}
	if r.engine == nil {
		return fmt.Errorf("position %d comes before any blueprint", run[0].Seq)
	}
	c, err := channelByNumber(tx, run[0].Channel)
	if err != nil {
		return err
	}
	p, err := r.pipeline(tx, c)
	if err != nil {
		return err
	}
	for _, x := range run {
		p.run.Position = x.Seq
		switch {
		case x.Event == nil && r.fixed != nil:
			err = p.fireAnew(x.UpTo)
		case x.Event == nil:
			err = p.refire(x.UpTo)
		default:
			if r.fixed != nil && (x.Event.Kind == event.MessagePosted || x.Event.Kind == event.ThreadOpened) {
				err = p.fireAnew(x.Event.At - 1) // as when it was read: the past comes first
			}
			if err == nil {
				err = p.conv.Replay(x.Event)
			}
		}
		if err != nil {
			return fmt.Errorf("position %d: %w", x.Seq, err)
		}
	}
	return tx.Commit()
}

func (r *replayer) pipeline(tx *ledger.Tx, c *ledger.Channel) (*pipeline, error) {
	if r.fixed == nil {
		return r.h.newPipeline(tx, c, r.engine, 0, true)
	}
	p, err := r.h.newPipeline(tx, c, r.fixed, 0, true)
	if err == nil {
		p.run.Recorded = r.engine
	}
	return p, err
}

// fireAnew does what is due by a time under rules that the record was not made under: settled cases may fall due where no
// mark stands, and threads come of ages at which nobody looked then. Ages that are in the record come from there.
func (p *pipeline) fireAnew(upTo int64) error {
	return takeTimers(p.tx, p.channel.N, upTo, func(t *ledger.Timer) error {
		if t.Kind == ledger.TimerMissing {
			return nil
		}
		return p.fire(t)
	})
}

// refire does what was due at a mark; what timers made events of is in the record already.
func (p *pipeline) refire(upTo int64) error {
	return takeTimers(p.tx, p.channel.N, upTo, func(t *ledger.Timer) error {
		if t.Kind.MakesEvent() {
			return nil
		}
		return p.run.Fire(t)
	})
}

// takeTimers takes a channel's timers that are due by a time, those that join them meanwhile included.
func takeTimers(tx *ledger.Tx, channel, upTo int64, each func(*ledger.Timer) error) error {
	if err := tx.LoadTimers(channel, upTo); err != nil {
		return err
	}
	for t := tx.NextTimer(upTo); t != nil; t = tx.NextTimer(upTo) {
		if err := each(t); err != nil {
			return err
		}
	}
	return nil
}

func (r *replayer) apply(tx *ledger.Tx, e *ledger.Event) error {
	g := r.engine
	if g == nil || g.Digest != e.Data.Digest {
		var err error
		if g, err = r.h.loadEngine(tx, e.Data.Digest); err != nil {
			return err
		}
	}
	if e.Channel == 0 { // the first of its group: the others follow for each channel
		r.previous, r.engine = r.engine, g
		return tx.Commit()
	}
	if r.fixed != nil {
		return nil // each thread has had all of its ages from the start
	}
	if err := scheduleAges(tx, r.previous, g, e.Channel, e.At); err != nil {
		return err
	}
	return tx.Commit()
}

func channelByNumber(tx *ledger.Tx, n int64) (*ledger.Channel, error) {
	channels, err := tx.Channels()
	if err != nil {
		return nil, err
	}
	for _, c := range channels {
		if c.N == n {
			return c, nil
		}
	}
	return nil, fmt.Errorf("channel %d is not in the ledger", n)
}

// finish drops timers that fired in their time: those that made events. What is recomputed comes up to what has been read.
func (r *replayer) finish(ctx context.Context) error {
	channels, err := r.shadow.Channels(ctx)
	if err != nil {
		return err
	}
	for _, c := range channels {
		tx, err := r.shadow.Begin(ctx)
		if err != nil {
			return err
		}
		if r.fixed != nil {
			var p *pipeline
			if p, err = r.pipeline(tx, c); err == nil {
				err = p.fireAnew(c.Watermark)
			}
		}
		if err == nil {
			err = takeTimers(tx, c.N, c.Watermark, func(*ledger.Timer) error { return nil }) // taking them is all
		}
		if err == nil {
			err = tx.Commit()
		}
		tx.Rollback()
		if err != nil {
			return err
		}
	}
	return nil
}

// Rebuild derives everything anew and puts it in the place of what is there. Counters do not move.
func Rebuild(ctx context.Context, l *ledger.Ledger, progress func(done, total int64)) error {
	shadow, err := Replay(ctx, l, progress)
	if err != nil {
		return err
	}
	return errors.Join(l.ReplaceDerived(ctx, shadow), shadow.Discard())
}

// Difference is a line that only one side has.
type Difference struct {
	// Side is "ledger" or "rebuilt".
	Side, Line string
}

// Check derives everything anew and compares it with what is there. It reports at most limit differences.
func Check(ctx context.Context, l *ledger.Ledger, limit int, progress func(done, total int64)) ([]Difference, error) {
	shadow, err := Replay(ctx, l, progress)
	if err != nil {
		return nil, err
	}
	var have, want bytes.Buffer
	err = errors.Join(l.Dump(ctx, &have, ledger.DumpOptions{Derived: true}), shadow.Dump(ctx, &want, ledger.DumpOptions{Derived: true}), shadow.Discard())
	if err != nil {
		return nil, err
	}
	return Compare(&have, &want, limit), nil
}

// Compare gives the lines of two dumps that only one of them has.
func Compare(ledgerDump, rebuilt io.Reader, limit int) []Difference {
	count := map[string]int{}
	for s := lines(ledgerDump); s.Scan(); {
		count[s.Text()]++
	}
	var out []Difference
	for s := lines(rebuilt); s.Scan(); {
		if count[s.Text()]--; count[s.Text()] < 0 && len(out) < limit {
			out = append(out, Difference{"rebuilt", s.Text()})
		}
	}
	for line, n := range count {
		if n > 0 && len(out) < limit {
			out = append(out, Difference{"ledger", line})
		}
	}
	return out
}

func lines(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 4<<20)
	return s
}

// RetryResult says what came of a retry.
type RetryResult struct{ Tried, Succeeded int }

// Retry processes again what was set aside. Observations and timers go through the pipeline; a rule that could not be
// evaluated is looked at again when its observation is.
func (h *Hub) Retry(ctx context.Context) (RetryResult, error) {
	var res RetryResult
	g := h.engine.Load()
	if g == nil {
		return res, ErrNoBlueprint
	}
	list, err := h.ledger.ListAside(ctx)
	if err != nil {
		return res, err
	}
	for _, s := range list {
		res.Tried++
		ok, err := h.retryOne(ctx, g, s)
		if err != nil {
			return res, err
		}
		if ok {
			res.Succeeded++
		}
	}
	return res, nil
}

func (h *Hub) retryOne(ctx context.Context, g *behaviour.Engine, s ledger.SetAside) (bool, error) {
	done, err := h.turn(ctx, s.Channel)
	if err != nil {
		return false, err
	}
	defer done()
	tx, err := h.ledger.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	c, err := channelByNumber(tx, s.Channel)
	if err != nil {
		return false, err
	}
	p, err := h.newPipeline(tx, c, g, s.At, false)
	if err != nil {
		return false, err
	}
	err = tx.Guard(func() (err error) {
		defer recovered(&err)
		return p.again(s)
	})
	if fatal(err) {
		return false, err
	}
	if err != nil {
		s.Error = short(err)
		tx.PutAside(s)
		return false, tx.Commit()
	}
	if err := tx.DropAside(s.N); err != nil {
		return false, err
	}
	return true, tx.Commit()
}

func (p *pipeline) again(s ledger.SetAside) error {
	switch s.What {
	case "observation":
		var o event.Observation
		if err := json.Unmarshal(s.Doc, &o); err != nil {
			return err
		}
		if p.h.o.BeforeObservation != nil {
			if err := p.h.o.BeforeObservation(&o); err != nil {
				return err
			}
		}
		if err := plausible(&o, p.h.millis()); err != nil {
			return err
		}
		return p.conv.Observe(&o)
	case "timer":
		var t ledger.Timer
		if err := json.Unmarshal(s.Doc, &t); err != nil {
			return err
		}
		if !t.Kind.MakesEvent() {
			p.tx.Mark(p.channel.N, t.Due)
		}
		return p.fire(&t)
	case "behaviour":
		var b struct {
			Behaviour string `json:"behaviour"`
			Event     int64  `json:"event"`
		}
		if err := json.Unmarshal(s.Doc, &b); err != nil {
			return err
		}
		return p.run.Reevaluate(b.Behaviour, b.Event)
	}
	return fmt.Errorf("%q is nothing that can be retried", s.What)
}
