// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// site is a server of documents whose clock stands still until it is moved.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]string
	// heads are extra headers by path; status answers instead of a page.
	heads  map[string]http.Header
	status map[string]int
	clock  time.Time
	// asked are the requests, with " 304" where so answered.
	asked []string
	tags  bool
}

func newSite(t *testing.T) *site {
	s := &site{pages: map[string]string{}, heads: map[string]http.Header{}, status: map[string]int{}, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), tags: true}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := r.URL.RequestURI()
	w.Header().Set("Date", s.clock.Format(http.TimeFormat))
	for k, v := range s.heads[path] {
		w.Header()[k] = v
	}
	if code := s.status[path]; code != 0 {
		s.asked = append(s.asked, path)
		w.WriteHeader(code)
		return
	}
	body, ok := s.pages[path]
	if !ok {
		s.asked = append(s.asked, path)
		http.NotFound(w, r)
		return
	}
	if s.tags {
		tag := `"` + digest(body)[:8] + `"`
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			s.asked = append(s.asked, path+" 304")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	s.asked = append(s.asked, path)
	_, _ = w.Write([]byte(strings.ReplaceAll(body, "SITE", s.URL)))
}

func (s *site) set(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = body
	s.clock = s.clock.Add(time.Minute)
}

func (s *site) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *site) connect(t *testing.T, change ...func(*sdk.Config)) sdk.Connector {
	t.Helper()
	cfg := sdk.Config{URL: s.URL + "/feed", HTTP: sdk.NewHTTP(sdk.HTTPOptions{MaxRetries: 1, Sleep: func(context.Context, time.Duration) error { return nil }})}
	for _, f := range change {
		f(&cfg)
	}
	c, err := newConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// readLane reads to the end of a pass, each page twice and from another connector, since a repeat must give the same.
func readLane(t *testing.T, s *site, lane event.Lane, cursor sdk.Cursor, change ...func(*sdk.Config)) (got []event.Observation, last sdk.Page) {
	t.Helper()
	for range 1000 {
		p, err := s.connect(t, change...).Read(t.Context(), lane, cursor)
		if err != nil {
			t.Fatalf("%s: %v", lane, err)
		}
		s.mu.Lock()
		asked := len(s.asked)
		s.mu.Unlock()
		again, err := s.connect(t, change...).Read(t.Context(), lane, cursor)
		if err != nil {
			t.Fatalf("%s: %v", lane, err)
		}
		s.mu.Lock()
		s.asked = s.asked[:asked]
		s.mu.Unlock()
		if !reflect.DeepEqual(p, again) {
			t.Fatalf("%s: the same cursor gives another page:\n%s", lane, cmp.Diff(p, again))
		}
		if len(p.Observations) > event.MaxObservations {
			t.Fatalf("a page of %d observations", len(p.Observations))
		}
		got = append(got, p.Observations...)
		cursor, last = p.Next, p
		if !p.More {
			return got, last
		}
	}
	t.Fatal("the pass does not end")
	return nil, sdk.Page{}
}

// short gives observations as "T id title" and "M id>thread^parent text".
func short(obs []event.Observation) []string {
	var out []string
	for _, o := range obs {
		switch {
		case o.Thread != nil:
			out = append(out, "T "+o.Thread.ID)
		case o.Message != nil:
			m := "M " + o.Message.ID + ">" + o.Message.Thread
			if o.Message.Parent != "" {
				m += "^" + o.Message.Parent
			}
			out = append(out, m)
		}
	}
	return out
}

// rssItem invents an entry; day 0 has no date.
func rssItem(id string, day int, more string) string {
	date := ""
	if day > 0 {
		date = "<pubDate>" + time.Date(2026, 1, day, 9, 0, 0, 0, time.UTC).Format(time.RFC1123Z) + "</pubDate>"
	}
	return fmt.Sprintf(`<item><title>%s</title><link>/p/%s</link><guid isPermaLink="false">%s</guid>%s%s</item>`, id, id, id, date, more)
}

func rss(channel string, items ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/" ` +
		`xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:thr="http://purl.org/syndication/thread/1.0" xmlns:atom="http://www.w3.org/2005/Atom">` +
		`<channel><title>Blog</title><link>SITE/</link>` + channel + strings.Join(items, "") + `</channel></rss>`
}

func withComments(path string, count int) string {
	return fmt.Sprintf(`<wfw:commentRss>SITE%s</wfw:commentRss><slash:comments>%d</slash:comments>`, path, count)
}

func TestFormatsGiveTheSame(t *testing.T) {
	at := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	edited := at.Add(time.Hour)
	formats := map[string]string{
		"atom": `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><entry><id>a</id><title>Pump</title>
			<link href="/p/a"/><published>2026-01-02T09:00:00Z</published><updated>2026-01-02T10:00:00Z</updated><author><name>Kim</name><email>Kim@Example.org</email></author>
			<category term="howto"/><content type="html">&lt;p&gt;See &lt;a href="/x"&gt;x&lt;/a&gt; &amp;amp; &lt;a href="https://y.example/"&gt;y&lt;/a&gt;&lt;/p&gt;</content></entry></feed>`,
		"json": `{"version":"https://jsonfeed.org/version/1.1","title":"Blog","items":[{"id":"a","title":"Pump","url":"/p/a","date_published":"2026-01-02T09:00:00Z",
			"date_modified":"2026-01-02T10:00:00Z","authors":[{"name":"kim@example.org"}],"tags":["howto"],"content_html":"<p>See <a href=\"/x\">x</a> &amp; <a href=\"https://y.example/\">y</a></p>"}]}`,
		"rss": rss("", `<item><title>Pump</title><link>/p/a</link><guid>a</guid><pubDate>Fri, 02 Jan 2026 09:00:00 GMT</pubDate><author>kim@example.org (Kim)</author><category>howto</category>
			<content:encoded><![CDATA[<p>See <a href="/x">x</a> &amp; <a href="https://y.example/">y</a></p>]]></content:encoded></item>`),
	}
	for name, body := range formats {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.set("/feed", body)
			got, last := readLane(t, s, event.Backfill, nil)
			if len(got) != 2 {
				t.Fatalf("%v", short(got))
			}
			author := got[1].Message.Author
			want := []event.Observation{
				{Thread: &event.Thread{ID: "a", Title: "Pump", Tags: []string{"howto"}, URL: s.URL + "/p/a", CreatedAt: at, Author: author, Presence: event.Visible}},
				{Message: &event.Message{
					ID: "a", Thread: "a", Opening: true, Author: author, CreatedAt: at, EditedAt: edited, TextFormat: "html", Presence: event.Visible,
					Text: `<p>See <a href="/x">x</a> &amp; <a href="https://y.example/">y</a></p>`, Links: []string{s.URL + "/x", "https://y.example/"},
				}},
			}
			if name == "rss" {
				want[1].Message.EditedAt = time.Time{} // RSS has no date of changes.
			}
			ignoreText := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Text" && name == "atom" }, cmp.Ignore())
			if diff := cmp.Diff(want, got, ignoreText); diff != "" {
				t.Error(diff)
			}
			if author.ID != "kim@example.org" {
				t.Errorf("author id of %d bytes, want the address in lower case", len(author.ID))
			}
			if last.FromBeginning {
				t.Error("one document does not say that it holds everything")
			}
		})
	}
}

