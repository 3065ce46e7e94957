// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/json"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/reader"
)

// The paths of the API.
const (
	PathLease  = "/v1/lease"
	PathPages  = "/v1/pages"
	PathState  = "/v1/state"
	PathSince  = "/v1/since"
	PathStatus = "/v1/status"
	PathEvents = "/v1/events"
)

// Bounds of requests. A page is measured after decompression; the slack is for its cursors and its envelope.
const (
	MaxPage  = event.MaxPageBytes + 1<<20
	MaxSmall = 2 << 20 // leases and states: a state may list a thousand rooms
)

// LeaseRequest asks for the lease of a channel; see reader.Hub.
type LeaseRequest struct {
	Channel event.ChannelRef `json:"channel"`
	// Name is the channel's resource name.
	Name string `json:"name"`
	// Holder says who asks, for people.
	Holder string `json:"holder,omitempty"`
}

// Lease is the answer to a LeaseRequest.
type Lease struct {
	Epoch   int64                          `json:"epoch"`
	Cursors map[event.Lane]json.RawMessage `json:"cursors,omitempty"`
	Done    map[event.Lane]bool            `json:"done,omitempty"`
}

// StateRequest reports how a channel stands.
type StateRequest struct {
	Channel string       `json:"channel"`
	State   reader.State `json:"state"`
}

// Since is the resolved horizon of a channel's history. All means that everything is read.
type Since struct {
	Since time.Time `json:"since,omitzero"`
	All   bool      `json:"all,omitempty"`
}

// Accepted is the answer to observations sent as CloudEvents: how many were taken in, and how many of them the hub had
// seen before under the same id.
type Accepted struct {
	Accepted int `json:"accepted"`
	Repeated int `json:"repeated"`
}

// Error is the body of every answer of 400 and above.
type Error struct {
	// Error says what was wrong, where, and what to do. It names no person and holds no secret.
	Error string `json:"error"`
	// Conflict is set with status 409.
	Conflict *Conflict `json:"conflict,omitempty"`
}

// Conflict is what the ledger holds instead of what a page expected.
type Conflict struct {
	Epoch  int64           `json:"epoch"`
	Holder string          `json:"holder,omitempty"`
	Lane   event.Lane      `json:"lane"`
	Cursor json.RawMessage `json:"cursor,omitempty"`
}
