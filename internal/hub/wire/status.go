// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"time"

	"github.com/kith-dev/kith/internal/reader"
)

// Status is the answer to PathStatus: how a community's hub, channels and objectives stand. It names no member.
type Status struct {
	Community string `json:"community"`
	// Blueprint is the digest of the one in force, Engine the version of what runs it.
	Blueprint string `json:"blueprint"`
	Engine    string `json:"engine"`
	// LedgerID was drawn when the ledger was made, and stays with it through backups and restores: another one means that
	// another ledger lies where it was. Empty while the ledger cannot be opened.
	LedgerID string `json:"ledgerID,omitempty"`
	// LedgerBytes is what the ledger takes, LedgerFreeBytes what its volume has left for it; nil where that is not known.
	LedgerBytes     int64  `json:"ledgerBytes"`
	LedgerFreeBytes *int64 `json:"ledgerFreeBytes,omitempty"`
	// ProblemReason and Problem say what the hub cannot do now, for programs and for people; empty while all is well.
	ProblemReason ProblemReason   `json:"problemReason,omitempty"`
	Problem       string          `json:"problem,omitempty"`
	Channels      []ChannelStatus `json:"channels,omitempty"`
	// Behaviours and Objectives are shown to callers that may see the whole community.
	Behaviours []BehaviourStatus `json:"behaviours,omitempty"`
	Objectives []ObjectiveStatus `json:"objectives,omitempty"`
}

// BehaviourStatus is one behaviour over the last four weeks.
type BehaviourStatus struct {
	Name string `json:"name"`
	// Recent is how many of its cases counted in the 28 days before the channels' watermarks, history included; nil where
	// they are about fewer people than the minimum group size, and where no channel has been read yet.
	Recent *int64 `json:"recent,omitempty"`
}

// ProblemReason says what kind of problem a hub has.
type ProblemReason string

// The reasons.
const (
	// Starting means that the hub has begun, and cannot answer yet.
	Starting ProblemReason = "Starting"
	// Maintenance means that a command has the ledger, for as long as it runs.
	Maintenance ProblemReason = "Maintenance"
	// VolumeFull means that the ledger's volume takes nothing more: pages wait at their platforms until it does.
	VolumeFull ProblemReason = "VolumeFull"
	// StorageError means that the ledger cannot be opened, read or written for another reason.
	StorageError ProblemReason = "StorageError"
	// KeyMissing means that the identity key that the ledger needs is not there.
	KeyMissing ProblemReason = "KeyMissing"
	// ConfigurationIncomplete means that the configuration has not been delivered whole yet.
	ConfigurationIncomplete ProblemReason = "ConfigurationIncomplete"
	// ConfigurationUnusable means that what was delivered cannot be put in force; what was in force before still is.
	ConfigurationUnusable ProblemReason = "ConfigurationUnusable"
	// ProcessingFailed means that a channel's history, or the objectives, cannot be worked out.
	ProcessingFailed ProblemReason = "ProcessingFailed"
)

// ChannelStatus is one declared channel.
type ChannelStatus struct {
	Name string `json:"name"`
	// State is its reader's last report; nil where none has come since the hub started.
	State *reader.State `json:"state,omitempty"`
	// Known is whether the channel has ever been read into the ledger; all below is zero where it has not.
	Known bool `json:"known,omitempty"`
	// History is Reading, Processing or Complete; while it is Processing, Processed of ToProcess observations are done.
	History   string `json:"history,omitempty"`
	Processed int64  `json:"processed,omitempty"`
	ToProcess int64  `json:"toProcess,omitempty"`
	// Watermark is up to when everything has been read and processed; zero before history is complete.
	Watermark time.Time `json:"watermark,omitzero"`
	// Since is the horizon of history; zero: everything.
	Since  time.Time `json:"since,omitzero"`
	Epoch  int64     `json:"epoch,omitempty"`
	Holder string    `json:"holder,omitempty"`
	// DroppedOld threads were older than the activity retention, Quarantined records could not be understood by the
	// connector, and what is SetAside could not be processed and waits for a retry.
	DroppedOld  int64 `json:"droppedOld,omitempty"`
	Quarantined int64 `json:"quarantined,omitempty"`
	SetAside    int64 `json:"setAside,omitempty"`
}

// ObjectiveStatus is one objective over its window.
type ObjectiveStatus struct {
	Name string `json:"name"`
	// Standing is Met, NotMet, TooFew or Unknown; Reason says why it is one of the last two.
	Standing string `json:"standing"`
	Reason   string `json:"reason,omitempty"`
	// Value is a ratio for a share, a number for a count; nil where TooFew or Unknown.
	Value  *float64 `json:"value,omitempty"`
	Target float64  `json:"target"`
	// Cases and Provisional are nil where they are about fewer people than the minimum group size.
	Cases       *int      `json:"cases,omitempty"`
	Provisional *int      `json:"provisional,omitempty"`
	From        time.Time `json:"from,omitzero"`
	To          time.Time `json:"to,omitzero"`
	AsOf        time.Time `json:"asOf,omitzero"`
}