func TestLiveGivesWhatIsNewOnly(t *testing.T) {
	s := newSite(t)
	s.set("/feed", rss("", rssItem("b", 2, ""), rssItem("a", 1, "")))
	got, p := readLane(t, s, event.Live, nil)
	if len(got) != 0 || !p.CompleteThrough.Equal(s.clock) {
		t.Fatalf("the first look gave %v, complete through %s; what is there already is Backfill's", short(got), p.CompleteThrough)
	}
	quiet, q := readLane(t, s, event.Live, p.Next)
	if len(quiet) != 0 || !bytes.Equal(q.Next, p.Next) {
		t.Errorf("nothing new gave %v and another cursor", short(quiet))
	}
	if diff := cmp.Diff([]string{"/feed", "/feed 304"}, s.requests()); diff != "" {
		t.Error(diff)
	}
	s.set("/feed", rss("", rssItem("c", 3, ""), rssItem("b", 2, "<description>changed</description>"), rssItem("a", 1, "")))
	got, p = readLane(t, s, event.Live, q.Next)
	if diff := cmp.Diff([]string{"T b", "M b>b", "T c", "M c>c"}, short(got)); diff != "" {
		t.Error(diff)
	}
	// An item that is no longer shown has only grown old.
	s.set("/feed", rss("", rssItem("d", 4, ""), rssItem("c", 3, "")))
	got, _ = readLane(t, s, event.Live, p.Next)
	if diff := cmp.Diff([]string{"T d", "M d>d"}, short(got)); diff != "" {
		t.Error(diff)
	}
}

