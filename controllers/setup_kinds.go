// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// Watching is what the controllers of all kinds are set up with.
type Watching struct {
	Manager ctrl.Manager
	// Observer may be nil.
	Observer Observer
	// Changed are the triggers of the kinds: what compiling and hubs tell; see Compiler and HubChanges.
	Changed map[string]*Trigger
	// Options of every controller, such as how many resources are looked at at the same time.
	Options controller.Options
}

// SetupChannels has channels looked at when they, their connectors, their Community or its shared connectors change.
func SetupChannels(w Watching, k *Channels) error {
	b := begin(w, v1alpha1.KindChannel, &v1alpha1.Channel{}).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.ServiceAccount{}, builder.WithPredicates(unlessOnlyGrown())).
		Watches(&v1alpha1.Community{}, ofCommunity(w, &v1alpha1.ChannelList{}), builder.WithPredicates(Declared())).
		Watches(&appsv1.Deployment{}, ofSharedConnectors(w))
	return finish(b, w, v1alpha1.KindChannel, k)
}

// SetupBehaviours has behaviours looked at when they or their Community change, and when a channel comes or goes.
func SetupBehaviours(w Watching, k *Behaviours) error {
	b := begin(w, v1alpha1.KindBehaviour, &v1alpha1.Behaviour{}).
		Watches(&v1alpha1.Community{}, ofCommunity(w, &v1alpha1.BehaviourList{}), builder.WithPredicates(Declared())).
		Watches(&v1alpha1.Channel{}, ofCommunity(w, &v1alpha1.BehaviourList{}), builder.WithPredicates(Declared()))
	return finish(b, w, v1alpha1.KindBehaviour, k)
}

// SetupObjectives has objectives looked at when they or their Community change, and when a channel comes or goes.
func SetupObjectives(w Watching, k *Objectives) error {
	b := begin(w, v1alpha1.KindObjective, &v1alpha1.Objective{}).
		Watches(&v1alpha1.Community{}, ofCommunity(w, &v1alpha1.ObjectiveList{}), builder.WithPredicates(Declared())).
		Watches(&v1alpha1.Channel{}, ofCommunity(w, &v1alpha1.ObjectiveList{}), builder.WithPredicates(Declared()))
	return finish(b, w, v1alpha1.KindObjective, k)
}

func begin(w Watching, kind string, obj client.Object) *builder.Builder {
	b := ctrl.NewControllerManagedBy(w.Manager).For(obj, builder.WithPredicates(Declared())).WithOptions(w.Options)
	if trigger := w.Changed[kind]; trigger != nil {
		b = b.WatchesRawSource(trigger)
	}
	return b
}

func finish[T Resource](b *builder.Builder, w Watching, name string, kind Kind[T]) error {
	err := b.Complete(&Reconciler[T]{
		Name: name, Kind: kind, Client: w.Manager.GetClient(), Events: w.Manager.GetEventRecorder(delivery.ManagedBy), Observer: w.Observer,
	})
	if err != nil {
		return fmt.Errorf("set up the controller of %s: %w", name, err)
	}
	return nil
}

// ofCommunity asks for all resources of a list's kind that belong to the Community that a changed resource belongs to.
func ofCommunity(w Watching, list client.ObjectList) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, obj client.Object) []reconcile.Request {
		return requests(namesOf(ctx, w.Manager.GetClient(), communityKey(obj), list))
	})
}

// ofSharedConnectors asks for all channels of a Community whose shared connectors have changed.
func ofSharedConnectors(w Watching) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, obj client.Object) []reconcile.Request {
		community := types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetLabels()[delivery.LabelCommunity]}
		owner := metav1.GetControllerOf(obj)
		if owner == nil || owner.Kind != v1alpha1.KindCommunity || obj.GetName() != delivery.SharedConnectorsName(community.Name) {
			return nil
		}
		return requests(namesOf(ctx, w.Manager.GetClient(), community, &v1alpha1.ChannelList{}))
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
	add := func(name string) { out = append(out, types.NamespacedName{Namespace: community.Namespace, Name: name}) }
	switch l := list.(type) {
	case *v1alpha1.ChannelList:
		for i := range l.Items {
			add(l.Items[i].Name)
		}
	case *v1alpha1.BehaviourList:
		for i := range l.Items {
			add(l.Items[i].Name)
		}
	case *v1alpha1.ObjectiveList:
		for i := range l.Items {
			add(l.Items[i].Name)
		}
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

// unlessOnlyGrown leaves out the creation of objects that only the operator makes.
func unlessOnlyGrown() predicate.Predicate {
	return predicate.Funcs{CreateFunc: func(event.CreateEvent) bool { return false }}
}
