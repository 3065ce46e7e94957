// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/conversation"
	"github.com/kith-dev/kith/internal/ledger"
)

// pipeline is observation → events → conversation → behaviours for one channel in one transaction.
type pipeline struct {
	h       *Hub
	tx      *ledger.Tx
	channel *ledger.Channel
	conv    *conversation.Processor
	run     *behaviour.Run
	// aside are the observations of the channel that are set aside.
	aside map[string]bool
}

// newPipeline joins the parts. Rebuilding means that events come from the record.
func (h *Hub) newPipeline(tx *ledger.Tx, c *ledger.Channel, g *behaviour.Engine, observed int64, rebuilding bool) (*pipeline, error) {
	p := &pipeline{h: h, tx: tx, channel: c}
	p.run = &behaviour.Run{Engine: g, Tx: tx, Channel: c, Rebuilding: rebuilding}
	p.run.Failed = func(name string, seq int64, err error) {
		if rebuilding {
			return
		}
		doc, _ := json.Marshal(map[string]any{"behaviour": name, "event": seq}) // plain strings and numbers
		tx.PutAside(ledger.SetAside{Channel: c.N, What: "behaviour", Ident: fmt.Sprintf("%s@%d", name, seq), Doc: doc, Error: short(err), At: observed})
	}
	p.conv = &conversation.Processor{Tx: tx, Blueprint: g.Blueprint, Channel: c, Declared: declared(g.Blueprint, c.Name), Observed: observed,
		Happened: p.run.Happened, Segments: g.Segments(p.run)}
	if err := p.conv.Start(); err != nil {
		return nil, err
	}
	if !rebuilding {
		var err error
		if p.aside, err = tx.AsideIdents(c.N, "observation"); err != nil {
			return nil, err
		}
	}
	return p, p.run.Start()
}

func declared(bp *blueprint.Blueprint, name string) *blueprint.Channel {
	for i := range bp.Channels {
		if bp.Channels[i].Name == name {
			return &bp.Channels[i]
		}
	}
	return nil
}

// observe processes one observation under a savepoint: one that cannot be processed is set aside and blocks nothing.
func (p *pipeline) observe(o *event.Observation) error {
	err := p.tx.Guard(func() (err error) {
		defer recovered(&err)
		if p.h.o.BeforeObservation != nil {
			if err := p.h.o.BeforeObservation(o); err != nil {
				return err
			}
		}
		if err := plausible(o, p.conv.Observed); err != nil {
			return err
		}
		return p.conv.Observe(o)
	})
	ident := identOf(o)
	if err == nil && p.aside[ident] {
		delete(p.aside, ident)
		return p.tx.Overtake(p.channel.N, "observation", ident) // a retry would bring back what has changed since
	}
	if err == nil || fatal(err) {
		return err
	}
	p.aside[ident] = true
	doc, encodeErr := json.Marshal(o)
	if encodeErr != nil {
		return errors.Join(err, encodeErr)
	}
	p.h.o.Log.Info("An observation could not be processed and was set aside; retry with `kith ledger retry`", "channel", p.channel.Name, "kind", kindOf(o), "error", short(err))
	p.tx.PutAside(ledger.SetAside{Channel: p.channel.N, What: "observation", Ident: ident, Doc: doc, Error: short(err), At: p.conv.Observed})
	return nil
}

// maxAhead is how far the platform's clock may be ahead of the reader's.
const maxAhead = 24 * time.Hour

// plausible refuses what was not posted yet when it was seen: it would stand before everything that its author does until
// then.
func plausible(o *event.Observation, observed int64) error {
	at := time.Time{}
	switch {
	case o.Message != nil:
		at = o.Message.CreatedAt
	case o.Thread != nil:
		at = o.Thread.CreatedAt
	}
	if ahead := at.Sub(time.UnixMilli(observed)); ahead > maxAhead {
		return fmt.Errorf("its time lies %s after the time at which it was seen: look at the clocks of the platform and of the reader, then retry", ahead.Round(time.Hour))
	}
	return nil
}

// advance moves the channel's clock: what is due by then fires, in order of time.
func (p *pipeline) advance(upTo int64) error {
	if err := p.tx.LoadTimers(p.channel.N, upTo); err != nil {
		return err
	}
	marked := int64(-1 << 62)
	for {
		t := p.tx.NextTimer(upTo)
		if t == nil {
			return nil
		}
		if !t.Kind.MakesEvent() && t.Due != marked {
			marked = t.Due
			p.tx.Mark(p.channel.N, t.Due)
		}
		err := p.tx.Guard(func() (err error) {
			defer recovered(&err)
			return p.fire(t)
		})
		if fatal(err) {
			return err
		}
		if err != nil {
			doc, encodeErr := json.Marshal(t)
			if encodeErr != nil {
				return errors.Join(err, encodeErr)
			}
			p.tx.PutAside(ledger.SetAside{Channel: p.channel.N, What: "timer", Ident: fmt.Sprint(t.N), Doc: doc, Error: short(err), At: p.conv.Observed})
		}
		if t.Kind.MakesEvent() {
			marked = -1 << 62 // events lie between: the next mark stands after them
		}
	}
}

func (p *pipeline) fire(t *ledger.Timer) error {
	switch t.Kind {
	case ledger.TimerMissing:
		return p.conv.Missing(t)
	case ledger.TimerAged:
		thread, err := p.tx.Thread(t.Thread)
		if err != nil {
			return err
		}
		if _, done := thread.Doc.Aged[t.After]; done {
			return nil
		}
		return p.conv.Emit(&ledger.Event{Kind: event.ThreadAged, Native: fmt.Sprintf("%s@%d", thread.Native, t.After), At: t.Due,
			Thread: thread.N, Author: thread.Asker, Facts: thread.Doc.AskerFacts, Data: ledger.Data{After: t.After}})
	default:
		return p.run.Fire(t)
	}
}

// fatal errors fail the page: nothing can be written now, and the same page may succeed later.
func fatal(err error) bool {
	return errors.Is(err, ledger.ErrStorage) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	}
}

// short bounds an error for storage. Errors hold no person and no text by the habits of this repository.
func short(err error) string {
	s := err.Error()
	if len(s) > 1000 {
		s = s[:1000]
	}
	return s
}

func kindOf(o *event.Observation) string {
	switch {
	case o.Message != nil:
		return "message"
	case o.Thread != nil:
		return "thread"
	case o.Member != nil:
		return "member"
	case o.Listing != nil:
		return "listing"
	case o.Moderation != nil:
		return "moderation"
	}
	return "empty"
}

func identOf(o *event.Observation) string {
	switch {
	case o.Message != nil:
		return "m" + o.Message.ID
	case o.Thread != nil:
		return "t" + o.Thread.ID
	case o.Member != nil:
		return "a" + o.Member.ID
	case o.Listing != nil:
		return "l" + o.Listing.Thread
	case o.Moderation != nil:
		return "d" + o.Moderation.ID
	}
	return ""
}
