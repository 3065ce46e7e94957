// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Objective is a behaviour with an audience, a target and a window, agreed with stakeholders.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=objectives,singular=objective,shortName=obj,categories=kith,scope=Namespaced
// +kubebuilder:printcolumn:name="Community",type=string,JSONPath=`.spec.communityRef.name`
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.target.*`
// +kubebuilder:printcolumn:name="Value",type=string,JSONPath=`.status.value`
// +kubebuilder:printcolumn:name="Cases",type=integer,JSONPath=`.status.cases`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result`
// +kubebuilder:printcolumn:name="Agreed",type=string,JSONPath=`.status.conditions[?(@.type=="Agreed")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Goal",type=string,priority=1,JSONPath=`.spec.goal`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Evaluated")].reason`
// +kubebuilder:printcolumn:name="Statement",type=string,priority=1,JSONPath=`.spec.statement`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.metadata.name) || (self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 63)",message="metadata.name must be at most 63 lower-case letters, digits and hyphens: it is a metric label"
type Objective struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what was agreed.
	// +required
	Spec ObjectiveSpec `json:"spec"`

	// Status is how it stands.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ObjectiveStatus `json:"status,omitempty"`
}

// ObjectiveList is a list of objectives.
//
// +kubebuilder:object:root=true
type ObjectiveList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Objective `json:"items"`
}

// ObjectiveSpec is what was agreed.
//
// +kubebuilder:validation:XValidation:rule="!has(self.indicator.share) || ((!has(self.target.atLeast) || double(self.target.atLeast) <= 1.0) && (!has(self.target.atMost) || double(self.target.atMost) <= 1.0))",fieldPath=".target",message="the target of a share is a ratio between 0 and 1, such as 0.80"
type ObjectiveSpec struct {
	// CommunityRef names the community. It cannot be changed.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.name == oldSelf.name",fieldPath=".name",message="cannot be changed: declare the objective again for the other community"
	CommunityRef CommunityReference `json:"communityRef"`

	// Goal is the name of one of the community's goals.
	// +optional
	Goal Name `json:"goal,omitempty"`

	// Statement is the objective in words, as it was agreed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	Statement string `json:"statement"`

	// Stakeholders are the names of those of the community's stakeholders who are to see it.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Stakeholders []Name `json:"stakeholders,omitempty"`

	// Audience is whose cases count; everybody's where left out.
	// +optional
	Audience *ObjectiveAudience `json:"audience,omitempty"`

	// Indicator is what is measured.
	// +required
	Indicator Indicator `json:"indicator"`

	// Target is what is aimed at: a ratio for a share, a number of cases in the window for a count.
	// +required
	Target Target `json:"target"`

	// MinimumCases is how many cases (for a share: of its basis) are needed for a judgement; below, the result is TooFew.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MinimumCases int32 `json:"minimumCases,omitempty"`

	// Window is the time over which it is measured.
	// +required
	Window Window `json:"window"`

	// Approach is how it is to be reached.
	// +optional
	Approach *Approach `json:"approach,omitempty"`

	// Agreed is who has agreed to which generation, and when.
	// +optional
	// +listType=map
	// +listMapKey=stakeholder
	// +kubebuilder:validation:MaxItems=16
	Agreed []Agreement `json:"agreed,omitempty"`

	// ActivityBecause is the stated reason to let an indicator through that only counts activity. It is printed wherever
	// the objective is shown.
	// +optional
	// +kubebuilder:validation:MaxLength=500
	ActivityBecause string `json:"activityBecause,omitempty"`
}

// ObjectiveAudience is whose cases count: those who match every list that is given.
type ObjectiveAudience struct {
	// Who is looked at: those whose deed it is (Credit), or those who gain by it (Benefits).
	// +optional
	// +kubebuilder:default=Credit
	Who AudienceSide `json:"who,omitempty"`

	// Levels that count.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Levels []Level `json:"levels,omitempty"`

	// Segments of the community that count.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Segments []Name `json:"segments,omitempty"`

	// Parties that count.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Parties []Party `json:"parties,omitempty"`

	// Channels of the community that count.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Channels []Name `json:"channels,omitempty"`
}

// AudienceSide says which side of a case an audience is about.
//
// +kubebuilder:validation:Enum=Credit;Benefits
type AudienceSide string

// The sides of a case.
const (
	SideCredit   AudienceSide = "Credit"
	SideBenefits AudienceSide = "Benefits"
)

// Indicator is what is measured: a share or a count.
//
// +kubebuilder:validation:ExactlyOneOf=share;count
type Indicator struct {
	// Share names a behaviour with of; measured is which share of those cases it fulfilled.
	// +optional
	Share Name `json:"share,omitempty"`

	// Count names a behaviour; measured is its number of cases in the window.
	// +optional
	Count Name `json:"count,omitempty"`
}

