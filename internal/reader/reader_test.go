// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

var wholeOrder = []string{"live:l1", "live:l2", "live:l3", "backfill:b1", "backfill:b2", "backfill:b3", "backfill:b4", "backfill:b5", "sweep:s1", "sweep:s2", "sweep:s3"}

func TestOnceReadsLiveThenHistoryThenLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newFakeHub()
		r := New(fakeChannel(newFakeConnector()), Options{Hub: hub, Once: true, Jitter: steady})
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wholeOrder, hub.order()); diff != "" {
			t.Error(diff)
		}
		s := r.State()
		if s.Phase != Connected || !s.Ready || !s.BackfillDone || s.Observations[event.Backfill] != 5 {
			t.Errorf("state after everything has been read: %+v", s)
		}
		if diff := cmp.Diff([]Phase{Connecting, Backfilling, Connected}, hub.phases()); diff != "" {
			t.Error(diff)
		}
	})
}

// Runs that end when all is read may be all that a community has, one after the other: each must look again for what
// only a sweep can see. A look that nothing is kept of has no use for it.
func TestEachOnceRunSweeps(t *testing.T) {
	tests := map[string]struct {
		noSweep bool
		want    []string
	}{
		"kept":        {want: []string{"sweep:s1", "sweep:s2", "sweep:s3", "sweep:s1", "sweep:s2", "sweep:s3"}},
		"only a look": {noSweep: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub, conn := newFakeHub(), newFakeConnector()
				for range 2 {
					if err := New(fakeChannel(conn), Options{Hub: hub, Once: true, NoSweep: tc.noSweep, Jitter: steady}).Run(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				var got []string
				for _, o := range hub.order() {
					if strings.HasPrefix(o, "sweep:") {
						got = append(got, o)
					}
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// A process killed before or after any commit must, started again, go on in the order of an undisturbed run.
func TestOrderSurvivesDeathAtAnyCommit(t *testing.T) {
	for _, after := range []bool{false, true} {
		for kill := 1; kill <= 5; kill++ {
			t.Run(fmt.Sprintf("commit %d, after=%t", kill, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					hub, conn := newFakeHub(), newFakeConnector()
					ctx, cancel := context.WithCancel(t.Context())
					n := 0
					hub.onCommit = func(_ event.Commit, isAfter bool) error {
						if isAfter == after {
							if n++; n == kill {
								cancel()
								return errors.New("connection lost")
							}
						}
						return nil
					}
					if err := New(fakeChannel(conn), Options{Hub: hub, Once: true, Jitter: steady}).Run(ctx); err != nil {
						t.Fatal(err)
					}
					if ctx.Err() == nil {
						t.Fatal("the reader was never killed")
					}
					hub.onCommit = nil
					if err := New(fakeChannel(conn), Options{Hub: hub, Once: true, Jitter: steady}).Run(t.Context()); err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(wholeOrder, hub.order()); diff != "" {
						t.Error(diff)
					}
				})
			})
		}
	}
}

func TestCommitWhoseAnswerIsLostIsNotDoubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newFakeHub()
		lost := 0
		hub.onCommit = func(_ event.Commit, after bool) error {
			if after && lost < 3 {
				lost++
				return errors.New("connection reset")
			}
			return nil
		}
		if err := New(fakeChannel(newFakeConnector()), Options{Hub: hub, Once: true, Jitter: steady}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wholeOrder, hub.order()); diff != "" {
			t.Error(diff)
		}
		if hub.epoch != 1 {
			t.Errorf("the lease was taken %d times; a lost answer needs no new one", hub.epoch)
		}
	})
}

// run starts a reader in a synctest bubble and gives a function that ends it.
func run(t *testing.T, r *Reader) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

func TestPollsMoreRarelyWhileQuietAndAtOnceWhenWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		conn := newFakeConnector()
		conn.lists = map[event.Lane][]string{event.Live: {"l1"}}
		ch := fakeChannel(conn)
		ch.Descriptor.Lanes = []event.Lane{event.Live}
		r := New(ch, Options{Hub: newFakeHub(), Jitter: steady})
		stop := run(t, r)
		time.Sleep(10*time.Minute + time.Second)
		// The first poll found something: one minute; then pauses of 1, 2, 3 … minutes.
		want := []string{"0", "60", "120", "240", "420"}
		if diff := cmp.Diff(want, conn.times(event.Live, begin)); diff != "" {
			t.Fatal(diff)
		}
		conn.add(event.Live, "l2")
		r.Wake(event.Live)
		time.Sleep(2*time.Minute + 2*time.Second)
		want = append(want, "601", "661", "721")
		if diff := cmp.Diff(want, conn.times(event.Live, begin)); diff != "" {
			t.Error(diff)
		}
		time.Sleep(24 * time.Hour)
		times := conn.times(event.Live, begin)
		if n := len(times); n < 24*6 || n > 24*6+20 {
			t.Errorf("a quiet day took %d polls, want one in ten minutes", n)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestSweepsAfterHistoryOnItsOwnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		conn := newFakeConnector()
		hub := newFakeHub()
		ch := fakeChannel(conn)
		ch.SweepInterval = 40 * time.Minute
		r := New(ch, Options{Hub: hub, Jitter: steady})
		stop := run(t, r)
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]string{"0", "0", "2400", "2400"}, conn.times(event.Sweep, begin)); diff != "" {
			t.Error(diff)
		}
		if !slices.Contains(hub.order(), "sweep:s3") {
			t.Error("the sweep has not been committed")
		}
		_ = stop()
	})
}

