// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kith-dev/kith/internal/duration"
)

// MaxDuration is the longest Duration that parses: 100 years. Nothing in this group means anything beyond it, and it
// keeps sums of two durations within the range of time.Duration.
const MaxDuration = duration.Max

// Duration is a length of time: one or more numbers with units, without spaces or signs, such as "90s", "1h30m", "28d"
// or "2w". Units are ms, s, m (minutes), h, d (always 24 h) and w (always 7 d). Fractions ("1.5h") are allowed where no
// d or w is used.
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^(([0-9]{1,5}(\.[0-9]{1,3})?(ms|s|m|h)){1,4}|([0-9]{1,4}(w|d|h|m|s|ms)){1,6})$`
// +kubebuilder:validation:Format=duration
type Duration string

// DurationOf writes d in the largest units that express it exactly, weeks aside ("28d", "1h30m", "0s").
// Anything below a millisecond is dropped.
func DurationOf(d time.Duration) Duration { return Duration(duration.Format(d)) }

// Parse returns the length of time; the empty Duration is 0. It fails on signs, spaces, unknown units and anything
// longer than MaxDuration.
func (d Duration) Parse() (time.Duration, error) {
	if d == "" {
		return 0, nil
	}
	return duration.Parse(string(d))
}

// Date is a calendar day, such as "2026-09-30", in the community's time zone.
//
// +kubebuilder:validation:MaxLength=10
// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
// +kubebuilder:validation:Format=date
type Date string

// In returns the first moment of the day in loc; the empty Date is the zero time.
func (d Date) In(loc *time.Location) (time.Time, error) {
	if d == "" {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, string(d), loc)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a date: write year-month-day, such as 2026-09-30", string(d))
	}
	return at, nil
}

// Amount is a non-negative decimal number written as a string, such as "9" or "0.35": up to nine digits before and four
// after the point.
//
// +kubebuilder:validation:MaxLength=14
// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{1,9}([.][0-9]{1,4})?$')",message="must be a decimal number with at most four digits after the point, such as 9 or 0.35"
type Amount string

// Ratio is a share between "0" and "1" written as a string, such as "0.80": up to four digits after the point.
//
// +kubebuilder:validation:MaxLength=6
// +kubebuilder:validation:Pattern=`^(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$`
type Ratio string

// Micros returns the amount in millionths. It fails on anything that is not a plain non-negative decimal with at most
// nine digits before and six after the point.
func (a Amount) Micros() (int64, error) { return micros(string(a)) }

// Micros returns the ratio in millionths, 0 to 1,000,000.
func (r Ratio) Micros() (int64, error) {
	m, err := micros(string(r))
	if err == nil && m > 1_000_000 {
		return 0, fmt.Errorf("%q is more than 1", string(r))
	}
	return m, err
}

func micros(s string) (int64, error) {
	whole, fraction, dotted := strings.Cut(s, ".")
	if whole == "" || len(whole) > 9 || len(fraction) > 6 || (dotted && fraction == "") ||
		strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not an amount: write a decimal number, such as 9 or 0.35", s)
	}
	return strconv.ParseInt(whole+fraction+strings.Repeat("0", 6-len(fraction)), 10, 64)
}

// Text is one line in several languages: language tag ("de", "en", "pt-BR") to text of at most 250 characters.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=16
// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[a-z]{2,3}(-[A-Z]{2})?$'))",message="keys must be language tags, such as de, en or pt-BR"
type Text map[string]Line

// Line is one line of text for people.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=250
type Line string

// In returns the text in the first of the wanted languages that it has ("de" also finds "de-AT" and the other way
// round), then English, then the first by tag, so that a reader never sees nothing.
func (t Text) In(languages ...string) string {
	for _, want := range append(languages, "en") {
		if line, ok := t[want]; ok {
			return string(line)
		}
		base, _, _ := strings.Cut(want, "-")
		if tag := t.first(func(tag string) bool { return tag == base || strings.HasPrefix(tag, base+"-") }); tag != "" {
			return string(t[tag])
		}
	}
	return string(t[t.first(func(string) bool { return true })])
}

func (t Text) first(match func(tag string) bool) string {
	found := ""
	for tag := range t {
		if match(tag) && (found == "" || tag < found) {
			found = tag
		}
	}
	return found
}

// Language is a language tag, such as "de", "en" or "pt-BR".
//
// +kubebuilder:validation:MaxLength=6
// +kubebuilder:validation:Pattern=`^[a-z]{2,3}(-[A-Z]{2})?$`
type Language string

// Name is the name of something inside a resource, or of another resource in the same namespace: lower-case letters,
// digits and hyphens, at most 63.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
type Name string

// Expression is a CEL expression over the typed variables event, author, thread, parent, channel, variables and now.
// It is compiled with the other resources: a misspelt field is reported with its position.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=2048
type Expression string

// Pattern is a glob over the paths of rooms, such as "support/*": "*" stands for anything but "/", "**" for anything.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=200
type Pattern string

// CommunityReference names the Community that a resource belongs to, in the same namespace.
type CommunityReference struct {
	// Name of the Community: at most 52 characters, as Communities have.
	// +required
	// +kubebuilder:validation:XValidation:rule="size(self) <= 52",message="must be at most 52 characters: no Community has a longer name"
	Name Name `json:"name"`
}

// SecretReference names a Secret in the same namespace. What it must hold is said where it is used.
type SecretReference struct {
	// Name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}

// KeyReference names one key of a Secret or ConfigMap in the same namespace.
type KeyReference struct {
	// Name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`

	// Key inside the object; where it is left out, the key that the field using it names.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$`
	Key string `json:"key,omitempty"`
}

// Party is whose side somebody is on.
//
// +kubebuilder:validation:Enum=Member;Volunteer;Company;Agency;Bot
type Party string

// The parties. Everybody whom no rule of the Community names is a Member.
const (
	PartyMember    Party = "Member"
	PartyVolunteer Party = "Volunteer"
	PartyCompany   Party = "Company"
	PartyAgency    Party = "Agency"
	PartyBot       Party = "Bot"
)

// Level is how experienced a member with known history is.
//
// +kubebuilder:validation:Enum=newcomer;regular
type Level string

// The levels: a regular has reached the Community's threshold, a newcomer has not.
const (
	LevelNewcomer Level = "newcomer"
	LevelRegular  Level = "regular"
)

// ValueCategory is the kind of value that an organisation hopes for.
//
// +kubebuilder:validation:Enum=Acquisition;MarketingCost;SupportCost;LifetimeValue;WorkPerformance;SocialReturn
type ValueCategory string

// The value categories.
const (
	Acquisition     ValueCategory = "Acquisition"
	MarketingCost   ValueCategory = "MarketingCost"
	SupportCost     ValueCategory = "SupportCost"
	LifetimeValue   ValueCategory = "LifetimeValue"
	WorkPerformance ValueCategory = "WorkPerformance"
	SocialReturn    ValueCategory = "SocialReturn"
)
