// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command docs writes the documentation that follows from the code: docs/connectors and docs/kinds.
// What a descriptor or a definition in the code says may enter. It writes nothing that a person has written.
package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kith-dev/kith/internal/app"
)

func main() {
	if err := errors.Join(write("docs/connectors"), writeKinds("docs/kinds")); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// marker begins each page that is written here. Pages without it are a person's: they are listed, and left alone.
const marker = "<!-- Written by `make generate`"

// write writes one page for each connector and a list of all pages, and removes its pages of connectors that are gone.
func write(folder string) error {
	pages, err := app.ConnectorPages()
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(pages))
	var list strings.Builder
	list.WriteString(marker + " from connectors/catalogue. Change it there. -->\n# Connectors\n\n" +
		"One page for each platform that Kith reads; `kith connectors NAME` shows the same.\n\n")
	for _, name := range names {
		fmt.Fprintf(&list, "- [%s](%s.md)\n", title(pages[name], name), name)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		return err
	}
	var more []string
	for _, file := range old {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		_, stays := pages[name]
		written := strings.HasPrefix(string(content), marker)
		switch {
		case !written && (stays || name == "README"):
			return fmt.Errorf("%s was written by hand, and the page of a connector would take its place: name it otherwise", file)
		case !written:
			more = append(more, fmt.Sprintf("- [%s](%s.md)\n", title(string(content), name), name))
		case !stays && name != "README":
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	if len(more) > 0 {
		list.WriteString("\nSee also:\n\n" + strings.Join(more, ""))
	}
	pages["README"] = list.String()
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(folder, name+".md"), []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// title is a page's first heading.
func title(page, name string) string {
	for line := range strings.Lines(page) {
		if heading, ok := strings.CutPrefix(line, "# "); ok {
			return strings.TrimSpace(heading)
		}
	}
	return name
}
