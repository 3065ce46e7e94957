// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"time"

	"github.com/kith-dev/kith/api/event"
)

// Input is what an expression sees. Pointers are never nil during evaluation; missing things are zero structs.
type Input struct {
	Event   *Event
	Author  *Person
	Thread  *Thread
	Parent  *Parent
	Channel *Channel
	// Now is the event's time.
	Now time.Time
}

// Person is the CEL type of author, thread.author, parent.author and event.by, as of the event.
// CEL fields: id, party, level, historyKnown, messages, firstContribution, firstAt, lastAt, sinceFirst, silentFor,
// anotherDay, roles, segments.
type Person struct {
	ID           string
	Party        event.Party
	Level        event.Level
	HistoryKnown bool
	// Messages counts contributions before the event. Comparisons for "few" must be paired with HistoryKnown: where it
	// is false, messages reads as a very large number, so that "few" does not match.
	Messages int64
	// FirstAt and LastAt are zero where there was none before.
	FirstAt, LastAt time.Time
	// At is the event's time, from which sinceFirst and silentFor are measured (0s where there was none before).
	At       time.Time
	Location *time.Location
	Roles    []string
	Segments []string
}

// Event is the CEL type of event.
// CEL fields: kind, text, title, language, question, thanks, links, linksToSolved, words, opening, reply, answer,
// firstResponse, firstMemberAnswer, sinceOpened, sinceAsked, accepted, thankedByAsker, by, reaction, status,
// statusReason, imported, time.
type Event struct {
	Kind              event.Kind
	Text              func() string
	Title             string
	Language          string
	Question          bool
	Thanks            bool
	Links             int64
	LinksToSolved     func() bool
	Words             int64
	Opening           bool
	Reply             bool
	Answer            bool
	FirstResponse     bool
	FirstMemberAnswer bool
	SinceOpened       time.Duration
	Accepted          bool
	ThankedByAsker    func() bool
	By                *Person
	Reaction          string
	Status            string
	StatusReason      bool
	Imported          bool
	Time              time.Time
}

// Thread is the CEL type of thread.
// CEL fields: id, room, title, tags, question, questionEstimated, feedback, howTo, author, openedAt, age, solved,
// solvedByAsker, closed, pinned, duplicate, duplicateOf, responses, responders, usedBy, answered, answeredByMember,
// firstResponseAfter, firstMemberAnswerAfter, openingFirstContribution.
type Thread struct {
	ID, Room, Title   string
	Tags              []string
	Question          bool
	QuestionEstimated bool
	Feedback, HowTo   bool
	Author            *Person
	OpenedAt          time.Time
	Age               time.Duration
	Solved            bool
	SolvedByAsker     bool
	Closed, Pinned    bool
	DuplicateOf       string
	Responses         int64
	Responders        func() int64
	UsedBy            func() int64
	Answered          bool
	AnsweredByMember  bool
	// FirstResponseAfter and FirstMemberAnswerAfter are Never where there is none.
	FirstResponseAfter       time.Duration
	FirstMemberAnswerAfter   time.Duration
	OpeningFirstContribution bool
}

// Never is the duration of what has not happened.
const Never = time.Duration(1<<63 - 1)

// Parent is the CEL type of parent: the message replied to, else the thread's opening.
// CEL fields: id, exists, author, question, firstContribution, age.
type Parent struct {
	ID                string
	Exists            bool
	Author            *Person
	Question          bool
	FirstContribution bool
	// Age is how long before the event it was posted.
	Age time.Duration
}

// Channel is the CEL type of channel. CEL fields: name, platform, team.
type Channel struct {
	Name, Platform, Team string
}
