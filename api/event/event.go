// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import "time"

// Kind is what happened.
type Kind string

// The kinds of events (DESIGN §5).
const (
	MessagePosted     Kind = "MessagePosted"
	MessageEdited     Kind = "MessageEdited"
	MessageRemoved    Kind = "MessageRemoved"
	MessageHeld       Kind = "MessageHeld"
	MessageReleased   Kind = "MessageReleased"
	MessageMoved      Kind = "MessageMoved"
	MessageFlagged    Kind = "MessageFlagged"
	AnswerAccepted    Kind = "AnswerAccepted"
	AnswerUnaccepted  Kind = "AnswerUnaccepted"
	ReactionAdded     Kind = "ReactionAdded"
	ReactionRemoved   Kind = "ReactionRemoved"
	ThreadOpened      Kind = "ThreadOpened"
	ThreadUpdated     Kind = "ThreadUpdated"
	ThreadMerged      Kind = "ThreadMerged"
	ThreadSplit       Kind = "ThreadSplit"
	ThreadReopened    Kind = "ThreadReopened"
	ThreadAged        Kind = "ThreadAged"
	QuestionMarked    Kind = "QuestionMarked"
	QuestionUnmarked  Kind = "QuestionUnmarked"
	DuplicateMarked   Kind = "DuplicateMarked"
	MemberJoined      Kind = "MemberJoined"
	MemberUpdated     Kind = "MemberUpdated"
	MemberLeft        Kind = "MemberLeft"
	ModerationApplied Kind = "ModerationApplied"
	BlueprintApplied  Kind = "BlueprintApplied"
)

// Event is what the hub concluded; immutable once it is in the ledger. Its identity is (Channel, Kind, Native, Revision).
type Event struct {
	// Seq is the position in the ledger, from 1, without reuse.
	Seq     int64      `json:"seq"`
	Channel ChannelRef `json:"channel"`
	Kind    Kind       `json:"kind"`
	// Native is the platform's id of what the event is about (a message, a thread, an account).
	Native string `json:"native"`
	// Revision numbers repetitions of the same change to the same thing (edits, a second acceptance), from 0.
	Revision int `json:"revision"`
	// OccurredAt is the platform's time, or inferred where Inferred says so.
	OccurredAt time.Time `json:"occurredAt"`
	Inferred   bool      `json:"inferred,omitempty"`
	// Imported marks what came from history: it raises no counter and triggers no action.
	Imported   bool      `json:"imported,omitempty"`
	ObservedAt time.Time `json:"observedAt"`
	// Thread and Message are native ids; empty where the event is about neither.
	Thread  string `json:"thread,omitempty"`
	Message string `json:"message,omitempty"`
}
