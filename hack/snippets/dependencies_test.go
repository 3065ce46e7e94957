// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package snippets

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestEveryDirectDependencyIsExplained(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	required := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1)
	if len(required) < 20 {
		t.Fatalf("go.mod has %d direct dependencies: the pattern does not fit it any more", len(required))
	}
	for _, m := range required {
		if !strings.Contains(string(page), "`"+m[1]+"`") {
			t.Errorf("docs/dependencies.md does not say why %s is there", m[1])
		}
	}
}
