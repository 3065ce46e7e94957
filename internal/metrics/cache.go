// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"sync"
	"time"
)

// Figures are shown within freshFor of being true, however many ask. Where working them out takes long they are kept for
// workShare times as long, up to freshMost: scrapes cannot load the ledger. It may take readTimeout.
const (
	freshFor    = time.Second
	freshMost   = 30 * time.Second
	workShare   = 10
	readTimeout = 10 * time.Second
)

// cache keeps what was worked out last. Who asks while it is being worked out waits for that.
type cache[K comparable, V any] struct {
	mu    sync.Mutex
	key   K
	at    time.Time
	fresh time.Duration
	value V
}

// get gives the value for a key, working it out where it is no longer fresh or belongs to another key.
func (c *cache[K, V]) get(key K, now func() time.Time, work func(context.Context) V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	began := now()
	if age := began.Sub(c.at); !c.at.IsZero() && c.key == key && age >= 0 && age < c.fresh {
		return c.value
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	c.value = work(ctx)
	c.key, c.at = key, now()
	c.fresh = min(max(workShare*c.at.Sub(began), freshFor), freshMost)
	return c.value
}
