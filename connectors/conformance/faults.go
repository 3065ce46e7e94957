// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// survivesFaults lets requests fail strewn in: repeating the same cursor must get over them and lose nothing.
func survivesFaults(t *testing.T, e *env) {
	_, messages := populate(e.platform)
	for _, how := range []Fault{TooMany, ServerError, Truncated} {
		for _, every := range []int{2, 3, 7} {
			t.Run(fmt.Sprintf("%s every %d", how, every), func(t *testing.T) {
				e := e.in(t)
				f := ability[Faulty](t, e.platform)
				f.Fail(every, how)
				defer f.Fail(0, how)
				w := newWorld()
				for _, lane := range e.suite.lanes(event.Live, event.Backfill) {
					var cursor sdk.Cursor
					for more, n := true, 0; more; n++ {
						if n > maxPages {
							t.Fatalf("lane %s does not end", lane)
						}
						p := e.insist(t, lane, cursor)
						w.see(p.Observations)
						for _, q := range p.Quarantined {
							t.Errorf("a passing failure cost a record: %+v", q)
						}
						cursor, more = p.Next, p.More
					}
				}
				if missing := w.missing(messages); len(missing) > 0 {
					t.Errorf("%d of %d messages are missing", len(missing), len(messages))
				}
			})
		}
	}
}

// insist repeats a call as the runtime does, and no more often than it would be patient.
func (e *env) insist(t *testing.T, lane event.Lane, cursor sdk.Cursor) sdk.Page {
	t.Helper()
	var last error
	for range 50 {
		p, err := e.call(e.connect(), lane, cursor)
		if err == nil {
			return p
		}
		if se, ok := errors.AsType[*sdk.Error](err); !ok || se.Permanent {
			t.Fatalf("lane %s: a passing failure is called a lasting one: %v", lane, err)
		}
		e.platform.Advance(time.Minute)
		last = err
	}
	t.Fatalf("lane %s does not get over passing failures: %v", lane, last)
	return sdk.Page{}
}

func namesFaults(t *testing.T, e *env) {
	populate(e.platform)
	reasons := map[Fault][]sdk.Reason{
		TooMany: {sdk.RateLimited}, ServerError: {sdk.PlatformError}, Truncated: {sdk.PlatformError, sdk.Unreachable},
	}
	for how, want := range reasons {
		f := ability[Faulty](t, e.platform)
		f.Fail(1, how)
		for _, lane := range e.suite.Descriptor.Lanes {
			err := e.untilError(lane, func(*sdk.Config) {})
			se, ok := errors.AsType[*sdk.Error](err)
			if !ok {
				t.Errorf("%s, lane %s: error %v is no *sdk.Error", how, lane, err)
				continue
			}
			if se.Permanent || se.Message == "" || (se.Reason != want[0] && se.Reason != want[len(want)-1]) {
				t.Errorf("%s, lane %s: %v (permanent %t), want one of %v that may pass", how, lane, se, se.Permanent, want)
			}
			if how == TooMany && se.RetryAfter <= 0 {
				t.Errorf("lane %s: the pause that was asked for is lost", lane)
			}
			e.platform.Advance(time.Hour)
		}
		f.Fail(0, how)
		e.platform.Advance(time.Hour)
	}
}

// untilError reads a lane until it fails: a first page may get by without what is refused.
func (e *env) untilError(lane event.Lane, change func(*sdk.Config)) error {
	e.t.Helper()
	var cursor sdk.Cursor
	for range 10 {
		p, err := e.call(e.connect(change), lane, cursor)
		if err != nil || !p.More {
			return err
		}
		cursor = p.Next
	}
	return nil
}

func namesRevoked(t *testing.T, e *env) {
	_, messages := populate(e.platform)
	g := ability[Guarded](t, e.platform)
	g.Guard(e.secrets)
	w := newWorld()
	for _, lane := range e.suite.lanes(event.Live, event.Backfill) {
		var cursor sdk.Cursor
		for more, n := true, 0; more && n < maxPages; n++ {
			p, err := e.call(e.connect(e.withSecrets), lane, cursor)
			if err != nil {
				t.Fatalf("lane %s with good credentials: %v", lane, err)
			}
			w.see(p.Observations)
			cursor, more = p.Next, p.More
		}
	}
	if missing := w.missing(messages); len(missing) > 0 {
		t.Errorf("with good credentials, messages are missing: %v", missing)
	}
	g.Revoke()
	_, err := e.connect(e.withSecrets).Probe(t.Context())
	e.hear(fmt.Sprintf("%v %+v", err, err))
	wantBadCredentials(t, "probe", err)
	for _, lane := range e.suite.Descriptor.Lanes {
		err := e.untilError(lane, e.withSecrets)
		wantBadCredentials(t, "lane "+string(lane), err)
	}
}

func wantBadCredentials(t *testing.T, where string, err error) {
	t.Helper()
	se, ok := errors.AsType[*sdk.Error](err)
	if !ok || se.Reason != sdk.BadCredentials || !se.Permanent {
		t.Errorf("%s with revoked credentials: %v, want a permanent %s", where, err, sdk.BadCredentials)
	}
}