// Target is what is aimed at.
//
// +kubebuilder:validation:ExactlyOneOf=atLeast;atMost
type Target struct {
	// AtLeast is met from this value on: a ratio for a share, a number of cases for a count.
	// +optional
	AtLeast Amount `json:"atLeast,omitempty"`

	// AtMost is met up to this value: a ratio for a share, a number of cases for a count.
	// +optional
	AtMost Amount `json:"atMost,omitempty"`
}

// Window is the time over which something is measured, in the community's time zone.
//
// +kubebuilder:validation:ExactlyOneOf=rolling;calendar
type Window struct {
	// Rolling is the time up to the watermark, such as 28d. At least 1d, at most 3650d, not longer than the community's
	// activityRetention.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= duration('24h') && self <= duration('87600h')",message="must be between 1d and 3650d"
	Rolling Duration `json:"rolling,omitempty"`

	// Calendar is the current week (from Monday), month, quarter or year.
	// +optional
	Calendar CalendarPeriod `json:"calendar,omitempty"`
}

// CalendarPeriod is a period of the calendar.
//
// +kubebuilder:validation:Enum=Week;Month;Quarter;Year
type CalendarPeriod string

// The periods of the calendar.
const (
	CalendarWeek    CalendarPeriod = "Week"
	CalendarMonth   CalendarPeriod = "Month"
	CalendarQuarter CalendarPeriod = "Quarter"
	CalendarYear    CalendarPeriod = "Year"
)

// Approach is how an objective is to be reached.
type Approach struct {
	// Strategy in a few sentences.
	// +optional
	// +kubebuilder:validation:MaxLength=1000
	Strategy string `json:"strategy,omitempty"`

	// Tactics, each a sentence.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Tactics []Line `json:"tactics,omitempty"`

	// Steps to take.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Steps []Step `json:"steps,omitempty"`

	// ReviewOn is the day on which the approach is looked at again.
	// +optional
	ReviewOn Date `json:"reviewOn,omitempty"`
}

// Step is something to do.
type Step struct {
	// What is to be done.
	// +required
	What Line `json:"what"`

	// Who does it: the name of one of the community's teams.
	// +optional
	Who Name `json:"who,omitempty"`

	// By is the day by which it is to be done.
	// +optional
	By Date `json:"by,omitempty"`
}

// Agreement is a stakeholder's consent to an objective.
type Agreement struct {
	// Stakeholder is the name of one of the community's stakeholders.
	// +required
	Stakeholder Name `json:"stakeholder"`

	// On is the day of the agreement. Write the key in quotes ("on"): YAML takes a bare on for true.
	// +required
	On Date `json:"on"`

	// Generation of the objective that was agreed to; a later change of what is measured or aimed at shows as not agreed
	// yet (status.definitionGeneration). Left out, it is the first.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Generation int64 `json:"generation,omitempty"`
}

// ObjectiveStatus is how an objective stands.
type ObjectiveStatus struct {
	// ObservedGeneration is the generation of the spec that this status is about.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions are Accepted, Agreed, Evaluated and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// DefinitionGeneration is the generation at which what stakeholders agree to last changed: everything in spec but
	// stakeholders, agreed and approach. Writing down an agreement changes the generation, and needs no new agreement.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DefinitionGeneration int64 `json:"definitionGeneration,omitempty"`

	// DefinitionDigest tells whether that has changed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DefinitionDigest string `json:"definitionDigest,omitempty"`

	// Result in the window.
	// +optional
	Result Result `json:"result,omitempty"`

	// Value in the window, rounded: a ratio for a share, a number of cases for a count. Empty while TooFew or Unknown.
	// +optional
	Value Amount `json:"value,omitempty"`

	// Cases in the window; for a share those of its basis. Absent where Unknown, and where they are about fewer people
	// than the minimum group size.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Cases *int64 `json:"cases,omitempty"`

	// WindowStart is when the window began, as of when this status was written. Time alone writes no status.
	// +optional
	WindowStart *metav1.Time `json:"windowStart,omitempty"`

	// DataThrough is up to when the data behind it was complete when this status was written. While Evaluated is True the
	// result still holds, on data that reaches further by now (kith_objective_data_timestamp_seconds).
	// +optional
	DataThrough *metav1.Time `json:"dataThrough,omitempty"`
}

// Result is how an objective stands.
//
// +kubebuilder:validation:Enum=Met;Missed;TooFew;Unknown
type Result string

// The results. TooFew and Unknown are neither good nor bad, and alert nobody.
const (
	ResultMet     Result = "Met"
	ResultMissed  Result = "Missed"
	ResultTooFew  Result = "TooFew"
	ResultUnknown Result = "Unknown"
)
