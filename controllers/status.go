// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// patchStatus writes the status, if it differs from what was read. The patch names no version: the operator is the only
// writer of statuses, so there is nothing that it could overwrite, and no conflict that it would have to repeat. It names
// the object by its UID, so that a status never lands on one that was declared anew under the name.
func (r *Reconciler[T]) patchStatus(ctx context.Context, before, obj T) error {
	diff, err := client.MergeFrom(before).Data(obj)
	if err != nil {
		return fmt.Errorf("compare the status of %s %s: %w", r.Name, client.ObjectKeyFromObject(obj), err)
	}
	if string(diff) == "{}" {
		return nil
	}
	patch, err := statusPatch(obj)
	if err != nil {
		return fmt.Errorf("encode the status of %s %s: %w", r.Name, client.ObjectKeyFromObject(obj), err)
	}
	to := obj.DeepCopyObject().(T)
	err = r.Client.Status().Patch(ctx, to, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(delivery.ManagedBy))
	if apierrors.IsNotFound(err) || testFailed(err) {
		return nil // It was deleted meanwhile, and perhaps declared again: the watch says so.
	}
	if err != nil {
		return fmt.Errorf("write the status of %s %s: %w", r.Name, client.ObjectKeyFromObject(obj), err)
	}
	r.written.remember(to)
	return nil
}

// statusPatch replaces the status of this very object.
func statusPatch(obj Resource) ([]byte, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	return json.Marshal([]map[string]any{
		{"op": "test", "path": "/metadata/uid", "value": obj.GetUID()},
		{"op": "add", "path": "/status", "value": content["status"]},
	})
}

// testFailed is whether a JSON patch found another value than its test named. API servers call that invalid as well, but
// name no kind: they never came to judge an object.
func testFailed(err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	return ok && apierrors.IsInvalid(err) && (status.ErrStatus.Details == nil || status.ErrStatus.Details.Kind == "")
}

// tell makes an event where Ready has another status or reason than before, and tells the observer. That something is on
// its way is in the status, and no news: a thousand new channels are a thousand events, not three thousand.
func (r *Reconciler[T]) tell(before, obj T) {
	if r.Observer != nil {
		r.Observer.Observe(r.Name, obj)
	}
	was := meta.FindStatusCondition(*before.StatusConditions(), v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(*obj.StatusConditions(), v1alpha1.ConditionReady)
	if r.Events == nil || is == nil || is.Reason == v1alpha1.ReasonProgressing || (was != nil && was.Status == is.Status && was.Reason == is.Reason) {
		return
	}
	kind := corev1.EventTypeWarning
	if is.Status == metav1.ConditionTrue {
		kind = corev1.EventTypeNormal
	}
	r.Events.Eventf(obj, nil, kind, is.Reason, "Reconcile", "%s", is.Message)
}

// written remembers what was last written of each resource until the cache shows it. Without it a pass that begins
// before would compare with a status that is no longer there, and could leave out just the field that it must set back.
type written struct {
	mu      sync.Mutex
	objects map[types.NamespacedName]client.Object
}

func (w *written) remember(obj client.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.objects == nil {
		w.objects = map[types.NamespacedName]client.Object{}
	}
	w.objects[client.ObjectKeyFromObject(obj)] = obj
}

func (w *written) forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.objects, key)
}

// newest gives the resource as it was last written where the cache lags behind that, else as the cache has it.
func newest[T Resource](w *written, key types.NamespacedName, cached T) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, ok := w.objects[key].(T)
	if !ok {
		return cached
	}
	if last.GetUID() == cached.GetUID() && behind(cached.GetResourceVersion(), last.GetResourceVersion()) {
		return last.DeepCopyObject().(T)
	}
	delete(w.objects, key)
	return cached
}
