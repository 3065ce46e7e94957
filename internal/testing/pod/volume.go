// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Volume is a projected volume: its files are symbolic links into a folder that is exchanged whole.
type Volume struct {
	// Dir is where it is mounted.
	Dir     string
	t       testing.TB
	written int
}

// NewVolume mounts an empty volume.
func NewVolume(t testing.TB) *Volume {
	t.Helper()
	v := &Volume{Dir: t.TempDir(), t: t}
	v.Set(nil)
	return v
}

// Set exchanges the content for these files, by path within the volume, as the kubelet does.
func (v *Volume) Set(files map[string][]byte) {
	v.t.Helper()
	v.written++
	const data = "..data"
	before, _ := os.Readlink(filepath.Join(v.Dir, data)) // there is none at first
	folder := fmt.Sprintf("..2026_01_01_00_00_%02d.%d", v.written%60, v.written)
	v.do(os.Mkdir(filepath.Join(v.Dir, folder), 0o750))
	tops := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(v.Dir, folder, filepath.FromSlash(name))
		v.do(os.MkdirAll(filepath.Dir(path), 0o750))
		v.do(os.WriteFile(path, files[name], 0o600))
		tops[strings.SplitN(name, "/", 2)[0]] = true
	}
	v.do(os.Symlink(folder, filepath.Join(v.Dir, "..data_tmp")))
	v.do(os.Rename(filepath.Join(v.Dir, "..data_tmp"), filepath.Join(v.Dir, data)))
	for top := range tops {
		if _, err := os.Lstat(filepath.Join(v.Dir, top)); err != nil {
			v.do(os.Symlink(filepath.Join(data, top), filepath.Join(v.Dir, top)))
		}
	}
	entries, err := os.ReadDir(v.Dir)
	v.do(err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "..") && !tops[e.Name()] {
			v.do(os.Remove(filepath.Join(v.Dir, e.Name())))
		}
	}
	if before != "" {
		v.do(os.RemoveAll(filepath.Join(v.Dir, before)))
	}
}

// Path is where one of its files is.
func (v *Volume) Path(name string) string { return filepath.Join(v.Dir, filepath.FromSlash(name)) }

func (v *Volume) do(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}
