// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Behaviour is a kind of valuable thing that members do. Each counted case of it is an occurrence.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=behaviours,singular=behaviour,shortName=beh,categories=kith,scope=Namespaced
// +kubebuilder:printcolumn:name="Community",type=string,JSONPath=`.spec.communityRef.name`
// +kubebuilder:printcolumn:name="Family",type=string,JSONPath=`.spec.family`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.role`
// +kubebuilder:printcolumn:name="Recent",type=integer,JSONPath=`.status.recent`
// +kubebuilder:printcolumn:name="Measurable",type=string,JSONPath=`.status.conditions[?(@.type=="Measurable")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Of",type=string,priority=1,JSONPath=`.spec.of`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Accepted")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.metadata.name) || (self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 63)",message="metadata.name must be at most 63 lower-case letters, digits and hyphens: it is a metric label"
type Behaviour struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is when a case counts, whose deed it is and what it is worth.
	// +required
	Spec BehaviourSpec `json:"spec"`

	// Status is what Kith found.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status BehaviourStatus `json:"status,omitempty"`
}

// BehaviourList is a list of behaviours.
//
// +kubebuilder:object:root=true
type BehaviourList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Behaviour `json:"items"`
}

// BehaviourSpec is when a case counts, whose deed it is and what it is worth.
//
// +kubebuilder:validation:ExactlyOneOf=on;of
// +kubebuilder:validation:XValidation:rule="has(self.after) == (has(self.on) && self.on.exists(e, e == 'ThreadAged'))",fieldPath=".after",message="after is required with ThreadAged in on, and has no meaning without"
// +kubebuilder:validation:XValidation:rule="has(self.of) || !has(self.among)",fieldPath=".among",message="among narrows the cases of another behaviour, and needs of"
// +kubebuilder:validation:XValidation:rule="has(self.of) || !has(self.completedBy)",fieldPath=".completedBy",message="completedBy says what fulfils a case of another behaviour, and needs of"
// +kubebuilder:validation:XValidation:rule="has(self.of) || !has(self.within)",fieldPath=".within",message="within is the deadline of a case of another behaviour, and needs of (per.within is the time in which something counts once)"
// +kubebuilder:validation:XValidation:rule="!has(self.worth) || !has(self.role) || self.role == 'Value'",fieldPath=".worth",message="a basis is a denominator and never worth anything: only role Value has worth"
// +kubebuilder:validation:XValidation:rule="!has(self.role) || self.role != 'Basis' || ((!has(self.credit) || self.credit == 'None') && (!has(self.benefits) || self.benefits == 'None'))",message="a basis is nobody's deed: leave credit and benefits out, or None"
type BehaviourSpec struct {
	// CommunityRef names the community. It cannot be changed.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.name == oldSelf.name",fieldPath=".name",message="cannot be changed: declare the behaviour again for the other community"
	CommunityRef CommunityReference `json:"communityRef"`

	// Title of the behaviour by language.
	// +required
	Title Text `json:"title"`

	// Description in a sentence or two by language: what it is for, and what it is not.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[a-z]{2,3}(-[A-Z]{2})?$'))",message="keys must be language tags, such as de, en or pt-BR"
	Description map[string]Paragraph `json:"description,omitempty"`

	// Family is the kind of behaviour.
	// +required
	Family Family `json:"family"`

	// Role says whether cases are worth something (Value), or are only what a share is of (Basis).
	// +optional
	// +kubebuilder:default=Value
	Role Role `json:"role,omitempty"`

	// On are the events that can be a case. Exactly one of on and of is set. Write the key in quotes ("on"): YAML takes a
	// bare on for true.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	On []EventType `json:"on,omitempty"`

	// After is the age at which a thread becomes a case; only with ThreadAged in on. At least 1m, at most 365d.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= duration('1m') && self <= duration('8760h')",message="must be between 1m and 365d"
	After Duration `json:"after,omitempty"`

	// Of names another behaviour whose cases this one may fulfil, so that a share of the one in the other is a share by
	// construction. Exactly one of on and of is set.
	// +optional
	Of Name `json:"of,omitempty"`

	// Among narrows which cases of the other behaviour count: CEL over the case, such as
	// thread.author.level == 'newcomer'. Only with of.
	// +optional
	Among Expression `json:"among,omitempty"`

	// CompletedBy are the events in a case's thread that can fulfil it; MessagePosted where left out. Only with of.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	CompletedBy []EventType `json:"completedBy,omitempty"`

	// Within is how long after the thread was opened a case can be fulfilled; the after of the other behaviour where left
	// out. Only with of. At most 365d.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self > duration('0s') && self <= duration('8760h')",message="must be more than 0s and at most 365d"
	Within Duration `json:"within,omitempty"`

	// Variables are named expressions that the others may use. A variable may use those before it.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Variables []Variable `json:"variables,omitempty"`

	// When an event is a case: CEL; always where left out.
	// +optional
	When Expression `json:"when,omitempty"`

	// Confirm is checked in addition when the case settles: CEL over the thread as it then stands, for what only shows
	// later, such as thanks.
	// +optional
	Confirm Expression `json:"confirm,omitempty"`

	// Credit is whose deed it is; Author where left out, None for a basis.
	// +optional
	Credit Credit `json:"credit,omitempty"`

	// Benefits is who gains by it; None where left out.
	// +optional
	Benefits Benefits `json:"benefits,omitempty"`

	// Per is what counts once at most.
	// +optional
	// +kubebuilder:default={"scope": "Thread"}
	Per Per `json:"per,omitzero"`

	// Settle is how long a case must stay true until it counts; what is removed or undone by then never counts. At most
	// 365d, 0s where left out.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self <= duration('8760h')",message="must be at most 365d"
	Settle Duration `json:"settle,omitempty"`

	// Worth is what one case is worth in the community's factors, at most once per thread and factor. Only with role Value.
	// +optional
	// +listType=map
	// +listMapKey=factor
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Worth []Worth `json:"worth,omitempty"`
}

