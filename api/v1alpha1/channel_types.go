// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Channel is one account on one platform instance: a Discourse site, a Slack workspace, a mailbox, a feed.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=channels,singular=channel,shortName=chan,categories=kith,scope=Namespaced
// +kubebuilder:printcolumn:name="Community",type=string,JSONPath=`.spec.communityRef.name`
// +kubebuilder:printcolumn:name="Platform",type=string,JSONPath=`.spec.platform`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Connected",type=string,JSONPath=`.status.conditions[?(@.type=="Connected")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.metadata.name) || (self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 52)",message="metadata.name must be at most 52 lower-case letters, digits and hyphens: Deployments and labels are named after it"
type Channel struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is declared about the channel.
	// +required
	Spec ChannelSpec `json:"spec"`

	// Status is what Kith found.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ChannelStatus `json:"status,omitempty"`
}

// ChannelList is a list of channels.
//
// +kubebuilder:object:root=true
type ChannelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Channel `json:"items"`
}

// ChannelSpec is what is declared about a channel.
type ChannelSpec struct {
	// CommunityRef names the community. It cannot be changed.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.name == oldSelf.name",fieldPath=".name",message="cannot be changed: delete the channel and declare it for the other community"
	CommunityRef CommunityReference `json:"communityRef"`

	// Team is which of the community's teams answers for the channel. A channel without one is flagged.
	// +optional
	Team Name `json:"team,omitempty"`

	// Platform is a name from the catalogue, such as discourse or feed (see `kith connectors`). It cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="cannot be changed: declare a new channel"
	Platform string `json:"platform"`

	// URL of the platform instance. Most platforms take https; its descriptor says which forms there are. It cannot be
	// changed, because what was read is kept under it.
	// +required
	// +kubebuilder:validation:MinLength=4
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^[a-z][a-z0-9+.-]*:[^\s]+$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="cannot be changed: declare a new channel"
	URL string `json:"url"`

	// Rooms are which rooms are read, and what they are for. Private rooms and direct messages are never read unless
	// named in full in include.
	// +optional
	Rooms *Rooms `json:"rooms,omitempty"`

	// CredentialsSecretRef names the Secret with the account's credentials; its keys are the platform's.
	// +optional
	CredentialsSecretRef *SecretReference `json:"credentialsSecretRef,omitempty"`

	// Hosting says whose legal duties apply: the organisation runs the platform itself (Own), or is a guest (Platform).
	// +optional
	// +kubebuilder:default=Own
	Hosting Hosting `json:"hosting,omitempty"`

	// Since is how far back history is read: a duration before the channel was declared ("90d"), a date ("2024-01-01")
	// or "all". It is resolved once to a date; widening it reads just the rest, narrowing it forgets nothing.
	// +optional
	// +kubebuilder:default="90d"
	Since Since `json:"since,omitempty"`

	// PollInterval is the shortest time between two looks at what is new. At least 10s, at most 1d.
	// +optional
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:XValidation:rule="self >= duration('10s') && self <= duration('24h')",message="must be between 10s and 1d"
	PollInterval Duration `json:"pollInterval,omitempty"`

	// Settings are the platform's own few, typed and checked by its descriptor (see `kith connectors NAME`).
	// +optional
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:pruning:PreserveUnknownFields
	Settings *runtime.RawExtension `json:"settings,omitempty"`

	// Webhook lets the platform wake the reader. The cursor stays the truth: a lost call only costs time.
	// +optional
	Webhook *Webhook `json:"webhook,omitempty"`

	// Network is how the platform is reached.
	// +optional
	Network *Network `json:"network,omitempty"`

	// Suspend stops reading; what was read stays, and reading goes on where it stopped.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Since is how far back history is read: a duration, a date or "all".
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^(all|[0-9]{4}-[0-9]{2}-[0-9]{2}|([0-9]{1,4}(w|d|h|m|s)){1,5})$`
type Since string

// SinceAll reads everything that the platform shows and the retention allows.
const SinceAll Since = "all"

// Rooms are the rooms of a channel, by patterns over their paths.
type Rooms struct {
	// Include are the rooms that are read; every public room where left out. A private room must be named in full.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Include []Pattern `json:"include,omitempty"`

	// Exclude are rooms that are not read, even if included.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Exclude []Pattern `json:"exclude,omitempty"`

	// Questions are rooms whose opening messages are questions.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Questions []Pattern `json:"questions,omitempty"`

	// Feedback are rooms for ideas and feedback.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Feedback []Pattern `json:"feedback,omitempty"`

	// HowTo are rooms for instructions that members share.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	HowTo []Pattern `json:"howTo,omitempty"`
}

// Hosting says who runs the platform.
//
// +kubebuilder:validation:Enum=Own;Platform
type Hosting string

// The ways of hosting.
const (
	HostingOwn      Hosting = "Own"
	HostingPlatform Hosting = "Platform"
)

// Webhook lets a platform wake the reader.
type Webhook struct {
	// SecretRef names the Secret whose key "secret" verifies the calls.
	// +required
	SecretRef SecretReference `json:"secretRef"`
}

// Network is how a platform is reached.
type Network struct {
	// CARef names the ConfigMap whose key "ca.crt" (or the named one) holds further root certificates.
	// +optional
	CARef *KeyReference `json:"caRef,omitempty"`

	// ProxyURL is the HTTP proxy in front of the platform. It holds no password: those belong into credentials.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^(https?|socks5)://[^\s/?#@]+/?$`
	ProxyURL string `json:"proxyURL,omitempty"`
}