func TestErrorsBecomeStatesAndPauses(t *testing.T) {
	tests := map[string]struct {
		err   error
		phase Phase
		// second is when the lane is read again, in whole seconds.
		second int
	}{
		"asked to wait":      {&sdk.Error{Reason: sdk.RateLimited, Message: "slow down", RetryAfter: 100 * time.Second}, RateLimited, 105},
		"absurd pause":       {&sdk.Error{Reason: sdk.RateLimited, Message: "slow down", RetryAfter: 1000 * time.Hour}, RateLimited, 3780},
		"server error":       {&sdk.Error{Reason: sdk.PlatformError, Message: "502"}, PlatformError, 1},
		"network":            {&sdk.Error{Reason: sdk.Unreachable, Message: "no route"}, Unreachable, 1},
		"bad key":            {&sdk.Error{Reason: sdk.BadCredentials, Message: "403", Permanent: true}, BadCredentials, 60},
		"wrapped":            {fmt.Errorf("reading: %w", &sdk.Error{Reason: sdk.Unreachable, Message: "no route"}), Unreachable, 1},
		"an unclassed error": {errors.New("odd"), PlatformError, 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				hub, conn := newFakeHub(), newFakeConnector()
				conn.onRead = func(_ context.Context, _ event.Lane, n int) (*sdk.Page, error) {
					if n == 1 {
						return nil, tc.err
					}
					return nil, nil
				}
				r := New(fakeChannel(conn), Options{Hub: hub, Jitter: steady})
				stop := run(t, r)
				synctest.Wait()
				if s := r.State(); s.Phase != tc.phase || s.Message == "" || s.RetryAt.IsZero() {
					t.Errorf("state %+v, want phase %s with a message and a time", s, tc.phase)
				}
				time.Sleep(2 * time.Hour)
				if got := conn.times(event.Live, begin)[1]; got != fmt.Sprint(tc.second) {
					t.Errorf("read again after %s s, want %d", got, tc.second)
				}
				if s := r.State(); s.Phase != Connected || s.Message != "" || s.Errors[sdk.ReasonOf(tc.err)] != 1 {
					t.Errorf("state after recovery %+v", s)
				}
				_ = stop()
			})
		})
	}
}