// Paragraph is a few sentences for people.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=1000
type Paragraph string

// Family is a kind of behaviour.
//
// +kubebuilder:validation:Enum=PeerSupport;KnowledgeSharing;Feedback;Welcome;Creation;Advocacy;Adoption
type Family string

// The families.
const (
	FamilyPeerSupport      Family = "PeerSupport"
	FamilyKnowledgeSharing Family = "KnowledgeSharing"
	FamilyFeedback         Family = "Feedback"
	FamilyWelcome          Family = "Welcome"
	FamilyCreation         Family = "Creation"
	FamilyAdvocacy         Family = "Advocacy"
	FamilyAdoption         Family = "Adoption"
)

// Role says what the cases of a behaviour are used for.
//
// +kubebuilder:validation:Enum=Value;Basis
type Role string

// The roles: worth something, or a denominator only.
const (
	RoleValue Role = "Value"
	RoleBasis Role = "Basis"
)

// Credit is whose deed a case is.
//
// +kubebuilder:validation:Enum=Author;ThreadAuthor;Reporter;None
type Credit string

// Whose deed a case is: the author of the event, of the thread, the first who reported it, or nobody's.
const (
	CreditAuthor       Credit = "Author"
	CreditThreadAuthor Credit = "ThreadAuthor"
	CreditReporter     Credit = "Reporter"
	CreditNone         Credit = "None"
)

// Benefits is who gains by a case.
//
// +kubebuilder:validation:Enum=ThreadAuthor;ParentAuthor;Author;None
type Benefits string

// Who gains by a case: the author of the thread, of the message replied to, of the event, or nobody in particular.
const (
	BenefitsThreadAuthor Benefits = "ThreadAuthor"
	BenefitsParentAuthor Benefits = "ParentAuthor"
	BenefitsAuthor       Benefits = "Author"
	BenefitsNone         Benefits = "None"
)

// Variable is a named expression.
type Variable struct {
	// Name under which other expressions use it, as variables.NAME: a letter, then letters and digits.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-z][A-Za-z0-9]*$`
	Name string `json:"name"`

	// Expression is its CEL.
	// +required
	Expression Expression `json:"expression"`
}

// Per is what counts once at most.
//
// +kubebuilder:validation:XValidation:rule="!has(self.within) || self.scope != 'Event'",fieldPath=".within",message="within has no meaning for scope Event, where every event counts"
type Per struct {
	// Scope: every event, or once per thread, per member, per pair of members, or per pair in one thread.
	// +required
	Scope Scope `json:"scope"`

	// Within is the time in which it counts once; once ever where left out. At most 1000d.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self > duration('0s') && self <= duration('24000h')",message="must be more than 0s and at most 1000d"
	Within Duration `json:"within,omitempty"`
}

// Scope is what counts once at most.
//
// +kubebuilder:validation:Enum=Event;Thread;Member;Pair;PairInThread
type Scope string

// The scopes. A pair is who did it and who gains by it.
const (
	ScopeEvent        Scope = "Event"
	ScopeThread       Scope = "Thread"
	ScopeMember       Scope = "Member"
	ScopePair         Scope = "Pair"
	ScopePairInThread Scope = "PairInThread"
)

// Worth is what one case is worth in one of the community's factors.
type Worth struct {
	// Factor is the name of one of the community's value.factors.
	// +required
	Factor Name `json:"factor"`

	// Amount of the factor's units that one case stands for.
	// +required
	Amount AmountRange `json:"amount"`
}

// AmountRange is a cautious, a best and a hopeful estimate: low ≤ mid ≤ high.
type AmountRange struct {
	// Low is the cautious estimate, in units of the factor.
	// +required
	Low Amount `json:"low"`

	// Mid is the best estimate, in units of the factor.
	// +required
	Mid Amount `json:"mid"`

	// High is the hopeful estimate, in units of the factor.
	// +required
	High Amount `json:"high"`
}

// BehaviourStatus is what Kith found about a behaviour.
type BehaviourStatus struct {
	// ObservedGeneration is the generation of the spec that this status is about.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions are Accepted, Measurable and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// NotMeasurableOn names the channels whose platform does not show what the behaviour needs.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	NotMeasurableOn []Name `json:"notMeasurableOn,omitempty"`

	// Recent is how many cases counted in the last 28 days that have been read. Absent before anything has been read, and
	// where it would be about fewer people than the minimum group size.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Recent *int64 `json:"recent,omitempty"`
}
