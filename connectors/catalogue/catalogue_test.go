// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package catalogue_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/connectors/sdk"
)

func TestCatalogueIsValid(t *testing.T) {
	if err := catalogue.Validate(catalogue.All()); err != nil {
		t.Error(err)
	}
	var names []string
	for _, d := range catalogue.All() {
		names = append(names, d.Name)
	}
	if diff := cmp.Diff(catalogue.Known(), names); diff != "" {
		t.Errorf("the list is not ordered by name:\n%s", diff)
	}
}

func TestValidateFindsMistakes(t *testing.T) {
	good, err := catalogue.Get("feed")
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*sdk.Descriptor)) []sdk.Descriptor {
		d := good
		change(&d)
		return []sdk.Descriptor{d}
	}
	tests := map[string]struct {
		all  []sdk.Descriptor
		want string
	}{
		"twice":          {[]sdk.Descriptor{good, good}, "listed twice"},
		"capital letter": {with(func(d *sdk.Descriptor) { d.Name = "Feed" }), "lower case"},
		"no New":         {with(func(d *sdk.Descriptor) { d.New = nil }), "required"},
		"no live lane":   {with(func(d *sdk.Descriptor) { d.Lanes = d.Lanes[1:] }), "begin with live"},
		"odd maturity":   {with(func(d *sdk.Descriptor) { d.Maturity = "Great" }), "Great"},
		"bad settings": {with(func(d *sdk.Descriptor) {
			d.Settings = &struct {
				N int `kith:"name=n,default=9,max=3,help=x"`
			}{}
		}), "settings"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if err := catalogue.Validate(tc.all); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		platform string
		settings map[string]any
		want     []string
	}{
		"nothing":          {"feed", nil, nil},
		"good":             {"feed", map[string]any{"comments": "Ignore", "maxItems": 10}, nil},
		"all at once":      {"feed", map[string]any{"comment": "Ignore", "maxItems": 0}, []string{"settings.comment", "settings.maxItems"}},
		"unknown platform": {"fed", nil, []string{"feed"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := catalogue.Check(tc.platform, tc.settings)
			if len(got) != len(tc.want) {
				t.Fatalf("problems %v, want %d", got, len(tc.want))
			}
			for _, w := range tc.want {
				if !slices.ContainsFunc(got, func(e error) bool { return strings.Contains(e.Error(), w) }) {
					t.Errorf("no problem names %q: %v", w, got)
				}
			}
		})
	}
}
