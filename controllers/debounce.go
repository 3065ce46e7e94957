// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Debounce holds changes back until they have come to rest, so that a pod is replaced once and not for each of ten
// Secrets that are declared one after the other. It keeps in memory what it has seen: a new process waits once more.
// The zero value waits for quiet of 10 s, and for a minute at most.
type Debounce struct {
	// Quiet is for how long nothing must have changed; Most is when a change happens although others follow.
	Quiet, Most time.Duration
	Now         func() time.Time

	mu   sync.Mutex
	held map[types.NamespacedName]held
}

// held is a change that waits.
type held struct {
	desired     string
	first, last time.Time
}

// Hold says for how long a change from current to desired has to wait; 0 once it may happen, which it is to do then.
// Where there is nothing yet (current is empty) nothing is held back.
func (d *Debounce) Hold(key types.NamespacedName, current, desired string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if current == "" || current == desired {
		delete(d.held, key)
		return 0
	}
	now := time.Now
	if d.Now != nil {
		now = d.Now
	}
	at := now()
	h, waits := d.held[key]
	if !waits {
		h.first = at
	}
	if h.desired != desired {
		h.desired, h.last = desired, at
	}
	due := h.last.Add(cmp.Or(d.Quiet, 10*time.Second))
	if latest := h.first.Add(cmp.Or(d.Most, time.Minute)); latest.Before(due) {
		due = latest
	}
	if !at.Before(due) {
		delete(d.held, key)
		return 0
	}
	if d.held == nil {
		d.held = map[types.NamespacedName]held{}
	}
	d.held[key] = h
	return due.Sub(at)
}

// Forget drops what waits for a resource.
func (d *Debounce) Forget(key types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.held, key)
}