func TestBackoffDoublesUpToItsBound(t *testing.T) {
	o := Options{FirstBackoff: time.Second, MaxBackoff: time.Minute, Jitter: func() float64 { return 0 }}
	var got []time.Duration
	for n := range 8 {
		got = append(got, o.backoff(n)/time.Second)
	}
	if diff := cmp.Diff([]time.Duration{1, 2, 4, 8, 16, 32, 60, 60}, got); diff != "" {
		t.Error(diff)
	}
	if d := o.backoff(1000); d != time.Minute {
		t.Errorf("after a thousand failures: %s", d)
	}
}

func TestWhatARepeatCannotHelpIsRepeatedSeldom(t *testing.T) {
	o := Options{PermanentBackoff: time.Hour}
	var got []time.Duration
	for n := range 8 {
		got = append(got, o.permanentBackoff(n)/time.Minute)
	}
	if diff := cmp.Diff([]time.Duration{1, 2, 4, 8, 16, 32, 60, 60}, got); diff != "" {
		t.Error(diff)
	}
	if d := o.permanentBackoff(1000); d != time.Hour {
		t.Errorf("after a thousand failures: %s", d)
	}
}

func TestTroubleInHistoryDoesNotStopLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := newFakeConnector()
		conn.onRead = func(_ context.Context, lane event.Lane, _ int) (*sdk.Page, error) {
			if lane == event.Backfill {
				return nil, &sdk.Error{Reason: sdk.PlatformError, Message: "topic 7 answers 500"}
			}
			return nil, nil
		}
		hub := newFakeHub()
		r := New(fakeChannel(conn), Options{Hub: hub, Jitter: steady})
		stop := run(t, r)
		time.Sleep(time.Minute)
		conn.add(event.Live, "l4")
		time.Sleep(5 * time.Minute)
		if !slices.Contains(hub.order(), "live:l4") {
			t.Errorf("live was not read: %v", hub.order())
		}
		if s := r.State(); s.Phase != PlatformError || s.Message != "topic 7 answers 500" {
			t.Errorf("state %+v", s)
		}
		if n := s0(conn, event.Backfill); n > 15 {
			t.Errorf("backfill was tried %d times in six minutes; its pauses must grow", n)
		}
		_ = stop()
	})
}

func s0(c *fakeConnector, lane event.Lane) int { return len(c.times(lane, time.Time{})) }

func TestStopsWhenTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		r := New(fakeChannel(conn), Options{Hub: hub, Jitter: steady, Holder: "old"})
		done := make(chan error, 1)
		go func() { done <- r.Run(t.Context()) }()
		synctest.Wait()
		if _, err := hub.Acquire(t.Context(), event.ChannelRef{}, "forum", "new"); err != nil {
			t.Fatal(err)
		}
		conn.add(event.Live, "l4")
		err := <-done
		if !errors.Is(err, ErrTakenOver) || !strings.Contains(err.Error(), "new") {
			t.Errorf("error %v, want one that names the new holder", err)
		}
		if s := r.State(); s.Phase != TakenOver {
			t.Errorf("phase %s", s.Phase)
		}
		if slices.Contains(hub.order(), "live:l4") {
			t.Error("a page under the old epoch was committed")
		}
	})
}

func TestTakesTheLeaseAgainWhenTheCursorHasMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		moved := false
		hub.onCommit = func(c event.Commit, after bool) error {
			if !after && c.Lane == event.Backfill && !moved {
				moved = true
				hub.cursors[event.Backfill] = []byte(`{"at":4}`)
			}
			return nil
		}
		if err := New(fakeChannel(conn), Options{Hub: hub, Once: true, Jitter: steady}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{"live:l1", "live:l2", "live:l3", "backfill:b5", "sweep:s1", "sweep:s2", "sweep:s3"}
		if diff := cmp.Diff(want, hub.order()); diff != "" {
			t.Error(diff)
		}
		if hub.epoch != 2 {
			t.Errorf("epoch %d, want a second lease", hub.epoch)
		}
	})
}

func TestHubOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		down := true
		hub.onAcquire = func() error {
			if down {
				return errors.New("connection refused")
			}
			return nil
		}
		r := New(fakeChannel(conn), Options{Hub: hub, Jitter: steady})
		stop := run(t, r)
		time.Sleep(time.Minute)
		if s := r.State(); s.Phase != HubUnavailable || len(s.Errors) != 0 {
			t.Errorf("state %+v, want the hub's outage, counted against no platform", s)
		}
		hub.mu.Lock()
		down = false
		hub.mu.Unlock()
		time.Sleep(5 * time.Minute)
		if diff := cmp.Diff(wholeOrder, hub.order()); diff != "" {
			t.Error(diff)
		}
		_ = stop()
	})
}

func TestRefusedPageNamesTheConnector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newFakeHub()
		hub.onCommit = func(event.Commit, bool) error { return fmt.Errorf("an id of 900 bytes: %w", ErrRefused) }
		err := New(fakeChannel(newFakeConnector()), Options{Hub: hub, Once: true}).Run(t.Context())
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "connector fake") {
			t.Errorf("error %v", err)
		}
	})
}

func TestDrainsTheRunningCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		ctx, cancel := context.WithCancel(t.Context())
		hub.onCommit = func(_ event.Commit, after bool) error {
			if !after {
				cancel() // The process is told to end while the first commit is under way.
				time.Sleep(time.Second)
			}
			return nil
		}
		if err := New(fakeChannel(conn), Options{Hub: hub}).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"live:l1", "live:l2"}, hub.order()); diff != "" {
			t.Error(diff)
		}
		if len(conn.reads) != 1 {
			t.Errorf("%d reads, want none after the end was asked for", len(conn.reads))
		}
	})
}

func TestSuspendAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		ch := fakeChannel(conn)
		ch.Suspended = true
		r := New(ch, Options{Hub: hub, Jitter: steady})
		stop := run(t, r)
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := r.State(); s.Phase != Suspended || s.Ready || len(conn.reads) != 0 || hub.epoch != 0 {
			t.Errorf("a suspended channel was touched: %+v, %d reads", s, len(conn.reads))
		}
		ch.Suspended, ch.Generation = false, 2
		r.Update(ch)
		time.Sleep(time.Second)
		if s := r.State(); s.Phase != Connected || !s.Ready || s.Generation != 2 {
			t.Errorf("state after resuming %+v", s)
		}
		_ = stop()
	})
}

func TestBetterCredentialsAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := newFakeConnector()
		var secret atomic.Value
		secret.Store("old")
		conn.onProbe = func() error {
			if secret.Load() == "old" {
				return &sdk.Error{Reason: sdk.BadCredentials, Message: "the key is refused; make a new one", Permanent: true}
			}
			return nil
		}
		ch := fakeChannel(conn)
		ch.Descriptor.Secrets = []sdk.SecretKey{{Name: "apiKey"}}
		ch.Config.Secrets = func(string) (string, bool) { return secret.Load().(string), true }
		r := New(ch, Options{Hub: newFakeHub(), Jitter: steady})
		stop := run(t, r)
		time.Sleep(time.Minute)
		if s := r.State(); s.Phase != BadCredentials || strings.Contains(s.Message, "old") {
			t.Errorf("state %+v", s)
		}
		synctest.Wait()
		secret.Store("new")
		time.Sleep(secretsLook + time.Second)
		if s := r.State(); s.Phase != Connected {
			t.Errorf("state after the secret was replaced: %+v", s)
		}
		_ = stop()
	})
}

