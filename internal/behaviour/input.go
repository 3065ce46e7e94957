// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/expr"
	"github.com/kith-dev/kith/internal/ledger"
)

// unknownMany is what messages reads as where history is not known, so that "few" does not match.
const unknownMany = 1 << 40

// person gives an author as expressions see it: as of the event whose facts these are.
func (r *Run) person(member int64, f *event.Facts, at int64) (*expr.Person, error) {
	p := &expr.Person{Party: f.Party, Level: f.Level, HistoryKnown: f.HistoryKnown, Messages: int64(f.Messages),
		FirstAt: timeOf(f.FirstAt), LastAt: timeOf(f.LastAt), At: timeOf(at), Location: r.location, Segments: f.Segments}
	if !f.HistoryKnown {
		p.Messages = unknownMany
	}
	if member == 0 {
		return p, nil
	}
	m, err := r.Tx.Member(member)
	if err != nil {
		return nil, err
	}
	p.ID = m.ID
	s, err := r.Tx.Stats(member)
	if err != nil {
		return nil, err
	}
	p.Roles = s.Roles
	return p, nil
}

// input gives what an expression about an event sees. m is the message that the event is about, or nil. Several rules
// look at the same event while nothing changes but occurrences, which no expression sees: it is made once for them.
func (r *Run) input(e *ledger.Event, t *ledger.Thread, m *ledger.Message) (*expr.Input, error) {
	if in := r.inputs[e.Seq]; in != nil {
		return in, nil
	}
	in, err := r.makeInput(e, t, m)
	if err == nil {
		if r.inputs == nil {
			r.inputs = map[int64]*expr.Input{}
		}
		r.inputs[e.Seq] = in
	}
	return in, err
}

func (r *Run) makeInput(e *ledger.Event, t *ledger.Thread, m *ledger.Message) (*expr.Input, error) {
	author, err := r.person(e.Author, &e.Facts, e.At)
	if err != nil {
		return nil, err
	}
	ev := &expr.Event{Kind: e.Kind, Language: e.Facts.Language, Question: e.Facts.QuestionText, Thanks: e.Facts.Thanks,
		Links: int64(e.Facts.Links), Words: int64(e.Facts.Words), Imported: e.Imported, Time: timeOf(e.At), Reaction: e.Data.Name,
		Text: noText, LinksToSolved: never, ThankedByAsker: never, By: &expr.Person{}}
	in := &expr.Input{Event: ev, Author: author, Thread: emptyThread, Parent: emptyParent, Channel: r.channelVar(), Now: timeOf(e.At)}
	if e.Actor != 0 {
		if ev.By, err = r.person(e.Actor, &event.Facts{}, e.At); err != nil {
			return nil, err
		}
	}
	if t == nil {
		return in, nil
	}
	if in.Thread, err = r.threadVar(t, e.At); err != nil {
		return nil, err
	}
	ev.SinceOpened = time.Duration(e.At-t.Opened) * time.Millisecond
	ev.Title, ev.Status, ev.StatusReason = in.Thread.Title, t.Doc.Status, t.Doc.StatusReason
	ev.Opening = e.Kind == event.ThreadOpened
	if m == nil {
		return in, nil
	}
	ev.Opening = m.N == t.Doc.Opening
	ev.Reply = !ev.Opening
	ev.Answer = !ev.Opening && m.Response() && m.Author != t.Asker
	ev.FirstResponse = m.N == t.Doc.First
	ev.FirstMemberAnswer = m.N == t.Doc.FirstMember
	ev.Accepted = m.Is(ledger.MessageAccepted)
	ev.Text = func() string { return r.text(m.N) }
	ev.LinksToSolved = func() bool { return r.linksToSolved(e) }
	ev.ThankedByAsker = func() bool { return r.thanked(t, m) }
	in.Parent, err = r.parentVar(e, t, m)
	return in, err
}

var (
	noText      = func() string { return "" }
	never       = func() bool { return false }
	none        = func() int64 { return 0 }
	emptyThread = &expr.Thread{Author: &expr.Person{}, Responders: none, UsedBy: none}
	emptyParent = &expr.Parent{Author: &expr.Person{}}
)

func (r *Run) channelVar() *expr.Channel {
	if r.channel == nil {
		r.channel = &expr.Channel{Name: r.Channel.Name, Platform: r.Channel.Ref.Platform}
		for _, c := range r.Engine.Blueprint.Channels {
			if c.Name == r.Channel.Name {
				r.channel.Team = c.Team
			}
		}
	}
	return r.channel
}

func after(opened, at int64) time.Duration {
	if at == 0 {
		return expr.Never
	}
	return time.Duration(at-opened) * time.Millisecond
}

