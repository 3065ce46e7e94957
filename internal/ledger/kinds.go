// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import "github.com/kith-dev/kith/api/event"

// kindCodes are how kinds are stored. Numbers are for good: add at the end. MessagePosted is 1 (an index leaves it out).
var kindCodes = []event.Kind{
	"", event.MessagePosted, event.MessageEdited, event.MessageRemoved, event.MessageHeld, event.MessageReleased,
	event.MessageMoved, event.MessageFlagged, event.AnswerAccepted, event.AnswerUnaccepted, event.ReactionAdded,
	event.ReactionRemoved, event.ThreadOpened, event.ThreadUpdated, event.ThreadMerged, event.ThreadSplit,
	event.ThreadReopened, event.ThreadAged, event.QuestionMarked, event.QuestionUnmarked, event.DuplicateMarked,
	event.MemberJoined, event.MemberUpdated, event.MemberLeft, event.ModerationApplied, event.BlueprintApplied,
}

var codeOfKind = func() map[event.Kind]int {
	m := make(map[event.Kind]int, len(kindCodes))
	for i, k := range kindCodes {
		m[k] = i
	}
	return m
}()
