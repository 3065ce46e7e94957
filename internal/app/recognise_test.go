// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/connectors/sdk"
)

func serveTest(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// web answers paths with documents; a document that begins with an address redirects there.
func web(pages map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(page, "/"):
			http.Redirect(w, r, page, http.StatusMovedPermanently)
		case strings.HasPrefix(page, "403 "):
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, page[4:])
		default:
			fmt.Fprint(w, page)
		}
	})
}

func TestRecognise(t *testing.T) {
	const (
		listing = `{"topic_list":{"topics":[]}}`
		rss     = "<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel/></rss>"
		blog    = `<!doctype html><html><head>
			<link rel="alternate" type="application/rss+xml" title="Blog » Comments" href="/comments.xml">
			<link rel="Alternate" type="application/atom+xml" title="Blog" href="../feed.atom"></head></html>`
		onlyComments = `<link rel="alternate" type="application/rss+xml" title="Comments" href="comments.xml">`
	)
	for name, tc := range map[string]struct {
		pages map[string]string
		path  string
		want  place
		err   string
	}{
		"forum's start page":     {map[string]string{"/latest.json": listing}, "/", place{platform: "discourse", url: ""}, ""},
		"a topic's page":         {map[string]string{"/latest.json": listing}, "/t/a-topic/12/3?u=somebody", place{platform: "discourse", url: ""}, ""},
		"forum in a folder":      {map[string]string{"/forum/latest.json": listing}, "/forum/c/help/4", place{platform: "discourse", url: "/forum"}, ""},
		"forum's own feed":       {map[string]string{"/latest.json": listing, "/latest.rss": rss}, "/latest.rss", place{platform: "discourse", url: ""}, ""},
		"forum that has moved":   {map[string]string{"/latest.json": "/new/latest.json", "/new/latest.json": listing}, "/", place{platform: "discourse", url: "/new"}, ""},
		"forum behind a log-in":  {map[string]string{"/latest.json": `403 {"errors":["no"],"error_type":"not_logged_in"}`}, "/", place{}, "API key"},
		"feed":                   {map[string]string{"/feed.xml": rss}, "/feed.xml", place{platform: "feed", url: "/feed.xml"}, ""},
		"JSON feed":              {map[string]string{"/feed.json": `{"version":"https://jsonfeed.org/version/1.1","items":[]}`}, "/feed.json", place{platform: "feed", url: "/feed.json"}, ""},
		"page that names feeds":  {map[string]string{"/blog/": blog}, "/blog/", place{platform: "feed", url: "/feed.atom"}, ""},
		"page of comments alone": {map[string]string{"/": onlyComments}, "/", place{platform: "feed", url: "/comments.xml"}, ""},
		"any other page":         {map[string]string{"/": "<html>hello</html>"}, "/", place{}, "names no feed"},
		"JSON of something else": {map[string]string{"/latest.json": "[1]", "/": "{}"}, "/", place{}, "names no feed"},
		"nothing there":          {nil, "/", place{}, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			base := serveTest(t, web(tc.pages))
			got, err := recognise(context.Background(), sdk.NewHTTP(sdk.HTTPOptions{FirstBackoff: time.Millisecond}), base+tc.path)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("got %v, want an error with %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			tc.want.url = base + tc.want.url
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(place{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRecogniseLocal(t *testing.T) {
	dir := folder(t, map[string]string{"1.json": "{}"})
	for name, tc := range map[string]struct {
		target string
		path   string
		local  bool
		err    string
	}{
		"folder":          {dir, dir, true, ""},
		"file address":    {"file://" + dir, dir, true, ""},
		"missing archive": {"nowhere.zip", "", false, "nothing to read at nowhere.zip"},
		"missing path":    {"/nowhere/at/all", "", false, "nothing to read"},
		"host":            {"forum.example.org", "", false, ""},
		"address":         {"https://forum.example.org", "", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, local, err := localPlace(tc.target)
			if (tc.err == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("got %v, want %q", err, tc.err)
			}
			if local != tc.local || got.path != tc.path {
				t.Errorf("got %+v, local %t", got, local)
			}
		})
	}
}

func TestWebAddress(t *testing.T) {
	for target, want := range map[string]string{
		"forum.example.org":              "https://forum.example.org",
		"forum.example.org/t/x/1#post_2": "https://forum.example.org/t/x/1",
		"127.0.0.1:4200/latest":          "http://127.0.0.1:4200/latest",
		"localhost":                      "http://localhost",
		"http://user:pw@example.org":     "http://example.org",
		"ftp://example.org":              "",
		"https://":                       "",
	} {
		u, err := webAddress(target)
		if want == "" {
			if ExitCode(err) != ExitUsage {
				t.Errorf("%s: got %v, want an error of usage", target, err)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%s: got %v, %v, want %s", target, u, err, want)
		}
	}
}
