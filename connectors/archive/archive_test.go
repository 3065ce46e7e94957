// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/sdk"
)

// topicJSON invents a topic with so many posts, one minute apart from day on.
func topicJSON(id, posts int, day string, fields string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":%d,"title":"Topic %d","slug":"topic","category_id":10,"user_id":1,"created_at":"%sT10:00:00.000Z","posts_count":%d,%s"post_stream":{"posts":[`, id, id, day, posts, fields)
	begin, _ := time.Parse(time.DateOnly, day)
	for n := 1; n <= posts; n++ {
		if n > 1 {
			b.WriteByte(',')
		}
		at := begin.Add(10*time.Hour + time.Duration(n)*time.Minute).Format("2006-01-02T15:04:05.000Z")
		fmt.Fprintf(&b, `{"id":%d,"post_number":%d,"post_type":1,"user_id":%d,"username":"u%d","created_at":"%s","updated_at":"%s","version":1,"cooked":"<p>Post %d</p>"}`,
			id*100_000+n, n, n%7+1, n%7+1, at, at, n)
	}
	b.WriteString(`]}}`)
	return []byte(b.String())
}

type files map[string][]byte

// kinds writes the same files as each kind of archive, and gives the paths by kind.
var kinds = map[string]func(t *testing.T, dir string, f files) string{
	"folder": func(t *testing.T, dir string, f files) string {
		for name, content := range f {
			p := filepath.Join(dir, "export", filepath.FromSlash(name))
			must(t, os.MkdirAll(filepath.Dir(p), 0o750))
			must(t, os.WriteFile(p, content, 0o600))
		}
		return filepath.Join(dir, "export")
	},
	"zip": func(t *testing.T, dir string, f files) string {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, name := range slices.Sorted(maps.Keys(f)) {
			e, err := w.Create(name)
			must(t, err)
			_, err = e.Write(f[name])
			must(t, err)
		}
		must(t, w.Close())
		return write(t, filepath.Join(dir, "export.zip"), b.Bytes())
	},
	"tar": func(t *testing.T, dir string, f files) string {
		return write(t, filepath.Join(dir, "export.tar"), tarOf(t, f))
	},
	"tar.gz": func(t *testing.T, dir string, f files) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write(tarOf(t, f))
		must(t, err)
		must(t, w.Close())
		return write(t, filepath.Join(dir, "export.tar.gz"), b.Bytes())
	},
}

func tarOf(t *testing.T, f files) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	// Against the order of ids, so that the order of reading is not the file's.
	names := slices.Sorted(maps.Keys(f))
	slices.Reverse(names)
	for _, name := range names {
		must(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(f[name])), Typeflag: tar.TypeReg}))
		_, err := w.Write(f[name])
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	must(t, os.WriteFile(name, content, 0o600))
	return name
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func connect(t *testing.T, path string, change ...func(*sdk.Config)) sdk.Connector {
	t.Helper()
	cfg := sdk.Config{URL: "https://forum.example", Settings: map[string]any{"path": path}, Now: func() time.Time { return now }}
	for _, f := range change {
		f(&cfg)
	}
	c, err := newConnector(cfg)
	must(t, err)
	return c
}

// readAll reads a lane from a cursor to its end and gives the observations by "kind:id", and what was left out.
func readAll(t *testing.T, c sdk.Connector, cursor sdk.Cursor) (ids []string, bad []sdk.Quarantined, last sdk.Page) {
	t.Helper()
	for range 10_000 {
		p, err := c.Read(t.Context(), event.Backfill, cursor)
		must(t, err)
		if len(p.Observations) > event.MaxObservations {
			t.Fatalf("a page of %d observations", len(p.Observations))
		}
		for _, o := range p.Observations {
			switch {
			case o.Thread != nil:
				ids = append(ids, "t"+o.Thread.ID)
			case o.Message != nil:
				ids = append(ids, "m"+o.Message.ID)
			case o.Listing != nil:
				ids = append(ids, "l"+o.Listing.Thread)
			}
		}
		bad = append(bad, p.Quarantined...)
		cursor, last = p.Next, p
		if !p.More {
			return ids, bad, last
		}
	}
	t.Fatal("the backfill does not end")
	return nil, nil, sdk.Page{}
}

