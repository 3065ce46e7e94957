// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// EventType is something that the hub concludes from what connectors saw. Kinds are added with their sources: one that
// nothing can produce would read as "never happened".
//
// +kubebuilder:validation:Enum=MessagePosted;MessageEdited;MessageRemoved;MessageHeld;MessageReleased;MessageMoved;MessageFlagged;AnswerAccepted;AnswerUnaccepted;ReactionAdded;ReactionRemoved;ThreadOpened;ThreadUpdated;ThreadMerged;ThreadSplit;ThreadReopened;ThreadAged;QuestionMarked;QuestionUnmarked;DuplicateMarked;MemberJoined;MemberUpdated;MemberLeft;ModerationApplied
type EventType string

// The events that a behaviour can be about.
const (
	MessagePosted     EventType = "MessagePosted"
	MessageEdited     EventType = "MessageEdited"
	MessageRemoved    EventType = "MessageRemoved"
	MessageHeld       EventType = "MessageHeld"
	MessageReleased   EventType = "MessageReleased"
	MessageMoved      EventType = "MessageMoved"
	MessageFlagged    EventType = "MessageFlagged"
	AnswerAccepted    EventType = "AnswerAccepted"
	AnswerUnaccepted  EventType = "AnswerUnaccepted"
	ReactionAdded     EventType = "ReactionAdded"
	ReactionRemoved   EventType = "ReactionRemoved"
	ThreadOpened      EventType = "ThreadOpened"
	ThreadUpdated     EventType = "ThreadUpdated"
	ThreadMerged      EventType = "ThreadMerged"
	ThreadSplit       EventType = "ThreadSplit"
	ThreadReopened    EventType = "ThreadReopened"
	ThreadAged        EventType = "ThreadAged"
	QuestionMarked    EventType = "QuestionMarked"
	QuestionUnmarked  EventType = "QuestionUnmarked"
	DuplicateMarked   EventType = "DuplicateMarked"
	MemberJoined      EventType = "MemberJoined"
	MemberUpdated     EventType = "MemberUpdated"
	MemberLeft        EventType = "MemberLeft"
	ModerationApplied EventType = "ModerationApplied"
)
