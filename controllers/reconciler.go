// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/kith-dev/kith/api/v1alpha1"
)

// Resource is one of Kith's kinds: an object whose status holds conditions.
type Resource interface {
	client.Object
	StatusConditions() *[]metav1.Condition
	StatusGeneration() *int64
}

// Kind is what one kind adds to the skeleton. A value serves all resources of the kind at the same time and keeps
// nothing about any of them.
type Kind[T Resource] interface {
	// New makes an empty resource.
	New() T
	// Plan gathers, once, what the phases read (the scope), and gives the phases in the order in which they run. It
	// writes nothing but the resource's status in memory. Its error ends the pass as one of a phase would.
	Plan(ctx context.Context, obj T) ([]Phase, error)
	// Ready sums up: the Ready condition as it follows from the others, for the end of a pass; see Summarise. Type and
	// observedGeneration need not be set.
	Ready(obj T) metav1.Condition
	// Deleted is called when the resource goes or has gone: obj is what the cache last held, or holds no more than
	// namespace and name. Children go by their owner references; what is left to do is forgetting what is kept in memory.
	Deleted(ctx context.Context, obj T) error
}

// Phase is one named step of a pass. It applies objects, and says what it found by SetCondition on the resource. Its
// error says how the pass ends (see Terminal and Waiting); the phases behind it do not run.
type Phase struct {
	// Name is what it does, for the front of errors: "apply the configuration".
	Name string
	Do   func(ctx context.Context, pass *Pass) error
}

// Pass is what phases may ask of the skeleton.
type Pass struct {
	after time.Duration
}

// After asks for another pass after d at the latest; the shortest of a pass counts. Zero and less ask for nothing.
func (p *Pass) After(d time.Duration) {
	if d > 0 && (p.after == 0 || d < p.after) {
		p.after = d
	}
}

// takenAgain is how long until it is looked whether a taken name has become free: nobody watches what is not Kith's.
const takenAgain = time.Minute

// Observer is told how resources stand after each pass, for metrics.
type Observer interface {
	// Observe is called with a resource whose status is what was last written.
	Observe(kind string, obj Resource)
	// Forget is called when a resource has gone.
	Forget(kind, namespace, name string)
}

// Reconciler is the skeleton that all kinds share: it reads the resource, runs the phases of its kind, and writes the
// status once, if it has changed at all.
//
// How a pass ends, by the error of its last phase:
//
//	error                 Stalled  Reconciling       Ready            observedGeneration  returned
//	nil, Ready=True       absent   absent            Kind.Ready       set                 nil
//	nil, Ready otherwise  absent   with its reason   Kind.Ready       set                 nil: a watch, or Pass.After
//	Terminal              present  absent            False            set                 nil: only a change can help
//	Waiting               absent   present           False            set                 nil: a watch tells of the change
//	any other             absent   present, Retrying True stays True  as it was           the error, for backoff
type Reconciler[T Resource] struct {
	// Name of the kind, as in manifests.
	Name string
	Kind Kind[T]
	// Client reads from the cache and writes to the API server.
	Client client.Client
	Events events.EventRecorder
	// Observer may be nil.
	Observer Observer

	written written
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler[T]) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	result, err := r.pass(ctx, req)
	if err != nil && ctx.Err() != nil {
		return reconcile.Result{}, nil // The operator ends, which is no error; the next one looks at everything again.
	}
	return result, err
}

func (r *Reconciler[T]) pass(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := r.Kind.New()
	if err := r.Client.Get(ctx, req.NamespacedName, obj); err != nil {
		if !apierrors.IsNotFound(err) {
			return reconcile.Result{}, fmt.Errorf("read %s %s: %w", r.Name, req.NamespacedName, err)
		}
		obj.SetNamespace(req.Namespace)
		obj.SetName(req.Name)
		return reconcile.Result{}, r.gone(ctx, obj)
	}
	if !obj.GetDeletionTimestamp().IsZero() {
		return reconcile.Result{}, r.gone(ctx, obj)
	}
	obj = newest(&r.written, req.NamespacedName, obj)
	before := obj.DeepCopyObject().(T)

	pass := &Pass{}
	err := r.run(ctx, obj, pass)
	conclude(obj, r.Kind.Ready(obj), err)
	if patchErr := r.patchStatus(ctx, before, obj); patchErr != nil {
		return reconcile.Result{}, patchErr
	}
	r.tell(before, obj)
	if err != nil && !ends(err) {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: pass.after}, nil
}

// run goes through the phases up to the first that cannot be completed.
func (r *Reconciler[T]) run(ctx context.Context, obj T, pass *Pass) error {
	phases, err := r.Kind.Plan(ctx, obj)
	if err != nil {
		return err
	}
	for _, phase := range phases {
		err := phase.Do(ctx, pass)
		if apierrors.IsInvalid(err) {
			err = refusedObject(obj, err)
		}
		if end, ok := errors.AsType[*outcome](err); ok && end.reason == v1alpha1.ReasonNameTaken {
			pass.After(takenAgain)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", phase.Name, err)
		}
	}
	return nil
}

// refusedObject ends a pass in which the API server found an object invalid that Kith made as declared. Only what is
// handed on as it is can bring that about: the declared details of pods.
func refusedObject(obj Resource, err error) error {
	message := fmt.Sprintf("correct pod (spec.hub.pod and spec.connectors.pod of the Community): it is handed on as it is, and the API server refuses it: %v", err)
	SetCondition(obj, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, message)
	return Terminal(v1alpha1.ReasonInvalidSpec, message)
}

func (r *Reconciler[T]) gone(ctx context.Context, obj T) error {
	r.written.forget(client.ObjectKeyFromObject(obj))
	if r.Observer != nil {
		r.Observer.Forget(r.Name, obj.GetNamespace(), obj.GetName())
	}
	if err := r.Kind.Deleted(ctx, obj); err != nil {
		return fmt.Errorf("after %s %s was deleted: %w", r.Name, client.ObjectKeyFromObject(obj), err)
	}
	return nil
}
