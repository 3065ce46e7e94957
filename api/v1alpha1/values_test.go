// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"testing"
	"time"

	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"pgregory.net/rapid"
)

func TestDurationParse(t *testing.T) {
	tests := map[string]struct {
		want    time.Duration
		wantErr bool
	}{
		"":                     {want: 0},
		"0s":                   {want: 0},
		"90s":                  {want: 90 * time.Second},
		"1h30m":                {want: 90 * time.Minute},
		"1.5h":                 {want: 90 * time.Minute},
		"250ms":                {want: 250 * time.Millisecond},
		"28d":                  {want: 28 * 24 * time.Hour},
		"2w":                   {want: 14 * 24 * time.Hour},
		"1w2d3h":               {want: 9*24*time.Hour + 3*time.Hour},
		"36500d":               {want: MaxDuration},
		"36501d":               {wantErr: true},
		"9999999999999999999d": {wantErr: true},
		"20000w20000w":         {wantErr: true},
		"1.5d":                 {wantErr: true},
		"1":                    {wantErr: true},
		"d":                    {wantErr: true},
		"-1h":                  {wantErr: true},
		"1 h":                  {wantErr: true},
		"1y":                   {wantErr: true},
		"1..5h":                {wantErr: true},
	}
	for text, tc := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := Duration(text).Parse()
			if (err != nil) != tc.wantErr || got != tc.want {
				t.Errorf("got %v, %v; want %v, error %v", got, err, tc.want, tc.wantErr)
			}
		})
	}
}

// TestDurationMeansWhatRulesMean compares with the server's reading, on which the schema's rules compare durations.
func TestDurationMeansWhatRulesMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`([1-9][0-9]{0,2}(w|d|h|m|s|ms)){1,4}`),
			rapid.StringMatching(`([0-9]{1,5}\.[0-9]{1,3}(s|m|h)){1,3}`),
		).Draw(t, "text")
		want, err := strfmt.ParseDuration(text)
		if err != nil {
			t.Fatalf("the server refuses %q: %v", text, err)
		}
		got, err := Duration(text).Parse()
		if err != nil || got.Round(time.Millisecond) != want.Round(time.Millisecond) {
			t.Errorf("%q: got %v, %v; the server reads %v", text, got, err, want)
		}
	})
}

func TestDurationOfParsesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(0, int64(MaxDuration/time.Millisecond)).Draw(t, "ms")) * time.Millisecond
		got, err := DurationOf(want).Parse()
		if err != nil || got != want {
			t.Errorf("%v is written %q and read %v, %v", want, DurationOf(want), got, err)
		}
	})
}

func TestMicros(t *testing.T) {
	tests := map[string]struct {
		want    int64
		wantErr bool
	}{
		"0": {want: 0}, "9": {want: 9_000_000}, "0.35": {want: 350_000}, "999999999.999999": {want: 999_999_999_999_999},
		"": {wantErr: true}, ".5": {wantErr: true}, "5.": {wantErr: true}, "-1": {wantErr: true}, "1e3": {wantErr: true},
		"1000000000": {wantErr: true}, "0.1234567": {wantErr: true}, "+1": {wantErr: true},
	}
	for text, tc := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := Amount(text).Micros()
			if (err != nil) != tc.wantErr || got != tc.want {
				t.Errorf("got %d, %v; want %d, error %v", got, err, tc.want, tc.wantErr)
			}
		})
	}
	if _, err := Ratio("1.01").Micros(); err == nil {
		t.Error("a ratio above 1 is accepted")
	}
}

func TestTextIn(t *testing.T) {
	text := Text{"de": "Gelöst", "en": "Solved", "pt-BR": "Resolvido"}
	tests := map[string]struct {
		languages []string
		text      Text
		want      string
	}{
		"the wanted one":          {languages: []string{"de"}, text: text, want: "Gelöst"},
		"the next wanted one":     {languages: []string{"fr", "de"}, text: text, want: "Gelöst"},
		"a region's language":     {languages: []string{"de-AT"}, text: text, want: "Gelöst"},
		"a language's region":     {languages: []string{"pt"}, text: text, want: "Resolvido"},
		"else English":            {languages: []string{"fr"}, text: text, want: "Solved"},
		"else whatever there is":  {text: Text{"nl": "Opgelost", "it": "Risolto"}, want: "Risolto"},
		"nothing where none is":   {languages: []string{"de"}, want: ""},
		"no language is no wish":  {text: text, want: "Solved"},
		"a prefix is no language": {languages: []string{"p"}, text: text, want: "Solved"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tc.text.In(tc.languages...); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDateIn(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Date("2026-07-01").In(berlin)
	if want := time.Date(2026, 6, 30, 22, 0, 0, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := Date("2026-02-30").In(berlin); err == nil {
		t.Error("a day that does not exist is accepted")
	}
}
