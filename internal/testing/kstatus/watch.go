// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package kstatus

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/resourceversion"
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
	w := &watch{client: client, namespace: namespace, kinds: kinds, wrong: newFindings()}
	for _, kind := range kinds {
		informer := informers.ForResource(kind).Informer()
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { w.look(kind.Resource, obj) },
			UpdateFunc: func(_, obj any) { w.look(kind.Resource, obj) },
		}); err != nil {
			t.Fatal(err)
		}
	}
	informers.Start(ctx.Done())
	informers.WaitForCacheSync(ctx.Done())
	t.Cleanup(func() {
		// What the test saw last may still be on its way here.
		envtest.Eventually(t, time.Minute, func() string { return w.behind(ctx) })
		cancel()
		informers.Shutdown()
		for _, wrong := range w.wrong.all() {
			t.Error(wrong)
		}
	})
}

// watch is what is known of a namespace.
type watch struct {
	client    dynamic.Interface
	namespace string
	kinds     []schema.GroupVersionResource
	wrong     *findings
	checked   sync.Map // the resourceVersion that was checked last, by UID
}

// behind says what the API server shows and was not checked yet; nothing when there is no such thing.
func (w *watch) behind(ctx context.Context) string {
	for _, kind := range w.kinds {
		list, err := w.client.Resource(kind).Namespace(w.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err.Error()
		}
		for _, item := range list.Items {
			last, _ := w.checked.Load(item.GetUID())
			version, _ := last.(string)
			if order, err := resourceversion.CompareResourceVersion(version, item.GetResourceVersion()); err != nil || order < 0 {
				return fmt.Sprintf("%s %s/%s was not checked at resourceVersion %s", kind.Resource, w.namespace, item.GetName(), item.GetResourceVersion())
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
func (w *watch) look(kind string, obj any) {
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
	defer w.checked.Store(u.GetUID(), u.GetResourceVersion())
	name := fmt.Sprintf("%s %s/%s", kind, u.GetNamespace(), u.GetName())
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"status": u.Object["status"]}, &status); err != nil {
		w.wrong.add(fmt.Sprintf("%s: its status cannot be read: %v", name, err))
		return
	}
	for _, c := range status.Status.Conditions {
		reached.add(c.Reason)
	}
	for _, wrong := range Check(u.GetGeneration(), status.Status.ObservedGeneration, status.Status.Conditions) {
		w.wrong.add(name + ": " + wrong)
	}
}
