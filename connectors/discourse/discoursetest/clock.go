// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursetest

import (
	"sync"
	"time"
)

// Clock is a clock that stands still until it is moved. Its Now fits WithClock and sdk.Config.
//
// What a test changes is complete for a reader a few seconds later only, as on a real forum: advance the clock by at
// least ten seconds before reading.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at a time.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
