// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command docs writes the documentation that follows from the code: docs/connectors.
// What a descriptor or a definition in the code says may enter. It writes nothing that a person has written.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kith-dev/kith/internal/app"
)

func main() {
	if err := write("docs/connectors"); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// write writes one page for each connector and a list of them, and removes pages of connectors that are gone.
func write(folder string) error {
	pages, err := app.ConnectorPages()
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(pages))
	var list strings.Builder
	list.WriteString("<!-- Written by `make generate` from connectors/catalogue. Change it there. -->\n# Connectors\n\n" +
		"One page for each platform that Kith reads; `kith connectors NAME` shows the same.\n\n")
	for _, name := range names {
		title, _, _ := strings.Cut(pages[name][strings.Index(pages[name], "\n# ")+3:], "\n")
		fmt.Fprintf(&list, "- [%s](%s.md)\n", title, name)
	}
	pages["README"] = list.String()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if _, stays := pages[strings.TrimSuffix(filepath.Base(file), ".md")]; !stays {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(folder, name+".md"), []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}
