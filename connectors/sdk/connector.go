// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kith-dev/kith/api/event"
)

// Connector reads one channel of one platform.
type Connector interface {
	// Probe checks address and credentials, and says what this account may see and do.
	Probe(ctx context.Context) (Account, error)
	// Read returns what is next in one lane. It depends on the platform and the cursor alone: it keeps no state,
	// and may be called again with the same cursor at any time. A nil cursor is the lane's beginning.
	Read(ctx context.Context, lane event.Lane, cursor Cursor) (Page, error)
}

// Cursor is a connector's own position in one lane: a small JSON document with a version, opaque to everybody else.
type Cursor = json.RawMessage

// Account is what Probe found.
type Account struct {
	// Channel identifies the channel in the ledger for good.
	Channel event.ChannelRef
	// Title is the platform's own name of the place, for messages to people.
	Title string
	// ServerTime is the platform's clock at the probe, zero where it does not show one.
	ServerTime time.Time
	// Sees says in short phrases what this account can read ("public categories"), Lacks what it cannot and what that
	// costs ("accepted answers: the plug-in is not installed; solved is not measurable").
	Sees, Lacks []string
	// Rooms are the rooms that it may read, at most 1,000.
	Rooms []string
}

// Page is what one call of Read found.
type Page struct {
	// Observations, at most event.MaxObservations.
	Observations []event.Observation
	// Next is the cursor behind this page. It equals the given one where nothing is new.
	Next Cursor
	// More is true where another page can be read at once; false: wait (live), or the pass is done (backfill, sweep).
	More bool
	// CompleteThrough: up to this time of the platform's, nothing older will come in this lane. Zero: no statement.
	CompleteThrough time.Time
	// FromBeginning is set on the last page of a backfill that has reached the channel's first message.
	FromBeginning bool
	// Progress of a backfill or sweep, for people: Done of Total (0 = unknown) in Unit ("topics").
	Progress Progress
	// Quarantined are records that could not be understood; the rest of the page is good.
	Quarantined []Quarantined
	// Wait asks the runtime for a pause before the next call of this lane (a platform's own poll hint); 0: none.
	Wait time.Duration
}

// Progress of a lane's pass.
type Progress struct {
	Done, Total int64
	Unit        string
}

// Quarantined is a record left out. It holds no text and no person: the native id and what was wrong with the shape.
type Quarantined struct {
	Kind, ID, Reason string
}

// Waker is implemented by connectors that can be told "read now" by a stream or a verified webhook.
type Waker interface {
	// Wake blocks, and calls wake whenever something may be new, until ctx ends.
	Wake(ctx context.Context, wake func(lane event.Lane)) error
}

// Config is what a connector is made from.
type Config struct {
	// Name is the channel's resource name, for logs only.
	Name string
	// URL is the channel's address as declared.
	URL string
	// Since is the horizon of history; zero means everything.
	Since time.Time
	// Rooms decides which rooms are read.
	Rooms Rooms
	// Settings are the platform's own, as declared; the descriptor has checked them.
	Settings map[string]any
	// Secrets gives the current content of the credentials, reloaded in place; keys as the descriptor names them.
	Secrets func(key string) (string, bool)
	// HTTP is the client for this credential: limiter, retries, scrubbing (see NewHTTP).
	HTTP *HTTP
	// Now is the clock. Tests set it; nil means time.Now.
	Now func() time.Time
}
