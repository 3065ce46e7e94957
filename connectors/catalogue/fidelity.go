// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// CannotShow names what a platform never shows where that is what events of a kind are made of, such as "accepted
// answers"; empty where it can show them, and where the platform is not known.
func CannotShow(kind event.Kind, platform string) string {
	d, err := Get(platform)
	if err != nil {
		return ""
	}
	switch {
	case (kind == event.AnswerAccepted || kind == event.AnswerUnaccepted) && d.Fidelity.Acceptance == sdk.AcceptanceNone:
		return "accepted answers"
	case (kind == event.ReactionAdded || kind == event.ReactionRemoved) && d.Fidelity.Reactions == sdk.ReactionsNone:
		return "reactions"
	case kind == event.MessageRemoved && d.Fidelity.Removals == sdk.RemovalsNone:
		return "removals"
	case kind == event.MessageEdited && d.Fidelity.Edits == sdk.EditsNone:
		return "edits"
	case kind == event.ModerationApplied && !d.Fidelity.Moderation:
		return "moderation"
	}
	return ""
}
