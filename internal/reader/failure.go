// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// maxRetryAfter is the longest pause that a platform can ask for; the HTTP client caps it too.
const maxRetryAfter = time.Hour

// hubError is a failure of the hub, not of the platform.
type hubError struct {
	what string
	err  error
}

func (e *hubError) Error() string { return fmt.Sprintf("cannot %s: %v", e.what, e.err) }
func (e *hubError) Unwrap() error { return e.err }

// failed deals with an error of a step: it returns what ends the session, or nil after having set the pause.
func (s *session) failed(ctx context.Context, name event.Lane, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, ErrConflict) {
		return s.conflicted(ctx, err)
	}
	if errors.Is(err, ErrRefused) {
		err = &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Err: err, Message: fmt.Sprintf(
			"the hub refuses what connector %s has read: %v", s.channel.Descriptor.Name, err)}
	}
	s.count(err)
	l := s.sched.lanes[name]
	pause, stop := s.pause(err, &l.failures)
	if stop {
		s.enter(ctx, phaseOf(err), messageOf(err), time.Time{})
		return err
	}
	until := time.Now().Add(pause)
	l.due = until
	// What the platform says of one page is that lane's trouble; everything else stops them all.
	if phaseOf(err) != PlatformError {
		s.sched.held = until
	}
	s.laneErr[name] = err
	s.enter(ctx, phaseOf(err), messageOf(err), until)
	return nil
}

// conflicted tells a lost race from a lease that somebody else has taken.
func (s *session) conflicted(ctx context.Context, err error) error {
	c, ok := errors.AsType[*Conflict](err)
	if ok && c.Epoch > s.lease.Epoch {
		by := "another process"
		if c.Holder != "" {
			by = c.Holder
		}
		message := fmt.Sprintf("%s reads this channel now (epoch %d, ours was %d); run one connector per channel", by, c.Epoch, s.lease.Epoch)
		s.enter(ctx, TakenOver, message, time.Time{})
		return fmt.Errorf("channel %s: %w: %s", s.channel.Name, ErrTakenOver, message)
	}
	s.failures++
	if s.opts.Once && s.failures >= s.opts.GiveUp {
		return fmt.Errorf("channel %s: its cursor does not settle: %w", s.channel.Name, err)
	}
	s.opts.Log.Info("cursor has moved on, taking the lease again", "channel", s.channel.Name, "error", err.Error())
	if err := s.wait(ctx, time.Now().Add(s.opts.backoff(s.failures-1)), false); err != nil {
		return err
	}
	return s.acquireAgain(ctx)
}

// acquireAgain goes on from the ledger's cursors under a new epoch.
func (s *session) acquireAgain(ctx context.Context) error {
	clear(s.laneErr)
	return s.acquire(ctx)
}

// repeat tries something until it succeeds, or until the session is to end.
func (s *session) repeat(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			s.failures = 0
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.count(err)
		pause, stop := s.pause(err, &s.failures)
		if stop {
			s.enter(ctx, phaseOf(err), messageOf(err), time.Time{})
			return err
		}
		until := time.Now().Add(pause)
		s.enter(ctx, phaseOf(err), messageOf(err), until)
		if err := s.wait(ctx, until, false); err != nil {
			return err
		}
	}
}

// pause counts an error and says how long to wait after it; stop is true where a once-run gives up. Rate limits are
// counted as failures, but end no run: they pass.
func (s *session) pause(err error, failures *int) (pause time.Duration, stop bool) {
	n := *failures
	*failures++
	e, ok := errors.AsType[*sdk.Error](err)
	switch {
	case ok && e.Permanent:
		return s.opts.permanentBackoff(n), s.opts.Once
	case ok && e.RetryAfter > 0:
		// A little later than asked, never earlier, and not all at the same moment.
		asked := min(e.RetryAfter, maxRetryAfter)
		pause = asked + time.Duration(float64(asked)*0.1*s.opts.Jitter())
	case isHub(err):
		pause = s.opts.hubBackoff(n)
	default:
		pause = s.opts.backoff(n)
	}
	return pause, s.opts.Once && *failures >= s.opts.GiveUp && phaseOf(err) != RateLimited
}

// permanentBackoff begins with a minute and doubles up to PermanentBackoff. Such an error stays until somebody acts, and
// whoever tries a wrong key too often is locked out; but a platform that is being repaired refuses good keys for a while.
func (o Options) permanentBackoff(failures int) time.Duration {
	return min(o.PermanentBackoff, time.Minute<<min(failures, 10))
}

// backoff doubles with each failure and takes off up to a half.
func (o Options) backoff(failures int) time.Duration {
	d := o.MaxBackoff
	if failures < 30 {
		d = min(d, o.FirstBackoff<<failures)
	}
	return time.Duration(float64(d) * (1 - 0.5*o.Jitter()))
}

// maxHubBackoff is the longest pause after a failure of the hub: it is ours, and soon back.
const maxHubBackoff = 15 * time.Second

func (o Options) hubBackoff(failures int) time.Duration {
	o.MaxBackoff = min(o.MaxBackoff, maxHubBackoff)
	return o.backoff(failures)
}

func isHub(err error) bool {
	_, hub := errors.AsType[*hubError](err)
	return hub
}

func (s *session) count(err error) {
	if isHub(err) {
		return
	}
	s.mu.Lock()
	s.state.Errors[sdk.ReasonOf(err)]++
	s.mu.Unlock()
	s.opts.Log.V(1).Info("channel cannot be read", "channel", s.channel.Name, "error", err.Error())
}

func phaseOf(err error) Phase {
	if isHub(err) {
		return HubUnavailable
	}
	return Phase(sdk.ReasonOf(err))
}

// messageOf is the sentence for people: without the reason, which stands beside it.
func messageOf(err error) string {
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		return e.Message
	}
	return err.Error()
}
