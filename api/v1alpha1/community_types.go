// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Community is one group of people that an organisation answers for. It owns the channels, behaviours and objectives
// that name it, and the ledger that remembers them.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=communities,singular=community,shortName=comm,categories=kith,scope=Namespaced
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Stage",type=string,JSONPath=`.status.assessedStage`
// +kubebuilder:printcolumn:name="Channels",type=integer,JSONPath=`.status.channels`
// +kubebuilder:printcolumn:name="Objectives",type=integer,JSONPath=`.status.objectives`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.metadata.name) || (self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 52)",message="metadata.name must be at most 52 lower-case letters, digits and hyphens, and begin with a letter: Deployments, Services and labels are named after it"
type Community struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what the organisation declares about the community.
	// +required
	Spec CommunitySpec `json:"spec"`

	// Status is what Kith found.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status CommunityStatus `json:"status,omitempty"`
}

// CommunityList is a list of communities.
//
// +kubebuilder:object:root=true
type CommunityList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Community `json:"items"`
}

// CommunitySpec is what an organisation declares about a community.
//
// +kubebuilder:validation:XValidation:rule="!has(self.hub) || !has(self.hub.replicas) || self.hub.replicas <= 1 || (has(self.ledger) && has(self.ledger.postgres))",fieldPath=".hub.replicas",message="more than one replica needs ledger.postgres: an SQLite ledger has one writer"
type CommunitySpec struct {
	// Title is what people call the community.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=250
	Title string `json:"title"`

	// Audience is who the community is for.
	// +optional
	Audience *CommunityAudience `json:"audience,omitempty"`

	// Stage is how far the community has come, as the organisation sees it; status.assessedStage says what the
	// evidence says.
	// +optional
	Stage Stage `json:"stage,omitempty"`

	// Lead is which team leads the community, and to whom it reports.
	// +optional
	Lead *Lead `json:"lead,omitempty"`

	// Goals are what the organisation hopes for; objectives name one of them.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Goals []Goal `json:"goals,omitempty"`

	// TimeZone is the IANA name, such as Europe/Berlin, in which days, months and dates are meant.
	// +optional
	// +kubebuilder:default=UTC
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`

	// Languages are those that members write in, the most used first. Questions are recognised from texts in de and en.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Languages []Language `json:"languages,omitempty"`

	// Teams are those who carry out responsibilities. Teams are named, persons never.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Teams []Team `json:"teams,omitempty"`

	// Responsibilities are who does what. Each task has exactly one Accountable team; else there is a warning.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	Responsibilities []Responsibility `json:"responsibilities,omitempty"`

	// Stakeholders are those who are to see the value.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Stakeholders []Stakeholder `json:"stakeholders,omitempty"`

	// Parties say whose side people are on; the first rule that matches counts, and whom none matches is a Member. The
	// party is fixed in the facts of each event as of its time.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Parties []PartyRule `json:"parties,omitempty"`

	// Levels say from when somebody is a regular. A newcomer has known history and fewer contributions in all.
	// +optional
	// +kubebuilder:default={"regular": {}}
	Levels Levels `json:"levels,omitzero"`

	// Segments divide members into groups of interest. Each is a value of a metric label, hence at most 8; the first
	// that matches counts.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	Segments []Segment `json:"segments,omitempty"`

	// Value is what a counted case is worth, and what the community costs.
	// +optional
	Value *Value `json:"value,omitempty"`

	// Ledger is where the community's record is kept.
	// +optional
	// +kubebuilder:default={"sqlite": {}}
	Ledger Ledger `json:"ledger,omitzero"`

	// Hub is how the community's hub runs.
	// +optional
	// +kubebuilder:default={"replicas": 1}
	Hub Hub `json:"hub,omitzero"`

	// Connectors is how the connectors of the community's channels run.
	// +optional
	// +kubebuilder:default={"placement": "PerChannel"}
	Connectors Connectors `json:"connectors,omitzero"`

	// Privacy is how long what is kept, and how small a group may be shown.
	// +optional
	// +kubebuilder:default={"minimumGroupSize": 5}
	Privacy Privacy `json:"privacy,omitzero"`
}

// CommunityAudience is who a community is for.
type CommunityAudience struct {
	// Kind of people.
	// +required
	Kind AudienceKind `json:"kind"`

	// Size is how many people could take part, whether or not they do. Persons.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2000000000
	Size int64 `json:"size,omitempty"`

	// Minors says whether people under age may be among them.
	// +optional
	Minors Minors `json:"minors,omitempty"`
}

// AudienceKind is the kind of people a community is for.
//
// +kubebuilder:validation:Enum=Customers;Employees;Partners;Public
type AudienceKind string

// The kinds of audience.
const (
	AudienceCustomers AudienceKind = "Customers"
	AudienceEmployees AudienceKind = "Employees"
	AudiencePartners  AudienceKind = "Partners"
	AudiencePublic    AudienceKind = "Public"
)

// Minors says whether people under age may take part.
//
// +kubebuilder:validation:Enum=None;Possible;Expected
type Minors string

// Whether minors take part.
const (
	MinorsNone     Minors = "None"
	MinorsPossible Minors = "Possible"
	MinorsExpected Minors = "Expected"
)

// Stage is how far a community has come.
//
// +kubebuilder:validation:Enum=Exploring;Growing;InHouse;Embedded
type Stage string

// The stages.
const (
	StageExploring Stage = "Exploring"
	StageGrowing   Stage = "Growing"
	StageInHouse   Stage = "InHouse"
	StageEmbedded  Stage = "Embedded"
)

// Lead is which team leads, and to whom it reports.
type Lead struct {
	// Team is the name of one of spec.teams.
	// +required
	Team Name `json:"team"`

	// ReportsTo names the departments that share the community, such as support and marketing.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	ReportsTo []Name `json:"reportsTo,omitempty"`
}

// Goal is something that the organisation hopes for.
type Goal struct {
	// Name that objectives and stakeholders refer to.
	// +required
	Name Name `json:"name"`

	// Title is the goal in words.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=250
	Title string `json:"title"`

	// Category is the kind of value behind it.
	// +optional
	Category ValueCategory `json:"category,omitempty"`
}

// Team carries out responsibilities.
type Team struct {
	// Name that responsibilities and channels refer to.
	// +required
	Name Name `json:"name"`

	// Party is whose side the team is on.
	// +required
	// +kubebuilder:validation:XValidation:rule="self != 'Bot'",message="a team consists of people: Member, Volunteer, Company or Agency"
	Party Party `json:"party"`
}

// Responsibility says which team does what, and where.
//
// +kubebuilder:validation:XValidation:rule="!has(self.from) || !has(self.until) || self.from < self.until",message="from must be before until"
type Responsibility struct {
	// Task that is carried out, such as Moderation, Content or Reporting.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9]*$`
	Task string `json:"task"`

	// Team is the name of one of spec.teams.
	// +required
	Team Name `json:"team"`

	// Role of the team in this task.
	// +required
	Role ResponsibilityRole `json:"role"`

	// Channels restrict the task to these; all of the community's where left out.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Channels []Name `json:"channels,omitempty"`

	// From is the first day on which this holds.
	// +optional
	From Date `json:"from,omitempty"`

	// Until is the first day on which this holds no longer.
	// +optional
	Until Date `json:"until,omitempty"`
}

