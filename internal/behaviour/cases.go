// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/ledger"
)

// caseOf finds the row of a behaviour for a case of its basis: it exists from the case's beginning, so that a share
// has its denominator by construction.
func (r *Run) caseOf(b *rule, basis *ledger.Occurrence) (*ledger.Occurrence, error) {
	key := caseKey(basis)
	if r.Tx.FreshOccurrence(basis.N) {
		r.Tx.NothingYet(b.Name, key)
	}
	same, err := r.Tx.OccurrencesByKey(b.Name, key)
	if err != nil || len(same) == 0 {
		return nil, err
	}
	return same[0], nil
}

func caseKey(basis *ledger.Occurrence) string { return fmt.Sprintf("c%d", basis.N) }

// openCase makes the row of a case that is to be judged at its deadline.
func (r *Run) openCase(b *rule, basis *ledger.Occurrence, deadline int64) error {
	o, err := r.caseOf(b, basis)
	if err != nil {
		return err
	}
	ok, err := r.isCase(b, basis)
	if err != nil {
		return err
	}
	if o == nil && ok {
		o = r.newCase(b, basis)
		o.Benefits, o.At, o.Due = basis.Benefits, basis.At, deadline
	}
	return r.caseLasts(basis, deadline)
}

// newCase makes a row for a case, unfulfilled as yet.
func (r *Run) newCase(b *rule, basis *ledger.Occurrence) *ledger.Occurrence {
	return r.Tx.NewOccurrence(&ledger.Occurrence{Behaviour: b.Name, Generation: b.Generation, Channel: basis.Channel, Thread: basis.Thread,
		Seq: basis.Seq, Basis: basis.N, Arose: basis.Arose, Imported: basis.Imported, Key: caseKey(basis), State: ledger.Unfulfilled})
}

// caseLasts notes until when a message can still change a case of the thread.
func (r *Run) caseLasts(basis *ledger.Occurrence, deadline int64) error {
	if basis.Thread == 0 {
		return nil
	}
	t, err := r.Tx.Thread(basis.Thread)
	if err == nil && t.Doc.CasesUntil < deadline {
		r.Tx.EditThread(t).Doc.CasesUntil = deadline
	}
	return err
}

// isCase says whether a case of the basis is one of this behaviour's.
func (r *Run) isCase(b *rule, basis *ledger.Occurrence) (bool, error) {
	if !active(basis) {
		return false, nil
	}
	if b.among == nil {
		return true, nil
	}
	e, t, m, err := r.source(basis)
	if err != nil {
		return false, err
	}
	in, err := r.input(e, t, m)
	if err != nil {
		return false, err
	}
	return r.holds(b, partAmong, e, in)
}

// judged says whether an open case's deadline has been looked at already.
func judged(o *ledger.Occurrence) bool { return o.At == o.Due }

// judge decides a case at or after its deadline: fulfilled by the first event of its thread that holds, or open for
// good. It can be called again when the thread has changed; the outcome depends on the thread as it is.
func (r *Run) judge(b *rule, basis *ledger.Occurrence) error {
	o, err := r.caseOf(b, basis)
	if err != nil {
		return err
	}
	is, err := r.isCase(b, basis)
	if err != nil {
		return err
	}
	if !is {
		if o != nil {
			return r.undo(o)
		}
		return nil
	}
	deadline := basis.Arose + r.Engine.deadline(b)
	by, credit, benefits, err := r.fulfilment(b, basis, deadline)
	if err != nil {
		return err
	}
	if err := r.caseLasts(basis, deadline); err != nil {
		return err
	}
	if o == nil {
		o = r.newCase(b, basis)
	} else {
		r.Tx.EditOccurrence(o)
	}
	if by == nil {
		if o.State == ledger.Counted {
			r.lower(o)
		}
		o.State, o.Seq, o.Message, o.At, o.Due = ledger.Unfulfilled, basis.Seq, 0, deadline, deadline
		party{}.credited(o)
		return r.setBenefits(o, b, basis)
	}
	if o.State == ledger.Counted && o.Seq == by.Seq {
		return nil
	}
	if o.State == ledger.Counted {
		r.lower(o)
	}
	o.Seq, o.Message, o.At, o.Due = by.Seq, by.Message, by.At, deadline
	credit.credited(o)
	benefits.benefiting(o)
	return r.count(b, o)
}

// setBenefits names who would have benefited from an open case, so that it stands in the denominator of their share.
func (r *Run) setBenefits(o *ledger.Occurrence, b *rule, basis *ledger.Occurrence) error {
	e, t, _, err := r.source(basis)
	if err != nil {
		return err
	}
	_, benefits, err := r.who(b, e, t)
	if err == nil {
		benefits.benefiting(o)
	}
	return err
}

// fulfilment finds the earliest event of the case's thread, up to the deadline, for which the rule holds.
func (r *Run) fulfilment(b *rule, basis *ledger.Occurrence, deadline int64) (*ledger.Event, party, party, error) {
	if basis.Thread == 0 {
		return nil, party{}, party{}, nil
	}
	t, err := r.Tx.Thread(basis.Thread)
	if err != nil {
		return nil, party{}, party{}, err
	}
	candidates, err := r.caseEvents(b, t, deadline)
	if err != nil {
		return nil, party{}, party{}, err
	}
	for _, e := range candidates {
		var m *ledger.Message
		if e.Message != 0 {
			if m, err = r.Tx.Message(e.Message); err != nil {
				return nil, party{}, party{}, err
			}
			if !m.Visible() || m.Thread != t.N {
				continue
			}
		}
		in, err := r.input(e, t, m)
		if err != nil {
			return nil, party{}, party{}, err
		}
		for _, part := range []int{partWhen, partConfirm} {
			ok, err := r.holds(b, part, e, in)
			if err != nil {
				return nil, party{}, party{}, err
			}
			if !ok {
				in = nil
				break
			}
		}
		if in == nil {
			continue
		}
		credit, benefits, err := r.who(b, e, t)
		if err != nil {
			return nil, party{}, party{}, err
		}
		if !credit.mayCount() {
			credit = party{} // the case is fulfilled all the same; nobody is credited
		}
		return e, credit, benefits, nil
	}
	return nil, party{}, party{}, nil
}

// caseEvents gives the events of a thread that may fulfil a case, in time order.
func (r *Run) caseEvents(b *rule, t *ledger.Thread, deadline int64) ([]*ledger.Event, error) {
	var out []*ledger.Event
	if slices.Contains(b.CompletedBy, event.MessagePosted) || len(b.CompletedBy) == 0 {
		messages, err := r.Tx.MessagesOf(t.N)
		if err != nil {
			return nil, err
		}
		seqs := make([]int64, 0, len(messages))
		for _, m := range messages {
			if m.At <= deadline && m.N != t.Doc.Opening && m.Visible() {
				seqs = append(seqs, m.Seq)
			}
		}
		if err := r.Tx.PrefetchEvents(seqs); err != nil {
			return nil, err
		}
		for _, seq := range seqs {
			e, err := r.Tx.Event(seq)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
	}
	if slices.ContainsFunc(b.CompletedBy, func(k event.Kind) bool { return k != event.MessagePosted }) {
		others, err := r.Tx.ThreadEvents(t.N)
		if err != nil {
			return nil, err
		}
		for _, e := range others {
			if e.At <= deadline && slices.Contains(b.CompletedBy, e.Kind) {
				out = append(out, e)
			}
		}
		slices.SortStableFunc(out, func(a, b *ledger.Event) int { return cmp.Compare(a.At, b.At) })
	}
	return out, nil
}
