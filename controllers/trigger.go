// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Trigger lets anything within the process ask for resources of one kind to be looked at again. It is a source for a
// controller (WatchesRawSource), and puts names right into its queue: nothing blocks, and what is asked for twice is
// done once. What is asked for before the controller runs is dropped, since it then looks at everything anyway.
type Trigger struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// Start implements source.Source.
func (t *Trigger) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = queue
	return nil
}

// Add asks for resources.
func (t *Trigger) Add(keys ...types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue == nil {
		return
	}
	for _, key := range keys {
		t.queue.Add(reconcile.Request{NamespacedName: key})
	}
}