func TestMissingSecretIsNamedAndNoticedWhenItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var there atomic.Bool
		ch := fakeChannel(newFakeConnector())
		ch.Descriptor.Secrets = []sdk.SecretKey{{Name: "apiKey", Required: true, Help: "a key"}, {Name: "other"}}
		ch.Config.Secrets = func(k string) (string, bool) { return "x", k == "apiKey" && there.Load() }
		r := New(ch, Options{Hub: newFakeHub(), Jitter: steady})
		stop := run(t, r)
		time.Sleep(time.Minute)
		if s := r.State(); s.Phase != SecretKeyMissing || !strings.Contains(s.Message, `"apiKey"`) {
			t.Errorf("state %+v", s)
		}
		there.Store(true)
		time.Sleep(secretsLook + time.Second)
		if s := r.State(); s.Phase != Connected {
			t.Errorf("state after the key was added: %+v", s)
		}
		_ = stop()
	})
}

func TestChangedTriesAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, bad := newFakeConnector(), true
		ch := fakeChannel(conn)
		ch.Descriptor.New = func(sdk.Config) (sdk.Connector, error) {
			if bad {
				return nil, errors.New("settings.path: no such folder")
			}
			return conn, nil
		}
		r := New(ch, Options{Hub: newFakeHub(), Jitter: steady})
		stop := run(t, r)
		time.Sleep(time.Minute)
		if s := r.State(); s.Phase != BadSettings || s.Message != "settings.path: no such folder" {
			t.Errorf("state %+v", s)
		}
		synctest.Wait()
		bad = false
		r.Changed()
		time.Sleep(time.Second)
		if s := r.State(); s.Phase != Connected {
			t.Errorf("state after the change: %+v", s)
		}
		_ = stop()
	})
}

func TestOnceGivesUp(t *testing.T) {
	tests := map[string]struct {
		err   error
		reads int
	}{
		"at a permanent error":       {&sdk.Error{Reason: sdk.BadCredentials, Message: "403", Permanent: true}, 1},
		"after failures in a row":    {&sdk.Error{Reason: sdk.Unreachable, Message: "no route"}, 8},
		"after unclassed failures":   {errors.New("odd"), 8},
		"after rate limits and more": {nil, 28},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := newFakeConnector()
				conn.onRead = func(_ context.Context, _ event.Lane, n int) (*sdk.Page, error) {
					switch {
					case tc.err != nil:
						return nil, tc.err
					case n <= 27:
						return nil, &sdk.Error{Reason: sdk.RateLimited, Message: "slow down", RetryAfter: time.Minute}
					}
					return nil, &sdk.Error{Reason: sdk.BadCredentials, Message: "403", Permanent: true}
				}
				err := New(fakeChannel(conn), Options{Hub: newFakeHub(), Once: true}).Run(t.Context())
				if err == nil || len(conn.reads) != tc.reads {
					t.Errorf("error %v after %d reads, want one after %d", err, len(conn.reads), tc.reads)
				}
			})
		})
	}
}

func TestDefectsOfConnectors(t *testing.T) {
	obs := func(n, text int) []event.Observation {
		out := make([]event.Observation, n)
		for i := range out {
			out[i].Message = &event.Message{ID: fmt.Sprint(i), Text: strings.Repeat("x", text)}
		}
		return out
	}
	tests := map[string]struct {
		page *sdk.Page
		want string
	}{
		"too many observations": {&sdk.Page{Observations: obs(501, 0), Next: []byte("{}")}, "501 observations"},
		"too many bytes":        {&sdk.Page{Observations: obs(200, 64<<10), Next: []byte("{}")}, "bytes"},
		"cursor stands still":   {&sdk.Page{More: true}, "without moving its cursor"},
		"cursor is no JSON":     {&sdk.Page{Next: []byte("{")}, "no JSON"},
		"no cursor":             {&sdk.Page{Observations: obs(1, 1)}, "no cursor"},
		"panic":                 {nil, "panicked"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub, conn := newFakeHub(), newFakeConnector()
				conn.onRead = func(context.Context, event.Lane, int) (*sdk.Page, error) {
					if tc.page == nil {
						panic("index out of range")
					}
					return tc.page, nil
				}
				err := New(fakeChannel(conn), Options{Hub: hub, Once: true}).Run(t.Context())
				if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "connector fake") {
					t.Errorf("error %v, want one that names the connector and %q", err, tc.want)
				}
				if len(hub.commits) != 0 {
					t.Error("the page was committed")
				}
			})
		})
	}
}

func TestHeartbeatsDuringALongRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		conn.onRead = func(ctx context.Context, _ event.Lane, _ int) (*sdk.Page, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		r := New(fakeChannel(conn), Options{Hub: hub})
		stop := run(t, r)
		time.Sleep(5*time.Minute + time.Second)
		hub.mu.Lock()
		n, last := len(hub.reports), hub.reports[len(hub.reports)-1]
		hub.mu.Unlock()
		if n < 10 || !last.LastProgress.IsZero() || time.Since(last.Heartbeat) > 30*time.Second {
			t.Errorf("%d reports, the last one %+v; want fresh heartbeats that claim no progress", n, last)
		}
		_ = stop()
	})
}

func TestQuietPagesAreNotCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		same := &sdk.Page{Next: []byte(`{"at": 1}`), CompleteThrough: time.Now()}
		conn.onRead = func(context.Context, event.Lane, int) (*sdk.Page, error) { return same, nil }
		ch := fakeChannel(conn)
		ch.Descriptor.Lanes = []event.Lane{event.Live}
		stop := run(t, New(ch, Options{Hub: hub}))
		time.Sleep(time.Hour)
		_ = stop()
		if len(hub.commits) != 1 {
			t.Errorf("%d commits of a page that said the same each time, want 1", len(hub.commits))
		}
	})
}

type wakingConnector struct {
	*fakeConnector
	ring chan event.Lane
}

func (w wakingConnector) Wake(ctx context.Context, wake func(event.Lane)) error {
	for {
		select {
		case l := <-w.ring:
			wake(l)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestWakerHasLiveReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), wakingConnector{newFakeConnector(), make(chan event.Lane)}
		stop := run(t, New(fakeChannel(conn), Options{Hub: hub, Jitter: steady}))
		time.Sleep(90 * time.Second)
		conn.add(event.Live, "l4")
		conn.ring <- event.Live
		synctest.Wait()
		if !slices.Contains(hub.order(), "live:l4") {
			t.Error("a wake did not have the lane read")
		}
		_ = stop()
	})
}

func TestGroupFollowsDeclarations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		named := func(name string, gen int64) Channel {
			c := fakeChannel(newFakeConnector())
			c.Name, c.Generation = name, gen
			return c
		}
		hub := newFakeHub()
		hub.onCommit = func(event.Commit, bool) error { return nil }
		g := NewGroup(Options{Hub: perChannel{}, Jitter: steady})
		if err := g.Apply([]Channel{named("a", 1), named("b", 1)}); err != nil {
			t.Fatal(err)
		}
		if err := g.Apply([]Channel{named("a", 1), named("a", 1)}); err == nil {
			t.Error("two channels of one name were accepted")
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		if err := g.Apply([]Channel{named("b", 2), named("c", 1)}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := map[string]int64{}
		for _, s := range g.States() {
			if s.Phase != Connected {
				t.Errorf("%s is %s", s.Channel, s.Phase)
			}
			got[s.Channel] = s.Generation
		}
		if diff := cmp.Diff(map[string]int64{"b": 2, "c": 1}, got); diff != "" {
			t.Error(diff)
		}
		if g.Wake("a", event.Live) || !g.Wake("b", event.Live) {
			t.Error("Wake must tell who is read")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// perChannel accepts everything.
type perChannel struct{}

func (perChannel) Acquire(context.Context, event.ChannelRef, string, string) (Lease, error) {
	return Lease{Epoch: 1}, nil
}
func (perChannel) Commit(context.Context, event.Commit) error  { return nil }
func (perChannel) Report(context.Context, string, State) error { return nil }

func TestGroupOnceTellsWhoFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, bad := fakeChannel(newFakeConnector()), fakeChannel(newFakeConnector())
		bad.Name = "broken"
		bad.Descriptor.New = func(sdk.Config) (sdk.Connector, error) { return nil, errors.New("no url") }
		g := NewGroup(Options{Hub: perChannel{}, Once: true})
		if err := g.Apply([]Channel{good, bad}); err != nil {
			t.Fatal(err)
		}
		err := g.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "channel broken") || strings.Contains(err.Error(), "forum") {
			t.Errorf("error %v", err)
		}
	})
}

