// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/kith-dev/kith/internal/delivery"
)

// annotationApplied holds the digest of what was last applied, so that an operator that has just started knows what it
// need not write.
const annotationApplied = "kith.dev/applied"

// annotationRevision is written into Deployments by their controller.
const annotationRevision = "deployment.kubernetes.io/revision"

// intent is an object as it is wanted, in the form in which it is applied.
type intent struct {
	kind schema.GroupVersionKind
	key  types.NamespacedName
	// kept and community: see ApplyKept.
	kept      bool
	community string
	content   map[string]any
	digest    string
}

// newIntent takes the fields that were set, without those that only a server sets.
func newIntent(scheme *runtime.Scheme, obj client.Object) (*intent, error) {
	kind, err := apiutil.GVKForObject(obj, scheme)
	if err != nil {
		return nil, fmt.Errorf("apply %T: %w", obj, err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, fmt.Errorf("apply %s %s: %w", kind.Kind, client.ObjectKeyFromObject(obj), err)
	}
	delete(content, "status")
	prune(content)
	content["apiVersion"], content["kind"] = kind.ToAPIVersionAndKind()
	w := &intent{
		kind: kind, key: client.ObjectKeyFromObject(obj), content: content,
		community: obj.GetLabels()[delivery.LabelCommunity],
	}
	w.digest, err = digest(content)
	return w, err
}

// String is how messages name it.
func (w *intent) String() string { return w.kind.Kind + " " + w.key.Name }

// document is what is sent.
func (w *intent) document() map[string]any {
	out := runtime.DeepCopyJSON(w.content)
	u := unstructured.Unstructured{Object: out}
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[annotationApplied] = w.digest
	u.SetAnnotations(annotations)
	return out
}

// owning names a resource that owns objects.
type owning struct{ kind, namespace, name string }

// identity names an object of an owner.
type identity struct {
	owner      owning
	kind, name string
}

// applied is what is known of an object: what was wanted of it, how it looked then, and at which version.
type applied struct{ digest, fingerprint, version string }

func ownerOf(kind string, owner client.Object) owning {
	return owning{kind, owner.GetNamespace(), owner.GetName()}
}

// known remembers what has been applied, in memory.
type known struct {
	mu      sync.Mutex
	objects map[owning]map[identity]applied
}

// check is whether nothing has to be written: the same is wanted as before, and the object looks as it did then. Where
// it looks different, or nothing is remembered, its own annotation and fields decide.
func (k *known) check(id identity, want *intent, live client.Object) (bool, error) {
	k.mu.Lock()
	last, ok := k.objects[id.owner][id]
	k.mu.Unlock()
	if ok && last.digest == want.digest && behind(live.GetResourceVersion(), last.version) {
		return true, nil // The cache does not show yet what was written.
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", want, err)
	}
	print, err := fingerprint(content)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", want, err)
	}
	if ok && last.digest == want.digest && last.fingerprint == print {
		return true, nil
	}
	if live.GetAnnotations()[annotationApplied] != want.digest || !holds(content, want.content, true) {
		return false, nil
	}
	k.put(id, applied{digest: want.digest, fingerprint: print, version: live.GetResourceVersion()})
	return true, nil
}

// wrote is whether this version of the object is what was written last.
func (k *known) wrote(id identity, want *intent, version string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	last, ok := k.objects[id.owner][id]
	return ok && last.digest == want.digest && last.version == version
}

func (k *known) remember(id identity, want *intent, live client.Object) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return fmt.Errorf("read back %s: %w", want, err)
	}
	print, err := fingerprint(content)
	if err != nil {
		return fmt.Errorf("read back %s: %w", want, err)
	}
	k.put(id, applied{digest: want.digest, fingerprint: print, version: live.GetResourceVersion()})
	return nil
}

func (k *known) put(id identity, a applied) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.objects == nil {
		k.objects = map[owning]map[identity]applied{}
	}
	if k.objects[id.owner] == nil {
		k.objects[id.owner] = map[identity]applied{}
	}
	k.objects[id.owner][id] = a
}

func (k *known) forget(id identity) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.objects[id.owner], id)
}

func (k *known) forgetAll(owner owning) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.objects, owner)
}

// behind is whether version a is known to come before b.
func behind(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

// fingerprint is the digest of what people and other controllers could change in an object. What changes with every
// write, and what its own controller notes in it, is left out.
func fingerprint(content map[string]any) (string, error) {
	content = runtime.DeepCopyJSON(content)
	delete(content, "status")
	for _, field := range []string{"resourceVersion", "managedFields", "generation", "creationTimestamp", "selfLink"} {
		unstructured.RemoveNestedField(content, "metadata", field)
	}
	unstructured.RemoveNestedField(content, "metadata", "annotations", annotationRevision)
	delete(content, "apiVersion") // Typed objects from the cache do not carry them.
	delete(content, "kind")
	prune(content)
	return digest(content)
}

func digest(content map[string]any) (string, error) {
	document, err := json.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("encode an object: %w", err)
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:]), nil
}

// prune takes out nulls, such as the creationTimestamp of a pod template: to apply null is to ask for null.
func prune(content map[string]any) {
	for key, value := range content {
		switch v := value.(type) {
		case nil:
			delete(content, key)
		case map[string]any:
			prune(v)
		case []any:
			for _, item := range v {
				if m, ok := item.(map[string]any); ok {
					prune(m)
				}
			}
		}
	}
}

// holds is whether live has every field that is wanted, with the wanted value. A live object may have more fields, which
// servers default and others set, but lists must have the same length: where a list is longer, the server is asked to
// merge it.
func holds(live, want any, top bool) bool {
	switch w := want.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return live == nil && len(w) == 0
		}
		for key, value := range w {
			if top && (key == "apiVersion" || key == "kind") {
				continue // Typed objects from the cache do not carry them.
			}
			if !holds(l[key], value, false) {
				return false
			}
		}
		return true
	case []any:
		l, ok := live.([]any)
		if !ok {
			return live == nil && len(w) == 0
		}
		if len(l) != len(w) {
			return false
		}
		for i := range w {
			if !holds(l[i], w[i], false) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(live, want)
	}
}
