// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// The types of conditions. Each answers a question that a person would ask; True is always the good answer.
const (
	// ConditionReady sums up: the resource does what was declared. It stays True through a platform's outage.
	ConditionReady = "Ready"
	// ConditionAccepted says that the spec, and what it refers to, can be used.
	ConditionAccepted = "Accepted"
	// ConditionOwned says that a team answers for it (Channel), or that each task has one accountable team (Community).
	ConditionOwned = "Owned"
	// ConditionDeployed says that the channel's connector is available at this generation.
	ConditionDeployed = "Deployed"
	// ConditionConnected says that the connector reports, and gets on.
	ConditionConnected = "Connected"
	// ConditionLedgerReady says that the community's ledger can be written.
	ConditionLedgerReady = "LedgerReady"
	// ConditionHubAvailable says that the community's hub runs at this generation.
	ConditionHubAvailable = "HubAvailable"
	// ConditionMeasurable says that every channel shows what the behaviour needs. A behaviour can be Ready without: it
	// counts where it can be seen, and is shown as not measurable, never as 0, elsewhere.
	ConditionMeasurable = "Measurable"
	// ConditionAgreed says that every stakeholder has agreed to this generation of the objective.
	ConditionAgreed = "Agreed"
	// ConditionEvaluated says that the objective's value is known and recent. False: the hub answers, and there is no such
	// value. Unknown: what it depends on cannot be read, or the hub does not answer.
	ConditionEvaluated = "Evaluated"
	// ConditionReconciling and ConditionStalled are kstatus's own: present only while something is under way, or while it
	// cannot go on without a change.
	ConditionReconciling = "Reconciling"
	ConditionStalled     = "Stalled"
)

// Reasons that are used with several types of conditions.
const (
	ReasonSucceeded             = "Succeeded"
	ReasonProgressing           = "Progressing"
	ReasonSuspended             = "Suspended"
	ReasonInvalidSpec           = "InvalidSpec"
	ReasonReferenceMissing      = "ReferenceMissing"
	ReasonDependencyNotAccepted = "DependencyNotAccepted"
	// ReasonNameTaken says that an object of a name that Kith needs is there and is not Kith's: it is left alone.
	ReasonNameTaken = "NameTaken"
	// ReasonRetrying says that something failed which may well succeed the next time, and is tried again.
	ReasonRetrying = "Retrying"
)

// Reasons of Accepted.
const (
	ReasonAccepted          = "Accepted"
	ReasonInvalidExpression = "InvalidExpression"
	ReasonUnknownPlatform   = "UnknownPlatform"
	ReasonInvalidSettings   = "InvalidSettings"
	// ReasonCountsActivity is the vanity guard's: the objective's behaviour depends on nobody but who does it.
	ReasonCountsActivity = "CountsActivity"
	// ReasonActivityStated lets such an objective through because a reason is stated.
	ReasonActivityStated = "ActivityStated"
)

// Reasons of Owned.
const (
	ReasonOwnerNamed   = "OwnerNamed"
	ReasonOwnerMissing = "OwnerMissing"
)

// Reasons of Connected. Backfilling goes with True: history is read while what is new already arrives.
const (
	ReasonConnected        = "Connected"
	ReasonConnecting       = "Connecting"
	ReasonBackfilling      = "Backfilling"
	ReasonRateLimited      = "RateLimited"
	ReasonBadCredentials   = "BadCredentials"
	ReasonSecretKeyMissing = "SecretKeyMissing"
	ReasonUnreachable      = "Unreachable"
	ReasonPlatformError    = "PlatformError"
	// ReasonBadSettings: the connector itself refuses settings that the schema let through.
	ReasonBadSettings = "BadSettings"
	// ReasonTakenOver: another process reads this channel.
	ReasonTakenOver = "TakenOver"
	// ReasonNoProgress: the reader reports, but has read nothing for too long.
	ReasonNoProgress = "NoProgress"
	// ReasonNoHeartbeat goes with Unknown: the hub answers, and has not heard from the channel's reader.
	ReasonNoHeartbeat = "NoHeartbeat"
)

// ReasonHubUnavailable goes with Unknown where it is the operator that gets no answer from the hub, and with False where
// a connector gets none: what was read cannot be committed.
const ReasonHubUnavailable = "HubUnavailable"

// Reasons of Deployed, HubAvailable and LedgerReady.
const (
	ReasonAvailable   = "Available"
	ReasonUnavailable = "Unavailable"
	// ReasonNodeLost says that the node under the hub does not answer.
	ReasonNodeLost = "NodeLost"
	// ReasonVolumeFull says that the ledger's volume has no room left.
	ReasonVolumeFull = "VolumeFull"
	// ReasonLedgerReplaced says that the hub reports another ledger than the one that was known.
	ReasonLedgerReplaced = "LedgerReplaced"
	// ReasonShrinkingRefused says that a smaller volume was declared: volumes only grow.
	ReasonShrinkingRefused = "ShrinkingRefused"
	// ReasonExpansionRefused says that the cluster does not let the volume grow.
	ReasonExpansionRefused = "ExpansionRefused"
	// ReasonConfigurationUnusable says that the hub cannot put in force what was delivered, and runs what it had before.
	ReasonConfigurationUnusable = "ConfigurationUnusable"
	// ReasonStorageClassChanged says that another storage class was declared: a volume keeps its own.
	ReasonStorageClassChanged = "StorageClassChanged"
)

// Reasons of Measurable, Agreed and Evaluated.
const (
	ReasonMeasurable    = "Measurable"
	ReasonNotMeasurable = "NotMeasurable"
	// ReasonPartlyMeasurable: some channels show what the behaviour needs, others do not.
	ReasonPartlyMeasurable = "PartlyMeasurable"
	// ReasonNoChannel: the community has no channel yet.
	ReasonNoChannel = "NoChannel"
	ReasonAgreed    = "Agreed"
	ReasonNotAgreed = "NotAgreed"
	ReasonEvaluated = "Evaluated"
	ReasonTooFew    = "TooFew"
	ReasonDataStale = "DataStale"
	// ReasonDataMissing goes with Unknown: what it depends on has not been read yet, or cannot be seen.
	ReasonDataMissing = "DataMissing"
)
