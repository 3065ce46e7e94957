// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The count that everything is held against needs no cluster to be checked itself.
func TestIndependentCountOfTheYear(t *testing.T) {
	year, err := filepath.Abs("../../../shared/data/discourse-forum/topics")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(year); err != nil {
		t.Skip("the forum year is not here (../shared/data/discourse-forum beside the project): nothing to compare with")
	}
	topics, err := readTopics(os.DirFS(year))
	if err != nil {
		t.Fatal(err)
	}
	want, err := readmeFigures(year)
	if err != nil {
		t.Fatal(err)
	}
	got := count(topics, time.Time{})
	want.Helped = got.Helped // of which the README says nothing
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures (-README +count):\n%s", diff)
	}
}
