// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime/debug"
	"slices"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// secretsLook is how often a reader that waits for better credentials looks whether they have changed.
const secretsLook = 10 * time.Second

// session is one connection: one connector, one probe, one lease, until something about them changes.
type session struct {
	*Reader
	channel   Channel
	connector sdk.Connector
	lease     Lease
	ref       event.ChannelRef
	sched     *schedule
	// failures in a row of connecting, and of conflicts; lanes count their own.
	failures int
	// print is a fingerprint of the credentials as they were when the session began.
	print uint64
	// laneErr is the last error of each lane that has not been read since.
	laneErr map[event.Lane]error
}

// seed keeps fingerprints of secrets meaningless outside of this process.
var seed = maphash.MakeSeed()

func (s *session) run(ctx context.Context) error {
	s.mu.Lock()
	s.channel = s.Reader.channel
	s.updated, s.changed, s.secrets = false, false, false
	s.mu.Unlock()
	s.laneErr = map[event.Lane]error{}
	s.print = s.fingerprint()

	if s.channel.Suspended {
		s.enter(ctx, Suspended, "the channel is suspended; set suspend: false to read on", time.Time{})
		if s.opts.Once {
			return nil
		}
		return s.wait(ctx, time.Time{}, false)
	}
	s.enter(ctx, Connecting, "", time.Time{})
	if err := s.connect(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if w, ok := s.connector.(sdk.Waker); ok && !s.opts.Once {
		go s.listen(ctx, w)
	}
	return s.read(ctx)
}

// connect makes the connector, probes, and takes the lease; it repeats each until it succeeds.
func (s *session) connect(ctx context.Context) error {
	if err := s.repeat(ctx, func() error { return s.resolveSince(ctx) }); err != nil {
		return err
	}
	err := s.repeat(ctx, func() error {
		if err := s.requireSecrets(); err != nil {
			return err
		}
		c, err := s.channel.Descriptor.New(s.channel.Config)
		if err != nil {
			if _, ok := errors.AsType[*sdk.Error](err); ok {
				return err
			}
			return &sdk.Error{Reason: sdk.BadSettings, Message: err.Error(), Permanent: true, Err: err}
		}
		s.connector = c
		return nil
	})
	if err != nil {
		return err
	}
	var account sdk.Account
	err = s.repeat(ctx, func() (err error) {
		ctx, cancel := context.WithTimeout(ctx, s.opts.ReadTimeout)
		defer cancel()
		defer s.recovered("Probe", &err)
		account, err = s.connector.Probe(ctx)
		if err == nil && (account.Channel.Platform == "" || account.Channel.Instance == "") {
			return &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Message: fmt.Sprintf(
				"connector %s does not say which channel this is (platform and instance are needed); this is a defect of the connector", s.channel.Descriptor.Name)}
		}
		return err
	})
	if err != nil {
		return err
	}
	s.ref = account.Channel
	s.mu.Lock()
	s.state.Ref, s.state.Title = account.Channel, account.Title
	s.state.Sees, s.state.Lacks, s.state.Rooms = account.Sees, account.Lacks, account.Rooms
	s.mu.Unlock()
	return s.acquire(ctx)
}

// resolveSince asks the hub how far back the channel is to be read: it resolves a horizon once.
func (s *session) resolveSince(ctx context.Context) error {
	if s.channel.ResolveSince == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.CommitTimeout)
	defer cancel()
	since, err := s.channel.ResolveSince(ctx)
	if err != nil {
		return &hubError{what: "ask how far back channel " + s.channel.Name + " is to be read", err: err}
	}
	s.channel.Config.Since = since
	return nil
}

