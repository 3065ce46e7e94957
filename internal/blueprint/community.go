// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/api/v1alpha1"
)

// MaxSegments is how many segments a community may have: each is a value of a metric label.
const MaxSegments = 8

// compileCommunity reports whether the community can be used at all. A bad segment, factor or rule only leaves itself out.
func (u *unit) compileCommunity() bool {
	a := u.at(v1alpha1.KindCommunity, u.community)
	spec := &u.community.Spec
	u.out.Title, u.out.TimeZone, u.out.Languages = spec.Title, spec.TimeZone, texts(spec.Languages)
	if u.out.TimeZone == "" {
		u.out.TimeZone = "UTC"
	}
	if spec.Audience != nil {
		u.out.AudienceKind = string(spec.Audience.Kind)
	}
	usable := u.timeZone(a)
	usable = u.privacy(a) && usable
	u.languages(a)
	u.levels(a)
	u.parties(a)
	u.segments(a)
	u.value(a)
	u.people(a)
	return usable
}

func (u *unit) timeZone(a at) bool {
	location, err := time.LoadLocation(u.out.TimeZone)
	if err != nil || u.out.TimeZone == "Local" {
		u.location = time.UTC
		a.invalid("spec.timeZone", fmt.Sprintf("%q is not a time zone", u.out.TimeZone),
			"write an IANA name, such as Europe/Berlin or UTC")
		return false
	}
	u.location = location
	return true
}

func (u *unit) languages(a at) {
	for i, tag := range u.community.Spec.Languages {
		if _, err := language.Parse(string(tag)); err != nil {
			a.invalid(fmt.Sprintf("spec.languages[%d]", i), fmt.Sprintf("%q is not a language", tag), "write a tag such as de or en")
		}
	}
}

func (u *unit) privacy(a at) bool {
	p := &u.community.Spec.Privacy
	u.out.Privacy = Privacy{
		TextRetention:     a.duration("spec.privacy.textRetention", orDuration(p.TextRetention, "90d")),
		ActivityRetention: a.duration("spec.privacy.activityRetention", orDuration(p.ActivityRetention, "750d")),
		CaseRetention:     a.duration("spec.privacy.caseRetention", orDuration(p.CaseRetention, "240d")),
		MinimumGroupSize:  int(p.MinimumGroupSize),
		Linking:           string(p.Linking),
	}
	if u.out.Privacy.MinimumGroupSize == 0 {
		u.out.Privacy.MinimumGroupSize = 5
	}
	if u.out.Privacy.TextRetention > u.out.Privacy.ActivityRetention {
		a.invalid("spec.privacy.textRetention", "it is longer than activityRetention", "shorten it, or keep activity longer")
	}
	return !a.bad()
}

func orDuration(d, otherwise v1alpha1.Duration) v1alpha1.Duration {
	if d == "" {
		return otherwise
	}
	return d
}

func (u *unit) levels(a at) {
	regular := u.community.Spec.Levels.Regular
	u.out.Levels = Levels{
		Contributions: int(regular.Contributions), DistinctDays: int(regular.DistinctDays),
		Within: a.duration("spec.levels.regular.within", orDuration(regular.Within, "365d")),
	}
	if u.out.Levels.Contributions == 0 {
		u.out.Levels.Contributions = 5
	}
	if u.out.Levels.DistinctDays == 0 {
		u.out.Levels.DistinctDays = 3
	}
	if u.out.Levels.DistinctDays > u.out.Levels.Contributions {
		a.warn("spec.levels.regular", v1alpha1.ReasonInvalidSpec,
			fmt.Sprintf("%d distinct days need at least as many contributions", u.out.Levels.DistinctDays),
			"raise contributions, or lower distinctDays")
	}
	if u.out.Levels.Within > u.out.Privacy.ActivityRetention {
		a.warn("spec.levels.regular.within", v1alpha1.ReasonInvalidSpec, "it is longer than privacy.activityRetention",
			"shorten it: what is older is forgotten")
	}
}

func (u *unit) parties(a at) {
	for i, rule := range u.community.Spec.Parties {
		path := fmt.Sprintf("spec.parties[%d]", i)
		from := a.date(path+".from", rule.From, u.location)
		until := a.date(path+".until", rule.Until, u.location)
		if len(rule.Match.EmailDomains)+len(rule.Match.Roles)+len(rule.Match.Handles) == 0 {
			a.invalid(path+".match", "it matches nobody", "give emailDomains, roles or handles")
			continue
		}
		u.out.Parties = append(u.out.Parties, PartyRule{
			Party: event.Party(rule.Party), EmailDomains: set(rule.Match.EmailDomains), Roles: set(rule.Match.Roles),
			Handles: set(rule.Match.Handles), From: from, Until: until,
		})
	}
}

// segments may look at the author and the channel only: they divide people, not messages.
func (u *unit) segments(a at) {
	for i, s := range u.community.Spec.Segments {
		path := fmt.Sprintf("spec.segments[%d]", i)
		if i >= MaxSegments {
			a.invalid("spec.segments", fmt.Sprintf("there are %d segments", len(u.community.Spec.Segments)),
				fmt.Sprintf("keep %d: each is a value of a metric label", MaxSegments))
			break
		}
		program, err := u.env.Compile(string(s.When))
		if err != nil {
			a.expression(path+".when", err)
			continue
		}
		foreign := slices.DeleteFunc(program.Reads(), func(read string) bool {
			return read == "now" || strings.HasPrefix(read, "channel.") ||
				(strings.HasPrefix(read, "author.") && read != "author.segments")
		})
		if len(foreign) > 0 {
			a.error(path+".when", v1alpha1.ReasonInvalidExpression,
				"it reads "+strings.Join(foreign, ", "), "a segment divides people: use fields of author and channel only")
			continue
		}
		u.out.Segments = append(u.out.Segments, Segment{Name: string(s.Name), Title: title(s.Title), When: string(s.When)})
	}
	slices.SortFunc(u.out.Segments, func(x, y Segment) int { return strings.Compare(x.Name, y.Name) })
}