// A thousand idle channels in one process: at most 1 MiB each is the aim; what the runtime itself takes is far below.
func TestIdleChannelsAreCheap(t *testing.T) {
	const channels, perIdle = 1000, 64 << 10
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g := NewGroup(Options{Hub: perChannel{}})
	var all []Channel
	for i := range channels {
		c := fakeChannel(newFakeConnector())
		c.Name = fmt.Sprint("c", i)
		all = append(all, c)
	}
	if err := g.Apply(all); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	for connected := 0; connected < channels && ctx.Err() == nil; runtime.Gosched() {
		connected = 0
		for _, s := range g.States() {
			if s.Phase == Connected {
				connected++
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := (int64(after.HeapAlloc) + int64(after.StackInuse) - int64(before.HeapAlloc) - int64(before.StackInuse)) / channels
	t.Logf("%d bytes per idle channel", used)
	if ctx.Err() != nil || used > perIdle {
		t.Errorf("%d bytes per idle channel, at most %d (%v)", used, perIdle, ctx.Err())
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("the group ended with %v", err)
	}
}

func TestFileSecrets(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("apiKey", "s3cret\n")
	write("windows", "s3cret\r\n")
	write("empty", "\n")
	write("huge", strings.Repeat("x", maxSecret+1))
	write(".hidden", "x")
	secrets := FileSecrets(dir)
	tests := map[string]struct {
		want string
		ok   bool
	}{
		"apiKey": {"s3cret", true}, "windows": {"s3cret", true}, "empty": {}, "huge": {}, "missing": {}, ".hidden": {},
		"": {}, "..": {}, "../apiKey": {}, "a/b": {},
	}
	for key, tc := range tests {
		if got, ok := secrets(key); got != tc.want || ok != tc.ok {
			t.Errorf("secret %q is %d bytes, %t; want %d bytes, %t", key, len(got), ok, len(tc.want), tc.ok)
		}
	}
	// Replaced as Kubernetes does: another file under the same name.
	write("next", "rotated")
	if err := os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "apiKey")); err != nil {
		t.Fatal(err)
	}
	if got, _ := secrets("apiKey"); got != "rotated" {
		t.Error("a rotated secret is not seen")
	}
	if err := os.Remove(filepath.Join(dir, "apiKey")); err != nil {
		t.Fatal(err)
	}
	if _, ok := secrets("apiKey"); ok {
		t.Error("a removed secret is still given")
	}
}

func TestSameCursor(t *testing.T) {
	tests := map[string]struct {
		a, b string
		want bool
	}{
		"equal": {`{"a":1}`, `{"a":1}`, true}, "spaces": {`{"a":1}`, `{ "a": 1 }`, true}, "order": {`{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		"nil and null": {``, `null`, true}, "nil and empty": {``, `{}`, false}, "large numbers": {`{"a":9007199254740993}`, `{"a":9007199254740992}`, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := sameCursor([]byte(tc.a), []byte(tc.b)); got != tc.want {
				t.Errorf("%q and %q: %t", tc.a, tc.b, got)
			}
		})
	}
}
