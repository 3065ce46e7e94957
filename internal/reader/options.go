// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"

	"github.com/go-logr/logr"

	"github.com/kith-dev/kith/connectors/sdk"
)

// Channel is what is to be read: a declared channel with all that its connector needs.
type Channel struct {
	// Name is the resource's name.
	Name       string
	Descriptor sdk.Descriptor
	// Config goes to Descriptor.New as it is, but for Since where ResolveSince is there.
	Config sdk.Config
	// ResolveSince asks the hub for the horizon each time the channel connects; nil: Config.Since is it.
	ResolveSince func(context.Context) (time.Time, error)
	// Generation of the declaration, which the state repeats; a new one makes the channel unready until it has connected
	// again.
	Generation int64
	// Revision tells apart what one generation can come to (a certificate that was replaced); 0 where it cannot.
	Revision int64
	// Suspended channels are not read.
	Suspended bool
	// PollInterval between live polls while there is news; up to ten times that while there is none. Default 1 minute.
	PollInterval time.Duration
	// SweepInterval between the end of a sweep and the beginning of the next one. Default 1 hour.
	SweepInterval time.Duration
	// RateLimitRemaining says how many requests the platform last said are left; nil where nobody knows.
	RateLimitRemaining func() (int64, bool)
}

// Options are what all readers of a process share.
type Options struct {
	Hub Hub
	// Holder names this process in leases, for people ("kith-forum-0").
	Holder string
	// Once ends a reader when backfill is done, live has caught up and one pass of the sweep has been made, and at the
	// first permanent error or after GiveUp failures in a row. It polls no lane by time, so that the order of pages
	// follows from the cursors alone.
	Once bool
	// Yield makes a Group leave a channel that another process has taken over to that process, also when its declaration
	// changes, until Return.
	Yield bool
	// NoSweep leaves the sweep out: for a look at a place that nothing is kept of.
	NoSweep bool
	// GiveUp is after how many failures in a row a once-run ends, rate limits aside. Default 8.
	GiveUp int
	// Heartbeat is the time between reports while nothing changes. Default 30 s.
	Heartbeat time.Duration
	// Parallel is how many channels of a Group read at the same time at most. Default 64.
	Parallel int
	// FirstBackoff and MaxBackoff bound the pauses after passing errors: doubled each time, shortened by up to a half.
	// Default 1 s and 5 min.
	FirstBackoff, MaxBackoff time.Duration
	// PermanentBackoff is the pause after an error that a repeat cannot help, unless something changes. Default 1 h.
	PermanentBackoff time.Duration
	// ReadTimeout bounds one call of Read or Probe, CommitTimeout one call of the hub. Default 15 min and 1 min.
	ReadTimeout, CommitTimeout time.Duration
	// OnState is told of each page and each change of phase, from the reader's goroutine; it must return soon.
	OnState func(State)
	// Now is the clock of what is stamped; nil means time.Now. Pauses are the time package's.
	Now func() time.Time
	// Jitter gives numbers in [0, 1); nil means random ones.
	Jitter func() float64
	Log    logr.Logger

	// slots bounds concurrent reads; set by Group.
	slots chan struct{}
}

func (o Options) withDefaults() Options {
	o.GiveUp = cmp.Or(o.GiveUp, 8)
	o.Heartbeat = cmp.Or(o.Heartbeat, 30*time.Second)
	o.Parallel = cmp.Or(o.Parallel, 64)
	o.FirstBackoff = cmp.Or(o.FirstBackoff, time.Second)
	o.MaxBackoff = cmp.Or(o.MaxBackoff, 5*time.Minute)
	o.PermanentBackoff = cmp.Or(o.PermanentBackoff, time.Hour)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, 15*time.Minute)
	o.CommitTimeout = cmp.Or(o.CommitTimeout, time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	return o
}

func (c Channel) withDefaults() Channel {
	c.PollInterval = cmp.Or(c.PollInterval, time.Minute)
	c.SweepInterval = cmp.Or(c.SweepInterval, time.Hour)
	return c
}
