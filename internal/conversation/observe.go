// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/ledger"
)

// missingGrace is how long a message that a listing lacks may turn up elsewhere (moved) before it counts as removed.
const missingGrace = 2 * 60 * 1000

// Observe concludes events from one observation, by comparing it with the state. A second observation of the same
// thing concludes nothing.
func (p *Processor) Observe(o *event.Observation) error {
	switch {
	case o.Message != nil:
		return p.observeMessage(o.Message)
	case o.Thread != nil:
		_, err := p.observeThread(o.Thread)
		return err
	case o.Member != nil:
		return p.observeMember(o.Member)
	case o.Listing != nil:
		return p.observeListing(o.Listing)
	case o.Moderation != nil:
		return p.observeModeration(o.Moderation)
	}
	return nil
}

// millis gives a platform's time, 0 where it gave none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// orElse gives the platform's time, or the inferred one and that it is inferred.
func orElse(t time.Time, inferred int64) (at int64, isInferred bool) {
	if t.IsZero() {
		return inferred, true
	}
	return t.UnixMilli(), false
}

// member finds the member behind an actor, and records what has changed about the account. at is when it was seen to
// act: the first such time stands for joining where the platform does not say.
func (p *Processor) member(a event.Actor, full *event.Member, at int64) (*ledger.Member, *ledger.Stats, error) {
	return p.account(a, full, at, false)
}

// mentioned finds the member behind an account that is only named (who accepted, removed, reacted): without roles it says
// nothing about them.
func (p *Processor) mentioned(a event.Actor, at int64) (*ledger.Member, *ledger.Stats, error) {
	return p.account(a, nil, at, true)
}

