// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/internal/testing/envtest"
)

// apply is `kubectl apply --server-side --dry-run=server`, strictly: an unknown field is an error.
func apply(ctx context.Context, c client.Client, o *unstructured.Unstructured) error {
	return c.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("kubectl"), client.DryRunAll)
}

func TestAPIServerTakesEveryManifest(t *testing.T) {
	c := envtest.Client(t)
	for name, objects := range map[string][]*unstructured.Unstructured{
		"default": render(t, "default"), "namespaced": render(t, "namespaced"), "samples": kustomize(t, "samples"),
		"quickstart": quickstart(t),
	} {
		t.Run(name, func(t *testing.T) {
			for _, o := range objects {
				if ns := o.GetNamespace(); ns != "" {
					ensureNamespace(t, c, ns)
				} else if o.GetAPIVersion() == "kith.dev/v1alpha1" {
					o.SetNamespace("default")
				}
				if err := apply(t.Context(), c, o); err != nil {
					t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
				}
			}
		})
	}
}

// The namespace of the install enforces the restricted Pod Security Standard: its own pod must pass.
func TestOperatorsPodIsRestricted(t *testing.T) {
	c := envtest.Client(t)
	for _, o := range render(t, "default") {
		if o.GetKind() != "Namespace" {
			continue
		}
		if err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("kubectl"), client.ForceOwnership); err != nil {
			t.Fatal(err)
		}
	}
	template := operator(t, "default").Spec.Template
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Name, pod.Namespace = "operator", "kith-system"
	if err := c.Create(t.Context(), pod.DeepCopy(), client.DryRunAll); err != nil {
		t.Error(err)
	}
	pod.Spec.Containers[0].SecurityContext = nil
	if err := c.Create(t.Context(), pod, client.DryRunAll); err == nil {
		t.Error("a pod without a security context was taken too: this test would notice nothing")
	}
}

func ensureNamespace(t *testing.T, c client.Client, name string) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := client.IgnoreAlreadyExists(c.Create(t.Context(), ns)); err != nil {
		t.Fatal(err)
	}
}

func quickstart(t *testing.T) (all []*unstructured.Unstructured) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "config", "samples", "quickstart", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of the quickstart: %v", len(files), err)
	}
	for _, f := range files {
		all = append(all, read(t, f)...)
	}
	return all
}
