// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"slices"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/expr"
)

// The vanity guard asks of a behaviour: can it hold where nobody but its author is involved? It evaluates the checked
// expressions in lonely scenes, in which everybody who is seen is the author, nobody has answered, accepted, reacted or
// come back, and everything that an author can bring about alone may have any value. An expression that can be true
// there counts activity, however it is written: the guard looks at what it means, not at what it mentions.

// outcomes are events that somebody else, or a judgement, has brought about. All other kinds are activity by themselves.
var outcomes = []event.Kind{event.AnswerAccepted, event.ModerationApplied, event.DuplicateMarked}

// aReturn is the shortest absence that a return needs: who comes back earlier was never gone.
const aReturn = 7 * 24 * time.Hour

// finding is what the guard says of a behaviour.
type finding int

const (
	// honest depends on somebody else.
	honest finding = iota
	// doubtful depends on a question, a newcomer or feedback, which may also be the author's own.
	doubtful
	// activity depends on nobody else.
	activity
)

// guarded is what the guard looks at.
type guarded struct {
	kinds []event.Kind
	// programs must all hold for a case.
	programs []*expr.Program
	// basis is a denominator: questions and feedback may be anybody's there.
	basis bool
	// perMember counts once per member, so that coming back on another day is a return and not each later message.
	perMember bool
}

// judge returns the worst finding over all kinds of events, and the kind that it is about.
func (g guarded) judge() (finding, event.Kind, error) {
	worst, about := honest, event.Kind("")
	for _, kind := range g.kinds {
		if slices.Contains(outcomes, kind) {
			continue
		}
		found, err := g.judgeKind(kind)
		if err != nil {
			return activity, kind, err
		}
		if found > worst {
			worst, about = found, kind
		}
	}
	return worst, about, nil
}

func (g guarded) judgeKind(kind event.Kind) (finding, error) {
	can := func(s scene) (bool, error) { return g.canHold(kind, s) }
	if !aboutMessage(kind) {
		// A thread of one's own, or oneself: that it is a question, or by a newcomer, is the author's own doing.
		s := scene{thread: isAboutThread(kind), others: g.basis}
		alone, err := can(s)
		return findingOf(alone, activity), err
	}
	var holds [4]bool
	for i, s := range []scene{
		{thread: true, parent: true, others: true}, {thread: true, opening: true, others: true},
		{thread: true, parent: true}, {thread: true, opening: true},
	} {
		var err error
		if holds[i], err = can(s); err != nil {
			return activity, err
		}
	}
	reply, opening, ownReply, ownOpening := holds[0], holds[1], holds[2], holds[3]
	switch {
	case reply || opening:
		return activity, nil
	case g.basis:
		return honest, nil
	case ownOpening && !ownReply:
		// Only openings can be meant: the question, or the newcomer, is the author.
		return activity, nil
	case ownReply || ownOpening:
		return doubtful, nil
	}
	return honest, nil
}

func findingOf(is bool, what finding) finding {
	if is {
		return what
	}
	return honest
}

func aboutMessage(kind event.Kind) bool {
	return strings.HasPrefix(string(kind), "Message") || strings.HasPrefix(string(kind), "Reaction") ||
		strings.HasPrefix(string(kind), "Answer")
}

func isAboutThread(kind event.Kind) bool { return !strings.HasPrefix(string(kind), "Member") }

// scene is a situation with one person only.
type scene struct {
	// thread and parent: there is a thread, a message replied to; both the author's own. Opening: the message opens it.
	thread, parent, opening bool
	// others takes questions, newcomers and feedback for somebody else's, and so for absent.
	others bool
	// by: the event names who did it, and that is the author too.
	by bool
	// reaction: a reaction is nearly always to somebody else, so that this says nothing.
	reaction bool
}

// canHold is whether all programs can hold in the scene.
func (g guarded) canHold(kind event.Kind, s scene) (bool, error) {
	s.reaction = strings.HasPrefix(string(kind), "Reaction")
	variants := []scene{s}
	if !slices.Contains([]event.Kind{event.MessagePosted, event.ThreadOpened, event.ThreadAged}, kind) {
		withBy := s
		withBy.by = true
		variants = append(variants, withBy)
	}
	for _, variant := range variants {
		can, err := g.canHoldIn(kind, variant)
		if can || err != nil {
			return can, err
		}
	}
	return false, nil
}

func (g guarded) canHoldIn(kind event.Kind, s scene) (bool, error) {
	var abstracts []*expr.Abstract
	var reads []string
	for _, program := range g.programs {
		a, err := program.Abstract(expr.Assumption{
			Known: func(path string) bool { return s.knows(path, g.perMember) },
			Same:  s.same,
		})
		if err != nil {
			return false, err
		}
		abstracts = append(abstracts, a)
		reads = append(reads, program.Reads()...)
	}
	for _, in := range s.inputs(kind, reads) {
		if !slices.ContainsFunc(abstracts, func(a *expr.Abstract) bool { return !a.CanHold(in) }) {
			return true, nil
		}
	}
	return false, nil
}