func (p *Processor) account(a event.Actor, full *event.Member, at int64, inPassing bool) (*ledger.Member, *ledger.Stats, error) {
	if a.ID == "" {
		a.ID = "?" // the platform does not say who: one unknown account
	}
	name := ""
	if full != nil {
		name = full.Name
	}
	m, created, err := p.Tx.FindMember(p.Channel.N, a, name)
	if err != nil {
		return nil, nil, err
	}
	s, err := p.Tx.Stats(m.N)
	if err != nil || m.Status == ledger.MemberErased {
		return m, s, err
	}
	roles := slices.Clone(a.Roles)
	if (inPassing || full != nil) && len(roles) == 0 { // a directory or a mention that shows no roles says nothing of them
		roles, a.Bot = slices.Clone(s.Roles), a.Bot || s.Bot
	}
	if named := handleRole(p.Blueprint, a.Handle); named != "" {
		roles = append(roles, named)
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	next := ledger.MemberState{Roles: roles, Bot: a.Bot, Domain: s.Domain, Joined: s.Joined}
	if full != nil {
		next.Domain, next.Joined = knownDomain(p.Blueprint, full.EmailDomain), cmp.Or(millis(full.JoinedAt), s.Joined)
		if full.Messages != nil && s.Prior == nil {
			if next.Prior, err = p.prior(a.ID, s, *full.Messages); err != nil {
				return nil, nil, err
			}
		}
	}
	if !created && s.Bot == next.Bot && s.Domain == next.Domain && slices.Equal(s.Roles, next.Roles) && s.Joined == next.Joined && next.Prior == nil {
		return m, s, nil
	}
	e := &ledger.Event{Kind: event.MemberUpdated, Native: m.ID, Author: m.N, At: at, Inferred: true, Revision: s.Revision + 1, Data: ledger.Data{Member: &next}}
	if created {
		e.Kind, e.Revision = event.MemberJoined, 0
		if next.Joined != 0 {
			e.At, e.Inferred = next.Joined, false
		}
	}
	return m, s, p.Emit(e)
}

// prior is how many messages the account had made before anything that the ledger has seen or is about to see.
func (p *Processor) prior(native string, s *ledger.Stats, count int) (*int64, error) {
	waiting, err := p.Tx.CountStaged(p.Channel.N, p.Tx.Lookup(p.Channel.N, native))
	if err != nil {
		return nil, err
	}
	n := max(0, int64(count)-s.Messages-waiting)
	return &n, nil
}

// LowerPrior takes messages that have been read out of those that a member had written before anything read.
func (p *Processor) LowerPrior(member, messages int64) error {
	s, err := p.Tx.Stats(member)
	if err != nil || s.Prior == nil || *s.Prior == 0 {
		return err
	}
	m, err := p.Tx.Member(member)
	if err != nil {
		return err
	}
	prior := max(0, *s.Prior-messages)
	return p.Emit(&ledger.Event{Kind: event.MemberUpdated, Native: m.ID, Author: m.N, At: p.Observed, Inferred: true, Revision: s.Revision + 1,
		Data: ledger.Data{Member: &ledger.MemberState{Roles: s.Roles, Bot: s.Bot, Domain: s.Domain, Joined: s.Joined, Prior: &prior}}})
}

func (p *Processor) observeMember(o *event.Member) error {
	at := millis(o.JoinedAt)
	if at == 0 || at < p.Channel.Since {
		at = max(p.Channel.Since, 1)
	}
	_, _, err := p.member(o.Actor, o, at)
	return err
}

func threadState(o *event.Thread) ledger.ThreadState {
	s := ledger.ThreadState{
		Room: o.Room, Tags: slices.Clone(o.Tags), Type: o.Type, Solvable: o.Solvable, Closed: o.Closed, Pinned: o.Pinned,
		Announcement: o.Announcement, Status: o.Status, StatusReason: o.StatusReason, MergedInto: o.MergedInto,
		DuplicateOf: o.DuplicateOf, SplitFrom: o.SplitFrom,
	}
	slices.Sort(s.Tags)
	if len(s.Tags) == 0 {
		s.Tags = nil
	}
	if o.Presence == event.Removed {
		s.Removed = ledger.RemovedIs(event.ByUnknown)
		if o.RemovedBy != "" {
			s.Removed = ledger.RemovedIs(o.RemovedBy)
		}
	}
	return s
}

func (p *Processor) observeThread(o *event.Thread) (*ledger.Thread, error) {
	t, err := p.Tx.ThreadByNative(p.Channel.N, o.ID)
	if err != nil {
		return nil, err
	}
	next := threadState(o)
	if t == nil {
		if next.Removed != "" && o.CreatedAt.IsZero() {
			return nil, nil // gone before anything of it was seen
		}
		return p.beginThread(o, next)
	}
	if t.Views != int64(o.Views) && o.Views != 0 {
		p.Tx.EditThread(t).Views = int64(o.Views)
	}
	if o.Title != "" {
		if err := p.keepTitle(t, o.Title); err != nil {
			return nil, err
		}
	}
	was := t.Doc.ThreadState
	if next.Removed != "" && o.Room == "" {
		kept := was // a tombstone says nothing but that it is gone
		kept.Removed, kept.MergedInto, kept.DuplicateOf = next.Removed, next.MergedInto, next.DuplicateOf
		next = kept
	}
	if reflect.DeepEqual(was, next) {
		return t, nil
	}
	kind := event.ThreadUpdated
	switch {
	case next.MergedInto != "" && was.MergedInto == "":
		kind = event.ThreadMerged
	case next.DuplicateOf != "" && was.DuplicateOf == "":
		kind = event.DuplicateMarked
	case was.Closed && !next.Closed:
		kind = event.ThreadReopened
	case next.SplitFrom != "" && was.SplitFrom == "":
		kind = event.ThreadSplit
	}
	at, inferred := orElse(o.RemovedAt, p.Observed)
	author := t.Asker
	return t, p.Emit(&ledger.Event{Kind: kind, Native: o.ID, Revision: t.Doc.Revisions[string(kind)], At: at, Inferred: inferred,
		Thread: t.N, Author: author, Data: ledger.Data{Thread: &next}})
}

func (p *Processor) beginThread(o *event.Thread, state ledger.ThreadState) (*ledger.Thread, error) {
	at := millis(o.CreatedAt)
	m, s, err := p.member(o.Author, nil, at)
	if err != nil {
		return nil, err
	}
	e := &ledger.Event{Kind: event.ThreadOpened, Native: o.ID, At: at, Thread: p.Tx.NextThread(), Author: m.N,
		Facts: p.personFacts(m, s, o.Author.Bot, at), Data: ledger.Data{Thread: &state}}
	if err := p.segments(e, s); err != nil {
		return nil, err
	}
	if err := p.Emit(e); err != nil {
		return nil, err
	}
	t, err := p.Tx.ThreadByNative(p.Channel.N, o.ID)
	if err != nil || t == nil {
		return t, err
	}
	if o.Views != 0 {
		p.Tx.EditThread(t).Views = int64(o.Views)
	}
	if o.Title != "" && m.Status != ledger.MemberErased {
		p.Tx.SetTitle(t.N, at, cutAt(o.Title, event.MaxName))
	}
	return t, nil
}

func (p *Processor) keepTitle(t *ledger.Thread, title string) error {
	title = cutAt(title, event.MaxName)
	was, err := p.Tx.Title(t.N)
	if err != nil || was == title || was == "" { // gone by retention or erasure: stays gone
		return err
	}
	p.Tx.SetTitle(t.N, t.Opened, title)
	return nil
}

func (p *Processor) segments(e *ledger.Event, s *ledger.Stats) error {
	if p.Segments == nil || e.Facts.Objected {
		return nil
	}
	var err error
	e.Facts.Segments, err = p.Segments(&e.Facts, s, e.At)
	return err
}

func (p *Processor) observeMessage(o *event.Message) error {
	if o.Kind == event.Notice || o.Kind == event.Whisper {
		return nil
	}
	m, err := p.Tx.MessageByNative(p.Channel.N, o.ID)
	if err != nil {
		return err
	}
	t, err := p.Tx.ThreadByNative(p.Channel.N, o.Thread)
	if err != nil {
		return err
	}
	if t == nil {
		// The connector gave no thread with it: the message stands for it.
		if t, err = p.beginThread(&event.Thread{ID: o.Thread, CreatedAt: o.CreatedAt, Author: o.Author}, ledger.ThreadState{}); err != nil {
			return err
		}
		if t == nil {
			return fmt.Errorf("thread of message %s was recorded before and is not in the state", o.ID)
		}
	}
	if m == nil {
		if m, err = p.postMessage(o, t); err != nil || m == nil {
			return err
		}
	} else if err := p.compareContent(o, t, m); err != nil {
		return err
	}
	if err := p.comparePresence(o, t, m); err != nil {
		return err
	}
	if err := p.compareAcceptance(o, t, m); err != nil {
		return err
	}
	return p.compareReactions(o, t, m)
}

func (p *Processor) postMessage(o *event.Message, t *ledger.Thread) (*ledger.Message, error) {
	at := millis(o.CreatedAt)
	author, s, err := p.member(o.Author, nil, at)
	if err != nil {
		return nil, err
	}
	prepared := p.prepared(o)
	text := prepared.text
	e := &ledger.Event{
		Kind: event.MessagePosted, Native: o.ID, At: at, Thread: t.N, Message: p.Tx.NextMessage(), Author: author.N,
		Facts: p.personFacts(author, s, o.Author.Bot, at),
		Data:  ledger.Data{Hash: prepared.hash, Opening: o.Opening, Bot: o.Author.Bot, Poll: o.Poll},
	}
	if o.Parent != "" {
		parent, err := p.Tx.MessageByNative(p.Channel.N, o.Parent)
		if err != nil {
			return nil, err
		}
		if parent != nil {
			e.Data.Parent = parent.N
		}
	}
	if err := p.textFacts(e, o, t, prepared.reading); err != nil {
		return nil, err
	}
	if author.Status == ledger.MemberErased {
		text = ""
	}
	if err := p.segments(e, s); err != nil {
		return nil, err
	}
	if text != "" {
		p.Tx.SetText(e.Message, at, text)
	}
	if err := p.Emit(e); err != nil {
		return nil, err
	}
	return p.Tx.MessageByNative(p.Channel.N, o.ID)
}

func (p *Processor) textFacts(e *ledger.Event, o *event.Message, t *ledger.Thread, r Reading) error {
	if o.Opening {
		title, err := p.Tx.Title(t.N)
		if err != nil {
			return err
		}
		r.addTitle(title)
	}
	f := &e.Facts
	f.Language, f.QuestionText, f.Thanks, f.AutoReply, f.Words = r.Language, r.Question, r.Thanks, r.AutoReply, r.Words
	f.Links = min(len(o.Links), event.MaxLinks)
	for _, ref := range o.Refs {
		if ref != o.Thread && !slices.Contains(f.LinksTo, ref) && len(f.LinksTo) < 20 {
			f.LinksTo = append(f.LinksTo, ref)
		}
	}
	return nil
}

func (p *Processor) compareContent(o *event.Message, t *ledger.Thread, m *ledger.Message) error {
	if m.Missing != 0 {
		p.Tx.EditMessage(m).Missing = 0
	}
	if m.Thread != t.N {
		if err := p.Emit(&ledger.Event{Kind: event.MessageMoved, Native: m.Native, Revision: m.Revisions[string(event.MessageMoved)],
			At: p.Observed, Inferred: true, Thread: t.N, Message: m.N, Author: m.Author, Data: ledger.Data{From: m.Thread, Opening: o.Opening}}); err != nil {
			return err
		}
	}
	if o.Presence == event.Removed || (o.Text == "" && m.Hash != textHash("")) {
		return nil // tombstones have no text: nothing was edited
	}
	prepared := p.prepared(o)
	text, hash := prepared.text, prepared.hash
	if hash == m.Hash {
		return nil
	}
	author, err := p.Tx.Member(m.Author)
	if err != nil {
		return err
	}
	posted, err := p.Tx.Event(m.Seq)
	if err != nil {
		return err
	}
	at, inferred := orElse(o.EditedAt, p.Observed)
	e := &ledger.Event{Kind: event.MessageEdited, Native: m.Native, Revision: m.Revision + 1, At: at, Inferred: inferred,
		Thread: t.N, Message: m.N, Author: m.Author, Facts: posted.Facts, Data: ledger.Data{Hash: hash, Poll: o.Poll}}
	e.Facts.LinksTo = nil
	if err := p.textFacts(e, o, t, prepared.reading); err != nil {
		return err
	}
	if author.Status != ledger.MemberErased {
		was, err := p.Tx.Text(m.N)
		if err != nil {
			return err
		}
		if was != "" || at > m.At { // a new text is a new text, also where retention took the old one
			p.Tx.SetText(m.N, at, text)
		}
	}
	return p.Emit(e)
}

func (p *Processor) comparePresence(o *event.Message, t *ledger.Thread, m *ledger.Message) error {
	e := &ledger.Event{Native: m.Native, Thread: t.N, Message: m.N, Author: m.Author}
	seen, err := p.firstSeen(m)
	if err != nil {
		return err
	}
	switch {
	case o.Presence == event.Removed && !m.Is(ledger.MessageRemoved):
		e.Kind, e.Data.By = event.MessageRemoved, o.RemovedBy
		if e.Data.By == "" {
			e.Data.By = event.ByUnknown
		}
		if e.Data.By == event.ByAuthor {
			p.Tx.DropText(m.N) // what somebody takes back, we do not keep
		}
		e.At, e.Inferred = orElse(o.RemovedAt, seen)
		if o.Remover != nil {
			by, _, err := p.mentioned(*o.Remover, e.At)
			if err != nil {
				return err
			}
			e.Actor = by.N
		}
	case o.Presence == event.Held && !m.Is(ledger.MessageHeld):
		e.Kind, e.At, e.Inferred = event.MessageHeld, seen, true
	case (o.Presence == "" || o.Presence == event.Visible) && !m.Visible():
		e.Kind, e.At, e.Inferred = event.MessageReleased, p.Observed, true
	default:
		return nil
	}
	e.Revision = m.Revisions[string(e.Kind)]
	return p.Emit(e)
}

// firstSeen is the inferred time of what an observation tells of a message besides: in history, where the message is
// seen for the first time, its own time; found later, the observation's.
func (p *Processor) firstSeen(m *ledger.Message) (int64, error) {
	if m.At >= p.Channel.LiveFrom || p.Channel.History == ledger.HistoryComplete {
		return p.Observed, nil
	}
	posted, err := p.Tx.Event(m.Seq)
	if err != nil || posted.Observed != p.Observed {
		return p.Observed, err
	}
	return m.At, nil
}

func (p *Processor) compareAcceptance(o *event.Message, t *ledger.Thread, m *ledger.Message) error {
	if o.Accepted == nil || *o.Accepted == m.Is(ledger.MessageAccepted) {
		return nil
	}
	e := &ledger.Event{Kind: event.AnswerAccepted, Native: m.Native, Thread: t.N, Message: m.N, Author: m.Author}
	if !*o.Accepted {
		e.Kind = event.AnswerUnaccepted
	}
	seen, err := p.firstSeen(m)
	if err != nil {
		return err
	}
	e.At, e.Inferred = orElse(o.AcceptedAt, seen)
	posted, err := p.Tx.Event(m.Seq)
	if err != nil {
		return err
	}
	e.Facts = posted.Facts // the answer's author, as of the answer
	if o.AcceptedBy != nil {
		by, _, err := p.mentioned(*o.AcceptedBy, e.At)
		if err != nil {
			return err
		}
		e.Actor = by.N
	}
	e.Revision = m.Revisions[string(e.Kind)]
	return p.Emit(e)
}

func (p *Processor) compareReactions(o *event.Message, t *ledger.Thread, m *ledger.Message) error {
	names := map[string]bool{}
	for _, r := range o.Reactions {
		names[r.Name] = true
		for _, a := range r.By {
			by, _, err := p.mentioned(a, m.At)
			if err != nil {
				return err
			}
			known, err := p.Tx.HasReactor(m.N, r.Name, by.N)
			if err != nil {
				return err
			}
			if !known {
				if err := p.react(event.ReactionAdded, t, m, r.Name, 1, by.N); err != nil {
					return err
				}
			}
		}
		if n := r.Count - m.Reactions[r.Name]; n > 0 {
			if err := p.react(event.ReactionAdded, t, m, r.Name, n, 0); err != nil {
				return err
			}
		} else if n < 0 {
			if err := p.react(event.ReactionRemoved, t, m, r.Name, -n, 0); err != nil {
				return err
			}
		}
	}
	if o.Reactions != nil {
		for name, n := range m.Reactions {
			if !names[name] && n > 0 && name[0] != 0 {
				if err := p.react(event.ReactionRemoved, t, m, name, n, 0); err != nil {
					return err
				}
			}
		}
	}
	if n := o.Flags - m.Reactions["\x00flag"]; n > 0 {
		seen, err := p.firstSeen(m)
		if err != nil {
			return err
		}
		return p.Emit(&ledger.Event{Kind: event.MessageFlagged, Native: m.Native, Revision: m.Revisions[string(event.MessageFlagged)],
			At: seen, Inferred: true, Thread: t.N, Message: m.N, Author: m.Author, Data: ledger.Data{Count: n}})
	}
	return nil
}

func (p *Processor) react(kind event.Kind, t *ledger.Thread, m *ledger.Message, name string, n int, by int64) error {
	seen, err := p.firstSeen(m)
	if err != nil {
		return err
	}
	return p.Emit(&ledger.Event{Kind: kind, Native: m.Native + "/" + name, Revision: m.Revisions[revisionKey(kind, name)],
		At: seen, Inferred: true, Thread: t.N, Message: m.N, Author: by, Data: ledger.Data{Name: name, Count: n}})
}

// observeListing concludes what is gone from what a thread's listing lacks.
func (p *Processor) observeListing(o *event.Listing) error {
	if o.Thread == "" {
		return nil // absence from a listing of threads proves nothing: connectors look and send a Removed thread
	}
	t, err := p.Tx.ThreadByNative(p.Channel.N, o.Thread)
	if err != nil || t == nil {
		return err
	}
	messages, err := p.Tx.MessagesOf(t.N)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(o.IDs))
	for _, id := range o.IDs {
		there[id] = true
	}
	for _, m := range messages {
		within := (o.From.IsZero() || m.At >= millis(o.From)) && (o.To.IsZero() || m.At <= millis(o.To))
		if there[m.Native] || !within || m.Is(ledger.MessageRemoved) || m.Missing != 0 {
			continue
		}
		p.Tx.EditMessage(m).Missing = p.Observed
		p.Tx.AddTimer(ledger.Timer{Channel: p.Channel.N, Due: p.Observed + missingGrace, Kind: ledger.TimerMissing, Message: m.N, Thread: t.N, After: p.Observed})
	}
	return nil
}

