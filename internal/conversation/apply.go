// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"maps"
	"slices"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/ledger"
)

// apply changes the state as an event says. State is a function of events in ledger order, so that a rebuild gives the
// same; nothing but events may change it.
func (p *Processor) apply(e *ledger.Event) (Change, error) {
	if e.Data.Member != nil {
		return Change{}, p.applyMember(e)
	}
	if e.Thread == 0 {
		return Change{}, nil
	}
	if e.Kind == event.ThreadOpened {
		return p.openThread(e)
	}
	t, err := p.Tx.Thread(e.Thread)
	if err != nil {
		return Change{}, err
	}
	c := Change{Thread: t, FirstBefore: t.Doc.First, FirstMemberBefore: t.Doc.FirstMember, QuestionBefore: t.Question, VisibleBefore: t.Visible}
	p.Tx.EditThread(t)
	if e.Kind == event.MessagePosted {
		c.Structural, err = p.post(e, t)
		return c, err
	}
	var m *ledger.Message
	if e.Message != 0 {
		if m, err = p.Tx.Message(e.Message); err != nil {
			return c, err
		}
		p.Tx.EditMessage(m)
		m.Missing = 0
	}
	switch e.Kind {
	case event.MessageEdited:
		m.Revision, m.Hash = e.Revision, e.Data.Hash
		m.Set(ledger.MessageThanks, e.Facts.Thanks)
		if t.Doc.Opening == m.N {
			t.Doc.AskerFacts.QuestionText, t.Doc.Poll = e.Facts.QuestionText, e.Data.Poll
			classify(t)
		}
	case event.MessageRemoved:
		m.Set(ledger.MessageRemoved, true)
		c.Structural = true
	case event.MessageHeld:
		m.Set(ledger.MessageHeld, true)
		c.Structural = true
	case event.MessageReleased:
		m.Set(ledger.MessageRemoved|ledger.MessageHeld, false)
		c.Structural = true
	case event.MessageMoved:
		if c.From, err = p.Tx.Thread(e.Data.From); err != nil {
			return c, err
		}
		p.Tx.EditThread(c.From)
		p.Tx.MoveMessage(m, t.N)
		if e.Data.Opening && t.Doc.Opening == 0 {
			// Split off: the message opens a thread of its own now, and its author is who asks.
			posted, err := p.Tx.Event(m.Seq)
			if err != nil {
				return c, err
			}
			t.Doc.Opening, t.Doc.OpeningSeq, t.Doc.OpeningOK, t.Doc.Poll = m.N, m.Seq, true, m.Is(ledger.MessagePoll)
			t.Doc.AskerFacts, t.Asker = posted.Facts, m.Author
			m.Set(ledger.MessageOpening, true)
		}
		if err := p.recompute(c.From); err != nil {
			return c, err
		}
		c.Structural = true
	case event.AnswerAccepted, event.AnswerUnaccepted:
		m.Set(ledger.MessageAccepted, e.Kind == event.AnswerAccepted)
		if e.Kind == event.AnswerAccepted {
			t.Doc.SolvedAt = e.At
		}
		if err := p.recompute(t); err != nil {
			return c, err
		}
	case event.ReactionAdded, event.ReactionRemoved:
		n := e.Data.Count
		if e.Kind == event.ReactionRemoved {
			n = -n
		}
		m.Reactions = addCount(m.Reactions, e.Data.Name, n)
		if e.Author != 0 {
			p.Tx.SetReactor(m.N, e.Data.Name, e.Author, n > 0)
		}
	case event.MessageFlagged:
		m.Reactions = addCount(m.Reactions, "\x00flag", e.Data.Count)
	case event.ThreadUpdated, event.ThreadMerged, event.ThreadSplit, event.ThreadReopened, event.DuplicateMarked:
		if e.Data.Thread != nil {
			p.setThreadState(t, *e.Data.Thread)
			c.Structural = true
		}
	case event.ThreadAged:
		aged := maps.Clone(t.Doc.Aged)
		if aged == nil {
			aged = map[int64]int64{}
		}
		aged[e.Data.After] = e.Seq
		t.Doc.Aged = aged
	case event.QuestionMarked, event.QuestionUnmarked:
		t.Doc.Mark = 1
		if e.Kind == event.QuestionUnmarked {
			t.Doc.Mark = -1
		}
		classify(t)
		c.Structural = true
	}
	if e.Revision > 0 || e.Kind != event.MessageEdited {
		p.countRevision(e, t, m)
	}
	if c.Structural {
		return c, p.recompute(t)
	}
	return c, nil
}

