// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package kstatus

import (
	"slices"
	"sync"
)

// findings are words, each once.
type findings struct {
	mu   sync.Mutex
	seen map[string]bool
}

func newFindings() *findings { return &findings{seen: map[string]bool{}} }

func (f *findings) add(wrong string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[wrong] = true
}

func (f *findings) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]string, 0, len(f.seen))
	for wrong := range f.seen {
		out = append(out, wrong)
	}
	slices.Sort(out)
	return out
}
