// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// secretsQuiet is how long the set of mounted Secrets must stay the same before pods are rolled for it: whoever declares
// twenty channels one after the other gets one roll.
const secretsQuiet = 10 * time.Second

// mostQuiets is after how many such times a change is made although others still follow: a channel must not wait for
// somebody who declares another one every few seconds.
const mostQuiets = 6

// quiet holds changes back until they have stayed the same for a while.
type quiet struct {
	mu      sync.Mutex
	pending map[types.NamespacedName]change
}

type change struct {
	to           string
	first, since time.Time
}

// holdRoll gives how much longer a connector is to be left as it is, because only a moment ago its set of mounted Secrets
// became another one; 0 where it may be applied. One that is not there yet (live is nil) is never held.
func (q *quiet) holdRoll(owner client.Object, live, desired *appsv1.Deployment, now time.Time) time.Duration {
	key := client.ObjectKeyFromObject(owner)
	if live != nil {
		if wants := mountedSecrets(desired); mountedSecrets(live) != wants {
			if wait := q.hold(key, wants, secretsQuiet, now); wait > 0 {
				return wait
			}
		}
	}
	q.settled(key)
	return 0
}

// hold gives how much longer the change of key to this value is to be held back; 0 where it may be made.
func (q *quiet) hold(key types.NamespacedName, to string, by time.Duration, now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pending == nil {
		q.pending = map[types.NamespacedName]change{}
	}
	p, waits := q.pending[key]
	if !waits {
		p.first = now
	}
	if p.to != to {
		p.to, p.since = to, now
	}
	q.pending[key] = p
	return max(0, min(by-now.Sub(p.since), mostQuiets*by-now.Sub(p.first)))
}

// settled forgets a change: it has been made, or is not wanted any longer.
func (q *quiet) settled(key types.NamespacedName) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.pending, key)
}
