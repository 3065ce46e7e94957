// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/ledger"
)

// Names of stored totals.
const (
	CounterBehaviours          = "behaviours"
	CounterUndone              = "undone"
	HistogramFirstResponse     = "first_response"
	HistogramFirstMemberAnswer = "first_member_answer"
)

// Bounds are the histograms' bounds; beyond the last one a question counts as unanswered.
var Bounds = []time.Duration{time.Hour, 4 * time.Hour, 24 * time.Hour, 72 * time.Hour, UnansweredAfter}

// raise moves the counters of an occurrence that counts: only live, never for history or while rebuilding.
func (r *Run) raise(o *ledger.Occurrence) {
	if o.Imported || r.Rebuilding {
		return
	}
	as := r.label(o)
	o.CountedAs = as.String()
	r.countUnder(CounterBehaviours, o, as)
}

func (r *Run) countUnder(name string, o *ledger.Occurrence, as combination) {
	r.Tx.Count(ledger.Counter{Name: name, Channel: o.Channel, Behaviour: o.Behaviour, Level: as.level, Segment: as.segment}, 1)
}

// lower counts an occurrence as undone, under the labels that it was counted under.
func (r *Run) lower(o *ledger.Occurrence) {
	if o.CountedAs == "" || r.Rebuilding {
		return
	}
	r.countUnder(CounterUndone, o, parseCombination(o.CountedAs))
	o.CountedAs = ""
}

func shownLevel(l event.Level) event.Level {
	if l == event.Newcomer || l == event.RegularL {
		return l
	}
	return event.OtherL
}

// label gives the level and segment under which somebody may be counted.
func (r *Run) label(o *ledger.Occurrence) combination {
	if o.Credit == 0 {
		return combination{other, other}
	}
	c := combination{string(shownLevel(o.Level)), o.Segment}
	if c.segment == "" {
		c.segment = other
	}
	r.Tx.AddPerson(o.Channel, o.Behaviour, combinations, c.String(), o.Credit)
	return r.disclosed(o).label(c)
}

// disclosed works out the labels of a behaviour anew only where somebody has joined those behind them.
func (r *Run) disclosed(o *ledger.Occurrence) *disclosure {
	key, now := disclosureKey{o.Channel, o.Behaviour}, r.Tx.PeopleChanged()
	if d := r.disclosures[key]; d != nil && d.as == now {
		return d
	}
	d := disclose(r.Tx.People(o.Channel, o.Behaviour, combinations), r.Engine.Blueprint.Privacy.MinimumGroupSize)
	d.as = now
	if r.disclosures == nil {
		r.disclosures = map[disclosureKey]*disclosure{}
	}
	r.disclosures[key] = d
	return d
}

type disclosureKey struct {
	channel   int64
	behaviour string
}

// observeFirst takes a first response, and a first answer by a member, into the histograms, unless the question already
// counts as unanswered.
func (r *Run) observeFirst(e *ledger.Event, t *ledger.Thread) {
	if e.Imported || r.Rebuilding || !t.Question || t.Doc.Imported {
		return
	}
	took := time.Duration(e.At-t.Opened) * time.Millisecond
	for _, le := range Bounds {
		if took > le {
			continue
		}
		if t.Doc.First == e.Message {
			r.Tx.Observe(HistogramFirstResponse, t.Channel, le.Milliseconds())
		}
		if t.Doc.FirstMember == e.Message {
			r.Tx.Observe(HistogramFirstMemberAnswer, t.Channel, le.Milliseconds())
		}
		return
	}
}
