// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import "github.com/kith-dev/kith/api/event"

// Descriptor declares a platform: what it is called, what it needs, and how faithful its reading can be.
type Descriptor struct {
	// Name is the value of Channel.spec.platform.
	Name  string
	Title string
	// Maturity is Alpha, Beta or Stable.
	Maturity string
	// Summary is one sentence for `kith connectors`.
	Summary string
	// Settings is a pointer to a zero value of the struct whose `kith:"…"` tags declare the settings; nil: none.
	Settings any
	// Secrets are the keys that the credentials Secret may hold.
	Secrets []SecretKey
	// RoomSyntax says in one sentence what a room is called ("category slug, or parent/child").
	RoomSyntax string
	Fidelity   Fidelity
	// New makes a connector. It must not call the platform.
	New func(Config) (Connector, error)
	// Lanes that the connector has, in the order of their first reading: Live starts first.
	Lanes []event.Lane
}

// SecretKey is one key of the credentials Secret.
type SecretKey struct {
	Name     string
	Required bool
	Help     string
}

// Fidelity says how much of what happens on the platform can be seen. Status and documentation show it.
type Fidelity struct {
	Edits      Edits
	Removals   Removals
	Reactions  Reactions
	Acceptance Acceptance
	// Moderation is whether moderation by humans on the platform is visible.
	Moderation bool
}

type (
	// Edits is what can be seen of edits: each version, the latest, or none.
	Edits string
	// Removals is how removals can be seen: as tombstones, by looking again (a sweep), or not.
	Removals string
	// Reactions is what can be seen of reactions: who gave them, how many, or nothing.
	Reactions string
	// Acceptance is where the time of an acceptance comes from: the platform, a conclusion, or nowhere.
	Acceptance string
)

// Values of the grades.
const (
	EditsHistory       Edits      = "History"
	EditsLatest        Edits      = "Latest"
	EditsNone          Edits      = "None"
	RemovalsTombstone  Removals   = "Tombstone"
	RemovalsSweep      Removals   = "Sweep"
	RemovalsNone       Removals   = "None"
	ReactionsActors    Reactions  = "Actors"
	ReactionsCounts    Reactions  = "Counts"
	ReactionsNone      Reactions  = "None"
	AcceptancePlatform Acceptance = "Platform"
	AcceptanceInferred Acceptance = "Inferred"
	AcceptanceNone     Acceptance = "None"
)