// requireSecrets says which required key of the credentials is missing, before the platform would say less.
func (s *session) requireSecrets() error {
	for _, k := range s.channel.Descriptor.Secrets {
		if !k.Required {
			continue
		}
		if s.channel.Config.Secrets != nil {
			if _, ok := s.channel.Config.Secrets(k.Name); ok {
				continue
			}
		}
		return &sdk.Error{Reason: sdk.SecretKeyMissing, Permanent: true, Message: fmt.Sprintf(
			"the credentials of channel %s lack the key %q (%s); add it to the Secret", s.channel.Name, k.Name, k.Help)}
	}
	return nil
}

func (s *session) acquire(ctx context.Context) error {
	err := s.repeat(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, s.opts.CommitTimeout)
		defer cancel()
		l, err := s.opts.Hub.Acquire(ctx, s.ref, s.channel.Name, s.opts.Holder)
		if err != nil {
			return &hubError{what: "take the lease of channel " + s.channel.Name, err: err}
		}
		s.lease = l
		return nil
	})
	if err != nil {
		return err
	}
	s.sched = newSchedule(s.lanes(), s.lease, s.channel, s.opts.Once, time.Now())
	s.mu.Lock()
	s.state.Epoch = s.lease.Epoch
	s.state.BackfillDone = s.lease.Done[event.Backfill] || s.sched.lanes[event.Backfill] == nil
	s.mu.Unlock()
	return nil
}

// read is the loop: which lane, wait, read, commit.
func (s *session) read(ctx context.Context) error {
	for ctx.Err() == nil {
		name, at, finished := s.sched.next(time.Now())
		if finished {
			s.settle(ctx)
			return nil
		}
		if at.After(time.Now()) {
			switch err := s.wait(ctx, at, true); {
			case err != nil:
				return err
			default:
				continue // Something may have become due before.
			}
		}
		if err := s.noticed(); err != nil {
			return err
		}
		if err := s.step(ctx, name); err != nil {
			if stop := s.failed(ctx, name, err); stop != nil {
				return stop
			}
		}
	}
	return ctx.Err()
}

// step reads and commits one page of a lane.
func (s *session) step(ctx context.Context, name event.Lane) error {
	if s.opts.slots != nil {
		select {
		case s.opts.slots <- struct{}{}:
			defer func() { <-s.opts.slots }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l := s.sched.lanes[name]
	page, err := s.call(ctx, name, l.cursor)
	if err != nil {
		return err
	}
	if err := checkPage(s.channel.Descriptor.Name, name, l.cursor, page); err != nil {
		return err
	}
	if err := s.commit(ctx, name, page); err != nil {
		return err
	}
	found := len(page.Observations) > 0 || len(page.Quarantined) > 0
	s.sched.read(name, normalCursor(page.Next), page.More, found, page.Wait, time.Now(), s.opts.Jitter())
	s.account(name, page)
	s.failures = 0
	delete(s.laneErr, name)
	s.settle(ctx)
	s.tell()
	return nil
}

// call is Read, bounded in time and with a connector's panic turned into its error: one defect must not stop the other
// channels of the process.
func (s *session) call(ctx context.Context, name event.Lane, cursor sdk.Cursor) (page sdk.Page, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.ReadTimeout)
	defer cancel()
	defer s.recovered("Read", &err)
	return s.connector.Read(ctx, name, cursor)
}

func (s *session) recovered(what string, err *error) {
	v := recover()
	if v == nil {
		return
	}
	s.opts.Log.Error(nil, "connector panicked", "channel", s.channel.Name, "connector", s.channel.Descriptor.Name,
		"in", what, "stack", string(debug.Stack()))
	*err = &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Message: fmt.Sprintf(
		"connector %s panicked in %s; this is a defect of the connector, the log holds the stack", s.channel.Descriptor.Name, what)}
}

