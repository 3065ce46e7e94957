// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// populate fills a platform with some threads and gives all messages.
func populate(p Platform) (threads, messages []string) {
	for _, replies := range []int{0, 3, 30, 1, 7} {
		t, m := p.Open(replies)
		threads, messages = append(threads, t), append(messages, m...)
	}
	return threads, messages
}

func probes(t *testing.T, e *env) {
	populate(e.platform)
	a, err := e.connect().Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := e.connect().Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a.Channel.Platform == "" || a.Channel.Instance == "" {
		t.Errorf("the channel is not identified: %+v", a.Channel)
	}
	if diff := cmp.Diff(a.Channel, again.Channel); diff != "" {
		t.Errorf("a second probe finds another channel:\n%s", diff)
	}
	if len(a.Rooms) > 1000 {
		t.Errorf("%d rooms", len(a.Rooms))
	}
	if !a.ServerTime.IsZero() && a.ServerTime.Sub(e.platform.Now()).Abs() > time.Minute {
		t.Errorf("the platform's clock shows %s, the probe says %s", e.platform.Now(), a.ServerTime)
	}
}

func readsEmpty(t *testing.T, e *env) {
	for _, lane := range e.suite.Descriptor.Lanes {
		for _, o := range observations(e.pass(lane, nil, false)) {
			if o.Message != nil || o.Thread != nil {
				t.Errorf("lane %s gives something of nothing: %+v", lane, o)
			}
		}
	}
}

// readsAll reads live first, then history, as the runtime does.
func readsAll(t *testing.T, e *env) {
	threads, messages := populate(e.platform)
	w := newWorld()
	live := e.pass(event.Live, nil, false)
	w.see(observations(live))
	for _, lane := range e.suite.lanes(event.Backfill) {
		w.see(observations(e.pass(lane, nil, false)))
	}
	if diff := cmp.Diff([]string(nil), w.missing(messages)); diff != "" {
		t.Errorf("messages are missing:\n%s", diff)
	}
	if len(w.messages) != len(messages) {
		t.Errorf("%d messages were given, there are %d", len(w.messages), len(messages))
	}
	for id := range w.changed {
		t.Errorf("message %s was given twice, differently, though nothing has changed", id)
	}
	for _, th := range threads {
		if w.threads[th] == nil {
			t.Errorf("thread %s is missing", th)
		}
	}
	for _, m := range w.messages {
		if w.threads[m.Thread] == nil {
			t.Errorf("message %s is in thread %s, which was not given", m.ID, m.Thread)
		}
	}
	if through := live[len(live)-1].page.CompleteThrough; !e.suite.Local && through.After(e.platform.Now()) {
		t.Errorf("live is said to be complete through %s, later than the platform's clock", through)
	}
}

func repeats(t *testing.T, e *env) {
	populate(e.platform)
	for _, lane := range e.suite.Descriptor.Lanes {
		for _, s := range e.pass(lane, nil, false) {
			again, err := e.call(e.connect(), lane, s.cursor)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(s.page, again) {
				t.Fatalf("lane %s, cursor %s gives another page:\n%s", lane, short(s.cursor), cmp.Diff(s.page, again))
			}
		}
	}
}

// crashes goes on from every cursor that a process could have committed before it died, with a new connector for each
// page: what remains must be exactly what remained for the process that lived.
func crashes(t *testing.T, e *env) {
	threads, _ := populate(e.platform)
	live := e.pass(event.Live, nil, false)
	e.platform.Reply(threads[1])
	e.platform.Open(2)
	for _, lane := range e.suite.Descriptor.Lanes {
		var from sdk.Cursor
		if lane == event.Live {
			from = end(live)
		}
		whole := e.pass(lane, from, false)
		const most = 40
		for i := 0; i < len(whole); i += 1 + len(whole)/most {
			rest := observations(e.pass(lane, whole[i].cursor, true))
			if want := observations(whole[i:]); !reflect.DeepEqual(want, rest) {
				t.Fatalf("lane %s, after a crash before page %d (cursor %s):\n%s", lane, i, short(whole[i].cursor), cmp.Diff(want, rest))
			}
		}
	}
}

// readsWhileGrowing lets something happen before each page of history: whatever comes too late for it is Live's.
func readsWhileGrowing(t *testing.T, e *env) {
	threads, messages := populate(e.platform)
	w := newWorld()
	live := end(e.pass(event.Live, nil, false))
	for _, lane := range e.suite.lanes(event.Backfill) {
		var cursor sdk.Cursor
		c := e.connect()
		for n := 0; ; n++ {
			if n < 20 {
				messages = append(messages, e.platform.Reply(threads[n%len(threads)]))
				if n%3 == 0 {
					_, m := e.platform.Open(1)
					messages = append(messages, m...)
				}
			}
			p, err := e.call(c, lane, cursor)
			if err != nil {
				t.Fatal(err)
			}
			w.see(p.Observations)
			if cursor = p.Next; !p.More {
				break
			}
			if n > maxPages {
				t.Fatal("history does not end")
			}
		}
	}
	w.see(observations(e.pass(event.Live, live, false)))
	if missing := w.missing(messages); len(missing) > 0 {
		t.Errorf("%d of %d messages are in neither lane: %v", len(missing), len(messages), missing)
	}
}

