// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"fmt"
	"slices"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/api/v1alpha1"
)

// longest is the length of the longest period of each name, for comparing with retention.
var longest = map[v1alpha1.CalendarPeriod]time.Duration{
	v1alpha1.CalendarWeek: 7 * 24 * time.Hour, v1alpha1.CalendarMonth: 31 * 24 * time.Hour,
	v1alpha1.CalendarQuarter: 92 * 24 * time.Hour, v1alpha1.CalendarYear: 366 * 24 * time.Hour,
}

func (u *unit) compileObjectives() {
	for _, o := range u.objectives {
		a := u.at(v1alpha1.KindObjective, o)
		out := u.objective(a, o)
		if !a.bad() {
			u.out.Objectives = append(u.out.Objectives, out)
		}
	}
}

func (u *unit) objective(a at, o *v1alpha1.Objective) Objective {
	spec := &o.Spec
	out := Objective{
		Name: o.Name, Goal: string(spec.Goal), Statement: spec.Statement, Stakeholders: set(spec.Stakeholders),
		Share: string(spec.Indicator.Share), Count: string(spec.Indicator.Count),
		AtLeast: string(spec.Target.AtLeast), AtMost: string(spec.Target.AtMost),
		MinimumCases: int(spec.MinimumCases), Calendar: string(spec.Window.Calendar),
		Rolling: a.duration("spec.window.rolling", spec.Window.Rolling),
	}
	if out.MinimumCases == 0 {
		out.MinimumCases = 20
	}
	u.agreedWith(a, spec)
	u.window(a, spec, out.Rolling)
	u.target(a, out)
	behaviour := u.indicator(a, &out)
	u.audience(a, spec.Audience, behaviour, &out)
	if behaviour != nil {
		u.refuseActivity(a, spec.ActivityBecause, behaviour, &out)
	}
	return out
}

// agreedWith checks what the objective names of its community.
func (u *unit) agreedWith(a at, spec *v1alpha1.ObjectiveSpec) {
	community := &u.community.Spec
	goals := names(community.Goals, func(g v1alpha1.Goal) v1alpha1.Name { return g.Name })
	stakeholders := names(community.Stakeholders, func(s v1alpha1.Stakeholder) v1alpha1.Name { return s.Name })
	teams := names(community.Teams, func(t v1alpha1.Team) v1alpha1.Name { return t.Name })
	if spec.Goal != "" && !slices.Contains(goals, string(spec.Goal)) {
		a.missing("spec.goal", "goal", spec.Goal, goals)
	}
	for i, s := range spec.Stakeholders {
		if !slices.Contains(stakeholders, string(s)) {
			a.missing(fmt.Sprintf("spec.stakeholders[%d]", i), "stakeholder", s, stakeholders)
		}
	}
	for i, agreement := range spec.Agreed {
		if !slices.Contains(stakeholders, string(agreement.Stakeholder)) {
			a.missing(fmt.Sprintf("spec.agreed[%d].stakeholder", i), "stakeholder", agreement.Stakeholder, stakeholders)
		}
		a.date(fmt.Sprintf("spec.agreed[%d].on", i), agreement.On, u.location)
	}
	if spec.Approach == nil {
		return
	}
	a.date("spec.approach.reviewOn", spec.Approach.ReviewOn, u.location)
	for i, step := range spec.Approach.Steps {
		if step.Who != "" && !slices.Contains(teams, string(step.Who)) {
			a.missing(fmt.Sprintf("spec.approach.steps[%d].who", i), "team", step.Who, teams)
		}
		a.date(fmt.Sprintf("spec.approach.steps[%d].by", i), step.By, u.location)
	}
}

func (u *unit) window(a at, spec *v1alpha1.ObjectiveSpec, rolling time.Duration) {
	if (rolling > 0) == (spec.Window.Calendar != "") {
		if !a.bad() {
			a.invalid("spec.window", "exactly one of rolling and calendar is needed", "give a duration such as 28d, or a period such as Quarter")
		}
		return
	}
	length, path := rolling, "spec.window.rolling"
	if spec.Window.Calendar != "" {
		length, path = longest[spec.Window.Calendar], "spec.window.calendar"
	}
	if retention := u.out.Privacy.ActivityRetention; length > retention {
		a.invalid(path, fmt.Sprintf("it is longer than the %s for which the community keeps activity", v1alpha1.DurationOf(retention)),
			"shorten the window, or keep activity longer (privacy.activityRetention)")
	}
}

func (u *unit) target(a at, out Objective) {
	if (out.AtLeast != "") == (out.AtMost != "") {
		a.invalid("spec.target", "exactly one of atLeast and atMost is needed", "give one of them")
		return
	}
	path, amount := "spec.target.atLeast", out.AtLeast
	if amount == "" {
		path, amount = "spec.target.atMost", out.AtMost
	}
	micros, err := v1alpha1.Amount(amount).Micros()
	if err != nil {
		a.invalid(path, err.Error(), "")
	} else if out.Share != "" && micros > 1_000_000 {
		a.invalid(path, fmt.Sprintf("%s is no share", amount), "write a ratio between 0 and 1, such as 0.80")
	}
}