func TestComments(t *testing.T) {
	s := newSite(t)
	comment := rssItem
	s.set("/c/a", rss("", comment("a1", 3, "")))
	s.set("/feed", rss("", rssItem("b", 2, ""), rssItem("a", 1, withComments("/c/a", 1))))
	got, _ := readLane(t, s, event.Backfill, nil)
	if diff := cmp.Diff([]string{"T a", "M a>a", "T b", "M b>b", "M a1>a"}, short(got)); diff != "" {
		t.Error(diff)
	}
	_, p := readLane(t, s, event.Live, nil)
	s.requests()

	// WordPress answers "not modified" for the feed although there is a new comment.
	s.set("/c/a", rss("", comment("a2", 4, `<thr:in-reply-to ref="a1"/>`), comment("a1", 3, "")))
	got, p = readLane(t, s, event.Live, p.Next)
	if diff := cmp.Diff([]string{"M a2>a^a1"}, short(got)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/feed 304", "/c/a"}, s.requests()); diff != "" {
		t.Error(diff)
	}
	// A new item's comments are all new.
	s.set("/c/c", rss("", comment("c1", 6, "")))
	s.set("/feed", rss("", rssItem("c", 5, withComments("/c/c", 1)), rssItem("b", 2, ""), rssItem("a", 1, withComments("/c/a", 2))))
	got, p = readLane(t, s, event.Live, p.Next)
	if diff := cmp.Diff([]string{"T c", "M c>c", "M c1>c"}, short(got)); diff != "" {
		t.Error(diff)
	}
	// A comments feed that fails costs no other.
	s.status["/c/a"] = http.StatusInternalServerError
	s.set("/c/c", rss("", comment("c2", 7, ""), comment("c1", 6, "<description>edited</description>")))
	got, last := readLane(t, s, event.Live, p.Next)
	if diff := cmp.Diff([]string{"M c1>c", "M c2>c"}, short(got)); diff != "" {
		t.Error(diff)
	}
	_ = last
	got, _ = readLane(t, s, event.Live, p.Next, func(c *sdk.Config) { c.Settings = map[string]any{"comments": "Ignore"} })
	if len(got) > 2 {
		t.Errorf("%v", short(got))
	}
}

func TestCommentsAreAskedForInTurn(t *testing.T) {
	s := newSite(t)
	var items []string
	for i := range 40 {
		path := fmt.Sprintf("/c/%d", i)
		s.set(path, rss("", rssItem(fmt.Sprintf("c%d", i), 3, "")))
		items = append(items, rssItem(fmt.Sprintf("i%d", i), 2, withComments(path, 1)))
	}
	s.set("/feed", rss("", items...))
	_, p := readLane(t, s, event.Live, nil)
	s.requests()
	seen := map[string]bool{}
	for range 60 {
		s.mu.Lock()
		s.clock = s.clock.Add(time.Minute)
		s.mu.Unlock()
		_, p = readLane(t, s, event.Live, p.Next)
		asked := s.requests()
		if len(asked) != atOnce+1 {
			t.Fatalf("%d requests in a pass: %v", len(asked), asked)
		}
		for _, a := range asked {
			seen[a] = true
		}
	}
	if len(seen) != 41 {
		t.Errorf("%d of 40 comments feeds had their turn", len(seen)-1)
	}
}

