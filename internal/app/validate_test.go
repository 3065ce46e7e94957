// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
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
