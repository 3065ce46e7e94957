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
	level := r.label(o, "level", string(shownLevel(o.Level)), string(event.OtherL))
	segment := r.label(o, "segment", o.Segment, "other")
	o.CountedAs = level + "|" + segment
	r.Tx.Count(ledger.Counter{Name: CounterBehaviours, Channel: o.Channel, Behaviour: o.Behaviour, Level: level, Segment: segment}, 1)
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
func (r *Run) label(o *ledger.Occurrence, dimension, value, other string) string {
	if value == "" || o.Credit == 0 {
		value = other
	}
	here, elsewhere := r.Tx.AddPerson(o.Channel, o.Behaviour, dimension, value, o.Credit)
	if k := r.Engine.Blueprint.Privacy.MinimumGroupSize; here < k || elsewhere < k {
		return other
	}
	return value
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
