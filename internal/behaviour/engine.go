// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"fmt"
	"slices"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/expr"
	"github.com/kith-dev/kith/internal/ledger"
)

// Engine is a blueprint with its expressions compiled, ready to look at events. It has no state.
type Engine struct {
	Blueprint *blueprint.Blueprint
	Digest    string

	rules     []*rule
	byName    map[string]*rule
	byTrigger map[event.Kind][]*rule
	byBasis   map[string][]*rule
	segments  []segment
	// ages are the distinct ages (ms) at which threads are looked at.
	ages      []int64
	needTitle bool
}

type rule struct {
	*blueprint.Behaviour
	when, confirm, among *expr.Program
}

type segment struct {
	name string
	when *expr.Program
}

// parts of a rule whose outcome may be recorded.
const (
	partWhen = iota
	partConfirm
	partAmong
)

// NewEngine compiles the expressions of a blueprint. The compiler has checked them already: an error here means that
// the blueprint comes from another version.
func NewEngine(bp *blueprint.Blueprint, digest string) (*Engine, error) {
	g := &Engine{Blueprint: bp, Digest: digest, byName: map[string]*rule{}, byTrigger: map[event.Kind][]*rule{}, byBasis: map[string][]*rule{}}
	for i := range bp.Behaviours {
		b := &bp.Behaviours[i]
		r := &rule{Behaviour: b}
		for _, part := range []struct {
			into   **expr.Program
			source string
		}{{&r.when, b.When}, {&r.confirm, b.Confirm}, {&r.among, b.Among}} {
			if part.source == "" {
				continue
			}
			p, err := expr.Compile(part.source, variables(b.Variables)...)
			if err != nil {
				return nil, fmt.Errorf("behaviour %s: %w", b.Name, err)
			}
			*part.into = p
			g.needTitle = g.needTitle || slices.ContainsFunc(p.Reads(), func(f string) bool { return f == "event.title" || f == "thread.title" })
		}
		g.rules = append(g.rules, r)
		g.byName[b.Name] = r
		if b.Of != "" {
			g.byBasis[b.Of] = append(g.byBasis[b.Of], r)
			continue
		}
		for _, k := range b.On {
			g.byTrigger[k] = append(g.byTrigger[k], r)
			if k == event.ThreadAged && !slices.Contains(g.ages, b.After.Milliseconds()) {
				g.ages = append(g.ages, b.After.Milliseconds())
			}
		}
	}
	slices.Sort(g.ages)
	for _, s := range bp.Segments {
		p, err := expr.Compile(s.When)
		if err != nil {
			return nil, fmt.Errorf("segment %s: %w", s.Name, err)
		}
		g.segments = append(g.segments, segment{s.Name, p})
	}
	return g, nil
}

func variables(list []blueprint.Variable) []expr.Variable {
	out := make([]expr.Variable, len(list))
	for i, v := range list {
		out[i] = expr.Variable{Name: v.Name, Expression: v.Expression}
	}
	return out
}

// deadline is how long after it arose a case may be fulfilled (ms).
func (g *Engine) deadline(r *rule) int64 {
	if r.Within != 0 {
		return r.Within.Milliseconds()
	}
	if basis := g.byName[r.Of]; basis != nil {
		return max(basis.After, basis.Settle).Milliseconds()
	}
	return 0
}

// Ages are the distinct ages (ms) at which threads are looked at.
func (g *Engine) Ages() []int64 { return g.ages }

// Segments gives the function that tells which of the community's segments hold for a member; nil where it has none.
func (g *Engine) Segments(r *Run) func(*event.Facts, *ledger.Stats, int64) ([]string, error) {
	if len(g.segments) == 0 {
		return nil
	}
	return func(f *event.Facts, s *ledger.Stats, at int64) ([]string, error) {
		author, err := r.person(s.Member, f, at)
		if err != nil {
			return nil, err
		}
		in := &expr.Input{Event: &expr.Event{Text: noText, LinksToSolved: never, ThankedByAsker: never, By: &expr.Person{}}, Author: author,
			Thread: emptyThread, Parent: emptyParent, Channel: r.channelVar(), Now: timeOf(at)}
		var out []string
		for _, segment := range g.segments {
			ok, err := segment.when.Eval(in)
			if err != nil {
				return nil, fmt.Errorf("segment %s: %w", segment.name, err)
			}
			if ok {
				out = append(out, segment.name)
			}
		}
		return out, nil
	}
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
