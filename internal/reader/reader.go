// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Reader reads one channel. It costs one goroutine (one more where the connector is a sdk.Waker) and no position.
type Reader struct {
	opts Options
	// look is signalled when one of the flags below has been set.
	look chan struct{}

	mu      sync.Mutex
	channel Channel
	// updated and changed end the running session, secrets ends it where its own have changed; woken lanes are read at
	// once.
	updated, changed, secrets bool
	woken                     map[event.Lane]bool
	state                     State
	// told is set once the hub has heard of this reader.
	told bool
}

// errAgain ends a session that is to begin anew: with a new declaration, new secrets or a new lease.
var errAgain = errors.New("connect again")

// New makes a reader; Run reads.
func New(c Channel, o Options) *Reader {
	o = o.withDefaults()
	r := &Reader{opts: o, look: make(chan struct{}, 1), channel: c.withDefaults(), woken: map[event.Lane]bool{}}
	now := o.Now()
	r.state = State{
		Channel: c.Name, Platform: c.Descriptor.Name, Generation: c.Generation, Phase: Connecting, Since: now, Heartbeat: now,
		Progress: map[event.Lane]sdk.Progress{}, Observations: map[event.Lane]int64{}, Errors: map[sdk.Reason]int64{},
	}
	return r
}

// Update replaces the declaration. It takes effect before the next page is read.
func (r *Reader) Update(c Channel) {
	r.mu.Lock()
	if c.Generation != r.channel.Generation {
		r.state.Ready = false
	}
	r.channel = c.withDefaults()
	r.updated = true
	r.mu.Unlock()
	r.signal()
}

// Changed says that secrets or something else outside of the declaration may have changed: what waits after an error is
// tried again at once.
func (r *Reader) Changed() {
	r.mu.Lock()
	r.changed = true
	r.mu.Unlock()
	r.signal()
}

// SecretsChanged says that secrets have changed, some reader's perhaps: one whose own have not goes on undisturbed.
func (r *Reader) SecretsChanged() {
	r.mu.Lock()
	r.secrets = true
	r.mu.Unlock()
	r.signal()
}

// Wake says that a lane may have something new. It never shortens a pause that the platform asked for.
func (r *Reader) Wake(l event.Lane) {
	r.mu.Lock()
	r.woken[l] = true
	r.mu.Unlock()
	r.signal()
}

// State tells how the channel stands.
func (r *Reader) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state.clone()
	if f := r.channel.RateLimitRemaining; f != nil {
		if n, ok := f(); ok {
			s.RateLimitRemaining = &n
		}
	}
	s.Heartbeat = r.opts.Now()
	return s
}

// Run reads until ctx ends (nil: the running commit has been finished, nothing more read), until another process takes
// the channel over (wraps ErrTakenOver), or, in a once-run, until everything has been read or an error cannot be helped.
func (r *Reader) Run(ctx context.Context) error {
	stop := r.heartbeats(ctx)
	defer stop()
	for {
		err := (&session{Reader: r}).run(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errAgain):
			continue
		default:
			return err
		}
	}
}

// heartbeats reports the state at a steady pace, also during a long read, without a goroutine of its own.
func (r *Reader) heartbeats(ctx context.Context) (stop func()) {
	var mu sync.Mutex
	var timer *time.Timer
	stopped := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(r.opts.Heartbeat, func() {
		mu.Lock()
		over := stopped
		mu.Unlock()
		if over || ctx.Err() != nil {
			return
		}
		r.report(ctx)
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			timer.Reset(r.opts.Heartbeat)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}

// report tells the hub. A report that is lost is followed by the next one, so its failure is only logged.
func (r *Reader) report(ctx context.Context) {
	s := r.State()
	ctx, cancel := context.WithTimeout(ctx, r.opts.CommitTimeout)
	defer cancel()
	if err := r.opts.Hub.Report(ctx, s.Channel, s); err != nil && ctx.Err() == nil {
		r.opts.Log.V(1).Info("state not reported", "channel", s.Channel, "error", err.Error())
	}
}

// enter changes the phase, and tells the hub where it is a new one.
func (r *Reader) enter(ctx context.Context, p Phase, message string, retryAt time.Time) {
	r.mu.Lock()
	s := &r.state
	fresh := !r.told || s.Phase != p || s.Message != message || s.Generation != r.channel.Generation
	if s.Phase != p {
		s.Since = r.opts.Now()
	}
	s.Phase, s.Message, s.RetryAt, s.Generation = p, message, retryAt, r.channel.Generation
	r.told = true
	r.mu.Unlock()
	if fresh {
		r.report(ctx)
		r.tell()
	}
}

func (r *Reader) tell() {
	if r.opts.OnState != nil {
		r.opts.OnState(r.State())
	}
}

func (r *Reader) signal() {
	select {
	case r.look <- struct{}{}:
	default:
	}
}
