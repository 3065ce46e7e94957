// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package snippets compiles the Go code that the documentation shows, so that it cannot go stale.
package snippets

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	// What snippets import: a change there must run this test again.
	_ "github.com/kith-dev/kith/connectors/sdk"
)

// marker stands on the line before a block that must compile. The blocks of one page form one package, in their order;
// a block that begins with a package clause begins a new file.
const marker = "<!-- compile -->"

const root = "../.."

func TestSnippetsCompile(t *testing.T) {
	found := 0
	for _, page := range pages(t) {
		blocks := snippets(t, page)
		if len(blocks) == 0 {
			continue
		}
		found++
		t.Run(page, func(t *testing.T) { vet(t, blocks) })
	}
	if found == 0 {
		t.Errorf("no page holds a Go block after %s: CONTRIBUTING.md should", marker)
	}
}

// pages are all of the documentation, from the root.
func pages(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".md" {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// snippets returns the Go blocks of a page that are marked.
func snippets(t *testing.T, page string) (blocks []string) {
	t.Helper()
	file, err := os.Open(page)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var block strings.Builder
	marked, inside := false, false
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case inside && line == "```":
			blocks = append(blocks, block.String())
			block.Reset()
			inside, marked = false, false
		case inside:
			block.WriteString(line + "\n")
		case line == marker:
			marked = true
		case marked && line == "```go":
			inside = true
		case marked && line != "":
			t.Errorf("%s: after %s comes %q, want a Go block", page, marker, line)
			marked = false
		}
	}
	if inside {
		t.Errorf("%s: a Go block does not end", page)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return blocks
}

// vet writes the blocks into a package within this module, where they see it, and lets the compiler and vet judge.
func vet(t *testing.T, blocks []string) {
	t.Helper()
	// Under testdata, `./...` does not see it while it is there.
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("testdata", "page")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	for i, block := range blocks {
		name := fmt.Sprintf("snippet%d.go", i+1)
		if strings.Contains(block, `"testing"`) {
			name = fmt.Sprintf("snippet%d_test.go", i+1)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	output, err := exec.CommandContext(t.Context(), "go", "vet", "./"+dir).CombinedOutput()
	if err != nil {
		t.Errorf("go vet: %v\n%s", err, output)
	}
}
