// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/blueprint"
)

// IndexCommunity is the index of the cache from a Community's name to the channels, behaviours and objectives that name
// it in their communityRef.
const IndexCommunity = "spec.communityRef.name"

// IndexFields makes the cache keep IndexCommunity.
func IndexFields(ctx context.Context, indexer client.FieldIndexer) error {
	for _, obj := range []client.Object{&v1alpha1.Channel{}, &v1alpha1.Behaviour{}, &v1alpha1.Objective{}} {
		err := indexer.IndexField(ctx, obj, IndexCommunity, func(obj client.Object) []string {
			return []string{communityRef(obj)}
		})
		if err != nil {
			return fmt.Errorf("index %T by community: %w", obj, err)
		}
	}
	return nil
}

// communityRef is the name of the Community that a resource belongs to; a Community's is its own.
func communityRef(obj client.Object) string {
	switch r := obj.(type) {
	case *v1alpha1.Community:
		return r.Name
	case *v1alpha1.Channel:
		return string(r.Spec.CommunityRef.Name)
	case *v1alpha1.Behaviour:
		return string(r.Spec.CommunityRef.Name)
	case *v1alpha1.Objective:
		return string(r.Spec.CommunityRef.Name)
	}
	return ""
}

// communityKey is the Community that a resource belongs to.
func communityKey(obj client.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: communityRef(obj)}
}

// Compiled is what compiling a community's resources gave. It is shared between all who ask: read only.
type Compiled struct {
	// Blueprint is nil where there is no such Community, or one that cannot be used at all.
	Blueprint *blueprint.Blueprint
	// Digest is Blueprint.Digest().
	Digest string

	problems    map[blueprint.Key][]blueprint.Problem
	generations map[blueprint.Key]int64
	fingerprint string
}

// Problems are those of one resource, errors and warnings; see Accept.
func (c *Compiled) Problems(kind, namespace, name string) []blueprint.Problem {
	return c.problems[blueprint.Key{Kind: kind, Namespace: namespace, Name: name}]
}

// Generation is that of the resource as it was compiled; 0 where it was not there.
func (c *Compiled) Generation(kind, namespace, name string) int64 {
	return c.generations[blueprint.Key{Kind: kind, Namespace: namespace, Name: name}]
}

// Compiler compiles communities from the cache, each once per change, for all reconcilers.
type Compiler struct {
	// Reader must be the cache, with IndexFields.
	Reader    client.Reader
	Catalogue blueprint.Catalogue
	// Changed are told of resources whose problems have changed although they themselves may have not, by kind: an
	// objective whose behaviour was mended, a channel whose double was deleted.
	Changed map[string]*Trigger

	mu          sync.Mutex
	communities map[types.NamespacedName]*compiling
}

// compiling is one community's last result; its lock lets the first who asks compile and the others wait.
type compiling struct {
	mu   sync.Mutex
	last *Compiled
}

// Compile gives what the resources of a community compile to, as the cache holds them now.
func (c *Compiler) Compile(ctx context.Context, community types.NamespacedName) (*Compiled, error) {
	c.mu.Lock()
	if c.communities == nil {
		c.communities = map[types.NamespacedName]*compiling{}
	}
	one := c.communities[community]
	if one == nil {
		one = &compiling{}
		c.communities[community] = one
	}
	c.mu.Unlock()

	one.mu.Lock()
	defer one.mu.Unlock()
	resources, err := c.list(ctx, community)
	if err != nil {
		return nil, err
	}
	fresh := examine(resources)
	if one.last != nil && one.last.fingerprint == fresh.fingerprint {
		return one.last, nil
	}
	fresh.compile(resources, c.Catalogue)
	c.tell(one.last, fresh)
	one.last = fresh
	if len(fresh.generations) == 0 {
		c.mu.Lock()
		delete(c.communities, community)
		c.mu.Unlock()
	}
	return fresh, nil
}

// list reads a community's resources from the cache, without copying: compiling only reads.
func (c *Compiler) list(ctx context.Context, community types.NamespacedName) (blueprint.Resources, error) {
	var out blueprint.Resources
	one := &v1alpha1.Community{}
	switch err := c.Reader.Get(ctx, community, one, client.UnsafeDisableDeepCopy); {
	case client.IgnoreNotFound(err) != nil:
		return out, fmt.Errorf("read Community %s: %w", community, err)
	case err == nil && one.DeletionTimestamp.IsZero():
		out.Communities = append(out.Communities, one)
	}
	options := []client.ListOption{
		client.InNamespace(community.Namespace), client.MatchingFields{IndexCommunity: community.Name}, client.UnsafeDisableDeepCopy,
	}
	var channels v1alpha1.ChannelList
	var behaviours v1alpha1.BehaviourList
	var objectives v1alpha1.ObjectiveList
	for kind, list := range map[string]client.ObjectList{
		v1alpha1.KindChannel: &channels, v1alpha1.KindBehaviour: &behaviours, v1alpha1.KindObjective: &objectives,
	} {
		if err := c.Reader.List(ctx, list, options...); err != nil {
			return out, fmt.Errorf("list each %s of Community %s: %w", kind, community, err)
		}
	}
	out.Channels = living(channels.Items)
	out.Behaviours = living(behaviours.Items)
	out.Objectives = living(objectives.Items)
	return out, nil
}

// living are those that are not being deleted.
func living[R any, P interface {
	*R
	client.Object
}](items []R) []*R {
	out := make([]*R, 0, len(items))
	for i := range items {
		if P(&items[i]).GetDeletionTimestamp().IsZero() {
			out = append(out, &items[i])
		}
	}
	return out
}

// examine notes what tells whether anything has changed: compiling reads names and specs only.
func examine(r blueprint.Resources) *Compiled {
	out := &Compiled{generations: map[blueprint.Key]int64{}}
	ids := make([]string, 0, len(r.Communities)+len(r.Channels)+len(r.Behaviours)+len(r.Objectives))
	note := func(kind string, obj client.Object) {
		out.generations[blueprint.Key{Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}] = obj.GetGeneration()
		ids = append(ids, fmt.Sprintf("%s %d", obj.GetUID(), obj.GetGeneration()))
	}
	for _, obj := range r.Communities {
		note(v1alpha1.KindCommunity, obj)
	}
	for _, obj := range r.Channels {
		note(v1alpha1.KindChannel, obj)
	}
	for _, obj := range r.Behaviours {
		note(v1alpha1.KindBehaviour, obj)
	}
	for _, obj := range r.Objectives {
		note(v1alpha1.KindObjective, obj)
	}
	slices.Sort(ids)
	out.fingerprint = strings.Join(ids, "\n")
	return out
}

func (c *Compiled) compile(r blueprint.Resources, catalogue blueprint.Catalogue) {
	blueprints, problems := blueprint.CompileAll(r, catalogue)
	if len(blueprints) == 1 {
		c.Blueprint = blueprints[0]
		c.Digest = c.Blueprint.Digest()
	}
	c.problems = map[blueprint.Key][]blueprint.Problem{}
	for _, p := range problems {
		key := blueprint.Key{Kind: p.Kind, Namespace: p.Namespace, Name: p.Name}
		c.problems[key] = append(c.problems[key], p)
	}
}

// tell has those looked at again whose problems have changed.
func (c *Compiler) tell(before, after *Compiled) {
	if before == nil {
		return
	}
	for key := range after.generations {
		if trigger := c.Changed[key.Kind]; trigger != nil && !slices.Equal(before.problems[key], after.problems[key]) {
			trigger.Add(types.NamespacedName{Namespace: key.Namespace, Name: key.Name})
		}
	}
}
