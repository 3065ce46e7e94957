// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync/atomic"
	"testing/fstest"
	"time"

	"github.com/kith-dev/kith/connectors/discourse"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/reader"
)

// start measures the time from starting the program to its first metrics, five times, on a fresh ledger.
func start(ctx context.Context, o options) error {
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("%s is missing: make build", o.binary)
	}
	var all []time.Duration
	for range 5 {
		d, err := startOnce(ctx, o.binary)
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	slices.Sort(all)
	fmt.Printf("from %v to %v\n", all[0].Round(time.Millisecond), all[len(all)-1].Round(time.Millisecond))
	fmt.Printf("start: %.3f s to first metrics (median of %d)\n", all[len(all)/2].Seconds(), len(all))
	return nil
}

func startOnce(ctx context.Context, binary string) (time.Duration, error) {
	dir, err := os.MkdirTemp("", "kith-bench-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return 0, err
	}
	c := exec.CommandContext(ctx, binary, "run", "-f", "config/samples/quickstart", "--data-dir", filepath.Join(dir, "data"), "--listen", address) // #nosec G204 -- named on the command line
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	began := time.Now()
	if err := c.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	}()
	for time.Since(began) < time.Minute {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics/community", nil)
		if err != nil {
			return 0, err
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			ok := answer.StatusCode == http.StatusOK
			if err := answer.Body.Close(); err != nil {
				return 0, err
			}
			if ok {
				return time.Since(began), nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return 0, fmt.Errorf("no metrics within a minute: %s", out.String())
}

// idle measures what an idle channel costs in a process that reads many.
func idle(ctx context.Context, o options) error {
	b, err := open(ctx)
	if err != nil {
		return err
	}
	b.hub.Close()
	b.hub = hub.New(b.ledger, hub.Options{})
	if err := b.hub.Apply(ctx, b.bp); err != nil {
		return err
	}
	server, err := discoursetest.New(fstest.MapFS{})
	if err != nil {
		return err
	}
	server.NewTopic(discoursetest.User{ID: 1, Username: "one"}, 1, "How does it start?", "<p>How does it start?</p>")
	var listeners []*httptest.Server
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	channels := make([]reader.Channel, o.channels)
	for i := range channels {
		web := httptest.NewServer(server)
		listeners = append(listeners, web)
		channels[i] = reader.Channel{Name: "forum-" + strconv.Itoa(i), Descriptor: discourse.Descriptor(), PollInterval: time.Hour, SweepInterval: time.Hour,
			Config: sdk.Config{Name: "forum-" + strconv.Itoa(i), URL: web.URL, HTTP: sdk.NewHTTP(sdk.HTTPOptions{})}}
	}
	before := used()
	var connected atomic.Int64
	seen := make([]atomic.Bool, len(channels))
	number := map[string]int{}
	for i := range channels {
		number[channels[i].Name] = i
	}
	g := reader.NewGroup(reader.Options{Hub: b.hub, Holder: "bench", OnState: func(s reader.State) {
		if s.BackfillDone && !s.CompleteThrough.IsZero() && !seen[number[s.Channel]].Swap(true) {
			connected.Add(1)
		}
	}})
	if err := g.Apply(channels); err != nil {
		return err
	}
	reading, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- g.Run(reading) }()
	for connected.Load() < int64(len(channels)) {
		select {
		case err := <-ended:
			stop()
			return fmt.Errorf("the readers stopped: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(began) > 10*time.Minute {
			stop()
			return fmt.Errorf("only %d of %d channels were connected within ten minutes", connected.Load(), len(channels))
		}
	}
	if err := b.hub.Drain(ctx); err != nil {
		stop()
		return err
	}
	fmt.Printf("%d channels connected in %v\n", len(channels), time.Since(began).Round(time.Millisecond))
	time.Sleep(2 * time.Second) // idle connections settle
	after := used()
	fmt.Printf("in use: %.1f MiB before, %.1f MiB with all channels idle (the test forums' servers are in the same process)\n", before, after)
	fmt.Printf("idle: %.3f MiB/channel\n", (after-before)/float64(len(channels)))
	stop()
	return errors.Join(<-ended, b.close())
}

// used is the memory in use by heap and stacks, in MiB, after everything unreachable has been freed.
func used() float64 {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse+m.StackInuse) / (1 << 20)
}