// ChannelStatus is what Kith found about a channel.
type ChannelStatus struct {
	// ObservedGeneration is the generation of the spec that this status is about.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions are Accepted, Owned, Deployed, Connected and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// ConnectedGeneration is the latest generation at which the channel has connected. Ready needs that once per
	// generation; a platform's outage later shows in Connected only.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ConnectedGeneration int64 `json:"connectedGeneration,omitempty"`

	// Since is the day back to which history is read, as spec.since was resolved. Empty before that, and where everything
	// is read.
	// +optional
	Since Date `json:"since,omitempty"`

	// ReadThrough is up to when the channel had been read completely when this status was written. Time alone writes no
	// status: while Connected is True the channel is read on (kith_connector_lag_seconds says how far), and once it is not,
	// this is where reading stopped.
	// +optional
	ReadThrough *metav1.Time `json:"readThrough,omitempty"`

	// BackfilledThrough is back to when history has been read completely; absent until it has, and where everything is read.
	// +optional
	BackfilledThrough *metav1.Time `json:"backfilledThrough,omitempty"`

	// Rooms is how many rooms are read.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Rooms int32 `json:"rooms,omitempty"`

	// Fidelity is what the connector can see on this platform with this account.
	// +optional
	Fidelity *Fidelity `json:"fidelity,omitempty"`
}

// Fidelity is what a connector can see.
type Fidelity struct {
	// Edits of messages: every one, the latest text only, or none.
	// +optional
	// +kubebuilder:validation:Enum=History;Latest;None
	Edits string `json:"edits,omitempty"`

	// Removals of messages: told by the platform, found by looking again, or not at all.
	// +optional
	// +kubebuilder:validation:Enum=Tombstone;Sweep;None
	Removals string `json:"removals,omitempty"`

	// Reactions: with who gave them, their number only, or none.
	// +optional
	// +kubebuilder:validation:Enum=Actors;Counts;None
	Reactions string `json:"reactions,omitempty"`

	// AcceptanceTime of answers: the platform's, inferred, or there is no acceptance.
	// +optional
	// +kubebuilder:validation:Enum=Platform;Inferred;None
	AcceptanceTime string `json:"acceptanceTime,omitempty"`

	// Moderation by people on the platform: visible or not.
	// +optional
	// +kubebuilder:validation:Enum=Visible;None
	Moderation string `json:"moderation,omitempty"`
}
