// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// Applier writes the objects that Kith's resources need, by server-side apply with one field owner, and only where
// something is to be changed: an operator that has nothing to do sends nothing.
//
// It never adopts what it did not make. An object is Kith's by its controller owner, or, for those that outlive their
// owner, by its labels; any other object of the same name ends the pass with NameTaken.
type Applier struct {
	// Client reads owned objects from the cache, which holds only those with Kith's label, and writes.
	Client client.Client
	// Live reads from the API server. It is asked only for the metadata of objects that the cache does not hold.
	Live client.Reader

	known known
}

// Apply makes an object as desired, with owner as its controller, and gives it as it now is, with its status. Labels
// and name are the caller's; namespace and owner reference are set here.
func Apply[T client.Object](ctx context.Context, a *Applier, owner Resource, desired T) (T, error) {
	desired.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(owner, kindOf(a, owner))})
	return apply(ctx, a, owner, desired, false)
}

// ApplyKept is Apply for an object that may outlive its owner: it has an owner reference only where it is to go with its
// owner, and is Kith's by its labels LabelManagedBy and LabelCommunity also where it has none, so that a Community
// declared again finds it.
func ApplyKept[T client.Object](ctx context.Context, a *Applier, owner Resource, desired T, goes bool) (T, error) {
	desired.SetOwnerReferences(nil)
	if goes {
		desired.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(owner, kindOf(a, owner))})
	}
	return apply(ctx, a, owner, desired, true)
}

func apply[T client.Object](ctx context.Context, a *Applier, owner Resource, desired T, kept bool) (T, error) {
	var none T
	desired.SetNamespace(owner.GetNamespace())
	want, err := newIntent(a.Client.Scheme(), desired)
	if err != nil {
		return none, err
	}
	want.kept = kept
	id := a.id(owner, want)
	live, ok := desired.DeepCopyObject().(T)
	if !ok {
		return none, fmt.Errorf("copy %s: it became something else", want)
	}
	switch err := a.Client.Get(ctx, client.ObjectKeyFromObject(desired), live); {
	case apierrors.IsNotFound(err):
		return applyUnseen(ctx, a, owner, desired, want)
	case err != nil:
		return none, fmt.Errorf("read %s: %w", want, err)
	}
	if err := a.mine(owner, want, live); err != nil {
		return none, err
	}
	upToDate, err := a.known.check(id, want, live)
	if err != nil || upToDate {
		return live, err
	}
	return send[T](ctx, a, id, want, client.ForceOwnership)
}

// applyUnseen applies an object that the cache does not hold: because there is none, because the cache lags behind what
// was just written, because somebody took its label off, or because it is somebody else's.
func applyUnseen[T client.Object](ctx context.Context, a *Applier, owner Resource, desired T, want *intent) (T, error) {
	var none T
	id := a.id(owner, want)
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(want.kind)
	err := a.Live.Get(ctx, client.ObjectKeyFromObject(desired), live)
	if apierrors.IsNotFound(err) {
		// Without force: what appears meanwhile is not ours to change.
		return send[T](ctx, a, id, want)
	}
	if err != nil {
		return none, fmt.Errorf("look whether there is a %s: %w", want, err)
	}
	if err := a.mine(owner, want, live); err != nil {
		return none, err
	}
	if a.known.wrote(id, want, live.GetResourceVersion()) {
		return desired, nil
	}
	return send[T](ctx, a, id, want, client.ForceOwnership)
}

func send[T client.Object](ctx context.Context, a *Applier, id identity, want *intent, options ...client.ApplyOption) (T, error) {
	var none T
	u := &unstructured.Unstructured{Object: want.document()}
	err := a.put(ctx, want, u, options...)
	if apierrors.IsInvalid(err) {
		if mended, mendErr := a.mend(ctx, want); mended || mendErr != nil {
			u, err = &unstructured.Unstructured{Object: want.document()}, mendErr
			if mended {
				err = a.put(ctx, want, u, options...)
			}
		}
	}
	if err != nil {
		a.known.forget(id)
		return none, err
	}
	live, err := a.typed(u, want)
	if err != nil {
		return none, err
	}
	out, ok := live.(T)
	if !ok {
		return none, fmt.Errorf("read back %s: it came as %T", want, live)
	}
	return out, a.known.remember(id, want, out)
}

