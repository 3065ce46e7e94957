// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package kstatus

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/kith-dev/kith/internal/testing/envtest"
)

// Watch checks every status of these kinds in a namespace that the API server shows until the test ends; what is wrong
// fails the test, once for each resource and problem.
func Watch(t testing.TB, config *rest.Config, namespace string, kinds ...schema.GroupVersionResource) {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	informers := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, namespace, nil)
	found := newFindings()
	for _, kind := range kinds {
		informer := informers.ForResource(kind).Informer()
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { found.look(kind.Resource, obj) },
			UpdateFunc: func(_, obj any) { found.look(kind.Resource, obj) },
		}); err != nil {
			t.Fatal(err)
		}
	}
	informers.Start(ctx.Done())
	informers.WaitForCacheSync(ctx.Done())
	t.Cleanup(func() {
		// What the test saw last may still be on its way here.
		envtest.Eventually(t, time.Minute, func() string { return found.behind(ctx, client, namespace, kinds) })
		cancel()
		informers.Shutdown()
		for _, wrong := range found.all() {
			t.Error(wrong)
		}
	})
}

// behind says what the API server shows and no handler was given yet; nothing when there is no such thing.
func (f *findings) behind(ctx context.Context, client dynamic.Interface, namespace string, kinds []schema.GroupVersionResource) string {
	for _, kind := range kinds {
		list, err := client.Resource(kind).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err.Error()
		}
		for _, item := range list.Items {
			if !f.looked(item.GetUID(), item.GetResourceVersion()) {
				return fmt.Sprintf("%s %s/%s was not checked at resourceVersion %s", kind.Resource, namespace, item.GetName(), item.GetResourceVersion())
			}
		}
	}
	return ""
}

// reached are the reasons of all conditions that Watch has seen.
var reached = newFindings()

// Reached gives the reasons that any condition had in any test of this binary so far, in order.
func Reached() []string { return reached.all() }

// look checks one object.
func (f *findings) look(kind string, obj any) {
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return
	}
	var status struct {
		Status struct {
			ObservedGeneration int64              `json:"observedGeneration"`
			Conditions         []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	defer f.have(u.GetUID(), u.GetResourceVersion())
	name := fmt.Sprintf("%s %s/%s", kind, u.GetNamespace(), u.GetName())
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"status": u.Object["status"]}, &status); err != nil {
		f.add(fmt.Sprintf("%s: its status cannot be read: %v", name, err))
		return
	}
	for _, c := range status.Status.Conditions {
		reached.add(c.Reason)
	}
	for _, wrong := range Check(u.GetGeneration(), status.Status.ObservedGeneration, status.Status.Conditions) {
		f.add(name + ": " + wrong)
	}
}
