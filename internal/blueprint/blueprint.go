// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"time"

	"github.com/kith-dev/kith/api/event"
)

// Blueprint is the compiled form of one community. All slices are sorted by name; Encode gives canonical JSON.
// Expressions are kept as source, already checked; who runs them compiles them once.
type Blueprint struct {
	// Version of this form.
	Version   int    `json:"version"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Title     string `json:"title,omitempty"`
	// AudienceKind is Customers, Employees, Partners or Public.
	AudienceKind string   `json:"audienceKind,omitempty"`
	TimeZone     string   `json:"timeZone"`
	Languages    []string `json:"languages,omitempty"`

	Parties  []PartyRule `json:"parties,omitempty"`
	Levels   Levels      `json:"levels"`
	Segments []Segment   `json:"segments,omitempty"`
	Factors  []Factor    `json:"factors,omitempty"`
	Currency string      `json:"currency,omitempty"`
	Costs    []Cost      `json:"costs,omitempty"`
	Privacy  Privacy     `json:"privacy"`

	Channels   []Channel   `json:"channels,omitempty"`
	Behaviours []Behaviour `json:"behaviours,omitempty"`
	Objectives []Objective `json:"objectives,omitempty"`
}

// PartyRule says whose side somebody is on: the first rule that matches wins, in the order given.
type PartyRule struct {
	Party        event.Party `json:"party"`
	EmailDomains []string    `json:"emailDomains,omitempty"`
	Roles        []string    `json:"roles,omitempty"`
	Handles      []string    `json:"handles,omitempty"`
	// From and Until bound the rule in time, zero means open; Until is exclusive.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Levels says when somebody counts as a regular: Contributions on DistinctDays within Within. A newcomer has fewer
// than Contributions in all.
type Levels struct {
	Contributions int           `json:"contributions"`
	DistinctDays  int           `json:"distinctDays"`
	Within        time.Duration `json:"within"`
}

// Segment is a label of its own in metrics, for authors for whom When holds.
type Segment struct {
	Name  string            `json:"name"`
	Title map[string]string `json:"title,omitempty"`
	When  string            `json:"when"`
}

// Range is an amount with its honesty: decimal strings, low ≤ mid ≤ high.
type Range struct {
	Low  string `json:"low"`
	Mid  string `json:"mid"`
	High string `json:"high"`
}

// Factor is what one unit is worth, in the community's currency.
type Factor struct {
	Name     string `json:"name"`
	Category string `json:"category"`
	Unit     string `json:"unit"`
	Range
	Source     string `json:"source"`
	MeasuredOn string `json:"measuredOn,omitempty"`
}

// Cost is what the community costs.
type Cost struct {
	Kind   string    `json:"kind"`
	Amount string    `json:"amount"`
	Per    string    `json:"per"`
	From   time.Time `json:"from,omitzero"`
	Until  time.Time `json:"until,omitzero"`
}

// Privacy holds what retention and disclosure follow.
type Privacy struct {
	TextRetention     time.Duration `json:"textRetention"`
	ActivityRetention time.Duration `json:"activityRetention"`
	CaseRetention     time.Duration `json:"caseRetention"`
	MinimumGroupSize  int           `json:"minimumGroupSize"`
	Linking           string        `json:"linking,omitempty"`
}

// Channel is what the reader and the hub need of a channel.
type Channel struct {
	Name     string `json:"name"`
	Platform string `json:"platform"`
	URL      string `json:"url"`
	Team     string `json:"team,omitempty"`
	// Party of the owning team is not needed here; Hosting is Own or Platform.
	Hosting  string         `json:"hosting,omitempty"`
	Rooms    Rooms          `json:"rooms"`
	Since    Since          `json:"since"`
	Poll     time.Duration  `json:"poll"`
	Settings map[string]any `json:"settings,omitempty"`
	// CredentialsSecret is the name of the Secret, empty where none is needed.
	CredentialsSecret string `json:"credentialsSecret,omitempty"`
	ProxyURL          string `json:"proxyURL,omitempty"`
	// CASecret and CAKey name where a private CA's certificate is.
	CASecret string `json:"caSecret,omitempty"`
	CAKey    string `json:"caKey,omitempty"`
	Suspend  bool   `json:"suspend,omitempty"`
}

// Rooms are the declared patterns of a channel (see sdk.MatchRoom).
type Rooms struct {
	Include   []string `json:"include,omitempty"`
	Exclude   []string `json:"exclude,omitempty"`
	Questions []string `json:"questions,omitempty"`
	Feedback  []string `json:"feedback,omitempty"`
	HowTo     []string `json:"howTo,omitempty"`
}

// Since is the horizon of history: exactly one of All, Duration, Date.
type Since struct {
	All      bool          `json:"all,omitempty"`
	Duration time.Duration `json:"duration,omitempty"`
	Date     time.Time     `json:"date,omitzero"`
}

// Role of a behaviour.
const (
	RoleValue = "Value"
	RoleBasis = "Basis"
)

// Whose deed, whose benefit.
const (
	CreditAuthor         = "Author"
	CreditThreadAuthor   = "ThreadAuthor"
	CreditReporter       = "Reporter"
	CreditNone           = "None"
	BenefitsThreadAuthor = "ThreadAuthor"
	BenefitsParentAuthor = "ParentAuthor"
	BenefitsAuthor       = "Author"
	BenefitsNone         = "None"
)

// Scopes within which a behaviour counts once.
const (
	PerEvent        = "Event"
	PerThread       = "Thread"
	PerMember       = "Member"
	PerPair         = "Pair"
	PerPairInThread = "PairInThread"
)

// Behaviour is a compiled behaviour.
type Behaviour struct {
	Name string `json:"name"`
	// Generation tells definitions of the same name apart: a digest of what counts (not of titles), so that an
	// unchanged definition keeps it.
	Generation string            `json:"generation"`
	Title      map[string]string `json:"title,omitempty"`
	Family     string            `json:"family"`
	Role       string            `json:"role"`

	// On are the triggers; After belongs to ThreadAged.
	On    []event.Kind  `json:"on,omitempty"`
	After time.Duration `json:"after,omitempty"`
	// Of is the basis; the rest of the group belongs to it.
	Of          string        `json:"of,omitempty"`
	Among       string        `json:"among,omitempty"`
	CompletedBy []event.Kind  `json:"completedBy,omitempty"`
	Within      time.Duration `json:"within,omitempty"`

	Variables []Variable `json:"variables,omitempty"`
	When      string     `json:"when,omitempty"`
	Confirm   string     `json:"confirm,omitempty"`
	// ReadsText: the outcome of When or Confirm depends on texts, which go after a while; outcomes are recorded.
	ReadsText bool `json:"readsText,omitempty"`

	Credit   string        `json:"credit"`
	Benefits string        `json:"benefits"`
	Per      Per           `json:"per"`
	Settle   time.Duration `json:"settle,omitempty"`
	Worth    []Worth       `json:"worth,omitempty"`
}

// Variable is a named part of the expressions of one behaviour.
type Variable struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
}

// Per is the scope within which a case counts once; Within zero means once ever.
type Per struct {
	Scope  string        `json:"scope"`
	Within time.Duration `json:"within,omitempty"`
}

// Worth is how many units of a factor one occurrence is worth.
type Worth struct {
	Factor string `json:"factor"`
	Range
}

// Objective is a compiled objective.
type Objective struct {
	Name         string   `json:"name"`
	Goal         string   `json:"goal,omitempty"`
	Statement    string   `json:"statement"`
	Stakeholders []string `json:"stakeholders,omitempty"`
	Audience     Audience `json:"audience"`
	// Share is the behaviour whose share of its basis is looked at; or Count. Exactly one is set.
	Share string `json:"share,omitempty"`
	Count string `json:"count,omitempty"`
	// AtLeast or AtMost: a decimal string; a ratio for a share, a number for a count.
	AtLeast      string `json:"atLeast,omitempty"`
	AtMost       string `json:"atMost,omitempty"`
	MinimumCases int    `json:"minimumCases"`
	// Rolling or Calendar (Week, Month, Quarter, Year).
	Rolling  time.Duration `json:"rolling,omitempty"`
	Calendar string        `json:"calendar,omitempty"`
	// ActivityBecause is the stated reason that let an activity indicator through; printed wherever it is shown.
	ActivityBecause string `json:"activityBecause,omitempty"`
}

// Audience narrows an objective to cases whose credited (Credit) or benefiting (Benefits) member is of it. Empty
// lists do not narrow.
type Audience struct {
	Who      string        `json:"who,omitempty"`
	Levels   []event.Level `json:"levels,omitempty"`
	Segments []string      `json:"segments,omitempty"`
	Parties  []event.Party `json:"parties,omitempty"`
	Channels []string      `json:"channels,omitempty"`
}
