// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// follower keeps the cursors of all lanes, as a ledger would, and what has been seen.
type follower struct {
	*env
	world   *world
	cursors map[event.Lane]sdk.Cursor
}

func (e *env) follow() *follower {
	f := &follower{env: e, world: newWorld(), cursors: map[event.Lane]sdk.Cursor{}}
	f.catchUp()
	return f
}

// catchUp reads live, then history, then a sweep, each from where it stood.
func (f *follower) catchUp() {
	for _, lane := range f.suite.lanes(event.Live, event.Backfill, event.Sweep) {
		steps := f.pass(lane, f.cursors[lane], false)
		f.cursors[lane] = end(steps)
		f.world.see(observations(steps))
	}
}

// until catches up until something is seen: a sweep may take several passes for a round.
func (f *follower) until(t *testing.T, seen func() bool, what string) {
	t.Helper()
	const passes = 30
	for range passes {
		f.platform.Advance(time.Hour)
		f.catchUp()
		if seen() {
			return
		}
	}
	t.Errorf("%s was not seen in %d passes", what, passes)
}

func seesEdits(t *testing.T, e *env) {
	_, messages := populate(e.platform)
	f := e.follow()
	for _, id := range []string{messages[0], messages[len(messages)-1], messages[len(messages)/2]} {
		before := f.world.messages[id]
		if before == nil {
			t.Fatalf("message %s is missing", id)
		}
		ability[Editor](t, e.platform).Edit(id)
		f.until(t, func() bool { return f.world.messages[id].Text != before.Text }, "an edit")
		if now := f.world.messages[id]; !now.CreatedAt.Equal(before.CreatedAt) || now.Thread != before.Thread || !f.world.here(id) {
			t.Errorf("an edit moved the message: %s in %s at %s", id, now.Thread, now.CreatedAt)
		}
	}
}

func seesRemovals(t *testing.T, e *env) {
	_, messages := populate(e.platform)
	f := e.follow()
	id, others := messages[2], append([]string{messages[0], messages[1]}, messages[3:]...)
	ability[Remover](t, e.platform).Remove(id)
	f.until(t, func() bool { return !f.world.here(id) }, "a removal")
	for _, o := range others {
		if !f.world.here(o) {
			t.Errorf("message %s is taken for removed, and is not", o)
		}
	}
}

func seesAcceptance(t *testing.T, e *env) {
	_, messages := e.platform.Open(3)
	e.platform.Open(1)
	f := e.follow()
	id := messages[2]
	accepted := func(id string) bool {
		m := f.world.messages[id]
		return m != nil && m.Accepted != nil && *m.Accepted
	}
	if accepted(id) {
		t.Fatal("an answer is accepted before anybody has accepted it")
	}
	ability[Accepter](t, e.platform).Accept(id)
	f.until(t, func() bool { return accepted(id) }, "an acceptance")
	for _, other := range f.world.ids() {
		if other != id && accepted(other) {
			t.Errorf("message %s counts as accepted, and is not", other)
		}
	}
}

// leavesPrivateOut: what is closed to some is not read unless named, also for an account that could.
func leavesPrivateOut(t *testing.T, e *env) {
	_, open := populate(e.platform)
	_, closed := ability[Private](t, e.platform).OpenPrivate()
	secrets := func(*sdk.Config) {}
	if g, ok := e.platform.(Guarded); ok {
		g.Guard(e.secrets)
		secrets = e.withSecrets
	}
	w := newWorld()
	for _, lane := range e.suite.Descriptor.Lanes {
		var cursor sdk.Cursor
		for more, n := true, 0; more && n < maxPages; n++ {
			p, err := e.call(e.connect(secrets), lane, cursor)
			if err != nil {
				t.Fatal(err)
			}
			w.see(p.Observations)
			cursor, more = p.Next, p.More
		}
	}
	if missing := w.missing(open); len(missing) > 0 {
		t.Errorf("public messages are missing: %v", missing)
	}
	if left := len(w.missing(closed)); left != len(closed) {
		t.Errorf("%d of %d private messages were read", len(closed)-left, len(closed))
	}
}