func (r *Run) threadVar(t *ledger.Thread, now int64) (*expr.Thread, error) {
	d := &t.Doc
	asker, err := r.person(t.Asker, &d.AskerFacts, t.Opened)
	if err != nil {
		return nil, err
	}
	v := &expr.Thread{
		ID: t.Native, Room: d.Room, Tags: d.Tags, Question: t.Question, QuestionEstimated: d.Estimated, Feedback: d.InFeedback,
		HowTo: d.InHowTo, Author: asker, OpenedAt: timeOf(t.Opened), Age: time.Duration(now-t.Opened) * time.Millisecond,
		Solved: t.Solution != 0, SolvedByAsker: t.Solution != 0 && t.Solver == t.Asker, Closed: d.Closed, Pinned: d.Pinned,
		DuplicateOf: d.DuplicateOf, Responses: d.Responses, Answered: t.FirstAt != 0, AnsweredByMember: t.FirstMemberAt != 0,
		FirstResponseAfter: after(t.Opened, t.FirstAt), FirstMemberAnswerAfter: after(t.Opened, t.FirstMemberAt),
		OpeningFirstContribution: firstContribution(&d.AskerFacts),
	}
	v.Responders = func() int64 { return int64(len(r.repliers(t))) }
	v.UsedBy = func() int64 { return r.usedBy(t) }
	if r.Engine.needTitle {
		if v.Title, err = r.Tx.Title(t.N); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func firstContribution(f *event.Facts) bool { return f.HistoryKnown && f.Messages == 0 }

// parentVar is the message replied to, else the thread's opening.
func (r *Run) parentVar(now *ledger.Event, t *ledger.Thread, m *ledger.Message) (*expr.Parent, error) {
	n, seq := m.Parent, int64(0)
	if n == 0 {
		n, seq = t.Doc.Opening, t.Doc.OpeningSeq
	}
	if n == 0 || n == m.N {
		return emptyParent, nil
	}
	if seq == 0 {
		pm, err := r.Tx.Message(n)
		if err != nil {
			return nil, err
		}
		seq = pm.Seq
	}
	e, err := r.Tx.Event(seq)
	if err != nil {
		return nil, err
	}
	author, err := r.person(e.Author, &e.Facts, e.At)
	if err != nil {
		return nil, err
	}
	question := e.Facts.QuestionText
	if n == t.Doc.Opening {
		question = t.Question
	}
	return &expr.Parent{ID: e.Native, Exists: true, Author: author, Question: question, FirstContribution: firstContribution(&e.Facts),
		Age: time.Duration(now.At-e.At) * time.Millisecond}, nil
}

// The functions below run only when an expression asks. An error of the ledger is kept in r.failed and fails the
// evaluation afterwards.

func (r *Run) keep(err error) {
	if err != nil && r.failed == nil {
		r.failed = err
	}
}

func (r *Run) text(message int64) string {
	s, err := r.Tx.Text(message)
	r.keep(err)
	return s
}

func (r *Run) linksToSolved(e *ledger.Event) bool {
	for _, native := range e.Facts.LinksTo {
		t, err := r.Tx.ThreadByNative(e.Channel, native)
		r.keep(err)
		if t != nil && t.Visible && t.Solution != 0 {
			return true
		}
	}
	return false
}

// thanked says whether the asker replied with thanks after a message: to it, or to nobody in particular.
func (r *Run) thanked(t *ledger.Thread, m *ledger.Message) bool {
	messages, err := r.Tx.MessagesOf(t.N)
	r.keep(err)
	for _, o := range messages {
		if r.until != 0 && o.At > r.until {
			continue
		}
		if o.At > m.At && o.Author == t.Asker && o.Author != m.Author && o.Visible() && o.Is(ledger.MessageThanks) && (o.Parent == m.N || o.Parent == 0) {
			return true
		}
	}
	return false
}

func (r *Run) repliers(t *ledger.Thread) map[int64]bool {
	messages, err := r.Tx.MessagesOf(t.N)
	r.keep(err)
	out := map[int64]bool{}
	for _, m := range messages {
		if m.Author != t.Asker && m.Response() {
			out[m.Author] = true
		}
	}
	return out
}

// usedBy counts distinct others who replied, reacted or linked. Where the platform gives counts of reactions alone,
// the largest count stands against the known people: at least that many, never the sum.
func (r *Run) usedBy(t *ledger.Thread) int64 {
	people := r.repliers(t)
	linked, err := r.Tx.RefAuthors(t.Channel, t.Native)
	r.keep(err)
	for n := range linked {
		people[n] = true
	}
	most := 0
	if t.Doc.Opening != 0 {
		m, err := r.Tx.Message(t.Doc.Opening)
		r.keep(err)
		if m != nil {
			for name, n := range m.Reactions {
				if name[0] != 0 {
					most = max(most, n)
				}
			}
			reacted, err := r.Tx.Reactors(m.N)
			r.keep(err)
			for n := range reacted {
				people[n] = true
			}
		}
	}
	delete(people, t.Asker)
	return int64(max(len(people), most))
}