// countRevision remembers how often a change of this kind has happened to this thing, for the next one's identity.
func (p *Processor) countRevision(e *ledger.Event, t *ledger.Thread, m *ledger.Message) {
	key := revisionKey(e.Kind, e.Data.Name)
	if e.Kind == event.ThreadAged || e.Kind == event.MessageEdited {
		return
	}
	if m != nil {
		m.Revisions = addCount(m.Revisions, key, 1)
	} else {
		t.Doc.Revisions = addCount(t.Doc.Revisions, key, 1)
	}
}

func revisionKey(k event.Kind, name string) string {
	if name == "" {
		return string(k)
	}
	return string(k) + "/" + name
}

func addCount(m map[string]int, key string, n int) map[string]int {
	out := make(map[string]int, len(m)+1)
	maps.Copy(out, m)
	out[key] += n
	if out[key] == 0 {
		delete(out, key)
	}
	return out
}

func (p *Processor) applyMember(e *ledger.Event) error {
	s, err := p.Tx.Stats(e.Author)
	if err != nil {
		return err
	}
	d := e.Data.Member
	p.Tx.EditStats(s)
	s.Roles, s.Bot, s.Domain, s.Revision = d.Roles, d.Bot, d.Domain, e.Revision
	if d.Joined != 0 {
		s.Joined = d.Joined
	}
	if d.Prior != nil {
		s.Prior = d.Prior
	}
	return nil
}

func (p *Processor) openThread(e *ledger.Event) (Change, error) {
	t := p.Tx.NewThread(e.Thread, e.Channel, e.Native)
	t.Opened, t.LastAt, t.Asker, t.Doc.Imported = e.At, e.At, e.Author, e.Imported
	t.Doc.AskerFacts = e.Facts
	p.setThreadState(t, *e.Data.Thread)
	return Change{Thread: t}, nil
}

func (p *Processor) setThreadState(t *ledger.Thread, s ledger.ThreadState) {
	t.Doc.ThreadState = s
	t.Visible = s.Removed == "" && s.MergedInto == ""
	declared := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(g string) bool {
			if tag, ok := cutPrefixTag(g); ok {
				return slices.Contains(s.Tags, tag)
			}
			return sdk.MatchRoom(g, s.Room)
		})
	}
	r := p.Declared.Rooms
	t.Doc.InQuestions, t.Doc.InFeedback, t.Doc.InHowTo = declared(r.Questions), declared(r.Feedback), declared(r.HowTo)
	classify(t)
}

// cutPrefixTag reads "tag:idea", the way to declare a tag where a room pattern is expected.
func cutPrefixTag(pattern string) (string, bool) {
	if len(pattern) > 4 && pattern[:4] == "tag:" {
		return pattern[4:], true
	}
	return "", false
}

// classify decides whether a thread is a question (DESIGN §5): an opening message by a Member or Volunteer in a
// declared room, of a Q&A type, or recognised from its text; not pinned, announcement, poll, held, removed or
// duplicate. A human's mark wins.
func classify(t *ledger.Thread) {
	d := &t.Doc
	d.Estimated = false
	switch {
	case d.Mark != 0:
		t.Question = d.Mark > 0
	case !t.Visible || !d.OpeningOK || d.Pinned || d.Announcement || d.Poll || d.DuplicateOf != "":
		t.Question = false
	case d.AskerFacts.Party != event.PartyMember && d.AskerFacts.Party != event.PartyVolunteer:
		t.Question = false
	case d.InQuestions || d.Type == "Question":
		t.Question = true
	case d.InFeedback || d.InHowTo:
		t.Question = false
	default:
		t.Question = d.AskerFacts.QuestionText
		d.Estimated = t.Question
	}
}

