// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"testing"
	"time"
)

func TestFiguresAreKeptByWhatTheyCost(t *testing.T) {
	for name, tc := range map[string]struct {
		takes, kept time.Duration
	}{
		"little":         {time.Millisecond, time.Second},
		"some":           {500 * time.Millisecond, 5 * time.Second},
		"much":           {9 * time.Second, 30 * time.Second},
		"a clock's leap": {-time.Hour, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
			now := func() time.Time { return at }
			worked := 0
			var c cache[string, int]
			ask := func(key string) int {
				return c.get(key, now, func(context.Context) int {
					at = at.Add(tc.takes)
					worked++
					return worked
				})
			}
			steps := []struct {
				later time.Duration
				key   string
				want  int
			}{{0, "a", 1}, {0, "a", 1}, {tc.kept - 1, "a", 1}, {1, "a", 2}, {0, "b", 3}}
			for i, s := range steps {
				at = at.Add(s.later)
				if got := ask(s.key); got != s.want {
					t.Errorf("step %d: got reading %d, want %d", i, got, s.want)
				}
			}
		})
	}
}
