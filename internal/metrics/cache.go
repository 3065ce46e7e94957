// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"sync"
	"time"
)

// Figures are worked out at most every freshFor, however many ask, and within readTimeout: scrapes cannot load the ledger.
const (
	freshFor    = 5 * time.Second
	readTimeout = 10 * time.Second
)

// cache keeps what was worked out last. Who asks while it is being worked out waits for that.
type cache[K comparable, V any] struct {
	mu    sync.Mutex
	key   K
	at    time.Time
	value V
}

// get gives the value for a key, working it out where it is older than freshFor or belongs to another key.
func (c *cache[K, V]) get(key K, now func() time.Time, work func(context.Context) V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now().Sub(c.at); !c.at.IsZero() && c.key == key && age >= 0 && age < freshFor {
		return c.value
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	c.value = work(ctx)
	c.key, c.at = key, now()
	return c.value
}
