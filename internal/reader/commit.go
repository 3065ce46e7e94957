// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// commit writes a page and repeats it until the hub has answered. A page that says nothing new is not written.
func (s *session) commit(ctx context.Context, name event.Lane, page sdk.Page) error {
	l := s.sched.lanes[name]
	if quiet(name, l, page) {
		return nil
	}
	c := event.Commit{
		Channel: s.ref, Epoch: s.lease.Epoch, Lane: name, Previous: l.cursor, Next: normalCursor(page.Next),
		CompleteThrough: page.CompleteThrough, ObservedAt: s.opts.Now(), Observations: page.Observations,
		Quarantined: len(page.Quarantined),
	}
	if name != event.Live {
		c.Done = !page.More
		c.FromBeginning = c.Done && page.FromBeginning
	}
	for attempt := 0; ; attempt++ {
		err := s.commitOnce(ctx, c)
		conflict, isConflict := errors.AsType[*Conflict](err)
		switch {
		case err == nil, isConflict && attempt > 0 && conflict.Epoch == c.Epoch && sameCursor(conflict.Cursor, c.Next):
			// The second case: the hub had committed the page, and its answer was lost.
			l.through, l.committed = page.CompleteThrough, true
			return nil
		case isConflict, errors.Is(err, ErrConflict), errors.Is(err, ErrRefused):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		failure := &hubError{what: "commit a page of channel " + s.channel.Name, err: err}
		s.count(failure)
		pause := s.opts.hubBackoff(attempt)
		s.enter(ctx, HubUnavailable, failure.Error(), time.Now().Add(pause))
		if s.opts.Once && attempt+1 >= s.opts.GiveUp {
			return failure
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// commitOnce is not cut short by the end of ctx: a commit that has begun is finished, so that its outcome is known.
func (s *session) commitOnce(ctx context.Context, c event.Commit) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.CommitTimeout)
	defer cancel()
	return s.opts.Hub.Commit(ctx, c)
}

// quiet says that a page would change nothing in the ledger.
func quiet(name event.Lane, l *lane, p sdk.Page) bool {
	return len(p.Observations) == 0 && len(p.Quarantined) == 0 && sameCursor(p.Next, l.cursor) &&
		!p.CompleteThrough.After(l.through) && (name == event.Live || l.committed || p.More)
}

// checkPage refuses what a connector must not return. Bytes are estimated, since the wire form is made only by a remote
// hub, which measures it.
func checkPage(connector string, name event.Lane, previous json.RawMessage, p sdk.Page) error {
	defect := func(format string, args ...any) error {
		return &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Message: fmt.Sprintf(
			"connector %s, lane %s: %s; this is a defect of the connector", connector, name, fmt.Sprintf(format, args...))}
	}
	if n := len(p.Observations); n > event.MaxObservations {
		return defect("a page holds %d observations, at most %d are allowed", n, event.MaxObservations)
	}
	if n := pageBytes(p.Observations); n > event.MaxPageBytes {
		return defect("a page holds about %d bytes, at most %d are allowed", n, event.MaxPageBytes)
	}
	next := normalCursor(p.Next)
	if next != nil && !json.Valid(next) {
		return defect("the cursor behind a page is no JSON document")
	}
	moved := !sameCursor(next, previous)
	if p.More && !moved {
		return defect("it promises more without moving its cursor")
	}
	if len(p.Observations) > 0 && next == nil {
		return defect("a page with observations has no cursor behind it")
	}
	return nil
}

// pageBytes estimates the wire size of observations.
func pageBytes(obs []event.Observation) int {
	n := 0
	for i := range obs {
		n += sdk.SizeOf(&obs[i])
	}
	return n
}
