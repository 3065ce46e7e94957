// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestValidateTellsEverything(t *testing.T) {
	for _, output := range []string{OutputText, OutputJSON, OutputGitHub} {
		t.Run(output, func(t *testing.T) {
			std, out, _ := stdio("")
			if err := Validate(std, filepath.Join("testdata", "validate", "broken"), output); !errors.Is(err, ErrReported) || ExitCode(err) != ExitProblems {
				t.Errorf("got %v", err)
			}
			golden(t, filepath.Join("validate", output+".golden"), out.String())
		})
	}
}

func TestValidateAcceptsWhatIsGood(t *testing.T) {
	std, out, _ := stdio("")
	if err := Validate(std, quickstart, OutputText); err != nil || !strings.Contains(out.String(), "0 errors, 0 warnings") {
		t.Errorf("%v\n%s", err, out)
	}
	std, _, _ = stdio("kind: Secret\napiVersion: v1\n")
	if err := Validate(std, "-", OutputText); err == nil || !strings.Contains(err.Error(), "no resources of Kith") {
		t.Errorf("a folder of other people's resources: %v", err)
	}
}

func TestSamplesValidate(t *testing.T) {
	for _, dir := range []string{samples, quickstart} {
		std, out, said := stdio("")
		if err := Validate(std, dir, OutputText); err != nil || !strings.Contains(out.String(), "0 errors, 0 warnings") {
			t.Errorf("%s: %v\n%s%s", dir, err, out, said)
		}
	}
}

// The manifests that the documentation shows are valid beside those of config/samples and the library.
func TestDocumentedManifestsValidate(t *testing.T) {
	std, library, _ := stdio("")
	if err := Library(std, "community", nil); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("../../*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir("../../docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range yamlBlocks(string(text)) {
			if !strings.Contains(block, "apiVersion: kith.dev/") {
				continue
			}
			found++
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(page), i+1), func(t *testing.T) {
				files := map[string]string{"library.yaml": library.String(), "snippet.yaml": block}
				if !strings.Contains(block, "kind: Community\n") {
					community, err := os.ReadFile(filepath.Join(samples, "community.yaml"))
					if err != nil {
						t.Fatal(err)
					}
					files["community.yaml"] = string(community)
				}
				std, out, said := stdio("")
				if err := Validate(std, folder(t, files), OutputText); err != nil || !strings.Contains(out.String(), "0 errors, 0 warnings") {
					t.Errorf("%v\n%s%s\n%s", err, out, said, block)
				}
			})
		}
	}
	if found == 0 {
		t.Error("no page shows a manifest: README.md should")
	}
}

// yamlBlocks are the fenced YAML of a page, also where they stand in a list.
func yamlBlocks(page string) (blocks []string) {
	for _, part := range strings.Split(page, "```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	return blocks
}

func TestLibraryValidates(t *testing.T) {
	std, out, _ := stdio("")
	if err := Library(std, "acme", nil); err != nil {
		t.Fatal(err)
	}
	files := community("https://forum.example.org")
	dir := folder(t, map[string]string{"community.yaml": strings.Replace(files["community.yaml"], "spec:\n", "spec:\n"+`  value:
    currency: EUR
    factors: [{name: support-contact, category: SupportCost, unit: Contact, low: "6", mid: "9", high: "14", source: Estimated}]
`, 1), "behaviours.yaml": out.String()})
	std, out, _ = stdio("")
	if err := Validate(std, dir, OutputText); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if err := Library(std, "acme", []string{"answered-in-tim"}); ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "answered-in-time") {
		t.Errorf("a misspelt name: %v", err)
	}
}

func TestConnectors(t *testing.T) {
	for _, name := range []string{"", "discourse", "feed", "archive"} {
		for _, output := range []string{OutputText, OutputJSON, OutputMarkdown} {
			std, out, _ := stdio("")
			if err := Connectors(std, name, output); err != nil || !strings.Contains(out.String(), name) {
				t.Errorf("%q as %s: %v\n%s", name, output, err, out)
			}
		}
	}
	std, _, _ := stdio("")
	if err := Connectors(std, "discord", OutputText); ExitCode(err) != ExitUsage {
		t.Errorf("an unknown platform: %v", err)
	}
}

// Each grade that a connector declares is explained.
func TestFidelityIsExplained(t *testing.T) {
	for _, name := range []string{"discourse", "feed", "archive"} {
		std, out, _ := stdio("")
		if err := Connectors(std, name, OutputJSON); err != nil {
			t.Fatal(err)
		}
		var doc connectorDoc
		decode(t, out.String(), &doc)
		for _, f := range doc.Fidelity {
			if f.Grade == "" || f.Meaning == "" {
				t.Errorf("%s: %s is %q, which means %q", name, f.What, f.Grade, f.Meaning)
			}
		}
	}
}
