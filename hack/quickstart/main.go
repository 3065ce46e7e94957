// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kith-dev/kith/config/library"
)

// seed decides everything that is left to chance.
const seed = 7

func main() {
	dir := flag.String("out", "config/samples/quickstart", "folder to write forum.zip and behaviours.yaml into")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files, err := newForum(seed).files()
	if err != nil {
		return err
	}
	if err := writeZip(filepath.Join(dir, "forum.zip"), files); err != nil {
		return err
	}
	behaviours, err := behavioursFor("quickstart")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "behaviours.yaml"), behaviours, 0o644)
}

// files are what the archive holds: one file for each topic, and the categories.
func (f *forum) files() (map[string][]byte, error) {
	files := map[string][]byte{}
	put := func(name string, v any) error {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files[name] = b.Bytes()
		return nil
	}
	if err := put("categories.json", categories()); err != nil {
		return nil, err
	}
	for _, t := range f.topics {
		if err := put(fmt.Sprintf("topics/%d.json", t.ID), t); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// writeZip writes the files in the order of their names, all of one time. An archive that holds the same files already
// is left alone: the compressor's output may differ between Go releases, and that is no change of the forum.
func writeZip(path string, files map[string][]byte) error {
	if old, err := readZip(path); err == nil && maps.EqualFunc(old, files, bytes.Equal) {
		return nil
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: exportedAt})
		if err != nil {
			return fmt.Errorf("%s: %s: %w", path, name, err)
		}
		if _, err := w.Write(files[name]); err != nil {
			return fmt.Errorf("%s: %s: %w", path, name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func readZip(path string) (map[string][]byte, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		files[f.Name], err = io.ReadAll(r)
		if err := r.Close(); err != nil {
			return nil, err
		}
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// behavioursFor is the whole library as one file, for one community.
func behavioursFor(community string) ([]byte, error) {
	names, err := fs.Glob(library.Files, "*.yaml")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("# Written by `make generate` from config/library. Change it there.\n")
	placeholder := fmt.Sprintf("communityRef: {name: %s}\n", library.Community)
	for _, name := range names {
		text, err := fs.ReadFile(library.Files, name)
		if err != nil {
			return nil, err
		}
		if strings.Count(string(text), placeholder) != 1 {
			return nil, fmt.Errorf("config/library/%s: want exactly one line %q", name, strings.TrimSpace(placeholder))
		}
		b.WriteString("---\n")
		b.WriteString(strings.Replace(string(text), placeholder, fmt.Sprintf("communityRef: {name: %s}\n", community), 1))
	}
	return b.Bytes(), nil
}