func staysFinished(t *testing.T, e *env) {
	populate(e.platform)
	for _, lane := range e.suite.lanes(event.Backfill) {
		done := end(e.pass(lane, nil, false))
		p, err := e.call(e.connect(), lane, done)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Observations) > 0 || p.More || !bytes.Equal(p.Next, done) {
			t.Errorf("a finished history gives %d observations, more %t, cursor %s after %s", len(p.Observations), p.More, short(p.Next), short(done))
		}
	}
}

func readsLong(t *testing.T, e *env) {
	replies := 10_000
	if e.suite.Longest > 0 {
		replies = e.suite.Longest
	}
	if testing.Short() {
		replies = min(replies, 1500)
	}
	_, messages := e.platform.Open(replies)
	w := newWorld()
	pages := 0
	for _, lane := range e.suite.lanes(event.Live, event.Backfill) {
		steps := e.pass(lane, nil, false)
		pages += len(steps)
		w.see(observations(steps))
	}
	if missing := w.missing(messages); len(missing) > 0 {
		t.Errorf("%d of %d messages are missing, the first is %s", len(missing), len(messages), missing[0])
	}
	if least := len(messages) / event.MaxObservations; pages < least {
		t.Errorf("%d messages came in %d pages", len(messages), pages)
	}
}

func refusesCursors(t *testing.T, e *env) {
	populate(e.platform)
	foreign := []string{
		`{`, `[]`, `"x"`, `7`, `{"v":99}`, `{"version":99}`, `{"v":"1"}`, `{"v":-1}`, `{"v":1e400}`, "\x00\xff",
		`{"v":99,"x":"` + strings.Repeat("x", 1<<16) + `"}`, strings.Repeat("[", 20_000),
	}
	for _, lane := range e.suite.Descriptor.Lanes {
		for _, cursor := range foreign {
			_, err := e.call(e.connect(), lane, sdk.Cursor(cursor))
			if err == nil {
				t.Errorf("lane %s takes the foreign cursor %s", lane, short(sdk.Cursor(cursor)))
				continue
			}
			if se, ok := errors.AsType[*sdk.Error](err); !ok || !se.Permanent || len(se.Message) > 2000 {
				t.Errorf("lane %s, cursor %s: %v is no short *sdk.Error that says not to repeat", lane, short(sdk.Cursor(cursor)), err)
			}
		}
		first, err := e.call(e.connect(), lane, nil)
		if err != nil {
			t.Fatal(err)
		}
		null, err := e.call(e.connect(), lane, sdk.Cursor("null"))
		if err != nil || !reflect.DeepEqual(first, null) {
			t.Errorf("lane %s: null is not the beginning: %v", lane, err)
		}
	}
}

func endsWhenCancelled(t *testing.T, e *env) {
	populate(e.platform)
	for _, lane := range e.suite.Descriptor.Lanes {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := e.connect().Read(ctx, lane, nil)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("lane %s: error %v, want the context's own", lane, err)
		}
	}
}

// ignoresOwnClock reads with a clock that is a day wrong, either way: times are the platform's.
func ignoresOwnClock(t *testing.T, e *env) {
	for _, skew := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		t.Run(fmt.Sprint(skew), func(t *testing.T) {
			e := e.in(t)
			skewed := func(c *sdk.Config) { c.Now = func() time.Time { return e.platform.Now().Add(skew) } }
			threads, messages := populate(e.platform)
			w := newWorld()
			read := func(lane event.Lane, cursor sdk.Cursor) (last sdk.Page) {
				for range maxPages {
					p, err := e.call(e.connect(skewed), lane, cursor)
					if err != nil {
						t.Fatal(err)
					}
					w.see(p.Observations)
					cursor, last = p.Next, p
					if !p.More {
						return last
					}
				}
				t.Fatalf("lane %s does not end", lane)
				return last
			}
			live := read(event.Live, nil)
			for _, lane := range e.suite.lanes(event.Backfill) {
				read(lane, nil)
			}
			messages = append(messages, e.platform.Reply(threads[0]))
			e.platform.Advance(time.Minute)
			last := read(event.Live, live.Next)
			if missing := w.missing(messages); len(missing) > 0 {
				t.Errorf("messages are missing: %v", missing)
			}
			if behind := e.platform.Now().Sub(last.CompleteThrough); !last.CompleteThrough.IsZero() && (behind < 0 || behind > time.Hour) {
				t.Errorf("complete through %s; the platform's clock shows %s", last.CompleteThrough, e.platform.Now())
			}
		})
	}
}
