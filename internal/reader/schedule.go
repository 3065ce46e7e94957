// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/kith-dev/kith/api/event"
)

// schedule decides which lane is read next. It follows from the cursors: live until it has caught up, then backfill to
// its end, then sweeps; time only adds live polls and later passes between them. So a reader that was killed and
// started again goes on in the order in which it would have gone on.
type schedule struct {
	lanes map[event.Lane]*lane
	once  bool
	poll  time.Duration
	sweep time.Duration
	// quiet counts live polls in a row that found nothing.
	quiet int
	// settled is set in a once-run by a live poll that found nothing more after the end of backfill.
	settled bool
	// held is until when the whole channel waits: rate limits, credentials, network.
	held time.Time
}

// lane is the position of one lane and when it is due.
type lane struct {
	cursor json.RawMessage
	// ended is, for live, that it has caught up; for the others, that the pass has come to its end.
	ended bool
	// due is when the lane is read next, earliest when a wake may have it read; zero means now.
	due, earliest time.Time
	// failures in a row of this lane alone.
	failures int
	// through is the latest watermark committed under this lease; committed is set by the first commit.
	through   time.Time
	committed bool
}

// quietest is how many times the poll interval a channel without news is left alone at most.
const quietest = 10

func newSchedule(lanes []event.Lane, l Lease, c Channel, once bool, now time.Time) *schedule {
	s := &schedule{lanes: map[event.Lane]*lane{}, once: once, poll: c.PollInterval, sweep: c.SweepInterval}
	for _, name := range lanes {
		s.lanes[name] = &lane{cursor: normalCursor(l.Cursors[name])}
	}
	// The very first pass follows the history at once: it notes how things stand, and what changes before it would go
	// unnoticed for long. A pass that was interrupted goes on at once too; another one begins well before a whole
	// interval, since nobody knows how long ago the last one was. A once-run makes one pass of its own: whoever runs it
	// every hour has no other.
	if sw := s.lanes[event.Sweep]; sw != nil && !once && sw.cursor != nil && l.Done[event.Sweep] {
		sw.ended = true
		sw.due = now.Add(s.sweep / 4)
	}
	return s
}

// next gives the lane to read and from when on; finished is true when a once-run has nothing left to read.
func (s *schedule) next(now time.Time) (name event.Lane, at time.Time, finished bool) {
	name, at, finished = s.pick(now)
	if at.Before(s.held) {
		at = s.held
	}
	return name, at, finished
}

func (s *schedule) pick(now time.Time) (event.Lane, time.Time, bool) {
	live, back, sweep := s.lanes[event.Live], s.lanes[event.Backfill], s.lanes[event.Sweep]
	if live != nil && (!live.ended || (!s.once && !live.due.After(now))) {
		return event.Live, live.due, false
	}
	if s.once {
		switch {
		case back != nil && !back.ended:
			return event.Backfill, back.due, false
		case live != nil && !s.settled:
			return event.Live, live.due, false
		case sweep != nil && !sweep.ended:
			return event.Sweep, sweep.due, false
		}
		return "", time.Time{}, true
	}
	due := func(l *lane) bool { return l != nil && !l.due.After(now) }
	backfilled := back == nil || back.ended
	switch {
	case due(back):
		return event.Backfill, back.due, false
	case backfilled && due(sweep):
		return event.Sweep, sweep.due, false
	}
	// Nothing is due: wait for what is due first.
	var name event.Lane
	var at time.Time
	for _, n := range []event.Lane{event.Live, event.Backfill, event.Sweep} {
		l := s.lanes[n]
		if l == nil || (n == event.Sweep && !backfilled) {
			continue
		}
		if name == "" || l.due.Before(at) {
			name, at = n, l.due
		}
	}
	return name, at, false
}

// read moves a lane behind a page. Found says whether the page held anything; jitter is in [0, 1).
func (s *schedule) read(name event.Lane, next json.RawMessage, more, found bool, wait time.Duration, now time.Time, jitter float64) {
	l := s.lanes[name]
	l.cursor, l.failures, s.held = next, 0, time.Time{}
	l.ended = !more
	l.earliest = now.Add(wait)
	l.due = l.earliest
	if more {
		if name == event.Backfill {
			s.settled = false
		}
		return
	}
	switch name {
	case event.Live:
		back := s.lanes[event.Backfill]
		s.settled = back == nil || back.ended
		if found {
			s.quiet = 0
		} else if s.quiet < quietest {
			s.quiet++
		}
		pause := s.poll * time.Duration(max(1, s.quiet))
		l.due = now.Add(max(wait, spread(pause, jitter)))
		if s.once {
			l.due = now.Add(wait)
		}
	case event.Backfill, event.Sweep:
		l.due = now.Add(max(wait, spread(s.sweep, jitter)))
	}
}

// wake makes a lane due as soon as the platform allows.
func (s *schedule) wake(name event.Lane) {
	if l := s.lanes[name]; l != nil && l.failures == 0 {
		l.due = l.earliest
		s.quiet = 0
	}
}

// spread shortens or lengthens a pause by up to a tenth, so that a thousand channels do not poll in step.
func spread(d time.Duration, jitter float64) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*jitter))
}

// normalCursor makes a missing cursor and a JSON null the same: the lane's beginning.
func normalCursor(c json.RawMessage) json.RawMessage {
	if t := bytes.TrimSpace(c); len(t) == 0 || bytes.Equal(t, []byte("null")) {
		return nil
	}
	return c
}

// sameCursor compares two cursors as documents: stores may order keys and spaces anew.
func sameCursor(a, b json.RawMessage) bool {
	a, b = normalCursor(a), normalCursor(b)
	if bytes.Equal(a, b) {
		return true
	}
	if a == nil || b == nil {
		return false
	}
	ca, errA := canonical(a)
	cb, errB := canonical(b)
	return errA == nil && errB == nil && bytes.Equal(ca, cb)
}

func canonical(c json.RawMessage) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(c))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}
