// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"archive/zip"
	"bytes"
	"context"
	"flag"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
)

var update = flag.Bool("update", false, "write the goldens anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// screen is what a person would see; it tells whoever waits that something new is on it.
type screen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

func newScreen() *screen { return &screen{wrote: make(chan struct{}, 1)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	notify(s.wrote)
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until a text has appeared as often as wanted.
func (s *screen) await(t *testing.T, text string, times int) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for strings.Count(s.String(), text) < times {
		select {
		case <-s.wrote:
		case <-deadline:
			t.Fatalf("%q did not appear %d times in:\n%s", text, times, s)
		}
	}
}

// stdio gives a command's surroundings, and the two screens that it writes to.
func stdio(in string) (std Stdio, out, err *screen) {
	out, err = newScreen(), newScreen()
	return Stdio{In: strings.NewReader(in), Out: out, Err: err, Log: logr.Discard()}, out, err
}

const (
	samples    = "../../config/samples"
	quickstart = samples + "/quickstart"
	forumZip   = quickstart + "/forum.zip"
)

// forum serves the quickstart's forum as Discourse would, as of the end of its year.
func forum(t *testing.T, options ...discoursetest.Option) (*discoursetest.Server, *httptest.Server) {
	t.Helper()
	archive, err := zip.OpenReader(forumZip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = archive.Close() })
	s, err := discoursetest.New(fstest.MapFS{}, append([]discoursetest.Option{discoursetest.WithClock(forumTime)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		if filepath.Base(f.Name) == "categories.json" || filepath.Ext(f.Name) != ".json" {
			continue
		}
		content, err := fs.ReadFile(archive, f.Name)
		if err == nil {
			err = s.Load(content)
		}
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server
}

func forumTime() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }

// folder writes files into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		put(t, filepath.Join(dir, name), text)
	}
	return dir
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// readQuickstart makes a ledger of the quickstart in a new data folder.
func readQuickstart(t *testing.T) (dataDir string) {
	t.Helper()
	dataDir = t.TempDir()
	std, _, said := stdio("")
	if err := Run(context.Background(), std, RunOptions{Folder: quickstart, DataDir: dataDir, ExitWhenRead: true, Output: OutputText}); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return dataDir
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
