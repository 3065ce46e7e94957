// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
)

func TestDescriptor(t *testing.T) {
	d := discourse.Descriptor()
	docs, err := sdk.Describe(d.Settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range docs {
		if doc.Default == "" || !strings.HasSuffix(doc.Help, ".") {
			t.Errorf("setting %s: default %q, help %q", doc.Name, doc.Default, doc.Help)
		}
	}
	if want := []event.Lane{event.Live, event.Backfill, event.Sweep}; !cmp.Equal(want, d.Lanes) {
		t.Errorf("lanes %v", d.Lanes)
	}
}

func TestNew(t *testing.T) {
	tests := map[string]struct {
		config sdk.Config
		want   string
	}{
		"good":              {config: sdk.Config{URL: "https://forum.example.org/community/"}},
		"no scheme":         {config: sdk.Config{URL: "forum.example.org"}, want: "is not a forum's address"},
		"another scheme":    {config: sdk.Config{URL: "ftp://forum.example.org"}, want: "is not a forum's address"},
		"unknown setting":   {config: sdk.Config{URL: "https://f.example", Settings: map[string]any{"sweepwindow": "1d"}}, want: `did you mean "sweepWindow"?`},
		"unlimited outside": {config: sdk.Config{URL: "https://f.example", Settings: map[string]any{"requestsPerMinute": 0}}, want: "forums on this machine only"},
		"unlimited here":    {config: sdk.Config{URL: "http://127.0.0.1:3000", Settings: map[string]any{"requestsPerMinute": 0}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := discourse.New(tc.config)
			if (err == nil) != (tc.want == "") || (err != nil && (!strings.Contains(err.Error(), tc.want) || sdk.ReasonOf(err) != sdk.BadSettings)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	has := func(list []string, word string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, word) })
	}
	solved := discoursetest.WithCategories(discoursetest.Category{ID: 5, Slug: "help", Solved: true})
	t.Run("a whole forum", func(t *testing.T) {
		f := newForum(t, nil, solved, discoursetest.WithDirectory())
		a, err := f.reader().Probe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := sdk.Account{
			Channel: event.ChannelRef{Platform: "discourse", Instance: strings.TrimPrefix(f.url, "http://")}, Title: "Example forum",
			ServerTime: start, Sees: []string{"what visitors see", "categories", "the member directory", "accepted answers"}, Rooms: []string{"help"},
		}
		if d := cmp.Diff(want, a); d != "" {
			t.Errorf("account (-want +got):\n%s", d)
		}
	})
	t.Run("a forum that shows little", func(t *testing.T) {
		f := newForum(t, nil, discoursetest.Without("/about.json", 403), discoursetest.Without("/site.json", 404),
			discoursetest.Without("/categories.json", 404), discoursetest.Without("/site/basic-info.json", 404))
		a, err := f.reader().Probe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"/about.json", "categories", "member directory", "accepted answers"} {
			if !has(a.Lacks, word) {
				t.Errorf("%q is missing in %q", word, a.Lacks)
			}
		}
	})
	t.Run("with a key", func(t *testing.T) {
		f := newForum(t, nil, discoursetest.WithAPIKey("s3cr3t-key", "kith", false))
		a, err := f.reader(withKey("s3cr3t-key", "kith")).Probe(t.Context())
		if err != nil || !has(a.Sees, "members see") || !has(a.Lacks, "removed posts") {
			t.Errorf("sees %q, lacks %q, error %v", a.Sees, a.Lacks, err)
		}
	})
	for name, tc := range map[string]struct {
		key, user string
		options   []discoursetest.Option
		want      sdk.Reason
	}{
		"a wrong key":                {key: "wrong-key", user: "kith", want: sdk.BadCredentials},
		"a key for nobody":           {key: "s3cr3t-key", want: sdk.SecretKeyMissing},
		"a forum that needs a login": {options: []discoursetest.Option{discoursetest.Without("/latest.json", 403)}, want: sdk.PlatformError},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForum(t, nil, append(tc.options, discoursetest.WithAPIKey("s3cr3t-key", "kith", false))...)
			_, err := f.reader(withKey(tc.key, tc.user)).Probe(t.Context())
			if sdk.ReasonOf(err) != tc.want || strings.Contains(err.Error(), "-key") {
				t.Errorf("want %s, got %v", tc.want, err)
			}
		})
	}
}
