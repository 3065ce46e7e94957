// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
)

// What a forum with the categories help (5, solvable; described by topic 50), help/pumps (6) and staff (7, private) says.
const (
	nestedJSON = `{"category_list":{"categories":[
		{"id":5,"slug":"help","topic_url":"/t/about-help/50","custom_fields":{"enable_accepted_answers":"true"},"subcategory_list":[{"id":6,"slug":"pumps"}]},
		{"id":7,"slug":"staff","read_restricted":true}]}}`
	flatJSON = `{"category_list":{"categories":[{"id":5,"slug":"help"}]}}`
	siteJSON = `{"categories":[{"id":5,"slug":"hulp"},{"id":6,"slug":"pumps","parent_category_id":5},{"id":7,"slug":"staff","read_restricted":true}]}`
)

func TestRoomsGoBySlugs(t *testing.T) {
	in := func(category int) string { return fmt.Sprintf(`"category_id":%d,`, category) }
	topics := files{
		"t/1.json": topicJSON(1, 1, "2026-01-02", in(5)), "t/2.json": topicJSON(2, 1, "2026-01-02", in(6)),
		"t/3.json": topicJSON(3, 1, "2026-01-02", in(7)), "t/4.json": topicJSON(4, 1, "2026-01-02", in(99)),
		"t/50.json": topicJSON(50, 1, "2026-01-02", in(5)),
	}
	tests := map[string]struct {
		about files
		rooms sdk.Rooms
		want  map[string]string
	}{
		"no file":              {nil, sdk.Rooms{}, map[string]string{"1": "5", "2": "6", "3": "7", "4": "99", "50": "5"}},
		"categories":           {files{"categories.json": []byte(nestedJSON)}, sdk.Rooms{}, map[string]string{"1": "help", "2": "help/pumps", "4": "99"}},
		"in a folder":          {files{"export/meta/categories.json": []byte(nestedJSON)}, sdk.Rooms{}, map[string]string{"1": "help", "2": "help/pumps", "4": "99"}},
		"with a byte mark":     {files{"categories.json": []byte("\ufeff" + nestedJSON)}, sdk.Rooms{}, map[string]string{"1": "help", "2": "help/pumps", "4": "99"}},
		"site":                 {files{"a/site.json": []byte(siteJSON)}, sdk.Rooms{}, map[string]string{"1": "hulp", "2": "hulp/pumps", "4": "99", "50": "hulp"}},
		"each fills the other": {files{"categories.json": []byte(flatJSON), "site.json": []byte(siteJSON)}, sdk.Rooms{}, map[string]string{"1": "help", "2": "help/pumps", "4": "99", "50": "help"}},
		"higher before deeper": {files{"old/categories.json": []byte(strings.ReplaceAll(nestedJSON, "help", "old")), "categories.json": []byte(nestedJSON)}, sdk.Rooms{}, map[string]string{"1": "help", "2": "help/pumps", "4": "99"}},
		"someone else's file":  {files{"site.json": []byte(`{"theme":"dark"}`)}, sdk.Rooms{}, map[string]string{"1": "5", "2": "6", "3": "7", "4": "99", "50": "5"}},
		"included by slug":     {files{"categories.json": []byte(nestedJSON)}, sdk.Rooms{Include: []string{"help/*"}}, map[string]string{"1": "help", "2": "help/pumps"}},
		"excluded by slug":     {files{"categories.json": []byte(nestedJSON)}, sdk.Rooms{Exclude: []string{"help/pumps"}}, map[string]string{"1": "help", "4": "99"}},
		"private, but named":   {files{"categories.json": []byte(nestedJSON)}, sdk.Rooms{Include: []string{"staff"}}, map[string]string{"3": "staff"}},
		"private, by wildcard": {files{"categories.json": []byte(nestedJSON)}, sdk.Rooms{Include: []string{"st*"}}, map[string]string{}},
	}
	for name, tc := range tests {
		for kind, make := range kinds {
			t.Run(name+", "+kind, func(t *testing.T) {
				f := maps.Clone(topics)
				maps.Copy(f, tc.about)
				c := connect(t, make(t, t.TempDir(), f), func(c *sdk.Config) { c.Rooms = tc.rooms })
				got := map[string]string{}
				for _, o := range observe(t, c) {
					if th := o.Thread; th != nil {
						got[th.ID] = th.Room
						if solvable := th.Solvable != nil && *th.Solvable; solvable != (th.Room == "help" && tc.about["site.json"] == nil) {
							t.Errorf("thread %s in %s: solvable %t", th.ID, th.Room, solvable)
						}
					}
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestProbeTellsTheRooms(t *testing.T) {
	topics := files{"1.json": topicJSON(1, 1, "2026-01-02", "")}
	c := connect(t, kinds["zip"](t, t.TempDir(), topics))
	a, err := c.Probe(t.Context())
	must(t, err)
	if a.Rooms != nil || !slices.ContainsFunc(a.Lacks, func(s string) bool { return strings.Contains(s, "categories.json") }) {
		t.Errorf("without categories: rooms %q, lacks %q", a.Rooms, a.Lacks)
	}
	topics["categories.json"] = []byte(nestedJSON)
	c = connect(t, kinds["zip"](t, t.TempDir(), topics))
	a, err = c.Probe(t.Context())
	must(t, err)
	if diff := cmp.Diff([]string{"help", "help/pumps"}, a.Rooms); diff != "" {
		t.Error(diff)
	}
}

func TestCategoriesThatCannotBeUnderstood(t *testing.T) {
	for name, about := range map[string][]byte{
		"truncated": []byte(nestedJSON[:60]), "other shape": []byte(`{"categories":"help, said Ann"}`), "too large": make([]byte, maxEntryBytes+1),
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, kinds["zip"](t, t.TempDir(), files{"1.json": topicJSON(1, 1, "2026-01-02", ""), "a/site.json": about}))
			_, err := c.Read(t.Context(), event.Backfill, nil)
			if err == nil || !strings.Contains(err.Error(), "a/site.json") || strings.Contains(err.Error(), "Ann") || sdk.ReasonOf(err) != sdk.PlatformError {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestCategoriesComeLater: other rooms are another history, which is read from its beginning.
func TestCategoriesComeLater(t *testing.T) {
	for kind, make := range kinds {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			f := files{"t/1.json": topicJSON(1, 1, "2026-01-02", `"category_id":6,`)}
			c := connect(t, make(t, dir, f))
			_, _, last := readAll(t, c, nil)
			f["categories.json"] = []byte(nestedJSON)
			make(t, dir, f)
			p, err := c.Read(t.Context(), event.Backfill, last.Next)
			must(t, err)
			if len(p.Observations) == 0 || p.Observations[0].Thread.Room != "help/pumps" {
				t.Fatalf("observations %+v", p.Observations)
			}
			p, err = c.Read(t.Context(), event.Backfill, p.Next)
			must(t, err)
			if len(p.Observations) > 0 {
				t.Errorf("%d observations more", len(p.Observations))
			}
		})
	}
}

// TestSameAsOverHTTP reads one forum both ways, the archive being what the forum answers to its staff.
func TestSameAsOverHTTP(t *testing.T) {
	const key, user = "invented-key", "mod"
	clock := discoursetest.NewClock(now)
	s, err := discoursetest.New(nil, discoursetest.WithClock(clock.Now), discoursetest.WithAPIKey(key, user, true), discoursetest.WithCategories(
		discoursetest.Category{ID: 5, Name: "Help", Slug: "help", Solved: true}, discoursetest.Category{ID: 6, Name: "Pumps", Slug: "pumps", Parent: 5, Definition: 3},
		discoursetest.Category{ID: 7, Name: "Staff", Slug: "staff", Private: true}, discoursetest.Category{ID: 8, Name: "Secret", Slug: "secret", Private: true}))
	must(t, err)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	ann, ben := discoursetest.User{ID: 11, Username: "ann"}, discoursetest.User{ID: 12, Username: "ben", TrustLevel: 2}
	first, _ := s.NewTopic(ann, 5, "Which valve?", "<p>?</p>")
	answer := s.Reply(first, ben, `<p><a href="/t/other/2/1">There</a>, or <a href="`+srv.URL+`/t/4">there</a></p>`, 1)
	s.Accept(answer)
	s.NewTopic(ben, 6, "Pump hums", `<aside class="quote" data-topic="1"><blockquote>?</blockquote></aside>`)
	for i, category := range []int64{6, 7, 8} {
		s.NewTopic(ben, category, "Topic "+strconv.Itoa(i), "<p>x</p>")
	}
	removed := s.Reply(first, ann, "<p>Spam</p>", 2)
	s.RemoveByAuthor(removed)

	f := files{}
	for name, address := range map[string]string{
		"about/categories.json": "/categories.json?include_subcategories=true", "site.json": "/site.json",
		"t/1.json": "/t/1.json", "t/2.json": "/t/2.json", "t/3.json": "/t/3.json", "t/4.json": "/t/4.json", "t/5.json": "/t/5.json",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+address, http.NoBody)
		must(t, err)
		req.Header.Set("Api-Key", key)
		req.Header.Set("Api-Username", user)
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		f[name], err = io.ReadAll(resp.Body)
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", address, resp.Status)
		}
	}

	for name, rooms := range map[string]sdk.Rooms{
		"everything": {}, "by slug": {Include: []string{"help"}}, "below": {Include: []string{"help/*"}, Exclude: []string{"help/pumps"}},
		"private": {Include: []string{"staff", "help/pumps"}},
	} {
		t.Run(name, func(t *testing.T) {
			live, err := discourse.New(sdk.Config{URL: srv.URL, Rooms: rooms, Settings: map[string]any{}, Now: clock.Now, Secrets: func(k string) (string, bool) {
				return map[string]string{"apiKey": key, "apiUsername": user}[k], true
			}})
			must(t, err)
			exported := connect(t, kinds["tar.gz"](t, t.TempDir(), f), func(c *sdk.Config) {
				c.URL, c.Rooms = srv.URL, rooms
				// As far as an answer of the forum is known to be complete.
				c.Settings["exportedAt"] = now.Add(-5 * time.Second).Format(time.RFC3339)
			})
			want, got := byThing(observe(t, live)), byThing(observe(t, exported))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-http +archive)\n%s", diff)
			}
			if len(want) == 0 {
				t.Error("nothing was read")
			}
		})
	}
}

func byThing(observations []event.Observation) map[string]event.Observation {
	m := map[string]event.Observation{}
	for _, o := range observations {
		switch {
		case o.Thread != nil:
			m["thread "+o.Thread.ID] = o
		case o.Message != nil:
			m["message "+o.Message.ID] = o
		case o.Listing != nil:
			m["listing "+o.Listing.Thread] = o
		}
	}
	return m
}

// observe reads a whole history.
func observe(t *testing.T, c sdk.Connector) []event.Observation {
	t.Helper()
	var all []event.Observation
	var cursor sdk.Cursor
	for range 100 {
		p, err := c.Read(t.Context(), event.Backfill, cursor)
		must(t, err)
		all, cursor = append(all, p.Observations...), p.Next
		if !p.More {
			return all
		}
	}
	t.Fatal("the backfill does not end")
	return nil
}

// TestQuickstart: the manifests of the quickstart name rooms by their slugs.
func TestQuickstart(t *testing.T) {
	path, err := filepath.Abs(filepath.Join("..", "..", "config", "samples", "quickstart", "forum.zip"))
	must(t, err)
	got := map[string]bool{}
	for _, o := range observe(t, connect(t, path)) {
		if o.Thread != nil {
			got[o.Thread.Room] = true
		}
	}
	want := []string{"guides", "help", "help/app", "help/heating", "ideas", "lounge"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Error(diff)
	}
	for pattern, rooms := range map[string][]string{"help/*": {"help", "help/app", "help/heating"}, "ideas": {"ideas"}, "guides": {"guides"}} {
		for room := range got {
			if sdk.MatchRoom(pattern, room) != slices.Contains(rooms, room) {
				t.Errorf("pattern %s, room %s", pattern, room)
			}
		}
	}
}
