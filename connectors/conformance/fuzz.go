// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// FuzzCursors reads every lane from arbitrary cursors: an error or a good page, never a panic.
func FuzzCursors(f *testing.F, s Suite) {
	e := newEnv(f, s)
	populate(e.platform)
	for _, lane := range s.Descriptor.Lanes {
		for _, st := range e.pass(lane, nil, false) {
			f.Add(string(lane), []byte(st.page.Next))
		}
	}
	f.Add(string(event.Live), []byte(`{"v":1,"x":[null,{}]}`))
	f.Fuzz(func(t *testing.T, lane string, cursor []byte) {
		// A cursor may name addresses: nobody waits for those that do not answer.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p, err := e.in(t).connect().Read(ctx, event.Lane(lane), sdk.Cursor(cursor))
		if err != nil {
			return
		}
		// A cursor that happens to fit may stand still; all else must hold.
		p.More = false
		if err := checkPage(p, nil); err != nil {
			t.Errorf("lane %s, cursor %q: %v", lane, cursor, err)
		}
	})
}

// FuzzBodies answers every request with arbitrary bytes: an error or a good page, never a panic.
func FuzzBodies(f *testing.F, s Suite) {
	e := newEnv(f, s)
	populate(e.platform)
	for _, seed := range []string{``, `{}`, `[]`, `null`, `<html>`, `{"id":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ability[Answering](t, e.platform).Answer(body)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := e.in(t).connect()
		if a, err := c.Probe(ctx); err == nil && a.Channel.Instance == "" {
			t.Error("a channel without an instance")
		}
		for _, lane := range s.Descriptor.Lanes {
			p, err := c.Read(ctx, lane, nil)
			if err != nil {
				continue
			}
			if err := checkPage(p, nil); err != nil {
				t.Errorf("lane %s: %v", lane, err)
			}
		}
	})
}
