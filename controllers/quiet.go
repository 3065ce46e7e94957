// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// secretsQuiet is how long the set of mounted Secrets must stay the same before pods are rolled for it: whoever declares
// twenty channels one after the other gets one roll.
const secretsQuiet = 10 * time.Second

// quiet holds changes back until they have stayed the same for a while.
type quiet struct {
	mu      sync.Mutex
	pending map[types.NamespacedName]change
}

type change struct {
	to    string
	since time.Time
}

// hold gives how much longer the change of key to this value is to be held back; 0 where it may be made.
func (q *quiet) hold(key types.NamespacedName, to string, by time.Duration, now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p, ok := q.pending[key]; ok && p.to == to {
		return max(0, by-now.Sub(p.since))
	}
	if q.pending == nil {
		q.pending = map[types.NamespacedName]change{}
	}
	q.pending[key] = change{to, now}
	return by
}

// settled forgets a change: it has been made, or is not wanted any longer.
func (q *quiet) settled(key types.NamespacedName) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.pending, key)
}
