// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPagesWrittenByHandStay(t *testing.T) {
	folder := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const byHand = "# Writing a connector\n\nBegin small.\n"
	mine, gone := put("writing.md", byHand), put("gone.md", marker+" from the connector's descriptor. -->\n# Gone\n")
	for range 2 { // doing it again changes nothing
		if err := write(folder); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(mine); err != nil || string(got) != byHand {
			t.Errorf("the page written by hand is %q, %v", got, err)
		}
		if _, err := os.Stat(gone); err == nil {
			t.Error("the page of a connector that is gone is still there")
		}
		list, err := os.ReadFile(filepath.Join(folder, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"- [Discourse](discourse.md)\n", "See also:\n\n- [Writing a connector](writing.md)\n"} {
			if !strings.Contains(string(list), line) {
				t.Errorf("the list lacks %q:\n%s", line, list)
			}
		}
	}
	put("feed.md", byHand)
	if err := write(folder); err == nil || !strings.Contains(err.Error(), "written by hand") {
		t.Errorf("a page by hand in a connector's place: %v", err)
	}
}

func TestEveryFieldIsExplained(t *testing.T) {
	folder := t.TempDir()
	if err := writeKinds(folder); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"community", "channel", "behaviour", "objective"} {
		page, err := os.ReadFile(filepath.Join(folder, kind+".md"))
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for line := range strings.Lines(string(page)) {
			cells := strings.Split(line, " | ")
			if !strings.HasPrefix(line, "| `") {
				continue
			}
			rows++
			if len(cells) != 3 || strings.TrimSpace(strings.Trim(cells[2], "|\n ")) == "" {
				t.Errorf("%s: the field is not explained: %s", kind, line)
			}
		}
		if rows < 20 {
			t.Errorf("%s: only %d fields", kind, rows)
		}
	}
}