func TestThingsWithoutDates(t *testing.T) {
	s := newSite(t)
	s.set("/feed", rss("", rssItem("b", 0, ""), rssItem("a", 0, "")))
	begin := s.clock
	got, _ := readLane(t, s, event.Backfill, nil)
	if len(got) != 4 || !got[0].Thread.CreatedAt.Equal(begin) {
		t.Errorf("%v at %v, want the server's time", short(got), got)
	}
	_, p := readLane(t, s, event.Live, nil)
	s.set("/feed", rss("", rssItem("c", 0, ""), rssItem("b", 0, ""), rssItem("a", 0, "")))
	appeared := s.clock
	got, p = readLane(t, s, event.Live, p.Next)
	if len(got) != 2 || !got[0].Thread.CreatedAt.Equal(appeared) {
		t.Errorf("%v, want c at %s", short(got), appeared)
	}
	s.set("/feed", rss("", rssItem("c", 0, "<description>changed</description>"), rssItem("b", 0, ""), rssItem("a", 0, "")))
	got, _ = readLane(t, s, event.Live, p.Next)
	if len(got) != 2 || !got[0].Thread.CreatedAt.Equal(appeared) {
		t.Errorf("a change moved the date: %v", got[0].Thread.CreatedAt)
	}
}

func TestOlderDocuments(t *testing.T) {
	s := newSite(t)
	next := func(path string) string { return `<atom:link rel="next" href="SITE` + path + `"/>` }
	s.set("/feed", rss(next("/feed?p=2"), rssItem("e", 5, ""), rssItem("d", 4, "")))
	s.set("/feed?p=2", rss(next("/feed?p=3"), rssItem("c", 3, ""), rssItem("b", 2, "")))
	s.set("/feed?p=3", rss("", rssItem("a", 1, "")))
	got, last := readLane(t, s, event.Backfill, nil)
	if diff := cmp.Diff([]string{"T d", "M d>d", "T e", "M e>e", "T b", "M b>b", "T c", "M c>c", "T a", "M a>a"}, short(got)); diff != "" {
		t.Error(diff)
	}
	if !last.FromBeginning {
		t.Error("the last older document is the beginning")
	}
	since := func(day int) func(*sdk.Config) {
		return func(c *sdk.Config) { c.Since = time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC) }
	}
	got, last = readLane(t, s, event.Backfill, nil, since(4))
	if diff := cmp.Diff([]string{"T d", "M d>d", "T e", "M e>e"}, short(got)); diff != "" || last.FromBeginning {
		t.Error(diff)
	}
	if got, again := readLane(t, s, event.Backfill, last.Next, since(4)); len(got) > 0 || !bytes.Equal(again.Next, last.Next) {
		t.Errorf("a finished backfill gives %v", short(got))
	}
	if got, _ = readLane(t, s, event.Backfill, last.Next, since(2)); !slices.Contains(short(got), "T b") {
		t.Errorf("a wider horizon gives %v", short(got))
	}
	// A gap: more was posted than the feed shows.
	_, p := readLane(t, s, event.Live, nil)
	s.set("/feed", rss(next("/feed?p=2"), rssItem("i", 9, ""), rssItem("h", 8, "")))
	s.set("/feed?p=2", rss(next("/feed?p=3"), rssItem("g", 7, ""), rssItem("f", 6, "")))
	s.set("/feed?p=3", rss(next("/feed?p=4"), rssItem("e", 5, ""), rssItem("d", 4, "")))
	got, p = readLane(t, s, event.Live, p.Next)
	if diff := cmp.Diff([]string{"T h", "M h>h", "T i", "M i>i", "T f", "M f>f", "T g", "M g>g"}, short(got)); diff != "" {
		t.Error(diff)
	}
	s.set("/feed", rss("", rssItem("z", 20, "")))
	_, q := readLane(t, s, event.Live, p.Next)
	if len(q.Quarantined) != 1 || !strings.Contains(q.Quarantined[0].Reason, "may have been missed") {
		t.Errorf("a gap that cannot be closed is not said: %v", q.Quarantined)
	}
}

func TestMovedFeed(t *testing.T) {
	s := newSite(t)
	s.status["/feed"], s.heads["/feed"] = http.StatusMovedPermanently, http.Header{"Location": {"/new"}}
	s.set("/new", rss("", rssItem("a", 1, "")))
	a, err := s.connect(t).Probe(t.Context())
	if err != nil || !slices.ContainsFunc(a.Lacks, func(l string) bool { return strings.Contains(l, "moved for good to "+s.URL+"/new") }) {
		t.Errorf("probe says %v, %v", a.Lacks, err)
	}
	_, p := readLane(t, s, event.Live, nil)
	s.requests()
	_, _ = readLane(t, s, event.Live, p.Next)
	if diff := cmp.Diff([]string{"/new 304"}, s.requests()); diff != "" {
		t.Errorf("the old address is asked again:\n%s", diff)
	}
}

