// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/ledger"
)

// smallVolume mounts a volume of some MiB, which can be expanded.
func smallVolume(t *testing.T, mib int) (dir string, expand func(mib int)) {
	t.Helper()
	dir = t.TempDir()
	mount := func(flags uintptr, mib int) error {
		return syscall.Mount("tmpfs", dir, "tmpfs", flags, fmt.Sprintf("size=%dm", mib))
	}
	if err := mount(0, mib); err != nil {
		t.Skipf("a small volume cannot be mounted here: %v (run as root)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, func(mib int) {
		t.Helper()
		if err := mount(syscall.MS_REMOUNT, mib); err != nil {
			t.Fatal(err)
		}
	}
}

func openSmall(t *testing.T, path string) (*ledger.Ledger, error) {
	t.Helper()
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Open(t.Context(), path, ledger.Options{Keys: keys, CacheMiB: 1})
}

// bulky are messages that do not compress, each in a thread of its own.
func bulky(page, n int) (out []event.Observation) {
	for i := range n {
		id := fmt.Sprintf("%d-%d", page, i)
		m := message(id, "t"+id, apiNow.Add(time.Duration(page)*time.Second))
		m.Message.Text = strings.Repeat(id+" is a long story. ", 500)
		out = append(out, m)
	}
	return out
}

// A full volume refuses pages and nothing else; once it is expanded everything goes on, and nothing is missing.
func TestAFullVolumeLosesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		// fill leaves so many bytes on the volume; 0: only what the pages themselves leave.
		fill int64
	}{
		"by its own pages":      {},
		"by somebody else":      {fill: 64 << 10},
		"to the very last byte": {fill: 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir, expand := smallVolume(t, 6)
			path := filepath.Join(dir, "l.db")
			l, err := openSmall(t, path)
			if err != nil {
				t.Fatal(err)
			}
			h := hub.New(l, hub.Options{Now: apiClock})
			closed := false
			end := func() {
				if !closed {
					closed = true
					h.Close()
					if err := l.Close(); err != nil {
						t.Error(err)
					}
				}
			}
			t.Cleanup(end)
			if err := h.Apply(t.Context(), apiBlueprint()); err != nil {
				t.Fatal(err)
			}
			api := hub.Handler(h, hub.ServerOptions{Verifier: who{Name: "test", All: true}})
			if code, body := post(api, wire.PathLease, wire.LeaseRequest{Channel: forumRef(), Name: "forum", Holder: "test"}); code != 200 {
				t.Fatal(code, body)
			}
			if tc.fill > 0 {
				fill(t, filepath.Join(dir, "filler"), dir, tc.fill)
			}
			// Pages are sent again until they are taken, as readers do.
			cursor, refusals := "null", 0
			for page := 1; page <= 8; page++ {
				next := fmt.Sprint(page)
				c := forumPage(1, cursor, next, bulky(page, 100)...)
				for {
					code, body := post(api, wire.PathPages, c)
					if code == http.StatusOK {
						break
					}
					refusals++
					if code != http.StatusServiceUnavailable || !strings.Contains(body, "volume is full") {
						t.Fatalf("page %d: %d %s", page, code, body)
					}
					if s := apiStatus(t, api); s.ProblemReason != wire.VolumeFull || s.LedgerFreeBytes == nil {
						t.Errorf("status while it is full: %s %s", s.ProblemReason, s.Problem)
					}
					if code, _, body := do(api, request(http.MethodGet, "/readyz", "", "")); code != 200 {
						t.Errorf("a hub with a full volume is not ready: %d %s: its status could not be read", code, body)
					}
					if refusals > 1 {
						expand(64)
					}
				}
				cursor = next
			}
			if refusals == 0 {
				t.Fatal("the volume was never full: the test shows nothing")
			}
			if n := countRows(t, h, "messages"); n != 800 {
				t.Errorf("%d messages, want 800", n)
			}
			expand(256)
			if s := apiStatus(t, api); s.ProblemReason != "" {
				t.Errorf("status with space again: %s %s", s.ProblemReason, s.Problem)
			}
			end()
			again, err := openSmall(t, path)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			var verdict string
			if err := again.Reader().QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
				t.Errorf("the ledger is damaged: %s %v", verdict, err)
			}
		})
	}
}

// History that is being processed when the volume fills goes on by itself.
func TestProcessingGoesOnOnceAFullVolumeHasSpace(t *testing.T) {
	dir, expand := smallVolume(t, 24)
	l, err := openSmall(t, filepath.Join(dir, "l.db"))
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan struct{}, 1)
	log := funcr.New(func(_, args string) {
		if strings.Contains(args, "cannot be processed while") {
			failed <- struct{}{}
		}
	}, funcr.Options{})
	filler := filepath.Join(dir, "filler")
	once := false
	h := hub.New(l, hub.Options{Now: apiClock, Log: log, BeforeObservation: func(*event.Observation) error {
		if !once { // history has been staged and is being processed now
			once = true
			fill(t, filler, dir, 1)
		}
		return nil
	}})
	defer func() {
		h.Close()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := h.Apply(t.Context(), apiBlueprint()); err != nil {
		t.Fatal(err)
	}
	lease, err := h.Acquire(t.Context(), forumRef(), "forum", "test")
	if err != nil {
		t.Fatal(err)
	}
	page := forumPage(lease.Epoch, "null", "1", bulky(1, 300)...)
	for i := range page.Observations {
		page.Observations[i].Message.CreatedAt = apiNow.Add(-time.Hour)
	}
	page.Lane, page.Done, page.FromBeginning = event.Backfill, true, true
	if err := h.Commit(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	<-failed
	api := hub.Handler(h, hub.ServerOptions{Verifier: who{Name: "test", All: true}})
	if s := apiStatus(t, api); s.ProblemReason != wire.VolumeFull {
		t.Errorf("status while it is full: %s %s", s.ProblemReason, s.Problem)
	}
	expand(256)
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := countRows(t, h, "messages"); n != 300 {
		t.Errorf("%d messages, want 300", n)
	}
	if s := apiStatus(t, api); s.ProblemReason != "" {
		t.Errorf("status with space again: %s %s", s.ProblemReason, s.Problem)
	}
}

// fill writes a file until no more than so many bytes are left.
func fill(t *testing.T, path, dir string, left int64) {
	t.Helper()
	space, err := ledger.SpaceAt(filepath.Join(dir, "l.db"))
	if err != nil {
		t.Error(err)
		return
	}
	if err := os.WriteFile(path, make([]byte, max(0, space.Free-left+1)), 0o600); err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
}

func apiStatus(t *testing.T, api http.Handler) (s wire.Status) {
	t.Helper()
	code, _, body := do(api, request(http.MethodGet, wire.PathStatus, "", ""))
	if err := json.Unmarshal([]byte(body), &s); err != nil || code != 200 {
		t.Fatal(code, body, err)
	}
	return s
}
