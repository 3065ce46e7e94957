// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestQuantitiesAreComparedByTheirSize(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b string
		want bool
	}{
		"the same":               {a: "1Gi", b: "1Gi"},
		"the same, in two units": {a: "1024Mi", b: "1Gi"},
		"growing":                {a: "1Gi", b: "1.5Gi", want: true},
		"shrinking":              {a: "2Gi", b: "1Gi"},
		"decimal below binary":   {a: "1G", b: "1Gi", want: true},
		"plain bytes":            {a: "1023", b: "1Ki", want: true},
		"a decimal thousand":     {a: "1k", b: "1Ki", want: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := less(tc.a, tc.b)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("less(%q, %q) = %v, want %v", tc.a, tc.b, got, tc.want)
			}
		})
	}
}

func TestWhatIsNoQuantityIsRefused(t *testing.T) {
	for _, text := range []string{"", "Gi", "1Q", "1GiB", "1KiMi", "-", "1ii"} {
		if got, err := quantity(text); err == nil {
			t.Errorf("quantity(%q) = %s, want an error", text, got)
		}
	}
}
