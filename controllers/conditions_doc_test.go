// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestEveryConditionAndReasonIsDocumented(t *testing.T) {
	source, err := os.ReadFile("../api/v1alpha1/conditions.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/conditions.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?:Condition|Reason)\w+\s+= "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(found) < 40 {
		t.Fatalf("only %d names were found in conditions.go", len(found))
	}
	for _, name := range found {
		if !strings.Contains(string(page), "`"+name[1]+"`") {
			t.Errorf("docs/conditions.md does not say what %s means", name[1])
		}
	}
}