// mend takes away what somebody left in a Deployment that makes what is wanted invalid, and that applying cannot take
// away because it was never ours: the parameters of another update strategy.
func (a *Applier) mend(ctx context.Context, want *intent) (bool, error) {
	strategy, _, err := unstructured.NestedString(want.content, "spec", "strategy", "type")
	if err != nil || want.kind.Kind != "Deployment" || strategy != string(appsv1.RecreateDeploymentStrategyType) {
		return false, nil
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(want.kind)
	live.SetNamespace(want.key.Namespace)
	live.SetName(want.key.Name)
	patch := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}`))
	if err := a.Client.Patch(ctx, live, patch, client.FieldOwner(delivery.ManagedBy)); err != nil {
		return false, fmt.Errorf("mend the update strategy of %s: %w", want, err)
	}
	return true, nil
}

// put is the call itself; u becomes the answer.
func (a *Applier) put(ctx context.Context, want *intent, u *unstructured.Unstructured, options ...client.ApplyOption) error {
	options = append(options, client.FieldOwner(delivery.ManagedBy))
	if err := a.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), options...); err != nil {
		return fmt.Errorf("apply %s: %w", want, err)
	}
	return nil
}

// typed makes the answer to an apply an object of the kind's own type; kinds without one stay as they are.
func (a *Applier) typed(u *unstructured.Unstructured, want *intent) (client.Object, error) {
	obj, err := a.Client.Scheme().New(want.kind)
	if runtime.IsNotRegisteredError(err) {
		return u, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read back %s: %w", want, err)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, obj); err != nil {
		return nil, fmt.Errorf("read back %s: %w", want, err)
	}
	typed, ok := obj.(client.Object)
	if !ok {
		return nil, fmt.Errorf("read back %s: %T is no object", want, obj)
	}
	return typed, nil
}

// mine fails where an object of our name is not ours to change, or not any more.
func (a *Applier) mine(owner Resource, want *intent, live client.Object) error {
	controller := metav1.GetControllerOf(live)
	switch {
	case controller == nil && want.kept && live.GetLabels()[delivery.LabelManagedBy] == delivery.ManagedBy &&
		live.GetLabels()[delivery.LabelCommunity] == want.community:
	case controller != nil && controller.UID == owner.GetUID():
	case controller != nil && controller.Kind == kindOf(a, owner).Kind && controller.Name == owner.GetName():
		return Waiting(v1alpha1.ReasonProgressing, fmt.Sprintf("%s belongs to a %s of this name that was deleted; it goes as soon as that is cleaned up",
			want, controller.Kind))
	default:
		whose := "nobody owns it"
		if controller != nil {
			whose = fmt.Sprintf("it belongs to %s %s", controller.Kind, controller.Name)
		}
		return Terminal(v1alpha1.ReasonNameTaken, fmt.Sprintf("there is a %s that Kith did not make (%s); delete or rename it, or declare this %s under another name",
			want, whose, kindOf(a, owner).Kind))
	}
	if !live.GetDeletionTimestamp().IsZero() {
		return Waiting(v1alpha1.ReasonProgressing, fmt.Sprintf("%s is being deleted; it is made anew when it has gone", want))
	}
	return nil
}

// Delete removes an object that is not needed any longer, if the cache holds it and it is the owner's.
func (a *Applier) Delete(ctx context.Context, owner Resource, obj client.Object) error {
	obj.SetNamespace(owner.GetNamespace())
	if err := a.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !metav1.IsControlledBy(obj, owner) || !obj.GetDeletionTimestamp().IsZero() {
		return nil
	}
	uid := obj.GetUID()
	err := a.Client.Delete(ctx, obj, client.Preconditions{UID: &uid}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %s %s, which is not needed any longer: %w", kindOf(a, obj).Kind, client.ObjectKeyFromObject(obj), err)
	}
	return nil
}

func (a *Applier) id(owner Resource, want *intent) identity {
	return identity{owner: ownerOf(kindOf(a, owner).Kind, owner), kind: want.kind.Kind, name: want.key.Name}
}

// Forget drops what is remembered of an owner's objects.
func (a *Applier) Forget(owner Resource) {
	a.known.forgetAll(ownerOf(kindOf(a, owner).Kind, owner))
}

// kindOf is the kind of a typed object, which does not carry it itself. Only a kind that Scheme lacks has none, and
// nothing of such a kind is ever applied.
func kindOf(a *Applier, obj client.Object) schema.GroupVersionKind {
	kind, err := apiutil.GVKForObject(obj, a.Client.Scheme())
	if err != nil {
		return obj.GetObjectKind().GroupVersionKind()
	}
	return kind
}