// account adds a committed page to the numbers.
func (s *session) account(name event.Lane, page sdk.Page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &s.state
	st.Pages++
	st.Observations[name] += int64(len(page.Observations))
	st.Quarantined += int64(len(page.Quarantined))
	st.LastProgress = s.opts.Now()
	switch name {
	case event.Live:
		if page.CompleteThrough.After(st.CompleteThrough) {
			st.CompleteThrough = page.CompleteThrough
		}
		st.Ready = st.Ready || s.channel.Generation == s.Reader.channel.Generation
	case event.Backfill:
		st.BackfillDone = !page.More
		st.Progress[name] = page.Progress
	case event.Sweep:
		st.Progress[name] = page.Progress
	}
	for _, q := range page.Quarantined {
		s.opts.Log.Info("record left out", "channel", s.channel.Name, "lane", string(name), "kind", q.Kind, "id", q.ID, "reason", q.Reason)
	}
}

// settle enters the phase that follows from how the lanes stand.
func (s *session) settle(ctx context.Context) {
	for _, name := range []event.Lane{event.Live, event.Backfill, event.Sweep} {
		if err := s.laneErr[name]; err != nil {
			s.enter(ctx, phaseOf(err), messageOf(err), s.sched.lanes[name].due)
			return
		}
	}
	s.mu.Lock()
	done := s.state.BackfillDone
	s.mu.Unlock()
	if done {
		s.enter(ctx, Connected, "", time.Time{})
	} else {
		s.enter(ctx, Backfilling, "", time.Time{})
	}
}

// listen keeps a Waker listening; its failures only cost promptness, since polling goes on.
func (s *session) listen(ctx context.Context, w sdk.Waker) {
	for n := 0; ctx.Err() == nil; n++ {
		began := time.Now()
		err := w.Wake(ctx, s.Wake)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > s.opts.MaxBackoff {
			n = 0
		}
		if err != nil {
			s.opts.Log.V(1).Info("not listening for news, polling goes on", "channel", s.channel.Name, "error", err.Error())
		}
		select {
		case <-time.After(s.opts.backoff(n)):
		case <-ctx.Done():
		}
	}
}

// wait sleeps until at (zero: for good) or until something is to be done. It returns errAgain when the session is to
// begin anew, nil otherwise. Wakes end it only where lanes may be read early.
func (s *session) wait(ctx context.Context, at time.Time, lanes bool) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.noticed(); err != nil {
			return err
		}
		if s.awaitsSecrets() && s.fingerprint() != s.print {
			return errAgain
		}
		if lanes && s.takeWakes() {
			return nil
		}
		pause := time.Until(at)
		if !at.IsZero() && pause <= 0 {
			return nil
		}
		if at.IsZero() {
			pause = time.Hour
		}
		if s.awaitsSecrets() {
			pause = min(pause, secretsLook)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-s.look:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// noticed is errAgain when the declaration or the secrets have changed.
func (s *session) noticed() error {
	s.mu.Lock()
	again, secrets := s.updated || s.changed, s.secrets
	s.secrets = false
	s.mu.Unlock()
	if again || secrets && s.fingerprint() != s.print {
		return errAgain
	}
	return nil
}

func (s *session) takeWakes() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	woken := len(s.woken) > 0
	for l := range s.woken {
		s.sched.wake(l)
	}
	clear(s.woken)
	return woken
}

func (s *session) awaitsSecrets() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Phase == BadCredentials || s.state.Phase == SecretKeyMissing
}

func (s *session) fingerprint() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	if s.channel.Config.Secrets == nil {
		return 0
	}
	for _, k := range s.channel.Descriptor.Secrets {
		v, ok := s.channel.Config.Secrets(k.Name)
		_, _ = fmt.Fprintf(&h, "%q %t %q\n", k.Name, ok, v)
	}
	return h.Sum64()
}

// lanes are the lanes that this reader reads.
func (s *session) lanes() []event.Lane {
	if !s.opts.NoSweep {
		return s.channel.Descriptor.Lanes
	}
	return slices.DeleteFunc(slices.Clone(s.channel.Descriptor.Lanes), func(l event.Lane) bool { return l == event.Sweep })
}