// indicator finds the behaviour; nil where there is none that can be used.
func (u *unit) indicator(a at, out *Objective) *compiledBehaviour {
	if (out.Share != "") == (out.Count != "") {
		a.invalid("spec.indicator", "exactly one of share and count is needed", "name a behaviour in one of them")
		return nil
	}
	path, name := "spec.indicator.share", out.Share
	if name == "" {
		path, name = "spec.indicator.count", out.Count
	}
	behaviour := u.compiled[name]
	switch {
	case behaviour == nil && slices.Contains(u.behaviourNames(), name):
		a.error(path, v1alpha1.ReasonDependencyNotAccepted, fmt.Sprintf("Behaviour %q is not accepted", name), "correct that one first")
	case behaviour == nil:
		a.missing(path, "Behaviour", name, u.behaviourNames())
	case out.Share != "" && behaviour.basis == nil:
		a.invalid(path, fmt.Sprintf("Behaviour %q has no of: there is nothing that it could be a share of", name),
			"name a behaviour with of, or count this one")
	case behaviour.out.Role == RoleBasis:
		a.invalid(path, fmt.Sprintf("Behaviour %q is a basis: a denominator only", name), "name a behaviour of role Value")
	default:
		return behaviour
	}
	return nil
}

func (u *unit) audience(a at, audience *v1alpha1.ObjectiveAudience, behaviour *compiledBehaviour, out *Objective) {
	if audience == nil {
		return
	}
	segments := names(u.community.Spec.Segments, func(s v1alpha1.Segment) v1alpha1.Name { return s.Name })
	channels := names(u.channels, func(c *v1alpha1.Channel) v1alpha1.Name { return v1alpha1.Name(c.Name) })
	for i, s := range audience.Segments {
		path := fmt.Sprintf("spec.audience.segments[%d]", i)
		switch {
		case !slices.Contains(segments, string(s)):
			a.missing(path, "segment", s, segments)
		case !slices.ContainsFunc(u.out.Segments, func(good Segment) bool { return good.Name == string(s) }):
			a.error(path, v1alpha1.ReasonDependencyNotAccepted, fmt.Sprintf("segment %q is not accepted", s), "correct it in the Community")
		}
	}
	for i, c := range audience.Channels {
		path := fmt.Sprintf("spec.audience.channels[%d]", i)
		switch {
		case !slices.Contains(channels, string(c)):
			a.missing(path, "Channel", c, channels)
		case !slices.ContainsFunc(u.out.Channels, func(good Channel) bool { return good.Name == string(c) }):
			a.error(path, v1alpha1.ReasonDependencyNotAccepted, fmt.Sprintf("Channel %q is not accepted", c), "correct that one first")
		}
	}
	out.Audience = Audience{
		Who: orDefault(string(audience.Who), string(v1alpha1.SideCredit)), Segments: set(audience.Segments), Channels: set(audience.Channels),
	}
	for _, level := range set(audience.Levels) {
		out.Audience.Levels = append(out.Audience.Levels, event.Level(level))
	}
	for _, party := range set(audience.Parties) {
		out.Audience.Parties = append(out.Audience.Parties, event.Party(party))
	}
	u.audienceHasSide(a, behaviour, out.Audience)
}

// audienceHasSide refuses to look for people on a side that the behaviour leaves empty: nobody would ever match.
func (u *unit) audienceHasSide(a at, behaviour *compiledBehaviour, audience Audience) {
	if behaviour == nil || len(audience.Levels)+len(audience.Segments)+len(audience.Parties) == 0 {
		return
	}
	field, side := "credit", behaviour.out.Credit
	if audience.Who == string(v1alpha1.SideBenefits) {
		field, side = "benefits", behaviour.out.Benefits
	}
	if side == CreditNone {
		a.invalid("spec.audience.who", fmt.Sprintf("Behaviour %q says nothing of %s, so that nobody matches", behaviour.out.Name, field),
			"give the behaviour "+field+", or look at the other side")
	}
}

// refuseActivity is the vanity guard: an objective on activity needs a stated reason, which is printed wherever it shows.
func (u *unit) refuseActivity(a at, because string, behaviour *compiledBehaviour, out *Objective) {
	path, culprit := "spec.indicator.count", behaviour
	if out.Share != "" {
		path = "spec.indicator.share"
		for basis := behaviour.basis; basis != nil && culprit.finding != activity; basis = basis.basis {
			culprit = basis
		}
	}
	switch {
	case culprit.finding != activity && because != "":
		a.warn("spec.activityBecause", v1alpha1.ReasonActivityStated, "it has no meaning: the indicator counts no activity", "remove it")
	case culprit.finding != activity:
	case because != "":
		out.ActivityBecause = because
		a.warn("spec.activityBecause", v1alpha1.ReasonActivityStated,
			fmt.Sprintf("Behaviour %q counts activity, and is let through for the reason stated", culprit.out.Name), "")
	default:
		a.error(path, v1alpha1.ReasonCountsActivity,
			fmt.Sprintf("Behaviour %q counts activity: on %s it holds where nobody but its author is involved", culprit.out.Name, culprit.about),
			dependOnOthers+"; or state in activityBecause why it must be so")
	}
}