// ResponsibilityRole is a team's part in a task.
//
// +kubebuilder:validation:Enum=Accountable;CarriesOut;Consulted;Informed
type ResponsibilityRole string

// The roles in a task. Exactly one team is Accountable.
const (
	RoleAccountable ResponsibilityRole = "Accountable"
	RoleCarriesOut  ResponsibilityRole = "CarriesOut"
	RoleConsulted   ResponsibilityRole = "Consulted"
	RoleInformed    ResponsibilityRole = "Informed"
)

// Stakeholder is somebody's function, to whom the value is reported. It names no person.
type Stakeholder struct {
	// Name that objectives refer to.
	// +required
	Name Name `json:"name"`

	// Function in the organisation, such as Support or Marketing.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Function string `json:"function,omitempty"`

	// Language of reports to them.
	// +optional
	Language Language `json:"language,omitempty"`

	// Goals of spec.goals that they care for.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	Goals []Name `json:"goals,omitempty"`

	// Contact is the address of the role, not of a person. It stays in this resource and is copied nowhere.
	// +optional
	Contact *Contact `json:"contact,omitempty"`
}

// Contact is the address of a role.
type Contact struct {
	// Email address of the role.
	// +required
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:Format=email
	Email string `json:"email"`
}

// PartyRule says whose side the accounts that it matches are on.
//
// +kubebuilder:validation:XValidation:rule="!has(self.from) || !has(self.until) || self.from < self.until",message="from must be before until"
type PartyRule struct {
	// Party of those who match.
	// +required
	Party Party `json:"party"`

	// Match is whom the rule means.
	// +required
	Match PartyMatch `json:"match"`

	// From is the first day on which this holds.
	// +optional
	From Date `json:"from,omitempty"`

	// Until is the first day on which this holds no longer.
	// +optional
	Until Date `json:"until,omitempty"`
}

// PartyMatch says whom a rule means: those who match any entry of any list.
//
// +kubebuilder:validation:AtLeastOneOf=emailDomains;roles;handles
type PartyMatch struct {
	// EmailDomains of verified addresses, such as acme.example; subdomains are not included.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	EmailDomains []string `json:"emailDomains,omitempty"`

	// Roles on the platform, as its connector names them, such as admin or moderator.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=100
	Roles []string `json:"roles,omitempty"`

	// Handles of accounts on the platform, for bots and accounts of a function. Persons are better matched by role.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=100
	Handles []string `json:"handles,omitempty"`
}

// Levels are the thresholds of experience.
type Levels struct {
	// Regular is what makes a regular.
	// +optional
	// +kubebuilder:default={}
	Regular LevelThreshold `json:"regular,omitzero"`
}

// LevelThreshold is reached when both numbers are reached within the time before an event.
type LevelThreshold struct {
	// Contributions is how many messages are needed.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Contributions int32 `json:"contributions,omitempty"`

	// DistinctDays is on how many different days, in the community's time zone, they must have been made.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	DistinctDays int32 `json:"distinctDays,omitempty"`

	// Within is how far back contributions are counted.
	// +optional
	// +kubebuilder:default="365d"
	// +kubebuilder:validation:XValidation:rule="self >= duration('24h')",message="must be at least 1d"
	Within Duration `json:"within,omitempty"`
}

// Segment is a group of members of interest.
type Segment struct {
	// Name is the value of the metric label.
	// +required
	// +kubebuilder:validation:XValidation:rule="self != 'other' && self != 'none'",message="other and none are taken for members outside of every segment"
	Name Name `json:"name"`

	// Title of the segment by language.
	// +optional
	Title Text `json:"title,omitempty"`

	// When a member belongs to it: CEL over author and channel.
	// +required
	When Expression `json:"when"`
}
