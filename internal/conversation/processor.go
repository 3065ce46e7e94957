// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"fmt"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

// Processor turns observations of one channel into events, within one ledger transaction.
type Processor struct {
	Tx        *ledger.Tx
	Blueprint *blueprint.Blueprint
	Channel   *ledger.Channel
	// Declared is the channel as the blueprint has it now; zero where it is no longer declared.
	Declared *blueprint.Channel
	// Observed is the reader's time of the page.
	Observed int64
	// Happened is called with each event after it has changed the state; behaviours hang here.
	Happened func(*ledger.Event, Change) error
	// Segments evaluates the community's segments for a member; nil: none.
	Segments func(*event.Facts, *ledger.Stats, int64) ([]string, error)

	// Prepared are the texts of the page where they have been read already.
	Prepared map[*event.Message]*Prepared

	location *time.Location
}

// Change says what an event did to its thread beyond the obvious.
type Change struct {
	Thread *ledger.Thread
	// Structural: messages went, came back, moved or came late, so that conclusions drawn earlier may no longer hold.
	Structural bool
	// FirstBefore and FirstMemberBefore are the first responses before the event.
	FirstBefore, FirstMemberBefore int64
	QuestionBefore, VisibleBefore  bool
	// From is the thread that a message was moved out of.
	From *ledger.Thread
}

// Start prepares the processor; it must be called once before use.
func (p *Processor) Start() error {
	loc, err := time.LoadLocation(p.Blueprint.TimeZone)
	if err != nil {
		return fmt.Errorf("time zone of the blueprint: %w", err)
	}
	p.location = loc
	if p.Declared == nil {
		p.Declared = &blueprint.Channel{}
	}
	return nil
}

// Emit records an event, applies it to the state, and tells the behaviours. A repetition of a known event is nothing.
func (p *Processor) Emit(e *ledger.Event) error {
	e.Channel = p.Channel.N
	e.Observed = p.Observed
	e.Imported = e.At < p.Channel.LiveFrom
	added, err := p.Tx.Append(e)
	if err != nil || !added {
		return err
	}
	return p.Replay(e)
}

// Replay applies a recorded event to the state and tells the behaviours: all that a rebuild does.
func (p *Processor) Replay(e *ledger.Event) error {
	c, err := p.apply(e)
	if err != nil {
		return fmt.Errorf("apply %s %d: %w", e.Kind, e.Seq, err)
	}
	if p.Happened == nil {
		return nil
	}
	return p.Happened(e, c)
}