func (u *unit) value(a at) {
	value := u.community.Spec.Value
	if value == nil {
		return
	}
	u.out.Currency = value.Currency
	if _, err := currency.ParseISO(value.Currency); err != nil {
		a.invalid("spec.value.currency", fmt.Sprintf("%q is not a currency", value.Currency), "write an ISO 4217 code, such as EUR")
	}
	for i, f := range value.Factors {
		path := fmt.Sprintf("spec.value.factors[%d]", i)
		before := len(a.problems)
		amounts := a.amounts(path, f.Low, f.Mid, f.High)
		a.date(path+".measuredOn", f.MeasuredOn, u.location)
		if len(a.problems) > before {
			continue
		}
		u.out.Factors = append(u.out.Factors, Factor{
			Name: string(f.Name), Category: string(f.Category), Unit: f.Unit, Range: amounts, Source: string(f.Source),
			MeasuredOn: string(f.MeasuredOn),
		})
	}
	slices.SortFunc(u.out.Factors, func(x, y Factor) int { return strings.Compare(x.Name, y.Name) })
	for i, c := range value.Costs {
		path := fmt.Sprintf("spec.value.costs[%d]", i)
		if _, err := c.Amount.Micros(); err != nil {
			a.invalid(path+".amount", err.Error(), "")
			continue
		}
		u.out.Costs = append(u.out.Costs, Cost{
			Kind: string(c.Kind), Amount: string(c.Amount), Per: string(c.Per),
			From: a.date(path+".from", c.From, u.location), Until: a.date(path+".until", c.Until, u.location),
		})
	}
}

// people checks teams, responsibilities and stakeholders. They stay in the resource: no blueprint needs them.
func (u *unit) people(a at) {
	spec := &u.community.Spec
	teams := names(spec.Teams, func(t v1alpha1.Team) v1alpha1.Name { return t.Name })
	goals := names(spec.Goals, func(g v1alpha1.Goal) v1alpha1.Name { return g.Name })
	channels := names(u.channels, func(c *v1alpha1.Channel) v1alpha1.Name { return v1alpha1.Name(c.Name) })
	if spec.Lead != nil && !slices.Contains(teams, string(spec.Lead.Team)) {
		a.missing("spec.lead.team", "team", spec.Lead.Team, teams)
	}
	for i, r := range spec.Responsibilities {
		path := fmt.Sprintf("spec.responsibilities[%d]", i)
		if !slices.Contains(teams, string(r.Team)) {
			a.missing(path+".team", "team", r.Team, teams)
		}
		for j, channel := range r.Channels {
			if !slices.Contains(channels, string(channel)) {
				a.missing(fmt.Sprintf("%s.channels[%d]", path, j), "Channel", channel, channels)
			}
		}
		a.date(path+".from", r.From, u.location)
		a.date(path+".until", r.Until, u.location)
	}
	for i, s := range spec.Stakeholders {
		for j, goal := range s.Goals {
			if !slices.Contains(goals, string(goal)) {
				a.missing(fmt.Sprintf("spec.stakeholders[%d].goals[%d]", i, j), "goal", goal, goals)
			}
		}
	}
	u.accountable(a)
}

// accountable warns where nobody, or more than one team at once, answers for a task.
func (u *unit) accountable(a at) {
	all := u.community.Spec.Responsibilities
	var tasks []string
	for _, r := range all {
		tasks = append(tasks, r.Task)
	}
	slices.Sort(tasks)
	for _, task := range slices.Compact(tasks) {
		var accountable []int
		for i, r := range all {
			if r.Task == task && r.Role == v1alpha1.RoleAccountable {
				accountable = append(accountable, i)
			}
		}
		if len(accountable) == 0 {
			a.warn("spec.responsibilities", v1alpha1.ReasonOwnerMissing, fmt.Sprintf("no team is Accountable for %s", task),
				"give one of its teams the role Accountable")
		}
		for n, i := range accountable {
			for _, j := range accountable[n+1:] {
				if overlap(all[i], all[j]) {
					a.warn(fmt.Sprintf("spec.responsibilities[%d]", j), v1alpha1.ReasonOwnerMissing,
						fmt.Sprintf("both %s and %s are Accountable for %s", all[i].Team, all[j].Team, task),
						"leave one, or divide it by channels or time")
				}
			}
		}
	}
}

// overlap is whether two responsibilities hold for the same channel at the same time.
func overlap(x, y v1alpha1.Responsibility) bool {
	before := func(until, from v1alpha1.Date) bool { return until != "" && from != "" && until <= from }
	if before(x.Until, y.From) || before(y.Until, x.From) {
		return false
	}
	return len(x.Channels) == 0 || len(y.Channels) == 0 ||
		slices.ContainsFunc(x.Channels, func(c v1alpha1.Name) bool { return slices.Contains(y.Channels, c) })
}