func TestWhatIsNoFeed(t *testing.T) {
	tests := map[string]struct {
		body      string
		status    int
		want      string
		permanent bool
	}{
		"gone":      {"", http.StatusGone, "gone for good", true},
		"missing":   {"", http.StatusNotFound, "nothing is there", true},
		"web page":  {`<html><head><link rel="alternate" type="application/rss+xml" href="/rss.xml"></head><body>`, 0, "/rss.xml", true},
		"text":      {"hello", 0, "neither RSS, Atom nor JSON Feed", true},
		"truncated": {rss("", rssItem("a", 1, ""))[:400], 0, "cut off or malformed", false},
		"broken":    {"", http.StatusBadGateway, "502", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.set("/feed", tc.body)
			s.status["/feed"] = tc.status
			_, err := s.connect(t).Read(t.Context(), event.Live, nil)
			e, ok := errors.AsType[*sdk.Error](err)
			if !ok || !strings.Contains(e.Message, tc.want) || e.Permanent != tc.permanent || e.Reason == sdk.BadCredentials {
				t.Errorf("error %#v", err)
			}
		})
	}
}

func TestOddities(t *testing.T) {
	tests := map[string]struct {
		body string
		want []string
	}{
		"one item twice":         {rss("", rssItem("a", 2, ""), rssItem("a", 1, "")), []string{"T a", "M a>a"}},
		"no id but a link":       {rss("", `<item><title>x</title><link>SITE/p/x</link><pubDate>Fri, 02 Jan 2026 09:00:00 GMT</pubDate></item>`), []string{"T SITE/p/x", "M SITE/p/x>SITE/p/x"}},
		"empty":                  {rss(""), nil},
		"comments elsewhere":     {rss("", rssItem("a", 1, `<wfw:commentRss>http://169.254.169.254/latest</wfw:commentRss>`)), []string{"T a", "M a>a"}},
		"other host as next":     {rss(`<atom:link rel="next" href="http://169.254.169.254/"/>`, rssItem("a", 1, "")), []string{"T a", "M a>a"}},
		"itself as next":         {rss(`<atom:link rel="next" href="SITE/feed"/>`, rssItem("a", 1, "")), []string{"T a", "M a>a"}},
		"unparsable date":        {rss("", rssItem("a", 0, "<pubDate>next Tuesday</pubDate>")), []string{"T a", "M a>a"}},
		"control characters":     {rss("", rssItem("a", 1, "<description>a\x01b</description>")), []string{"T a", "M a>a"}},
		"latin 1":                {strings.Replace(rss("", rssItem("a", 1, "<author>J\xfcrgen</author>")), "UTF-8", "ISO-8859-1", 1), []string{"T a", "M a>a"}},
		"doctype with an entity": {`<!DOCTYPE x [<!ENTITY a "b">]>` + strings.TrimPrefix(rss("", rssItem("a", 1, "")), `<?xml version="1.0" encoding="UTF-8"?>`), []string{"T a", "M a>a"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.set("/feed", tc.body)
			got, _ := readLane(t, s, event.Backfill, nil)
			for i := range tc.want {
				tc.want[i] = strings.ReplaceAll(tc.want[i], "SITE", s.URL)
			}
			if diff := cmp.Diff(tc.want, short(got)); diff != "" {
				t.Error(diff)
			}
			for _, o := range got {
				if m := o.Message; m != nil && (m.CreatedAt.IsZero() || strings.Contains(m.Author.ID, "\xfc")) {
					t.Errorf("%+v", m)
				}
			}
		})
	}
}

