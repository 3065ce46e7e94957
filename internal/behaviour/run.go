// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/conversation"
	"github.com/kith-dev/kith/internal/expr"
	"github.com/kith-dev/kith/internal/ledger"
)

// Run looks at the events of one channel within one ledger transaction.
type Run struct {
	Engine  *Engine
	Tx      *ledger.Tx
	Channel *ledger.Channel
	// Rebuilding: outcomes of text-reading expressions come from the record, and no counter moves.
	Rebuilding bool
	// Position is the event or mark being replayed while Rebuilding.
	Position int64
	// Recorded is the engine that the record was made under, where that is another one than Engine while Rebuilding.
	Recorded *Engine
	// Failed is called where one rule could not be evaluated on one event: it is set aside, the rest goes on.
	Failed func(behaviour string, seq int64, err error)

	location *time.Location
	channel  *expr.Channel
	inputs   map[int64]*expr.Input // by event, until the next event or timer
	failed   error
	// disclosures are the labels that may be shown, by behaviour, as of the people known so far.
	disclosures map[disclosureKey]*disclosure
	// until is the end of the time in which a confirmation may come, while one is looked for; else 0.
	until int64
}

// Start prepares the run; it must be called once before use.
func (r *Run) Start() error {
	var err error
	r.location, err = time.LoadLocation(r.Engine.Blueprint.TimeZone)
	return err
}

// UnansweredAfter is when a question without response counts as unanswered in the histogram: its largest bound.
const UnansweredAfter = 7 * 24 * time.Hour

// Happened takes in one event after conversation has applied it.
func (r *Run) Happened(e *ledger.Event, c conversation.Change) error {
	clear(r.inputs)
	t := c.Thread
	var m *ledger.Message
	if e.Message != 0 {
		var err error
		if m, err = r.Tx.Message(e.Message); err != nil {
			return err
		}
	}
	if e.Kind == event.ThreadOpened {
		for _, age := range r.Engine.ages {
			r.Tx.AddTimer(ledger.Timer{Channel: r.Channel.N, Due: t.Opened + age, Kind: ledger.TimerAged, Thread: t.N, After: age})
		}
		if !e.Imported {
			r.Tx.AddTimer(ledger.Timer{Channel: r.Channel.N, Due: t.Opened + UnansweredAfter.Milliseconds(), Kind: ledger.TimerUnanswered, Thread: t.N})
		}
	}
	if err := r.undoSources(e, t, m, c); err != nil {
		return err
	}
	if err := r.trigger(e, t, m); err != nil {
		return err
	}
	if e.Kind == event.MessagePosted {
		r.observeFirst(e, t)
	}
	if t == nil || e.Kind == event.ThreadOpened {
		return nil
	}
	if e.Kind == event.MessagePosted && m.Is(ledger.MessageOpening) {
		if !c.Structural {
			return nil
		}
		return r.reconsiderAll(t) // nothing could be told of these without their opening
	}
	if !c.Structural && t.Question == c.QuestionBefore {
		if e.At <= t.Doc.CasesUntil && e.Kind != event.ThreadAged {
			return r.reconsiderCases(t) // it came too late for its case's judgement, and in time for the case
		}
		return nil
	}
	if err := r.reconsider(e, t, c.FirstBefore, c.FirstMemberBefore); err != nil {
		return err
	}
	if c.From != nil {
		return r.reconsider(e, c.From, 0, 0)
	}
	if (t.Visible && !c.VisibleBefore) || e.Kind == event.MessageReleased {
		return r.revive(e, t)
	}
	return nil
}

