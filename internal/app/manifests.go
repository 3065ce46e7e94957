// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/blueprint"
)

// manifests are those of a folder, and remember what was good about them: a broken edit keeps the last good state of the
// resource that it breaks, and of nothing else.
type manifests struct {
	folder string
	// wanted is the community to run, where the folder holds several.
	wanted string
	// good are the resources of the last load that could be used.
	good map[blueprint.Key]resource
}

// resource is one resource with its origin; exactly one of the pointers is set.
type resource struct {
	community *v1alpha1.Community
	channel   *v1alpha1.Channel
	behaviour *v1alpha1.Behaviour
	objective *v1alpha1.Objective
	origin    blueprint.Origin
}

// compiled is what a load came to.
type compiled struct {
	blueprint *blueprint.Blueprint
	community *v1alpha1.Community
	// origins are the files of channels, by name: settings may hold paths relative to them.
	origins  map[string]blueprint.Origin
	problems []blueprint.Problem
	notes    []blueprint.Note
	// kept are resources that an edit broke and whose last good state is still used.
	kept []blueprint.Key
}

// load reads and compiles the folder. The error is about the folder as a whole: it cannot be read, or holds no community
// that could be run; what is wrong with single resources is among the problems, and the rest is good.
func (m *manifests) load() (*compiled, error) {
	loaded, err := blueprint.LoadDir(m.folder)
	if err != nil {
		return nil, err
	}
	now := resources(loaded.Resources)
	out := &compiled{problems: loaded.Problems, notes: loaded.Notes, origins: map[string]blueprint.Origin{}}
	out.keep(now, m.good, loaded.Problems)
	all, problems := blueprint.CompileAll(assemble(now), platforms{})
	// What compiles no more is tried once with its last good state.
	broken := len(out.kept)
	for _, p := range problems {
		key := blueprint.Key{Kind: p.Kind, Namespace: p.Namespace, Name: p.Name}
		if last, had := m.good[key]; had && p.Severity == blueprint.Error && !slices.Contains(out.kept, key) {
			now[key] = last
			out.kept = append(out.kept, key)
		}
	}
	out.problems = append(out.problems, problems...)
	if len(out.kept) > broken {
		all, problems = blueprint.CompileAll(assemble(now), platforms{})
	}
	if err := out.choose(all, m.wanted, now); err != nil {
		return out, err
	}
	m.good = now
	for _, p := range problems {
		if p.Severity == blueprint.Error { // also as it was: what it needs is gone, and it is not kept
			key := blueprint.Key{Kind: p.Kind, Namespace: p.Namespace, Name: p.Name}
			delete(m.good, key)
			out.kept = slices.DeleteFunc(out.kept, func(k blueprint.Key) bool { return k == key })
		}
	}
	return out, nil
}

// keep puts back resources that were good and that a problem has taken out: by name, or because their document could
// not be read at all.
func (c *compiled) keep(now, good map[blueprint.Key]resource, problems []blueprint.Problem) {
	for _, key := range slices.SortedFunc(maps.Keys(good), compareKeys) {
		if _, there := now[key]; there {
			continue
		}
		last := good[key]
		if slices.ContainsFunc(problems, func(p blueprint.Problem) bool {
			return p.Severity == blueprint.Error &&
				(blueprint.Key{Kind: p.Kind, Namespace: p.Namespace, Name: p.Name} == key || (p.Name == "" && p.File == last.origin.File))
		}) {
			now[key] = last
			c.kept = append(c.kept, key)
		}
	}
}

// choose finds the community to run.
func (c *compiled) choose(all []*blueprint.Blueprint, wanted string, now map[blueprint.Key]resource) error {
	var names []string
	for _, b := range all {
		names = append(names, b.Name)
		if wanted == b.Name || (wanted == "" && len(all) == 1) {
			c.blueprint = b
		}
	}
	switch {
	case c.blueprint != nil:
	case len(all) == 0 && slices.ContainsFunc(slices.Collect(maps.Keys(now)), func(k blueprint.Key) bool { return k.Kind == v1alpha1.KindCommunity }),
		len(all) == 0 && blueprint.HasErrors(c.problems):
		return fmt.Errorf("no Community can be used: correct the problems above")
	case len(all) == 0:
		return fmt.Errorf("there is no Community: declare one (kith try ADDRESS ends with an example); everything else belongs to it")
	case wanted != "":
		return fmt.Errorf("there is no Community %q, but %s: name one of them with --community", wanted, strings.Join(names, ", "))
	default:
		return fmt.Errorf("there are several communities (%s), and one is run at a time: name it with --community", strings.Join(names, ", "))
	}
	c.community = now[blueprint.Key{Kind: v1alpha1.KindCommunity, Namespace: c.blueprint.Namespace, Name: c.blueprint.Name}].community
	for key, r := range now {
		if key.Kind == v1alpha1.KindChannel && key.Namespace == c.blueprint.Namespace {
			c.origins[key.Name] = r.origin
		}
	}
	return nil
}

// resources are what was loaded, by key.
func resources(r blueprint.Resources) map[blueprint.Key]resource {
	out := map[blueprint.Key]resource{}
	put := func(kind string, o metav1.Object, v resource) {
		key := blueprint.Key{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
		v.origin = r.Origins[key]
		out[key] = v
	}
	for _, x := range r.Communities {
		put(v1alpha1.KindCommunity, x, resource{community: x})
	}
	for _, x := range r.Channels {
		put(v1alpha1.KindChannel, x, resource{channel: x})
	}
	for _, x := range r.Behaviours {
		put(v1alpha1.KindBehaviour, x, resource{behaviour: x})
	}
	for _, x := range r.Objectives {
		put(v1alpha1.KindObjective, x, resource{objective: x})
	}
	return out
}

// assemble is the way back from resources.
func assemble(all map[blueprint.Key]resource) blueprint.Resources {
	r := blueprint.Resources{Origins: map[blueprint.Key]blueprint.Origin{}}
	for _, key := range slices.SortedFunc(maps.Keys(all), compareKeys) {
		v := all[key]
		r.Origins[key] = v.origin
		switch {
		case v.community != nil:
			r.Communities = append(r.Communities, v.community)
		case v.channel != nil:
			r.Channels = append(r.Channels, v.channel)
		case v.behaviour != nil:
			r.Behaviours = append(r.Behaviours, v.behaviour)
		case v.objective != nil:
			r.Objectives = append(r.Objectives, v.objective)
		}
	}
	return r
}

func compareKeys(a, b blueprint.Key) int {
	return strings.Compare(a.Kind+"\x00"+a.Namespace+"\x00"+a.Name, b.Kind+"\x00"+b.Namespace+"\x00"+b.Name)
}
