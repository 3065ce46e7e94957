// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/kith-dev/kith/config/library"
	"github.com/kith-dev/kith/internal/suggest"
)

// Library writes ready-made behaviours for a community, with the comments on what they are for: all, or those named.
func Library(std Stdio, community string, names []string) error {
	known, err := libraryNames()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		names = known
	}
	var parts []string
	for _, name := range names {
		if !slices.Contains(known, name) {
			return Usagef("there is no ready-made behaviour %q; %s", name, suggest.For(name, known))
		}
		raw, err := fs.ReadFile(library.Files, name+".yaml")
		if err != nil {
			return fmt.Errorf("read the ready-made behaviour %s: %w", name, err)
		}
		parts = append(parts, forCommunity(string(raw), community))
	}
	_, err = fmt.Fprint(std.Out, strings.Join(parts, "---\n"))
	return err
}

// LibraryNames are the ready-made behaviours.
func LibraryNames() []string {
	names, err := libraryNames()
	if err != nil {
		return nil
	}
	return names
}

func libraryNames() ([]string, error) {
	files, err := fs.Glob(library.Files, "*.yaml")
	if err != nil {
		return nil, err
	}
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".yaml")
	}
	return files, nil
}

// forCommunity puts a community's name where the library leaves a placeholder.
func forCommunity(text, community string) string {
	return strings.ReplaceAll(text, "communityRef: {name: "+library.Community+"}", "communityRef: {name: "+community+"}")
}
