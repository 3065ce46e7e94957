// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package kstatus

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// findings are what was found wrong, each once, and how far was looked.
type findings struct {
	mu       sync.Mutex
	seen     map[string]bool
	versions map[types.UID]string // resourceVersions
}

func newFindings() *findings {
	return &findings{seen: map[string]bool{}, versions: map[types.UID]string{}}
}

func (f *findings) have(uid types.UID, version string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.versions[uid] = version
}

// looked says whether an object was looked at as it is in this version, or later.
func (f *findings) looked(uid types.UID, version string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	order, err := resourceversion.CompareResourceVersion(f.versions[uid], version)
	return err == nil && order >= 0
}

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
