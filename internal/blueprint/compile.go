// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/expr"
	"github.com/kith-dev/kith/internal/suggest"
)

// Compile makes the blueprint of the one community among the resources, and tells everything that is wrong, ordered by
// place. The blueprint is nil where there is no community, more than one, or one that cannot be used at all. It holds
// whatever is good: a bad resource is left out, together with what cannot be without it. Without a catalogue platforms
// and settings are taken as they are.
func Compile(resources Resources, catalogue Catalogue) (*Blueprint, []Problem) {
	blueprints, problems := CompileAll(resources, catalogue)
	switch {
	case len(blueprints) == 1:
		return blueprints[0], problems
	case len(blueprints) > 1:
		names := make([]string, len(blueprints))
		for i, b := range blueprints {
			names[i] = b.Name
		}
		problems = append(problems, Problem{
			Kind: v1alpha1.KindCommunity, Severity: Error, Reason: v1alpha1.ReasonInvalidSpec,
			Message: "there are several communities: " + strings.Join(names, ", "), Remedy: "give one at a time",
		})
	case len(resources.Communities) == 0:
		problems = append(problems, Problem{
			Kind: v1alpha1.KindCommunity, Severity: Error, Reason: v1alpha1.ReasonReferenceMissing,
			Message: "there is no Community", Remedy: "declare one: everything else belongs to it",
		})
	}
	return nil, problems
}

// CompileAll makes the blueprints of all communities among the resources, ordered by namespace and name.
func CompileAll(resources Resources, catalogue Catalogue) ([]*Blueprint, []Problem) {
	env, err := expr.NewEnv()
	if err != nil {
		return nil, []Problem{{Severity: Error, Message: err.Error()}}
	}
	c := &compiler{catalogue: catalogue, origins: resources.Origins, env: env, rejected: map[Key]bool{}}
	communities := sorted(c, v1alpha1.KindCommunity, resources.Communities)
	channels := sorted(c, v1alpha1.KindChannel, resources.Channels)
	behaviours := sorted(c, v1alpha1.KindBehaviour, resources.Behaviours)
	objectives := sorted(c, v1alpha1.KindObjective, resources.Objectives)

	var blueprints []*Blueprint
	for _, community := range communities {
		one := &unit{compiler: c, community: community}
		for _, r := range channels {
			one.channels = appendIfOf(one.channels, community, r, r.Spec.CommunityRef)
		}
		for _, r := range behaviours {
			one.behaviours = appendIfOf(one.behaviours, community, r, r.Spec.CommunityRef)
		}
		for _, r := range objectives {
			one.objectives = appendIfOf(one.objectives, community, r, r.Spec.CommunityRef)
		}
		if b := one.compile(); b != nil {
			blueprints = append(blueprints, b)
		}
	}
	for _, r := range channels {
		c.communityExists(v1alpha1.KindChannel, r, r.Spec.CommunityRef, communities)
	}
	for _, r := range behaviours {
		c.communityExists(v1alpha1.KindBehaviour, r, r.Spec.CommunityRef, communities)
	}
	for _, r := range objectives {
		c.communityExists(v1alpha1.KindObjective, r, r.Spec.CommunityRef, communities)
	}
	sortProblems(c.problems)
	return blueprints, slices.Compact(c.problems)
}

func appendIfOf[T named](list []T, community *v1alpha1.Community, r T, ref v1alpha1.CommunityReference) []T {
	if r.GetNamespace() == community.Namespace && string(ref.Name) == community.Name {
		return append(list, r)
	}
	return list
}

// compiler is what compiling all communities shares.
type compiler struct {
	catalogue Catalogue
	origins   map[Key]Origin
	env       *expr.Env
	problems  []Problem
	// rejected are resources with an error.
	rejected map[Key]bool
}

// unit is the compilation of one community.
type unit struct {
	*compiler
	community  *v1alpha1.Community
	channels   []*v1alpha1.Channel
	behaviours []*v1alpha1.Behaviour
	objectives []*v1alpha1.Objective

	location *time.Location
	out      *Blueprint
	// compiled are the good behaviours, by name.
	compiled map[string]*compiledBehaviour
}

func (u *unit) compile() *Blueprint {
	u.out = &Blueprint{Version: Version, Namespace: u.community.Namespace, Name: u.community.Name}
	usable := u.compileCommunity()
	u.compileChannels()
	u.compileBehaviours()
	u.compileObjectives()
	if !usable {
		return nil
	}
	return u.out
}

