// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/connectors/sdk"
)

type sample struct {
	Name     string        `kith:"name=name,max=10,help=A name."`
	Order    string        `kith:"name=order,default=newest,enum=newest|oldest,help=Which first, and which last."`
	Whole    bool          `kith:"name=whole,default=true,help=All of it."`
	PageSize int           `kith:"name=pageSize,default=50,min=1,max=100,help=How many at once."`
	Share    float64       `kith:"name=share,default=0.5,min=0,max=1,help=How much."`
	Every    time.Duration `kith:"name=every,default=1d12h,min=1m,max=2w,help=How often."`
	From     time.Time     `kith:"name=from,help=From when."`
	Tags     []string      `kith:"name=tags,max=2,help=Which tags."`
	ignored  string
}

func TestParseSettings(t *testing.T) {
	defaults := func(change func(*sample)) sample {
		s := sample{Order: "newest", Whole: true, PageSize: 50, Share: 0.5, Every: 36 * time.Hour}
		change(&s)
		return s
	}
	tests := map[string]struct {
		in       string
		want     sample
		problems []string
	}{
		"nothing":           {in: `{}`, want: defaults(func(*sample) {})},
		"null is not given": {in: `{"pageSize":null}`, want: defaults(func(*sample) {})},
		"all": {
			in: `{"name":"x","order":"oldest","whole":false,"pageSize":7,"share":0.25,"every":"2w","from":"2026-01-31","tags":["a","b"]}`,
			want: sample{Name: "x", Order: "oldest", PageSize: 7, Share: 0.25, Every: 14 * 24 * time.Hour,
				From: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC), Tags: []string{"a", "b"}},
		},
		"numbers as text": {in: `{"pageSize":"7","whole":"false"}`, want: defaults(func(s *sample) { s.PageSize, s.Whole = 7, false })},
		"a time":          {in: `{"from":"2026-01-31T08:00:00Z"}`, want: defaults(func(s *sample) { s.From = time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC) })},
		"all that is wrong at once": {
			in: `{"pagesize":7,"order":"newst","whole":"yes","share":2,"every":"soon","from":"May","tags":[1],"zzzzzzz":1,"name":"elevenchars"}`,
			problems: []string{
				`settings.pagesize is unknown; did you mean "pageSize"?`, `settings.zzzzzzz is unknown; there are name, order`,
				`settings.name: must be at most 10 characters`, `settings.order: "newst" is none of newest, oldest; did you mean "newest"?`,
				`settings.whole: "yes" is not true or false`, `settings.share: must be at most 1`, `settings.every: "soon" is not a duration`,
				`settings.from: "May" is not a date`, `settings.tags: must be a list of texts`,
			},
		},
		"out of range": {in: `{"pageSize":0,"every":"1s","tags":["a","b","c"]}`, problems: []string{
			"settings.pageSize: must be at least 1", "settings.every: must be at least 1m", "settings.tags: must be at most 2 entries",
		}},
		"not whole": {in: `{"pageSize":1.5}`, problems: []string{"settings.pageSize: must be a whole number, not 1.5"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var in map[string]any
			if err := json.Unmarshal([]byte(tc.in), &in); err != nil {
				t.Fatal(err)
			}
			var got sample
			err := sdk.ParseSettings(&got, in)
			if len(tc.problems) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.want, got, cmp.AllowUnexported(sample{})); d != "" {
					t.Errorf("settings (-want +got):\n%s", d)
				}
				return
			}
			e, ok := errors.AsType[*sdk.Error](err)
			if !ok || e.Reason != sdk.BadSettings || !e.Permanent {
				t.Fatalf("want a permanent BadSettings, got %v", err)
			}
			parts := strings.Split(e.Err.Error(), "\n")
			if len(parts) != len(tc.problems) {
				t.Errorf("want %d problems, got %q", len(tc.problems), parts)
			}
			for _, p := range tc.problems {
				if !strings.Contains(err.Error(), p) {
					t.Errorf("%q is missing in %q", p, err)
				}
			}
		})
	}
}

func TestParseSettingsOfAPlatformWithoutAny(t *testing.T) {
	if err := sdk.ParseSettings(nil, nil); err != nil {
		t.Error(err)
	}
	if err := sdk.ParseSettings(nil, map[string]any{"a": 1}); err == nil || !strings.Contains(err.Error(), "has no settings") {
		t.Errorf("got %v", err)
	}
}

func TestRequiredSetting(t *testing.T) {
	var s struct {
		Server string `kith:"name=server,required,help=Where it is."`
	}
	if err := sdk.ParseSettings(&s, nil); err == nil || !strings.Contains(err.Error(), "settings.server is required: Where it is.") {
		t.Errorf("got %v", err)
	}
}

func TestDescribe(t *testing.T) {
	docs, err := sdk.Describe(&sample{ignored: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if len(docs) != 8 {
		t.Fatalf("want 8 settings, got %d", len(docs))
	}
	want := sdk.SettingDoc{Name: "order", Type: "text", Default: "newest", Enum: []string{"newest", "oldest"}, Help: "Which first, and which last."}
	if d := cmp.Diff(want, docs[1]); d != "" {
		t.Errorf("order (-want +got):\n%s", d)
	}
	var bad struct {
		N int `kith:"name=n,default=5,max=4,help=x"`
	}
	if _, err := sdk.Describe(&bad); err == nil {
		t.Error("a default out of its range must be found")
	}
}

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "7d": 168 * time.Hour, "2w": 336 * time.Hour, "1.5d": 36 * time.Hour, "1d30m": 24*time.Hour + 30*time.Minute,
	} {
		if got, err := sdk.ParseDuration(in); err != nil || got != want {
			t.Errorf("%s: got %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "5", "d", "1x", "99999999999w", strings.Repeat("1d", 40)} {
		if got, err := sdk.ParseDuration(in); err == nil {
			t.Errorf("%q: got %s, want an error", in, got)
		}
	}
}