// revive lets hold again what was undone because its thread or message had gone, which is back.
func (r *Run) revive(back *ledger.Event, t *ledger.Thread) error {
	all, err := r.Tx.OccurrencesOf(t.N)
	if err != nil {
		return err
	}
	for _, o := range slices.Clone(all) {
		b := r.Engine.byName[o.Behaviour]
		if o.State != ledger.Undone || o.Basis != 0 || b == nil || b.Generation != o.Generation {
			continue
		}
		if back.Message != 0 && o.Message != back.Message && (o.Message != 0 || back.Message != t.Doc.Opening) {
			continue
		}
		e, _, m, err := r.source(o)
		if err != nil {
			return err
		}
		if gone(t, m) || (m != nil && (m.Thread != t.N || e.Kind == event.AnswerAccepted && !m.Is(ledger.MessageAccepted))) {
			continue
		}
		in, err := r.input(e, t, m)
		if err != nil {
			return err
		}
		ok, err := r.holds(b, partWhen, e, in)
		if err == nil && ok {
			err = r.candidate(b, e, t, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// trigger evaluates the rules on this kind of event.
func (r *Run) trigger(e *ledger.Event, t *ledger.Thread, m *ledger.Message) error {
	rules := r.Engine.byTrigger[e.Kind]
	if len(rules) == 0 || gone(t, m) {
		return nil
	}
	var in *expr.Input
	for _, b := range rules {
		if e.Kind == event.ThreadAged && e.Data.After != b.After.Milliseconds() {
			continue
		}
		if in == nil {
			var err error
			if in, err = r.input(e, t, m); err != nil {
				return err
			}
		}
		ok, err := r.holds(b, partWhen, e, in)
		if err != nil {
			return err
		}
		if ok {
			if err := r.candidate(b, e, t, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// holds evaluates one part of a rule. What cannot be evaluated is set aside and does not hold.
func (r *Run) holds(b *rule, part int, e *ledger.Event, in *expr.Input) (bool, error) {
	p := [...]*expr.Program{b.when, b.confirm, b.among}[part]
	if p == nil {
		return true, nil
	}
	if b.ReadsText && r.Rebuilding && r.sameThen(b) {
		if ok, found, err := r.Tx.Verdict(r.Position, e.Seq, b.Name, part); err != nil || found {
			return ok, err
		}
	}
	ok, err := p.Eval(in)
	if r.failed != nil {
		err, r.failed = r.failed, nil
		return false, err
	}
	if err != nil {
		if r.Failed != nil {
			r.Failed(b.Name, e.Seq, err)
		}
		return false, nil
	}
	if b.ReadsText {
		r.Tx.SetVerdict(e.Seq, b.Name, part, ok)
	}
	return ok, nil
}

// sameThen says whether a rule was the same one when the record was made, so that its outcomes hold.
func (r *Run) sameThen(b *rule) bool {
	if r.Recorded == nil {
		return true
	}
	then := r.Recorded.byName[b.Name]
	return then != nil && then.Generation == b.Generation
}

// who finds the credited and the benefiting member with their facts. Nobody benefits where that member may not count.
func (r *Run) who(b *rule, e *ledger.Event, t *ledger.Thread) (credit, benefits party, err error) {
	author := party{e.Author, e.Facts}
	asker := party{}
	if t != nil {
		asker = party{t.Asker, t.Doc.AskerFacts}
	}
	switch b.Credit {
	case blueprint.CreditAuthor:
		credit = author
	case blueprint.CreditThreadAuthor:
		credit = asker
	case blueprint.CreditReporter:
		credit = author // of a ModerationApplied the author is the first flagger
	}
	switch b.Benefits {
	case blueprint.BenefitsThreadAuthor:
		benefits = asker
	case blueprint.BenefitsAuthor:
		benefits = author
	case blueprint.BenefitsParentAuthor:
		if benefits, err = r.parentAuthor(e, t); err != nil {
			return party{}, party{}, err
		}
	}
	if !benefits.mayCount() {
		benefits = party{}
	}
	return credit, benefits, nil
}

type party struct {
	member int64
	facts  event.Facts
}

func (r *Run) parentAuthor(e *ledger.Event, t *ledger.Thread) (party, error) {
	if e.Message == 0 || t == nil {
		return party{}, nil
	}
	m, err := r.Tx.Message(e.Message)
	if err != nil {
		return party{}, err
	}
	if m.Parent == 0 {
		return party{t.Asker, t.Doc.AskerFacts}, nil
	}
	pm, err := r.Tx.Message(m.Parent)
	if err != nil {
		return party{}, err
	}
	pe, err := r.Tx.Event(pm.Seq)
	if err != nil {
		return party{}, err
	}
	return party{pe.Author, pe.Facts}, nil
}

// mayCount says whether a member may be credited: those who objected or were erased are not.
func (p party) mayCount() bool { return p.member == 0 || !(p.facts.Objected) }

// credited and benefiting write a member into an occurrence, as they were at the event.
func (p party) credited(o *ledger.Occurrence) {
	o.Credit, o.Level, o.Party, o.Segment = p.member, p.facts.Level, p.facts.Party, first(p.facts.Segments)
}

func (p party) benefiting(o *ledger.Occurrence) {
	o.Benefits, o.BenefitsLevel, o.BenefitsParty, o.BenefitsSegment = p.member, p.facts.Level, p.facts.Party, first(p.facts.Segments)
}

func scopeKey(b *rule, e *ledger.Event, t *ledger.Thread, credit, benefits int64) string {
	thread := int64(0)
	if t != nil {
		thread = t.N
	}
	switch b.Per.Scope {
	case blueprint.PerThread:
		return fmt.Sprintf("t%d", thread)
	case blueprint.PerMember:
		return fmt.Sprintf("m%d", credit)
	case blueprint.PerPair:
		return fmt.Sprintf("p%d:%d", credit, benefits)
	case blueprint.PerPairInThread:
		return fmt.Sprintf("q%d:%d:%d", credit, benefits, thread)
	}
	return fmt.Sprintf("e%d", e.Seq)
}

// candidate makes an occurrence of something that holds: pending until it settles, or in the shadow of another one of
// the same scope.
func (r *Run) candidate(b *rule, e *ledger.Event, t *ledger.Thread, m *ledger.Message) error {
	credit, benefits, err := r.who(b, e, t)
	if err != nil || !credit.mayCount() {
		return err
	}
	key := scopeKey(b, e, t, credit.member, benefits.member)
	if key[0] == 'e' && r.Tx.FreshEvent(e.Seq) || key[0] == 't' && r.Tx.FreshThread(t.N) {
		r.Tx.NothingYet(b.Name, key)
	}
	same, err := r.Tx.OccurrencesByKey(b.Name, key)
	if err != nil {
		return err
	}
	var o *ledger.Occurrence
	for _, s := range same {
		if s.Seq == e.Seq && (t == nil || s.Thread == t.N) {
			o = s // else it moved: what it was in its old thread stays undone there
		}
	}
	if o != nil && o.State != ledger.Undone && o.State != ledger.Dropped {
		return nil
	}
	fresh := o == nil
	if fresh {
		o = r.occurrence(b, e, t, credit, benefits)
		o.Key = key
		if m != nil {
			o.Message = m.N
		}
	}
	shadowed := blocker(b, same, o) != nil
	switch {
	case shadowed && fresh && shadows(same) >= maxShadows:
		return nil
	case fresh:
		r.Tx.NewOccurrence(o)
	default:
		r.Tx.EditOccurrence(o)
	}
	if shadowed {
		o.State = ledger.Shadowed
		return nil
	}
	return r.admit(b, o)
}

// maxShadows is how many occurrences wait in the shadow of another one of the same scope; further ones are not kept.
const maxShadows = 5

func shadows(same []*ledger.Occurrence) (n int) {
	for _, s := range same {
		if s.State == ledger.Shadowed {
			n++
		}
	}
	return n
}

func (r *Run) occurrence(b *rule, e *ledger.Event, t *ledger.Thread, credit, benefits party) *ledger.Occurrence {
	o := &ledger.Occurrence{Behaviour: b.Name, Generation: b.Generation, Channel: r.Channel.N, Seq: e.Seq,
		Arose: e.At, At: e.At, Due: e.At + b.Settle.Milliseconds(), Imported: e.Imported}
	credit.credited(o)
	benefits.benefiting(o)
	if t != nil {
		o.Thread = t.N
		if e.Kind == event.ThreadAged {
			o.Arose = t.Opened // a case belongs to the period in which it arose
		}
	}
	return o
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}

// active is what stands in the way of another one of the same scope.
func active(o *ledger.Occurrence) bool { return o.State == ledger.Pending || o.State == ledger.Counted }

// blocker finds the occurrence in whose shadow o stands.
func blocker(b *rule, same []*ledger.Occurrence, o *ledger.Occurrence) *ledger.Occurrence {
	within := b.Per.Within.Milliseconds()
	for _, s := range same {
		if s != o && active(s) && (within == 0 || max(s.At-o.At, o.At-s.At) < within) {
			return s
		}
	}
	return nil
}

// admit lets an occurrence settle, or counts it where nothing has to settle.
func (r *Run) admit(b *rule, o *ledger.Occurrence) error {
	o.State = ledger.Pending
	if b.Settle == 0 && b.confirm == nil {
		return r.count(b, o)
	}
	r.Tx.AddTimer(ledger.Timer{Channel: o.Channel, Due: o.Due, Kind: ledger.TimerSettle, Occurrence: o.N})
	return nil
}

// Fire does what a timer asks for that makes no event.
func (r *Run) Fire(timer *ledger.Timer) error {
	clear(r.inputs)
	switch timer.Kind {
	case ledger.TimerSettle:
		o, err := r.Tx.Occurrence(timer.Occurrence)
		if err != nil || o == nil || o.State != ledger.Pending || o.Due > timer.Due {
			return err
		}
		return r.settle(o)
	case ledger.TimerCase:
		basis, err := r.Tx.Occurrence(timer.Occurrence)
		if err != nil || basis == nil {
			return err
		}
		if b := r.Engine.byName[timer.Behaviour]; b != nil {
			return r.judge(b, basis)
		}
	case ledger.TimerUnanswered:
		t, err := r.Tx.Thread(timer.Thread)
		if err != nil {
			return err
		}
		if t.Question && (t.FirstAt == 0 || t.FirstAt > timer.Due) {
			r.Tx.Observe(HistogramFirstResponse, t.Channel, -1)
		}
		if t.Question && (t.FirstMemberAt == 0 || t.FirstMemberAt > timer.Due) {
			r.Tx.Observe(HistogramFirstMemberAnswer, t.Channel, -1)
		}
	}
	return nil
}

// settle counts a pending occurrence if it is still true.
func (r *Run) settle(o *ledger.Occurrence) error {
	b := r.Engine.byName[o.Behaviour]
	if b == nil || b.Generation != o.Generation {
		// Its definition is gone or has changed: what it was seen under was true, and nothing has undone it since.
		r.Tx.EditOccurrence(o)
		return r.count(b, o)
	}
	r.until = o.Due
	ok, err := r.stillHolds(b, o, true)
	r.until = 0
	if err != nil {
		return err
	}
	r.Tx.EditOccurrence(o)
	if ok {
		return r.count(b, o)
	}
	o.State = ledger.Dropped
	return r.promote(b, o)
}

// gone says whether what an event is about can no longer be seen: its message, or its thread as a whole, which stands
// and falls with its opening.
func gone(t *ledger.Thread, m *ledger.Message) bool {
	switch {
	case t != nil && !t.Visible:
		return true
	case m != nil:
		return !m.Visible()
	}
	return t != nil && t.Doc.Opening != 0 && !t.Doc.OpeningOK
}

func (r *Run) stillHolds(b *rule, o *ledger.Occurrence, confirm bool) (bool, error) {
	e, t, m, err := r.source(o)
	if err != nil {
		return false, err
	}
	if gone(t, m) {
		return false, nil
	}
	in, err := r.input(e, t, m)
	if err != nil {
		return false, err
	}
	ok, err := r.holds(b, partWhen, e, in)
	if err != nil || !ok || !confirm {
		return ok, err
	}
	return r.holds(b, partConfirm, e, in)
}

// source loads what an occurrence came from.
func (r *Run) source(o *ledger.Occurrence) (e *ledger.Event, t *ledger.Thread, m *ledger.Message, err error) {
	if e, err = r.Tx.Event(o.Seq); err != nil {
		return nil, nil, nil, err
	}
	if o.Thread != 0 {
		if t, err = r.Tx.Thread(o.Thread); err != nil {
			return nil, nil, nil, err
		}
	}
	if e.Message != 0 {
		m, err = r.Tx.Message(e.Message)
	}
	return e, t, m, err
}

// count makes an occurrence count, and opens the cases of behaviours that are of it. The caller has called
// EditOccurrence. b is nil where the definition is gone.
func (r *Run) count(b *rule, o *ledger.Occurrence) error {
	o.State = ledger.Counted
	r.raise(o)
	if b == nil {
		return nil
	}
	for _, of := range r.Engine.byBasis[b.Name] {
		deadline := o.Arose + r.Engine.deadline(of)
		if deadline <= o.Due {
			if err := r.judge(of, o); err != nil {
				return err
			}
			continue
		}
		if err := r.openCase(of, o, deadline); err != nil {
			return err
		}
		r.Tx.AddTimer(ledger.Timer{Channel: o.Channel, Due: deadline, Kind: ledger.TimerCase, Thread: o.Thread, Occurrence: o.N, Behaviour: of.Name})
	}
	return nil
}

// undo takes an occurrence back, what depends on it too, and lets the next one of its scope out of the shadow.
func (r *Run) undo(o *ledger.Occurrence) error {
	if o.State == ledger.Undone || o.State == ledger.Dropped {
		return nil
	}
	counted := o.State == ledger.Counted
	shadow := o.State == ledger.Shadowed
	r.Tx.EditOccurrence(o)
	o.State = ledger.Undone
	if counted {
		r.lower(o)
	}
	if o.Thread != 0 {
		all, err := r.Tx.OccurrencesOf(o.Thread)
		if err != nil {
			return err
		}
		for _, d := range all {
			if d.Basis == o.N {
				if err := r.undo(d); err != nil {
					return err
				}
			}
		}
	}
	if shadow || o.Basis != 0 {
		return nil
	}
	return r.promote(r.Engine.byName[o.Behaviour], o)
}

// promote lets the earliest shadowed occurrence of the same scope take its place.
func (r *Run) promote(b *rule, o *ledger.Occurrence) error {
	if b == nil {
		return nil
	}
	same, err := r.Tx.OccurrencesByKey(o.Behaviour, o.Key)
	if err != nil {
		return err
	}
	slices.SortStableFunc(same, func(x, y *ledger.Occurrence) int { return cmp.Compare(x.At, y.At) })
	for _, s := range same {
		if s.State == ledger.Shadowed && blocker(b, same, s) == nil {
			ok, err := r.stillHolds(b, s, false)
			if err != nil {
				return err
			}
			r.Tx.EditOccurrence(s)
			if !ok {
				s.State = ledger.Dropped
				continue
			}
			if err := r.admit(b, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// undoSources takes back what an event takes the ground from.
func (r *Run) undoSources(e *ledger.Event, t *ledger.Thread, m *ledger.Message, c conversation.Change) error {
	var taken func(*ledger.Occurrence, *ledger.Thread) (bool, error)
	switch {
	case t == nil:
		return nil
	case !t.Visible:
		taken = func(*ledger.Occurrence, *ledger.Thread) (bool, error) { return true, nil }
	case e.Kind == event.MessageRemoved || e.Kind == event.MessageHeld || e.Kind == event.MessageMoved:
		taken = func(o *ledger.Occurrence, in *ledger.Thread) (bool, error) {
			if o.Message == 0 {
				return gone(in, nil), nil
			}
			return o.Message == m.N && (o.Thread != t.N || !m.Visible()), nil
		}
	case e.Kind == event.AnswerUnaccepted:
		taken = func(o *ledger.Occurrence, _ *ledger.Thread) (bool, error) {
			if o.Message != m.N {
				return false, nil
			}
			from, err := r.Tx.Event(o.Seq)
			return err == nil && from.Kind == event.AnswerAccepted, err
		}
	default:
		return nil
	}
	threads := []*ledger.Thread{t}
	if c.From != nil {
		threads = append(threads, c.From)
	}
	for _, th := range threads {
		all, err := r.Tx.OccurrencesOf(th.N)
		if err != nil {
			return err
		}
		for _, o := range all {
			ok, err := taken(o, th)
			if err == nil && ok && o.Basis == 0 {
				err = r.undo(o)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// reconsider looks again at a thread whose messages went, came back, moved or came late: at the cases it holds, and at
// the messages that have become, or are no longer, its first response.
func (r *Run) reconsider(e *ledger.Event, t *ledger.Thread, firstBefore, firstMemberBefore int64) error {
	again := map[int64]bool{}
	for _, n := range []int64{firstBefore, t.Doc.First, firstMemberBefore, t.Doc.FirstMember} {
		again[n] = true
	}
	if firstBefore == t.Doc.First && firstMemberBefore == t.Doc.FirstMember {
		again = map[int64]bool{}
	}
	if e.Kind == event.MessageReleased || e.Kind == event.MessageMoved {
		again[e.Message] = true
	}
	delete(again, 0)
	if e.Kind == event.MessagePosted {
		delete(again, e.Message)
	}
	ns := make([]int64, 0, len(again))
	for n := range again {
		ns = append(ns, n)
	}
	slices.Sort(ns)
	for _, n := range ns {
		if err := r.reconsiderMessage(t, n); err != nil {
			return err
		}
	}
	return r.reconsiderCases(t)
}

// reconsiderAll looks again at every message of a thread and at its cases.
func (r *Run) reconsiderAll(t *ledger.Thread) error {
	messages, err := r.Tx.MessagesOf(t.N)
	if err != nil {
		return err
	}
	for _, m := range slices.Clone(messages) {
		if m.N == t.Doc.Opening {
			continue
		}
		if err := r.reconsiderMessage(t, m.N); err != nil {
			return err
		}
	}
	return r.reconsiderCases(t)
}

func (r *Run) reconsiderMessage(t *ledger.Thread, n int64) error {
	m, err := r.Tx.Message(n)
	if err != nil || m.Thread != t.N {
		return err
	}
	posted, err := r.Tx.Event(m.Seq)
	if err != nil {
		return err
	}
	all, err := r.Tx.OccurrencesOf(t.N)
	if err != nil {
		return err
	}
	for _, o := range all {
		b := r.Engine.byName[o.Behaviour]
		if o.Seq != m.Seq || o.Basis != 0 || b == nil || b.Generation != o.Generation || (!active(o) && o.State != ledger.Shadowed) {
			continue
		}
		if err := r.undoUnlessHolds(b, o); err != nil {
			return err
		}
	}
	return r.trigger(posted, t, m)
}

// undoUnlessHolds takes an occurrence back that is no longer true.
func (r *Run) undoUnlessHolds(b *rule, o *ledger.Occurrence) error {
	ok, err := r.stillHolds(b, o, false)
	if err != nil || ok {
		return err
	}
	return r.undo(o)
}

// reconsiderCases looks again at thread-wide occurrences and at the cases of the thread.
func (r *Run) reconsiderCases(t *ledger.Thread) error {
	all, err := r.Tx.OccurrencesOf(t.N)
	if err != nil {
		return err
	}
	for _, o := range all {
		b := r.Engine.byName[o.Behaviour]
		if b == nil || b.Generation != o.Generation || o.Basis != 0 || !active(o) || b.Role != blueprint.RoleBasis {
			continue
		}
		if err := r.undoUnlessHolds(b, o); err != nil {
			return err
		}
	}
	for _, age := range r.Engine.ages {
		seq, ok := t.Doc.Aged[age]
		if !ok || !t.Visible {
			continue
		}
		e, err := r.Tx.Event(seq)
		if err != nil {
			return err
		}
		in, err := r.input(e, t, nil)
		if err != nil {
			return err
		}
		for _, b := range r.Engine.byTrigger[event.ThreadAged] {
			if b.Role != blueprint.RoleBasis || b.After.Milliseconds() != age {
				continue
			}
			ok, err := r.holds(b, partWhen, e, in)
			if err == nil && ok {
				err = r.candidate(b, e, t, nil)
			}
			if err != nil {
				return err
			}
		}
	}
	for _, o := range all {
		b := r.Engine.byName[o.Behaviour]
		if o.Basis == 0 || b == nil || b.Generation != o.Generation {
			continue
		}
		basis, err := r.Tx.Occurrence(o.Basis)
		if err != nil {
			return err
		}
		if basis == nil || (o.State == ledger.Unfulfilled && !judged(o)) {
			continue // its deadline is still to come
		}
		if err := r.judge(b, basis); err != nil {
			return err
		}
	}
	return nil
}

// Reevaluate looks again at one event with one rule, after the rule could not be evaluated.
func (r *Run) Reevaluate(name string, seq int64) error {
	clear(r.inputs)
	b := r.Engine.byName[name]
	if b == nil {
		return nil // no longer declared
	}
	e, err := r.Tx.Event(seq)
	if err != nil {
		return err
	}
	o := &ledger.Occurrence{Seq: seq, Thread: e.Thread}
	_, t, m, err := r.source(o)
	if err != nil {
		return err
	}
	var failed error
	r.Failed = func(_ string, _ int64, err error) { failed = err }
	in, err := r.input(e, t, m)
	if err != nil {
		return err
	}
	ok, err := r.holds(b, partWhen, e, in)
	if err != nil || failed != nil {
		return errors.Join(err, failed)
	}
	if !ok || b.Of != "" || !slices.Contains(b.On, e.Kind) {
		return nil
	}
	return r.candidate(b, e, t, m)
}