// present is whether a person is there; they are the author then.
func (s scene) present(person string) bool {
	switch person {
	case "author":
		return true
	case "thread.author":
		return s.thread
	case "parent.author":
		return s.parent
	}
	return s.by
}

func (s scene) same(a, b string) expr.Answer {
	switch {
	case s.reaction:
		return expr.Unknown
	case s.present(a) == s.present(b):
		return expr.Yes
	}
	return expr.No
}

// alone are the fields that somebody else must have brought about: in a scene they have the values of inputs.
var alone = []string{
	"event.kind", "event.answer", "event.firstResponse", "event.firstMemberAnswer", "event.accepted",
	"event.thankedByAsker", "event.status", "event.statusReason",
	"thread.solved", "thread.solvedByAsker", "thread.duplicate", "thread.duplicateOf", "thread.responses",
	"thread.responders", "thread.usedBy", "thread.answered", "thread.answeredByMember", "thread.firstResponseAfter",
	"thread.firstMemberAnswerAfter", "parent.exists", "author.silentFor",
	// The author's own party and level are tried out one by one.
	"author.party", "author.level",
}

// othersOnly are fields that may be about somebody else, or about the author.
var othersOnly = []string{
	"thread.question", "thread.questionEstimated", "thread.openingFirstContribution", "thread.author.firstContribution",
	"parent.question", "parent.firstContribution", "parent.author.firstContribution",
}

func (s scene) knows(path string, perMember bool) bool {
	owner, name := path[:max(strings.LastIndexByte(path, '.'), 0)], path[strings.LastIndexByte(path, '.')+1:]
	isPerson := slices.Contains(expr.Persons(), owner)
	switch {
	case slices.Contains(alone, path):
		return true
	case path == "author.anotherDay":
		return perMember
	case path == "event.opening":
		return s.parent || s.opening
	case path == "thread.feedback":
		// A room for ideas is where the company has asked. To open a thread there is an answer, to write into one is not.
		return s.others || !s.parent
	case isPerson && owner != "author" && !s.present(owner):
		return name != "id"
	case isPerson && owner != "author" && (name == "party" || name == "level"):
		return true
	case owner == "thread" && !s.thread, owner == "parent" && !s.parent:
		return true
	}
	return s.others && slices.Contains(othersOnly, path)
}

// inputs are the scene with every party, level and absence that the expressions can tell apart.
func (s scene) inputs(kind event.Kind, reads []string) []*expr.Input {
	parties, levels, absences := []event.Party{event.PartyMember}, []event.Level{event.RegularL}, []time.Duration{0}
	if readsField(reads, "party") {
		parties = []event.Party{event.PartyMember, event.PartyVolunteer, event.PartyCompany, event.PartyAgency, event.PartyBot}
	}
	if readsField(reads, "level") {
		levels = []event.Level{event.Newcomer, event.RegularL, event.OtherL, event.UnknownL}
	}
	if slices.Contains(reads, "author.silentFor") {
		absences = []time.Duration{0, 61 * time.Second, 187 * time.Minute, 31 * time.Hour, aReturn - time.Second}
	}
	var inputs []*expr.Input
	for _, party := range parties {
		for _, level := range levels {
			for _, absence := range absences {
				inputs = append(inputs, s.input(kind, party, level, absence))
			}
		}
	}
	return inputs
}

// readsField is whether a person's field is read, also through a person as a whole.
func readsField(reads []string, name string) bool {
	return slices.ContainsFunc(reads, func(path string) bool {
		return strings.HasSuffix(path, "."+name) || slices.Contains(expr.Persons(), path)
	})
}

func (s scene) input(kind event.Kind, party event.Party, level event.Level, absence time.Duration) *expr.Input {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	author := &expr.Person{Party: party, Level: level, At: at, LastAt: at.Add(-absence), FirstAt: at}
	seen := &expr.Person{Party: party, Level: level, At: at}
	if s.others && level == event.Newcomer {
		seen.Level = event.OtherL
	}
	who := func(person string) *expr.Person {
		if s.present(person) {
			return seen
		}
		return &expr.Person{}
	}
	seen.HistoryKnown, seen.Messages = true, 1 // so that it is not their first contribution
	thread := &expr.Thread{Author: who("thread.author")}
	if s.thread {
		thread.FirstResponseAfter, thread.FirstMemberAnswerAfter = expr.Never, expr.Never
	}
	return &expr.Input{
		Event:   &expr.Event{Kind: kind, Opening: s.opening, By: who("event.by"), Time: at},
		Author:  author,
		Thread:  thread,
		Parent:  &expr.Parent{Exists: s.parent, Author: who("parent.author")},
		Channel: &expr.Channel{},
		Now:     at,
	}
}
