// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/hubpoll"
	"github.com/kith-dev/kith/internal/metrics"
)

// pollHubs has the operator ask the hub of each Community that there is, and look at what the answers concern.
func (op *Operator) pollHubs(o hubpoll.Options) error {
	if o.Roots == nil {
		o.Roots = func() ([]byte, error) {
			authority, err := op.Authority.Get(context.Background())
			if err != nil {
				return nil, err
			}
			return authority.Bundle(), nil
		}
	}
	o.Changed = hubChanges(op.Manager.GetCache(), op.Triggers)
	o.Log = op.Log.WithName("hubs")
	poller := hubpoll.New(o)
	op.Hubs = poller
	if err := watchHubs(context.Background(), op.Manager.GetCache(), poller); err != nil {
		return err
	}
	if err := op.Manager.Add(poller); err != nil {
		return fmt.Errorf("add the poller of hubs: %w", err)
	}
	if op.Metrics == nil {
		return nil
	}
	if err := op.Metrics.Register(hubpoll.Up{Poller: poller, Desc: metrics.Desc(metrics.HubUp)}); err != nil {
		return fmt.Errorf("register which hubs answer: %w", err)
	}
	return nil
}

// hubChanges gives what is told of a hub's answers: it has those resources looked at that they concern.
func hubChanges(reader client.Reader, changed map[string]*Trigger) func(hubpoll.Changes) {
	return func(c hubpoll.Changes) {
		add := func(kind string, names ...types.NamespacedName) {
			if trigger := changed[kind]; trigger != nil {
				trigger.Add(names...)
			}
		}
		all := func(kind string, list client.ObjectList) {
			add(kind, namesOf(context.Background(), reader, c.Community, list)...)
		}
		some := func(kind string, names []string) {
			for _, name := range names {
				add(kind, types.NamespacedName{Namespace: c.Community.Namespace, Name: name})
			}
		}
		if c.Hub || c.All {
			// Another blueprint may be what behaviours and objectives wait for.
			add(v1alpha1.KindCommunity, c.Community)
			all(v1alpha1.KindBehaviour, &v1alpha1.BehaviourList{})
			all(v1alpha1.KindObjective, &v1alpha1.ObjectiveList{})
		} else {
			some(v1alpha1.KindBehaviour, c.Behaviours)
			some(v1alpha1.KindObjective, c.Objectives)
		}
		if c.All {
			all(v1alpha1.KindChannel, &v1alpha1.ChannelList{})
		} else {
			some(v1alpha1.KindChannel, c.Channels)
		}
	}
}

// watchHubs has a poller ask the hub of each Community that there is.
func watchHubs(ctx context.Context, informers cache.Informers, poller *hubpoll.Poller) error {
	informer, err := informers.GetInformer(ctx, &v1alpha1.Community{})
	if err != nil {
		return fmt.Errorf("watch communities for the poller of their hubs: %w", err)
	}
	key := func(obj any) (types.NamespacedName, bool) {
		if gone, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
			obj = gone.Obj
		}
		community, ok := obj.(*v1alpha1.Community)
		if !ok {
			return types.NamespacedName{}, false
		}
		return client.ObjectKeyFromObject(community), true
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) {
			if k, ok := key(obj); ok {
				poller.Watch(k)
			}
		},
		DeleteFunc: func(obj any) {
			if k, ok := key(obj); ok {
				poller.Forget(k)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("watch communities for the poller of their hubs: %w", err)
	}
	return nil
}
