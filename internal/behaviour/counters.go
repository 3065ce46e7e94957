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
func (r *Run) raise(o *ledger.Occurrence) error {
	if o.Imported || r.Rebuilding {
		return nil
	}
	level, err := r.label(o, "level", string(shownLevel(o.Level)), string(event.OtherL))
	if err != nil {
		return err
	}
	segment, err := r.label(o, "segment", o.Segment, "other")
	if err != nil {
		return err
	}
	o.CountedAs = level + "|" + segment
	r.Tx.Count(ledger.Counter{Name: CounterBehaviours, Channel: o.Channel, Behaviour: o.Behaviour, Level: level, Segment: segment}, 1)
	return nil
}

// lower counts an occurrence as undone, under the labels that it was counted under.
func (r *Run) lower(o *ledger.Occurrence) {
	if o.CountedAs == "" || r.Rebuilding {
		return
	}
	for i := range o.CountedAs {
		if o.CountedAs[i] == '|' {
			r.Tx.Count(ledger.Counter{Name: CounterUndone, Channel: o.Channel, Behaviour: o.Behaviour, Level: o.CountedAs[:i], Segment: o.CountedAs[i+1:]}, 1)
			break
		}
	}
	o.CountedAs = ""
}

func shownLevel(l event.Level) event.Level {
	if l == event.Newcomer || l == event.RegularL {
		return l
	}
	return event.OtherL
}

// label gives the value under which somebody may be counted: their own, once it covers at least the minimum group and
// so does everything else; before that, other.
func (r *Run) label(o *ledger.Occurrence, dimension, value, other string) (string, error) {
	if value == "" || value == other {
		value = other
	}
	if o.Credit == 0 {
		return other, nil
	}
	n, err := r.Tx.AddPerson(o.Channel, o.Behaviour, dimension+"/"+value, o.Credit)
	if err != nil || value == other {
		return other, err
	}
	k := r.Engine.Blueprint.Privacy.MinimumGroupSize
	if n < k {
		return other, nil
	}
	rest, err := r.Tx.PeopleOutside(o.Channel, o.Behaviour, dimension, value)
	if err != nil || rest < k {
		return other, err
	}
	return value, nil
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
