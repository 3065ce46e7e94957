// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/go-logr/logr"
)

const (
	// settleTime is how long a folder must be quiet before it is read again: editors write in several steps.
	settleTime = 250 * time.Millisecond
	// lookTime is how often a folder is looked at where the system may not tell of changes (network file systems).
	lookTime = 10 * time.Second
)

// watched is a folder, or a single file, of which something matters.
type watched struct {
	path string
	// all: all files, those in its subfolders too; else manifests directly in it.
	all bool
}

// watch calls changed after something in the folders has changed and been quiet for a moment, until ctx ends.
func watch(ctx context.Context, log logr.Logger, folders []watched, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch folders: %w", err)
	}
	defer func() { _ = w.Close() }() // nothing was written
	follow := func() {
		for _, f := range folders {
			for _, dir := range f.folders() {
				if err := w.Add(dir); err != nil { // adding twice is nothing new
					log.V(1).Info("the system does not tell of changes; looking now and then", "error", err.Error())
				}
			}
		}
	}
	follow()
	last := stamp(folders)
	settle := time.NewTimer(0)
	if !settle.Stop() {
		<-settle.C
	}
	look := time.NewTicker(lookTime)
	defer look.Stop()
	defer settle.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.Events:
			settle.Reset(settleTime)
		case err := <-w.Errors:
			log.V(1).Info("watching folders", "error", err.Error())
			settle.Reset(settleTime)
		case <-look.C:
			if stamp(folders) != last {
				settle.Reset(settleTime)
			}
		case <-settle.C:
			follow()
			if now := stamp(folders); now != last {
				last = now
				changed()
			}
		}
	}
}

// folders are those that the system is to watch: Secrets are mounted as subfolders.
func (w watched) folders() []string {
	if info, err := os.Stat(w.path); err == nil && !info.IsDir() {
		return []string{filepath.Dir(w.path)}
	}
	out := []string{w.path}
	if !w.all {
		return out
	}
	entries, err := os.ReadDir(w.path)
	if err != nil {
		return out // gone for now; the stamp shows it
	}
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(w.path, e.Name())); err == nil && info.IsDir() {
			out = append(out, filepath.Join(w.path, e.Name()))
		}
	}
	return out
}

// matters says whether a file is one of those that are read. A ledger beside the manifests changes all the time.
func (w watched) matters(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return w.all
}

// stamp tells states of folders apart by names, sizes and times.
func stamp(all []watched) uint64 {
	h := fnv.New64a()
	for _, w := range all {
		for _, dir := range w.folders() {
			entries, err := os.ReadDir(dir)
			fmt.Fprintln(h, dir, err)
			for _, e := range entries {
				if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && !info.IsDir() && w.matters(e.Name()) {
					fmt.Fprintln(h, e.Name(), info.Size(), info.ModTime().UnixNano())
				}
			}
		}
	}
	return h.Sum64()
}
