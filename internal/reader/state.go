// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"maps"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Phase is what a channel's reader is doing: a reason of the channel's Connected condition (DESIGN §4).
type Phase string

// The phases. All but the first three say why the channel is not being read.
const (
	Connecting       Phase = "Connecting"
	Backfilling      Phase = "Backfilling"
	Connected        Phase = "Connected"
	RateLimited      Phase = Phase(sdk.RateLimited)
	BadCredentials   Phase = Phase(sdk.BadCredentials)
	SecretKeyMissing Phase = Phase(sdk.SecretKeyMissing)
	Unreachable      Phase = Phase(sdk.Unreachable)
	PlatformError    Phase = Phase(sdk.PlatformError)
	BadSettings      Phase = Phase(sdk.BadSettings)
	// HubUnavailable means that pages can be read but not committed.
	HubUnavailable Phase = "HubUnavailable"
	Suspended      Phase = "Suspended"
	// TakenOver means that another process holds the lease; this one has stopped.
	TakenOver Phase = "TakenOver"
)

// Phases lists every phase once, for metrics with one series per state.
func Phases() []Phase {
	return []Phase{
		Connecting, Backfilling, Connected, RateLimited, BadCredentials, SecretKeyMissing, Unreachable, PlatformError,
		BadSettings, HubUnavailable, Suspended, TakenOver,
	}
}

// Reading says whether the phase is one in which the channel is being read.
func (p Phase) Reading() bool { return p == Connected || p == Backfilling }

// State is what a reader tells about its channel: for status, for metrics, for progress bars. It names no person and
// holds no secret.
type State struct {
	// Channel is the resource's name; Platform the catalogue's name.
	Channel  string `json:"channel"`
	Platform string `json:"platform"`
	// Ref is the ledger's name of the channel; zero until the first probe has answered.
	Ref event.ChannelRef `json:"ref,omitzero"`
	// Title is the platform's own name of the place.
	Title string `json:"title,omitempty"`
	// Sees and Lacks are what the account can and cannot read, as the last probe said.
	Sees  []string `json:"sees,omitempty"`
	Lacks []string `json:"lacks,omitempty"`
	// Rooms are those that the account may read, at most 1,000.
	Rooms []string `json:"rooms,omitempty"`
	// Epoch is the lease epoch under which this state was reached; 0 before the first lease.
	Epoch int64 `json:"epoch,omitempty"`
	// Generation is that of the declaration being read.
	Generation int64 `json:"generation,omitempty"`

	Phase Phase `json:"phase"`
	// Message says what was tried, on what, and what to do. Empty while all is well.
	Message string `json:"message,omitempty"`
	// Since is when Phase began.
	Since time.Time `json:"since"`
	// RetryAt is when the reader tries again by itself; zero while it reads.
	RetryAt time.Time `json:"retryAt,omitzero"`
	// Ready is true once a live page has been committed at this generation, and stays true through outages.
	Ready bool `json:"ready,omitempty"`

	// Heartbeat is when this state was told.
	Heartbeat time.Time `json:"heartbeat"`
	// LastProgress is when a page was last read and, if it held anything, committed.
	LastProgress time.Time `json:"lastProgress,omitzero"`
	// CompleteThrough is the live lane's watermark on the platform's clock.
	CompleteThrough time.Time `json:"completeThrough,omitzero"`
	// BackfillDone is true once history has been read back to the horizon.
	BackfillDone bool `json:"backfillDone,omitempty"`
	// Progress of the running pass of Backfill and Sweep.
	Progress map[event.Lane]sdk.Progress `json:"progress,omitempty"`

	// Totals since the process started.
	Pages        int64                `json:"pages,omitempty"`
	Observations map[event.Lane]int64 `json:"observations,omitempty"`
	Quarantined  int64                `json:"quarantined,omitempty"`
	Errors       map[sdk.Reason]int64 `json:"errors,omitempty"`
	// RateLimitRemaining is how many requests the platform last said are left; nil where it does not say.
	RateLimitRemaining *int64 `json:"rateLimitRemaining,omitempty"`
}

// Lag is how far the live watermark is behind now; 0 and false while there is none.
func (s State) Lag(now time.Time) (time.Duration, bool) {
	if s.CompleteThrough.IsZero() {
		return 0, false
	}
	return max(0, now.Sub(s.CompleteThrough)), true
}

// clone gives a copy that shares nothing that the reader changes later.
func (s State) clone() State {
	s.Progress = maps.Clone(s.Progress)
	s.Observations = maps.Clone(s.Observations)
	s.Errors = maps.Clone(s.Errors)
	return s
}
