// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// How many resources of a kind are looked at at the same time: connectors are written, the others only judged.
const (
	channelWorkers = 8
	judgeWorkers   = 2
)

// setupChannels has channels looked at when they, their connectors, their Community or its shared connectors change.
func (op *Operator) setupChannels() error {
	k := &Channels{
		Image: op.Image, Client: op.Manager.GetClient(), Live: op.Manager.GetAPIReader(), Applier: op.Applier, Compiler: op.Compiler,
		Hubs: op.Hubs, Now: op.Now,
	}
	b := Controller(op, v1alpha1.KindChannel, k, channelWorkers).
		Owns(&appsv1.Deployment{}, builder.WithPredicates(unlessOnlyMade())).
		Owns(&corev1.ServiceAccount{}, builder.WithPredicates(unlessOnlyMade())).
		Watches(&v1alpha1.Community{}, op.ofCommunity(&v1alpha1.ChannelList{}), builder.WithPredicates(Declared())).
		Watches(&appsv1.Deployment{}, op.ofSharedConnectors())
	return Complete(op, v1alpha1.KindChannel, k, b)
}

// setupBehaviours has behaviours looked at when they or their Community change, and when a channel comes or goes.
func (op *Operator) setupBehaviours() error {
	k := &Behaviours{Compiler: op.Compiler, Hubs: op.Hubs}
	b := Controller(op, v1alpha1.KindBehaviour, k, judgeWorkers).
		Watches(&v1alpha1.Community{}, op.ofCommunity(&v1alpha1.BehaviourList{}), builder.WithPredicates(Declared())).
		Watches(&v1alpha1.Channel{}, op.ofCommunity(&v1alpha1.BehaviourList{}), builder.WithPredicates(Declared()))
	return Complete(op, v1alpha1.KindBehaviour, k, b)
}

// setupObjectives has objectives looked at when they or their Community change, and when a channel comes or goes.
func (op *Operator) setupObjectives() error {
	k := &Objectives{Compiler: op.Compiler, Hubs: op.Hubs, Now: op.Now}
	b := Controller(op, v1alpha1.KindObjective, k, judgeWorkers).
		Watches(&v1alpha1.Community{}, op.ofCommunity(&v1alpha1.ObjectiveList{}), builder.WithPredicates(Declared())).
		Watches(&v1alpha1.Channel{}, op.ofCommunity(&v1alpha1.ObjectiveList{}), builder.WithPredicates(Declared()))
	return Complete(op, v1alpha1.KindObjective, k, b)
}

// ofCommunity asks for all resources of a list's kind that belong to the Community that a changed resource belongs to,
// all changes of a moment at once.
func (op *Operator) ofCommunity(list client.ObjectList) handler.EventHandler {
	return soon(gather, func(obj client.Object) []types.NamespacedName {
		return namesOf(context.Background(), op.Manager.GetClient(), communityKey(obj), list)
	})
}

// ofSharedConnectors asks for all channels of a Community whose shared connectors have changed.
func (op *Operator) ofSharedConnectors() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, obj client.Object) []reconcile.Request {
		community := types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetLabels()[delivery.LabelCommunity]}
		owner := metav1.GetControllerOf(obj)
		if owner == nil || owner.Kind != v1alpha1.KindCommunity || obj.GetName() != delivery.SharedConnectorsName(community.Name) {
			return nil
		}
		return requests(namesOf(ctx, op.Manager.GetClient(), community, &v1alpha1.ChannelList{}))
	})
}

// namesOf lists the resources of a kind that belong to a Community, from the cache. An error is one of the cache that
// does not run yet: then everything is looked at anyway.
func namesOf(ctx context.Context, c client.Reader, community types.NamespacedName, list client.ObjectList) []types.NamespacedName {
	list, ok := list.DeepCopyObject().(client.ObjectList)
	if !ok || c.List(ctx, list, client.InNamespace(community.Namespace), client.MatchingFields{IndexCommunity: community.Name}, client.UnsafeDisableDeepCopy) != nil {
		return nil
	}
	var out []types.NamespacedName
	err := meta.EachListItem(list, func(item runtime.Object) error {
		if obj, ok := item.(client.Object); ok {
			out = append(out, client.ObjectKeyFromObject(obj))
		}
		return nil
	})
	if err != nil {
		return nil // It is no list, which the compiler has ruled out.
	}
	return out
}

func requests(names []types.NamespacedName) []reconcile.Request {
	out := make([]reconcile.Request, len(names))
	for i, name := range names {
		out[i].NamespacedName = name
	}
	return out
}

// unlessOnlyMade leaves out the creation of objects that only the operator makes: whoever made them knows.
func unlessOnlyMade() predicate.Predicate {
	return predicate.Funcs{CreateFunc: func(event.CreateEvent) bool { return false }}
}
