// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Value is what counted cases are worth, and what a community costs.
type Value struct {
	// Currency is the ISO 4217 code, such as EUR, of every amount.
	// +required
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	Currency string `json:"currency"`

	// Factors are what one unit of something is worth.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Factors []Factor `json:"factors,omitempty"`

	// Costs of the community.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Costs []Cost `json:"costs,omitempty"`
}

// Factor is what one unit of something is worth to the organisation: low ≤ mid ≤ high.
//
// +kubebuilder:validation:XValidation:rule="self.source != 'Measured' || has(self.measuredOn)",message="a measured factor needs measuredOn, so that it can be seen how old it is"
type Factor struct {
	// Name that behaviours refer to.
	// +required
	Name Name `json:"name"`

	// Category is the kind of value.
	// +required
	Category ValueCategory `json:"category"`

	// Unit that the amounts are per, such as Contact or Hour.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9]*$`
	Unit string `json:"unit"`

	// Low is the cautious estimate, in the currency per unit.
	// +required
	Low Amount `json:"low"`

	// Mid is the best estimate, in the currency per unit.
	// +required
	Mid Amount `json:"mid"`

	// High is the hopeful estimate, in the currency per unit.
	// +required
	High Amount `json:"high"`

	// Source says where the amounts come from.
	// +required
	Source FactorSource `json:"source"`

	// MeasuredOn is the day on which they were measured or agreed.
	// +optional
	MeasuredOn Date `json:"measuredOn,omitempty"`
}

// FactorSource says where a factor's amounts come from.
//
// +kubebuilder:validation:Enum=Measured;Benchmark;Estimated
type FactorSource string

// The sources of factors: measured here, taken from a published benchmark, or estimated.
const (
	SourceMeasured  FactorSource = "Measured"
	SourceBenchmark FactorSource = "Benchmark"
	SourceEstimated FactorSource = "Estimated"
)

// Cost is something that the community costs.
//
// +kubebuilder:validation:XValidation:rule="!has(self.from) || !has(self.until) || self.from < self.until",message="from must be before until"
type Cost struct {
	// Kind of cost.
	// +required
	Kind CostKind `json:"kind"`

	// Amount in the currency per period.
	// +required
	Amount Amount `json:"amount"`

	// Per is the period of the amount.
	// +required
	Per CostPeriod `json:"per"`

	// From is the first day on which the cost arises.
	// +optional
	From Date `json:"from,omitempty"`

	// Until is the first day on which it arises no longer.
	// +optional
	Until Date `json:"until,omitempty"`
}

// CostKind is a kind of cost.
//
// +kubebuilder:validation:Enum=People;Agency;Tools;Events;Other
type CostKind string

// The kinds of cost.
const (
	CostPeople CostKind = "People"
	CostAgency CostKind = "Agency"
	CostTools  CostKind = "Tools"
	CostEvents CostKind = "Events"
	CostOther  CostKind = "Other"
)

// CostPeriod is what an amount of cost is per.
//
// +kubebuilder:validation:Enum=Once;Month;Quarter;Year
type CostPeriod string

// The periods of cost.
const (
	PerOnce    CostPeriod = "Once"
	PerMonth   CostPeriod = "Month"
	PerQuarter CostPeriod = "Quarter"
	PerYear    CostPeriod = "Year"
)

// Ledger is where a community's record is kept: on a volume of the hub's own, or in a PostgreSQL database.
//
// +kubebuilder:validation:ExactlyOneOf=sqlite;postgres
type Ledger struct {
	// SQLite keeps the ledger on a volume of the hub.
	// +optional
	SQLite *SQLiteLedger `json:"sqlite,omitempty"`

	// Postgres keeps the ledger in a database; several hub replicas can share it.
	// +optional
	Postgres *PostgresLedger `json:"postgres,omitempty"`

	// Reclaim says what happens to the ledger when the Community is deleted.
	// +optional
	// +kubebuilder:default=Retain
	Reclaim ReclaimPolicy `json:"reclaim,omitempty"`
}

// SQLiteLedger is the volume of an embedded ledger.
type SQLiteLedger struct {
	// Size of the volume, such as 10Gi. It can grow where the storage class allows that, and never shrinks.
	// +optional
	// +kubebuilder:default="10Gi"
	Size resource.Quantity `json:"size,omitzero"`

	// StorageClassName of the volume; the cluster's default where left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	StorageClassName string `json:"storageClassName,omitempty"`
}

// PostgresLedger is the database of a ledger.
type PostgresLedger struct {
	// DSNSecretRef names the Secret whose key "dsn" (or the named one) holds the connection string.
	// +required
	DSNSecretRef KeyReference `json:"dsnSecretRef"`
}

// ReclaimPolicy says what happens to a ledger when its Community is deleted.
//
// +kubebuilder:validation:Enum=Retain;Delete
type ReclaimPolicy string

