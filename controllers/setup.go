// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

const (
	// gather is how long the operator waits for more after a change of one of a Community's resources: whoever applies a
	// folder changes many, and each write of the configuration is one that the kubelet carries to every pod.
	gather = time.Second
	// Failed passes are repeated after these times, growing.
	firstRetry, lastRetry = 200 * time.Millisecond, 2 * time.Minute
)

// Controller starts the definition of a kind's controller: on declared changes of its own resources, and on what its
// Trigger says. More watches are the kind's own; Complete ends it.
func Controller[T Resource](op *Operator, name string, kind Kind[T], workers int) *builder.Builder {
	return builder.ControllerManagedBy(op.Manager).
		Named(strings.ToLower(name)).
		For(kind.New(), builder.WithPredicates(Declared())).
		WatchesRawSource(op.Triggers[name]).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		})
}

// Complete runs a kind's controller on the skeleton.
func Complete[T Resource](op *Operator, name string, kind Kind[T], b *builder.Builder) error {
	err := b.Complete(&Reconciler[T]{
		Name: name, Kind: kind, Client: op.Manager.GetClient(), Events: op.Manager.GetEventRecorder(delivery.ManagedBy), Observer: op.Observer,
	})
	if err != nil {
		return fmt.Errorf("set up the controller of %s: %w", name, err)
	}
	return nil
}

// soon has the resources that an object concerns looked at after a while, all changes until then at once.
func soon(after time.Duration, concerns func(client.Object) []types.NamespacedName) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(obj client.Object, q queue) {
		for _, key := range concerns(obj) {
			if key.Name != "" {
				q.AddAfter(reconcile.Request{NamespacedName: key}, after)
			}
		}
	}
	return handler.Funcs{
		CreateFunc:  func(_ context.Context, e event.CreateEvent, q queue) { add(e.Object, q) },
		UpdateFunc:  func(_ context.Context, e event.UpdateEvent, q queue) { add(e.ObjectNew, q) },
		DeleteFunc:  func(_ context.Context, e event.DeleteEvent, q queue) { add(e.Object, q) },
		GenericFunc: func(_ context.Context, e event.GenericEvent, q queue) { add(e.Object, q) },
	}
}

func (op *Operator) setupCommunities() error {
	k := &Communities{
		Settings: op.Settings, Client: op.Manager.GetClient(), Live: op.Manager.GetAPIReader(), Applier: op.Applier, Compiler: op.Compiler,
		Authority: op.Authority, Keys: op.Keys, Hubs: op.Hubs,
	}
	resources := soon(gather, func(obj client.Object) []types.NamespacedName { return []types.NamespacedName{communityKey(obj)} })
	b := Controller(op, v1alpha1.KindCommunity, k, 4).
		Watches(&v1alpha1.Channel{}, resources, builder.WithPredicates(Declared())).
		Watches(&v1alpha1.Behaviour{}, resources, builder.WithPredicates(Declared())).
		Watches(&v1alpha1.Objective{}, resources, builder.WithPredicates(Declared())).
		Owns(&appsv1.Deployment{}).Owns(&corev1.ServiceAccount{}).Owns(&corev1.Service{}).Owns(&corev1.ConfigMap{}).
		Owns(&networkingv1.NetworkPolicy{}).
		// A volume's claim may have no owner.
		Watches(&corev1.PersistentVolumeClaim{}, soon(0, func(obj client.Object) []types.NamespacedName {
			return []types.NamespacedName{{Namespace: obj.GetNamespace(), Name: obj.GetLabels()[delivery.LabelCommunity]}}
		}))
	return Complete(op, v1alpha1.KindCommunity, k, b)
}

// everyCommunity has all of them looked at again.
func (op *Operator) everyCommunity(ctx context.Context) {
	var all v1alpha1.CommunityList
	if err := op.Manager.GetClient().List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		log.FromContext(ctx).Error(err, "Cannot list the communities from the cache; they hear of the change when they change themselves")
		return
	}
	for i := range all.Items {
		op.Triggers[v1alpha1.KindCommunity].Add(client.ObjectKeyFromObject(&all.Items[i]))
	}
}