// Missing concludes the removal of a message that was missing and has not turned up since.
func (p *Processor) Missing(timer *ledger.Timer) error {
	m, err := p.Tx.Message(timer.Message)
	if err != nil {
		return err
	}
	if m.Missing != timer.After || m.Is(ledger.MessageRemoved) {
		return nil
	}
	return p.Emit(&ledger.Event{Kind: event.MessageRemoved, Native: m.Native, Revision: m.Revisions[string(event.MessageRemoved)],
		At: m.Missing, Inferred: true, Thread: m.Thread, Message: m.N, Author: m.Author, Data: ledger.Data{By: event.ByUnknown}})
}

func (p *Processor) observeModeration(o *event.Moderation) error {
	m, err := p.Tx.MessageByNative(p.Channel.N, o.Message)
	if err != nil || m == nil {
		return err
	}
	by, _, err := p.mentioned(o.By, millis(o.At))
	if err != nil {
		return err
	}
	e := &ledger.Event{Kind: event.ModerationApplied, Native: o.ID, At: millis(o.At), Thread: m.Thread, Message: m.N, Actor: by.N,
		Data: ledger.Data{Outcome: o.Outcome}}
	if len(o.Flaggers) > 0 {
		f, s, err := p.mentioned(o.Flaggers[0], e.At)
		if err != nil {
			return err
		}
		e.Author, e.Facts = f.N, p.personFacts(f, s, false, e.At)
	}
	return p.Emit(e)
}