// The reclaim policies.
const (
	ReclaimRetain ReclaimPolicy = "Retain"
	ReclaimDelete ReclaimPolicy = "Delete"
)

// Hub is how a community's hub runs.
type Hub struct {
	// Replicas of the hub; more than one needs ledger.postgres. One leads, the others stand by.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5
	Replicas int32 `json:"replicas,omitempty"`

	// Pod is what is said about the hub's pods.
	// +optional
	Pod *Pod `json:"pod,omitempty"`
}

// Connectors is how a community's connectors run.
type Connectors struct {
	// Placement puts every channel into a Deployment of its own, or all of the community's into a shared one.
	// +optional
	// +kubebuilder:default=PerChannel
	Placement Placement `json:"placement,omitempty"`

	// Pod is what is said about the connectors' pods.
	// +optional
	Pod *Pod `json:"pod,omitempty"`
}

// Placement says in which pods the channels of a community are read.
//
// +kubebuilder:validation:Enum=PerChannel;Shared
type Placement string

// The placements. With PerChannel a pod holds the credentials of one channel only.
const (
	PlacementPerChannel Placement = "PerChannel"
	PlacementShared     Placement = "Shared"
)

// Privacy is how long what is kept, how small a group may be shown, and whose law applies.
//
// +kubebuilder:validation:XValidation:rule="!has(self.textRetention) || !has(self.activityRetention) || self.textRetention <= self.activityRetention",message="textRetention must not be longer than activityRetention"
type Privacy struct {
	// TextRetention is how long the texts of messages are kept; what was derived from them stays.
	// +optional
	// +kubebuilder:default="90d"
	// +kubebuilder:validation:XValidation:rule="self >= duration('24h')",message="must be at least 1d: deadlines and recognition need texts for a while"
	TextRetention Duration `json:"textRetention,omitempty"`

	// ActivityRetention is how long events are kept, and so how far back windows and history may reach.
	// +optional
	// +kubebuilder:default="750d"
	// +kubebuilder:validation:XValidation:rule="self >= duration('720h')",message="must be at least 30d"
	ActivityRetention Duration `json:"activityRetention,omitempty"`

	// CaseRetention is how long moderation cases are kept after they were closed.
	// +optional
	// +kubebuilder:default="240d"
	// +kubebuilder:validation:XValidation:rule="self >= duration('24h')",message="must be at least 1d"
	CaseRetention Duration `json:"caseRetention,omitempty"`

	// MinimumGroupSize is the least number of distinct people that any figure may be about.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=3
	// +kubebuilder:validation:Maximum=1000
	MinimumGroupSize int32 `json:"minimumGroupSize,omitempty"`

	// Linking says whether accounts of one person on several channels are brought together.
	// +optional
	// +kubebuilder:default=None
	Linking Linking `json:"linking,omitempty"`

	// KeySecretRef names the Secret whose keys protect identities: "key", and "previous" while it is being replaced.
	// Where left out, a key is generated once and kept with the ledger.
	// +optional
	KeySecretRef *SecretReference `json:"keySecretRef,omitempty"`

	// Controller is the legal person that answers for the data.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=250
	Controller string `json:"controller,omitempty"`

	// LegalBasis on which the data is processed, in words.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	LegalBasis string `json:"legalBasis,omitempty"`

	// NoticeURL is where members can read about it.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^\s/?#]+[^\s]*$`
	NoticeURL string `json:"noticeURL,omitempty"`
}

// Linking says whether accounts of one person are brought together.
//
// +kubebuilder:validation:Enum=None;Verified
type Linking string

// The ways of linking: not at all, or by an equal identifier that both platforms have verified.
const (
	LinkingNone     Linking = "None"
	LinkingVerified Linking = "Verified"
)

// CommunityStatus is what Kith found about a community.
type CommunityStatus struct {
	// ObservedGeneration is the generation of the spec that this status is about.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions are Accepted, Owned, LedgerReady, HubAvailable and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// AssessedStage is how far the community has come by the evidence; empty until there is enough.
	// +optional
	AssessedStage Stage `json:"assessedStage,omitempty"`

	// BlueprintDigest is the SHA-256, in hexadecimal, of the blueprint that was last handed to the hub.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	BlueprintDigest string `json:"blueprintDigest,omitempty"`

	// LedgerID is the identity of the ledger that the hub keeps. If the hub reports another one, the annotation
	// kith.dev/accept-ledger says that this is meant.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	LedgerID string `json:"ledgerID,omitempty"`

	// Channels is how many channels are accepted.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Channels int32 `json:"channels,omitempty"`

	// Behaviours is how many behaviours are accepted.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Behaviours int32 `json:"behaviours,omitempty"`

	// Objectives is how many objectives are accepted.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Objectives int32 `json:"objectives,omitempty"`
}