// post adds a message. It says whether the message came late: before one that the thread had already, or as the opening
// of a thread that older messages had been moved to.
func (p *Processor) post(e *ledger.Event, t *ledger.Thread) (late bool, err error) {
	m := p.Tx.NewMessage(e.Message, e.Channel, e.Native, t.N)
	m.Author, m.At, m.Seq, m.Parent, m.Hash = e.Author, e.At, e.Seq, e.Data.Parent, e.Data.Hash
	m.Set(ledger.MessageOpening, e.Data.Opening)
	m.Set(ledger.MessageBot, e.Data.Bot || e.Facts.Party == event.PartyBot)
	m.Set(ledger.MessageAuto, e.Facts.AutoReply)
	m.Set(ledger.MessageThanks, e.Facts.Thanks)
	m.Set(ledger.MessagePoll, e.Data.Poll)
	m.Set(ledger.MessageByMember, e.Facts.Party == event.PartyMember || e.Facts.Party == event.PartyVolunteer)
	s, err := p.Tx.Stats(e.Author)
	if err != nil {
		return false, err
	}
	p.Tx.EditStats(s)
	s.Messages++
	if s.FirstAt == 0 || e.At < s.FirstAt {
		s.FirstAt = e.At
	}
	s.LastAt = max(s.LastAt, e.At)
	s.AddDay(p.day(e.At), p.day(s.LastAt-p.Blueprint.Levels.Within.Milliseconds()-dayMillis))
	for _, native := range e.Facts.LinksTo {
		p.Tx.AddRef(e.Channel, native, m.N, e.Author)
	}
	late = e.At < t.LastAt && !e.Data.Opening
	t.LastAt = max(t.LastAt, e.At)
	if e.Data.Opening {
		t.Doc.Opening, t.Doc.OpeningSeq, t.Doc.OpeningOK, t.Doc.Poll = m.N, e.Seq, true, e.Data.Poll
		t.Doc.AskerFacts, t.Asker = e.Facts, e.Author
		if e.At < t.Opened {
			t.Opened = e.At
		}
		classify(t)
		others, err := p.Tx.MessagesOf(t.N)
		if err != nil {
			return false, err
		}
		return len(others) > 1, p.recompute(t)
	}
	p.respond(t, m, e.Facts.Party)
	return late, nil
}

// respond takes a message into what is known of responses.
func (p *Processor) respond(t *ledger.Thread, m *ledger.Message, party event.Party) {
	if m.N == t.Doc.Opening || !m.Response() || m.Author == t.Asker {
		return
	}
	t.Doc.Responses++
	if t.FirstAt == 0 || m.At < t.FirstAt {
		t.FirstAt, t.Doc.First, t.FirstParty = m.At, m.N, party
	}
	if m.Is(ledger.MessageByMember) && (t.FirstMemberAt == 0 || m.At < t.FirstMemberAt) {
		t.FirstMemberAt, t.Doc.FirstMember = m.At, m.N
	}
}

// recompute derives what is known of a thread's responses and solution anew from its messages.
func (p *Processor) recompute(t *ledger.Thread) error {
	messages, err := p.Tx.MessagesOf(t.N)
	if err != nil {
		return err
	}
	t.FirstAt, t.Doc.First, t.FirstParty = 0, 0, ""
	t.FirstMemberAt, t.Doc.FirstMember, t.Doc.Responses = 0, 0, 0
	t.Solution, t.Solver, t.Doc.RepliedBeforeSolved = 0, 0, false
	t.Doc.OpeningOK = false
	for _, m := range messages {
		party := event.Party("")
		if m.N == t.Doc.Opening {
			t.Doc.OpeningOK = m.Visible()
		}
		if t.FirstAt == 0 && m.Response() && m.Author != t.Asker {
			e, err := p.Tx.Event(m.Seq)
			if err != nil {
				return err
			}
			party = e.Facts.Party
		}
		if m.Is(ledger.MessageAccepted) && m.Visible() && t.Solution == 0 {
			t.Solution, t.Solver = m.N, m.Author
			t.Doc.RepliedBeforeSolved = t.Doc.Responses > 0
		}
		p.respond(t, m, party)
	}
	classify(t)
	return nil
}