// at reports problems of one resource.
type at struct {
	*compiler
	kind string
	obj  named
}

func (u *unit) at(kind string, obj named) at { return at{u.compiler, kind, obj} }

func (a at) error(path, reason, message, remedy string) {
	a.rejected[Key{a.kind, a.obj.GetNamespace(), a.obj.GetName()}] = true
	a.report(a.kind, a.obj, Problem{Path: path, Severity: Error, Reason: reason, Message: message, Remedy: remedy})
}

func (a at) invalid(path, message, remedy string) {
	a.error(path, v1alpha1.ReasonInvalidSpec, message, remedy)
}

func (a at) warn(path, reason, message, remedy string) {
	a.report(a.kind, a.obj, Problem{Path: path, Severity: Warning, Reason: reason, Message: message, Remedy: remedy})
}

// missing reports a reference to something that is not there.
func (a at) missing(path, what string, name any, known []string) {
	remedy := suggest.For(fmt.Sprint(name), known)
	if remedy == "" {
		remedy = "declare it, or correct the name"
	}
	a.error(path, v1alpha1.ReasonReferenceMissing, fmt.Sprintf("there is no %s %q", what, name), remedy)
}

// bad is whether the resource has an error so far.
func (a at) bad() bool { return a.rejected[Key{a.kind, a.obj.GetNamespace(), a.obj.GetName()}] }

// expression reports what is wrong with an expression.
func (a at) expression(path string, err error) {
	var errs expr.Errors
	if !errors.As(err, &errs) {
		a.error(path, v1alpha1.ReasonInvalidExpression, err.Error(), "")
		return
	}
	for _, e := range errs {
		message := e.Message
		if e.Line > 0 {
			message = fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
		}
		a.error(path, v1alpha1.ReasonInvalidExpression, message, e.Suggestion)
	}
}

// duration reads a length of time; empty is 0.
func (a at) duration(path string, d v1alpha1.Duration) time.Duration {
	parsed, err := d.Parse()
	if err != nil {
		a.invalid(path, err.Error(), "")
	}
	return parsed
}

// date reads a day in the community's time zone; empty is zero.
func (a at) date(path string, d v1alpha1.Date, location *time.Location) time.Time {
	parsed, err := d.In(location)
	if err != nil {
		a.invalid(path, err.Error(), "")
	}
	return parsed.UTC()
}

// amounts checks low ≤ mid ≤ high.
func (a at) amounts(path string, low, mid, high v1alpha1.Amount) Range {
	var micros [3]int64
	for i, amount := range []v1alpha1.Amount{low, mid, high} {
		var err error
		if micros[i], err = amount.Micros(); err != nil {
			a.invalid(path+"."+[]string{"low", "mid", "high"}[i], err.Error(), "")
			return Range{}
		}
	}
	if micros[0] > micros[1] || micros[1] > micros[2] {
		a.invalid(path, fmt.Sprintf("low %s, mid %s and high %s are not in this order", low, mid, high),
			"low must not be more than mid, and mid not more than high")
	}
	return Range{Low: string(low), Mid: string(mid), High: string(high)}
}

func (c *compiler) report(kind string, obj named, p Problem) {
	p.Kind, p.Namespace, p.Name = kind, obj.GetNamespace(), obj.GetName()
	if origin, known := c.origins[Key{kind, p.Namespace, p.Name}]; known {
		p.File = origin.File
		if origin.Line != nil {
			p.Line = origin.Line(p.Path)
		}
	}
	c.problems = append(c.problems, p)
}

func (c *compiler) communityExists(kind string, obj named, ref v1alpha1.CommunityReference, communities []*v1alpha1.Community) {
	var here []string
	for _, community := range communities {
		if community.Namespace != obj.GetNamespace() {
			continue
		}
		if community.Name == string(ref.Name) {
			return
		}
		here = append(here, community.Name)
	}
	at{c, kind, obj}.missing("spec.communityRef.name", "Community", ref.Name, here)
}

func names[T any](list []T, name func(T) v1alpha1.Name) []string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = string(name(item))
	}
	return out
}

func texts[S ~string](list []S) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = string(item)
	}
	return out
}

// set is a list whose order means nothing, in one order and without repetitions.
func set[S ~string](list []S) []string {
	out := texts(list)
	slices.Sort(out)
	return slices.Compact(out)
}

func title(t v1alpha1.Text) map[string]string {
	if len(t) == 0 {
		return nil
	}
	out := make(map[string]string, len(t))
	for language, line := range t {
		out[language] = string(line)
	}
	return out
}
