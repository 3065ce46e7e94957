// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package catalogue_test

import (
	"testing"

	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/connectors/conformance"
	"github.com/kith-dev/kith/connectors/sdk"
)

// suites gives each platform's double; a platform of the catalogue without one fails the test below.
var suites = map[string]func(sdk.Descriptor) conformance.Suite{
	"archive":   archiveSuite,
	"discourse": discourseSuite,
	"feed":      feedSuite,
}

func TestEveryPlatformConforms(t *testing.T) {
	known := map[string]bool{}
	for _, d := range catalogue.All() {
		known[d.Name] = true
		t.Run(d.Name, func(t *testing.T) {
			suite, ok := suites[d.Name]
			if !ok {
				t.Fatalf("platform %q has no double; add one to the suites of this test", d.Name)
			}
			conformance.Run(t, suite(d))
		})
	}
	for name := range suites {
		if !known[name] {
			t.Errorf("the double of %q belongs to no platform of the catalogue", name)
		}
	}
}

func suiteOf(f *testing.F, name string) conformance.Suite {
	d, err := catalogue.Get(name)
	if err != nil {
		f.Fatal(err)
	}
	return suites[name](d)
}

func FuzzArchiveCursors(f *testing.F)   { conformance.FuzzCursors(f, suiteOf(f, "archive")) }
func FuzzArchiveBodies(f *testing.F)    { conformance.FuzzBodies(f, suiteOf(f, "archive")) }
func FuzzDiscourseCursors(f *testing.F) { conformance.FuzzCursors(f, suiteOf(f, "discourse")) }
func FuzzDiscourseBodies(f *testing.F)  { conformance.FuzzBodies(f, suiteOf(f, "discourse")) }
func FuzzFeedCursors(f *testing.F)      { conformance.FuzzCursors(f, suiteOf(f, "feed")) }
func FuzzFeedBodies(f *testing.F)       { conformance.FuzzBodies(f, suiteOf(f, "feed")) }