func TestHugeFeedsAreBounded(t *testing.T) {
	s := newSite(t)
	var items []string
	for i := range 700 {
		items = append(items, rssItem(fmt.Sprintf("i%d", i), 1+i%28, "<description>"+strings.Repeat("&lt;b&gt;", 1200)+"</description>"))
	}
	items = append(items, rssItem("late", 1, ""))
	s.set("/feed", rss("", items...))
	many := func(c *sdk.Config) { c.Settings = map[string]any{"maxItems": 700} }
	got, _ := readLane(t, s, event.Backfill, nil, many)
	if len(got) != 1400 {
		t.Errorf("%d observations of 700 items", len(got))
	}
	s.set("/feed", rss("", rssItem("a", 1, "<description>"+strings.Repeat("word ", 100_000)+"</description>")))
	got, _ = readLane(t, s, event.Backfill, nil)
	if m := got[1].Message; len(m.Text) > event.MaxText || len(m.TextHash) != 64 {
		t.Errorf("a text of %d bytes with hash %q", len(m.Text), m.TextHash)
	}
	_, p := readLane(t, s, event.Live, nil)
	s.set("/feed", rss("", items...))
	got, p = readLane(t, s, event.Live, p.Next, many)
	if len(got) != 1400 {
		t.Errorf("%d observations live", len(got))
	}
	if len(p.Next) > 64<<10 {
		t.Errorf("a cursor of %d bytes", len(p.Next))
	}
}

func TestCredentialsGoOutAndStayUnsaid(t *testing.T) {
	const canary = "canary-7f3a"
	s := newSite(t)
	var sent string
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Authorization")
		http.Error(w, "no "+sent, http.StatusForbidden)
	})
	_, err := s.connect(t, func(c *sdk.Config) {
		c.URL += "?token=" + canary
		c.Secrets = func(k string) (string, bool) { return canary, k == "token" }
	}).Read(t.Context(), event.Live, nil)
	if sent != "Bearer "+canary {
		t.Error("the token was not sent")
	}
	if sdk.ReasonOf(err) != sdk.BadCredentials || strings.Contains(fmt.Sprintf("%v %+v", err, err), canary) {
		t.Errorf("error %+v", err)
	}
	c := s.connect(t, func(c *sdk.Config) { c.URL += "?token=" + canary })
	if i := c.(*Connector).instance(); strings.Contains(i, canary) {
		t.Error("the instance holds the token")
	}
}

func TestForeignCursors(t *testing.T) {
	s := newSite(t)
	s.set("/feed", rss("", rssItem("a", 1, "")))
	for _, cursor := range []string{`{`, `[]`, `{"v":2}`, `"x"`, `{}`, `{"v":1,"known":[]}`, `{"v":1,"queue":7}`, `{"v":1,"queue":[{"u":"/"}],"known":{"a":{"c":"/"}}}`} {
		for _, lane := range []event.Lane{event.Live, event.Backfill} {
			_, err := s.connect(t).Read(t.Context(), lane, sdk.Cursor(cursor))
			if strings.Contains(cursor, "known") && lane == event.Backfill {
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "stored position") {
				t.Errorf("%s, cursor %s: error %v", lane, cursor, err)
			}
		}
	}
}

func TestBadAddressAndSettings(t *testing.T) {
	for name, cfg := range map[string]sdk.Config{
		"no scheme": {URL: "blog.example/feed"}, "file": {URL: "file:///etc/passwd"},
		"settings": {URL: "https://blog.example/feed", Settings: map[string]any{"coments": "Follow"}},
	} {
		if _, err := newConnector(cfg); sdk.ReasonOf(err) != sdk.BadSettings {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(rss("", rssItem("a", 1, withComments("/c", 1)))))
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>a</id><link rel="replies" type="application/atom+xml" href="/c"/></entry></feed>`))
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1","items":[{"id":1,"content_text":"x"},null]}`))
	base, err := url.Parse("https://blog.example/feed")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parsed, err := parse(body)
		if err != nil {
			return
		}
		d := &document{url: base}
		d.fill(parsed, Settings{Comments: CommentsFollow, MaxItems: 50})
		var b budget
		for _, it := range d.oldestFirst(time.Unix(1, 0)) {
			if it.id == "" || len(it.id) > event.MaxID {
				t.Errorf("an id of %d bytes", len(it.id))
			}
			if it.comments != "" && !strings.Contains(it.comments, "blog.example") {
				t.Errorf("comments at %q", it.comments)
			}
			b.take(observeItem(it)...)
		}
		if _, err := json.Marshal(b.observations); err != nil {
			t.Error(err)
		}
	})
}
