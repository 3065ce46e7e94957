// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// One Secret that changes disturbs the channel that uses it, and no other one of the process.
func TestOnlyReadersWhoseSecretsChangedConnectAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		var secret atomic.Value
		secret.Store("one")
		ch := fakeChannel(conn)
		ch.Descriptor.Secrets = []sdk.SecretKey{{Name: "apiKey"}}
		ch.Config.Secrets = func(string) (string, bool) { return secret.Load().(string), true }
		g := NewGroup(Options{Hub: hub, Jitter: steady})
		if err := g.Apply([]Channel{ch}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		epoch := func() int64 { return g.States()[0].Epoch }
		before := epoch()
		g.SecretsChanged()
		synctest.Wait()
		if got := epoch(); got != before {
			t.Errorf("epoch %d after somebody else's Secret changed, want still %d", got, before)
		}
		secret.Store("two")
		g.SecretsChanged()
		synctest.Wait()
		if got := epoch(); got != before+1 {
			t.Errorf("epoch %d after its own Secret changed, want %d", got, before+1)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAGroupThatYieldsLeavesAChannelToWhoTookIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		ch := fakeChannel(conn)
		g := NewGroup(Options{Hub: hub, Jitter: steady, Yield: true, Holder: "old"})
		if err := g.Apply([]Channel{ch}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		if _, err := hub.Acquire(t.Context(), event.ChannelRef{}, "forum", "new"); err != nil {
			t.Fatal(err)
		}
		conn.add(event.Live, "l4")
		time.Sleep(time.Hour)
		synctest.Wait()
		ch.Generation = 9
		if err := g.Apply([]Channel{ch}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := g.States()[0]; s.Phase != TakenOver || slices.Contains(hub.order(), "live:l4") {
			t.Errorf("phase %s after an edit: it took back what another one reads", s.Phase)
		}
		g.Return("forum")
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := g.States()[0]; !s.Phase.Reading() || s.Generation != 9 || !slices.Contains(hub.order(), "live:l4") {
			t.Errorf("phase %s, generation %d after it returned: want it read as it is declared now", s.Phase, s.Generation)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

// A hub that comes back is found soon, however long it was away.
func TestAHubThatComesBackIsFoundSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, conn := newFakeHub(), newFakeConnector()
		var away atomic.Bool
		away.Store(true)
		var asked atomic.Int64
		ch := fakeChannel(conn)
		ch.ResolveSince = func(context.Context) (time.Time, error) {
			asked.Add(1)
			if away.Load() {
				return time.Time{}, errors.New("connection refused")
			}
			return time.Time{}, nil
		}
		r := New(ch, Options{Hub: hub, Jitter: steady})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := r.State(); s.Phase != HubUnavailable {
			t.Errorf("phase %s while the hub is away", s.Phase)
		}
		if n := asked.Load(); n > 500 {
			t.Errorf("asked %d times in an hour", n)
		}
		away.Store(false)
		time.Sleep(maxHubBackoff)
		synctest.Wait()
		if s := r.State(); !s.Phase.Reading() {
			t.Errorf("phase %s when the hub has been back for %v", s.Phase, maxHubBackoff)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
