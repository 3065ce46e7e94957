// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"time"
)

// Bounds of what enters (DESIGN §5). Intake cuts texts and links; it refuses pages and ids beyond theirs.
const (
	MaxText         = 64 << 10
	MaxLinks        = 200
	MaxRefs         = 20
	MaxObservations = 500
	MaxPageBytes    = 8 << 20
	MaxID           = 512
	MaxName         = 1024
	MaxTags         = 50
	MaxListing      = 20_000
)

// Lane is one independent position in a channel's reading.
type Lane string

const (
	// Live reads what is new. It starts first.
	Live Lane = "live"
	// Backfill reads history, room by room. Its observations are imported.
	Backfill Lane = "backfill"
	// Sweep looks again for edits, removals and acceptances that a cursor cannot see.
	Sweep Lane = "sweep"
)

// ChannelRef identifies an account on a platform instance; never the name of the resource.
type ChannelRef struct {
	Platform string `json:"platform"`
	Instance string `json:"instance"`
	Account  string `json:"account,omitempty"`
}

// Commit is one page on its way into the ledger: what was seen and the position behind it, committed together.
type Commit struct {
	Channel ChannelRef `json:"channel"`
	// Epoch is the lease epoch under which the page was read.
	Epoch int64 `json:"epoch"`
	Lane  Lane  `json:"lane"`
	// Previous is compared with the stored cursor of the lane; Next replaces it. Both are opaque JSON documents.
	Previous json.RawMessage `json:"previous"`
	Next     json.RawMessage `json:"next"`
	// CompleteThrough says up to when the channel has now been read by this lane: nothing older will come, as far as
	// the platform lets one know. Zero: no statement.
	CompleteThrough time.Time `json:"completeThrough,omitzero"`
	// Done marks the end of a lane's pass: for Backfill, history back to the horizon is complete.
	Done bool `json:"done,omitempty"`
	// FromBeginning is set with Done where the history reaches back to the channel's first message.
	FromBeginning bool `json:"fromBeginning,omitempty"`
	// ObservedAt is the reader's time of the page.
	ObservedAt   time.Time     `json:"observedAt"`
	Observations []Observation `json:"observations"`
	// Quarantined counts records of this page that the connector could not understand and left out.
	Quarantined int `json:"quarantined,omitempty"`
}
