// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// maxSecret is more than Kubernetes lets a Secret hold.
const maxSecret = 1 << 20

// FileSecrets gives the secrets in a folder, one file per key, as Kubernetes mounts them. A file is read again when it
// has changed, so that a rotated secret takes effect at its next use. A key that is no plain file name, a missing,
// empty, unreadable or oversized file is no secret. One newline at the end is not part of it.
func FileSecrets(dir string) func(key string) (string, bool) {
	var mu sync.Mutex
	type cached struct {
		info  os.FileInfo
		value string
	}
	cache := map[string]cached{}
	return func(key string) (string, bool) {
		if key == "" || key != filepath.Base(key) || strings.HasPrefix(key, ".") {
			return "", false
		}
		path := filepath.Join(dir, key)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxSecret {
			return "", false
		}
		mu.Lock()
		defer mu.Unlock()
		if c, ok := cache[key]; ok && os.SameFile(c.info, info) && c.info.ModTime().Equal(info.ModTime()) && c.info.Size() == info.Size() {
			return c.value, c.value != ""
		}
		value, ok := readSecret(path)
		if !ok {
			return "", false
		}
		cache[key] = cached{info: info, value: value}
		return value, value != ""
	}
}

func readSecret(path string) (string, bool) {
	f, err := os.Open(path) //nolint:gosec // The folder is the operator's, and the key is a plain file name.
	if err != nil {
		return "", false
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil || len(b) > maxSecret {
		return "", false
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), true
}