func TestEveryKindOfArchiveGivesTheSame(t *testing.T) {
	f := files{"t/2.json": topicJSON(2, 3, "2026-01-02", ""), "t/10.json": topicJSON(10, 1200, "2026-01-03", ""), "t/3.json": topicJSON(3, 1, "2026-01-04", ""), "README.md": []byte("x")}
	var want []event.Observation
	for _, name := range []string{"t/2.json", "t/3.json", "t/10.json"} {
		topic, err := discoursejson.DecodeTopic(f[name])
		must(t, err)
		obs, _ := discoursejson.Observations(topic, discoursejson.Options{Base: "https://forum.example", AsOf: lastPost(topic)})
		want = append(want, obs...)
	}
	for kind, make := range kinds {
		t.Run(kind, func(t *testing.T) {
			c := connect(t, make(t, t.TempDir(), f))
			a, err := c.Probe(t.Context())
			must(t, err)
			if diff := cmp.Diff(event.ChannelRef{Platform: "discourse", Instance: "forum.example"}, a.Channel); diff != "" {
				t.Error(diff)
			}
			var got []event.Observation
			var cursor sdk.Cursor
			for more := true; more; {
				p, err := c.Read(t.Context(), event.Backfill, cursor)
				must(t, err)
				again, err := connect(t, c.(*Connector).path).Read(t.Context(), event.Backfill, cursor)
				must(t, err)
				if diff := cmp.Diff(p, again); diff != "" {
					t.Fatalf("the same cursor gives another page:\n%s", diff)
				}
				got = append(got, p.Observations...)
				cursor, more = p.Next, p.More
				if !more && (!p.FromBeginning || p.Progress != (sdk.Progress{Done: 3, Total: 3, Unit: "topics"})) {
					t.Errorf("last page: from the beginning %t, %+v", p.FromBeginning, p.Progress)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			p, err := c.Read(t.Context(), event.Backfill, cursor)
			must(t, err)
			if len(p.Observations) > 0 || p.More || !bytes.Equal(p.Next, cursor) {
				t.Errorf("a finished archive gives %d more observations, next %s", len(p.Observations), p.Next)
			}
		})
	}
}

func TestGrownAndChangedArchives(t *testing.T) {
	base := files{"t/2.json": topicJSON(2, 1, "2026-01-02", ""), "t/5.json": topicJSON(5, 1, "2026-01-02", "")}
	tests := map[string]struct {
		change files
		want   []string
	}{
		"a new topic at the end":      {files{"t/7.json": topicJSON(7, 1, "2026-01-03", "")}, []string{"t7", "m700001", "l7"}},
		"a new topic in the middle":   {files{"t/3.json": topicJSON(3, 1, "2026-01-03", "")}, []string{"t2", "m200001", "l2", "t3", "m300001", "l3", "t5", "m500001", "l5"}},
		"a reply in an earlier topic": {files{"t/5.json": topicJSON(5, 2, "2026-01-02", "")}, []string{"t2", "m200001", "l2", "t5", "m500001", "m500002", "l5"}},
		"nothing":                     {files{}, nil},
	}
	for kind, make := range kinds {
		for name, tc := range tests {
			t.Run(kind+", "+name, func(t *testing.T) {
				dir := t.TempDir()
				c := connect(t, make(t, dir, base))
				_, _, last := readAll(t, c, nil)
				live, err := c.Read(t.Context(), event.Live, nil)
				must(t, err)
				if len(tc.change) > 0 {
					grown := tc.change
					if kind != "folder" {
						grown = maps.Clone(base)
						maps.Copy(grown, tc.change)
					}
					make(t, dir, grown)
				}
				got, _, _ := readAll(t, c, last.Next)
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
				defer func(was time.Time) { now = was }(now)
				now = now.Add(time.Hour)
				again, err := c.Read(t.Context(), event.Live, live.Next)
				must(t, err)
				if grew := again.CompleteThrough.After(live.CompleteThrough); grew != (len(tc.change) > 0) {
					t.Errorf("complete through %s, then %s", live.CompleteThrough, again.CompleteThrough)
				}
			})
		}
	}
}

func TestTopicThatChangesWhileItIsRead(t *testing.T) {
	dir := t.TempDir()
	path := kinds["folder"](t, dir, files{"2.json": topicJSON(2, 600, "2026-01-02", "")})
	c := connect(t, path)
	p, err := c.Read(t.Context(), event.Backfill, nil)
	must(t, err)
	if !p.More {
		t.Fatal("600 posts came in one page")
	}
	kinds["folder"](t, dir, files{"2.json": topicJSON(2, 700, "2026-01-02", "")})
	ids, _, _ := readAll(t, connect(t, path), p.Next)
	if len(ids) != 702 || ids[0] != "t2" {
		t.Errorf("%d observations after the change, beginning with %s; want the whole topic anew", len(ids), ids[0])
	}
}

func TestSince(t *testing.T) {
	path := kinds["zip"](t, t.TempDir(), files{
		"1.json": topicJSON(1, 1, "2024-01-01", ""), "2.json": topicJSON(2, 1, "2025-06-01", ""), "3.json": topicJSON(3, 1, "2026-01-01", ""),
	})
	since := func(at time.Time) func(*sdk.Config) { return func(c *sdk.Config) { c.Since = at } }
	ids, _, last := readAll(t, connect(t, path, since(time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC))), nil)
	if diff := cmp.Diff([]string{"t3", "m300001", "l3"}, ids); diff != "" || last.FromBeginning {
		t.Errorf("from the beginning %t\n%s", last.FromBeginning, diff)
	}
	ids, _, last = readAll(t, connect(t, path, since(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))), last.Next)
	if diff := cmp.Diff([]string{"t2", "m200001", "l2"}, ids); diff != "" || last.FromBeginning {
		t.Errorf("widened once, from the beginning %t\n%s", last.FromBeginning, diff)
	}
	ids, _, last = readAll(t, connect(t, path), last.Next)
	if diff := cmp.Diff([]string{"t1", "m100001", "l1"}, ids); diff != "" || !last.FromBeginning {
		t.Errorf("widened to everything, from the beginning %t\n%s", last.FromBeginning, diff)
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	f := files{
		"t/1.json":       topicJSON(1, 1, "2026-01-02", ""),
		"t/2.json":       topicJSON(2, 1, "2026-01-02", `"archetype":"private_message",`),
		"t/3.json":       []byte(`{"id":3,"title":"cut of`),
		"t/4.json":       []byte(`[]`),
		"t/5.json":       topicJSON(5, 1, "2026-01-02", `"category_id":99,`),
		"t/6.json":       []byte(strings.Replace(string(topicJSON(6, 2, "2026-01-02", "")), `]}}`, `],"stream":[600001,600002,600003]}}`, 1)),
		"t/7.json":       append([]byte("\xef\xbb\xbf"), topicJSON(7, 1, "2026-01-02", "")...),
		"t/8.json":       bytes.Replace(topicJSON(8, 1, "2026-01-02", ""), []byte("Post 1"), []byte("\xff\xfe"), 1),
		"../escape.json": topicJSON(9, 1, "2026-01-02", ""),
		"site.json":      []byte(`{}`),
	}
	for kind, make := range kinds {
		t.Run(kind, func(t *testing.T) {
			c := connect(t, make(t, t.TempDir(), f), func(c *sdk.Config) { c.Rooms.Exclude = []string{"99"} })
			ids, bad, _ := readAll(t, c, nil)
			want := []string{"t1", "m100001", "l1", "t6", "m600001", "m600002", "l6", "t7", "m700001", "l7", "t8", "m800001", "l8"}
			if diff := cmp.Diff(want, ids); diff != "" {
				t.Error(diff)
			}
			var names []string
			for _, q := range bad {
				names = append(names, q.ID)
				if q.Reason == "" || strings.Contains(q.Reason, "cut of") {
					t.Errorf("reason %q", q.Reason)
				}
			}
			if diff := cmp.Diff([]string{"t/3.json", "t/4.json", "t/6.json"}, names); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBrokenArchives(t *testing.T) {
	good := files{"t/1.json": topicJSON(1, 50, "2026-01-02", "")}
	cut := func(kind string) func(*testing.T, string) string {
		return func(t *testing.T, dir string) string {
			p := kinds[kind](t, dir, good)
			b, err := os.ReadFile(p)
			must(t, err)
			return write(t, p, b[:len(b)/2])
		}
	}
	tests := map[string]struct {
		path   func(t *testing.T, dir string) string
		want   string
		reason sdk.Reason
	}{
		"missing":          {func(_ *testing.T, dir string) string { return filepath.Join(dir, "none.zip") }, "does not exist", sdk.BadSettings},
		"no archive":       {func(t *testing.T, dir string) string { return write(t, filepath.Join(dir, "a.txt"), nil) }, "not a folder", sdk.PlatformError},
		"empty folder":     {func(_ *testing.T, dir string) string { return dir }, "no topics", sdk.PlatformError},
		"truncated zip":    {cut("zip"), "truncated or damaged", sdk.PlatformError},
		"truncated tar":    {cut("tar"), "truncated or damaged", sdk.PlatformError},
		"truncated tar.gz": {cut("tar.gz"), "truncated or damaged", sdk.PlatformError},
		"empty gz":         {func(t *testing.T, dir string) string { return write(t, filepath.Join(dir, "a.tar.gz"), nil) }, "truncated or damaged", sdk.PlatformError},
		"bomb": {func(t *testing.T, dir string) string {
			return kinds["tar.gz"](t, dir, files{"1.json": make([]byte, 25<<20)})
		}, "settings.maxTotalMiB", sdk.PlatformError},
		"zip bomb": {func(t *testing.T, dir string) string {
			return kinds["zip"](t, dir, files{"1.json": make([]byte, 4<<20)})
		}, "settings.maxTotalMiB", sdk.PlatformError},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := connect(t, tc.path(t, t.TempDir()), func(c *sdk.Config) { c.Settings["maxTotalMiB"] = 1 })
			_, err := c.Probe(t.Context())
			if err == nil || !strings.Contains(err.Error(), tc.want) || sdk.ReasonOf(err) != tc.reason {
				t.Errorf("error %v, want %s with %q", err, tc.reason, tc.want)
			}
		})
	}
}

func TestLinksDoNotLeadOut(t *testing.T) {
	dir := t.TempDir()
	outside := write(t, filepath.Join(dir, "9.json"), topicJSON(9, 1, "2026-01-02", ""))
	path := kinds["folder"](t, dir, files{"1.json": topicJSON(1, 1, "2026-01-02", "")})
	must(t, os.Symlink(outside, filepath.Join(path, "2.json")))
	must(t, os.Symlink("1.json", filepath.Join(path, "3.json")))
	must(t, os.Symlink(".", filepath.Join(path, "again")))
	ids, _, _ := readAll(t, connect(t, path), nil)
	if slices.Contains(ids, "t9") || !slices.Contains(ids, "t1") {
		t.Errorf("read %v", ids)
	}
}

func TestPathAndIdentity(t *testing.T) {
	tests := map[string]struct {
		url, path, wantPath, wantInstance string
	}{
		"path":             {"https://Forum.Example/", "/a/export.zip", "/a/export.zip", "forum.example"},
		"forum in folder":  {"https://example.org/forum/", "/a/export.zip", "/a/export.zip", "example.org/forum"},
		"file URL":         {"https://forum.example", "file:///a/b%20c.zip", "/a/b c.zip", "forum.example"},
		"address is file":  {"file:///a/export.zip", "", "/a/export.zip", "export.zip"},
		"address is path":  {"/a/export.zip", "", "/a/export.zip", "export.zip"},
		"other host":       {"https://forum.example", "file://host/a.zip", "", ""},
		"nothing":          {"https://forum.example", "", "", ""},
		"path is cleaned ": {"https://forum.example", "/a/../b/", "/b", "forum.example"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := newConnector(sdk.Config{URL: tc.url, Settings: map[string]any{"path": tc.path}})
			if tc.wantPath == "" {
				if sdk.ReasonOf(err) != sdk.BadSettings {
					t.Errorf("error %v", err)
				}
				return
			}
			must(t, err)
			a := c.(*Connector)
			if a.path != tc.wantPath || a.instance() != tc.wantInstance {
				t.Errorf("path %q, instance %q", a.path, a.instance())
			}
		})
	}
}

func TestAddressForLinks(t *testing.T) {
	tests := map[string]struct{ url, instance, want string }{
		"forum":                 {"https://Forum.example/sub/?x=1", "", "https://Forum.example/sub"},
		"file":                  {"file:///a.zip", "", ""},
		"file of a known forum": {"file:///a.zip", "Forum.example/sub", "https://forum.example/sub"},
		"neither":               {"", "", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := newConnector(sdk.Config{URL: tc.url, Settings: map[string]any{"path": "/a.zip", "instance": tc.instance}})
			must(t, err)
			if got := c.(*Connector).base(); got != tc.want {
				t.Errorf("base %q, want %q", got, tc.want)
			}
		})
	}
}

func TestForeignCursors(t *testing.T) {
	path := kinds["zip"](t, t.TempDir(), files{"1.json": topicJSON(1, 1, "2026-01-02", "")})
	for _, cursor := range []string{`{`, `[]`, `{"v":2}`, `"x"`, `{"v":1,"part":-1}`, `{}`} {
		for _, lane := range []event.Lane{event.Live, event.Backfill} {
			if lane == event.Live && strings.Contains(cursor, "part") {
				continue
			}
			_, err := connect(t, path).Read(t.Context(), lane, sdk.Cursor(cursor))
			if err == nil || !strings.Contains(err.Error(), "stored position") {
				t.Errorf("%s, cursor %s: error %v", lane, cursor, err)
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "1.json")
	if err := os.WriteFile(path, topicJSON(1, 3, "2026-01-02", ""), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"v":1,"id":1,"name":"1.json","listing":"00","part":2}`))
	f.Add([]byte(`{"v":1,"id":-1,"part":9223372036854775807}`))
	f.Fuzz(func(t *testing.T, cursor []byte) {
		c := connect(t, dir)
		for _, lane := range []event.Lane{event.Live, event.Backfill} {
			p, err := c.Read(t.Context(), lane, cursor)
			if err == nil && !json.Valid(p.Next) {
				t.Errorf("no JSON behind the page: %q", p.Next)
			}
		}
	})
}

func TestForumYearIsReadWhole(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "discourse-forum", "topics")
	names, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(names) == 0 {
		t.Skip("the shared forum data is not here; run from a checkout that has ../shared/data")
	}
	abs, err := filepath.Abs(dir)
	must(t, err)
	ids, bad, last := readAll(t, connect(t, abs), nil)
	threads := 0
	for _, id := range ids {
		if id[0] == 't' {
			threads++
		}
	}
	if threads != len(names) || len(bad) != 0 || last.More {
		t.Errorf("%d threads of %d files, %d left out", threads, len(names), len(bad))
	}
}

func TestTopicNumbersInFileNames(t *testing.T) {
	tests := map[string]struct {
		want int64
		ok   bool
	}{
		"12.json":                  {12, true},
		"t/ä b/topic-12.json":      {12, true},
		"T/12.JSON":                {12, true},
		"12.json.bak":              {0, false},
		"12":                       {0, false},
		".12.json":                 {0, false},
		"categories.json":          {0, false},
		"0.json":                   {0, false},
		"9999999999999999999.json": {0, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if id, ok := topicID(name); id != tc.want || ok != tc.ok {
				t.Errorf("%d, %t; want %d, %t", id, ok, tc.want, tc.ok)
			}
		})
	}
}
