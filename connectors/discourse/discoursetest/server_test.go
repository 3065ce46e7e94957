// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursetest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
)

var ann = discoursetest.User{ID: 11, Username: "ann"}

func TestAnswers(t *testing.T) {
	clock := discoursetest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s, err := discoursetest.New(nil, discoursetest.WithClock(clock.Now), discoursetest.WithAPIKey("key", "system", true),
		discoursetest.WithCategories(discoursetest.Category{ID: 5, Slug: "help"}, discoursetest.Category{ID: 8, Slug: "staff", Private: true}),
		discoursetest.Without("/site.json", http.StatusNotFound))
	if err != nil {
		t.Fatal(err)
	}
	s.NewTopic(ann, 5, "Pump", "<p>x</p>")
	s.NewTopic(ann, 8, "Secret", "<p>x</p>")
	s.NewTopic(ann, 5, "Gone", "<p>x</p>")
	s.RemoveTopic(3, ann)
	s.NewPrivateMessage(ann, "Private", "<p>x</p>")
	tests := map[string]struct {
		path, key string
		status    int
		holds     string
		lacks     string
	}{
		"listing":                  {path: "/latest.json", status: 200, holds: `"Pump"`, lacks: "Secret"},
		"listing for staff":        {path: "/latest.json", key: "key", status: 200, holds: `"Secret"`, lacks: "Private"},
		"topic":                    {path: "/t/1.json", status: 200, holds: `"stream":[1]`},
		"topic by slug":            {path: "/t/pump/1.json", status: 200, holds: `"Pump"`},
		"topic in a private room":  {path: "/t/2.json", status: 403, holds: `"error_type":"invalid_access"`},
		"removed topic":            {path: "/t/3.json", status: 404, holds: `"error_type":"not_found"`},
		"private message":          {path: "/t/4.json", key: "key", status: 403},
		"category":                 {path: "/c/help/5/l/latest.json", status: 200, holds: `"Pump"`},
		"private category":         {path: "/c/staff/8/l/latest.json", status: 403},
		"unknown category":         {path: "/c/none/99/l/latest.json", status: 404},
		"newest posts":             {path: "/posts.json", status: 200, holds: `"topic_title":"Pump"`, lacks: "Private"},
		"post":                     {path: "/posts/1.json", status: 200, holds: `"post_url":"/t/pump/1/1"`},
		"post by number":           {path: "/posts/by_number/1/1.json", status: 200, holds: `"id":1`},
		"wrong key":                {path: "/latest.json", key: "other", status: 403, holds: "API username or key is invalid"},
		"switched off":             {path: "/site.json", status: 404},
		"directory, off by itself": {path: "/directory_items.json?period=all", status: 403},
		"nobody's session":         {path: "/session/current.json", status: 404},
		"session":                  {path: "/session/current.json", key: "key", status: 200, holds: `"admin":true`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tc.path, nil)
			if tc.key != "" {
				r.Header.Set("Api-Key", tc.key)
				r.Header.Set("Api-Username", "system")
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			body := w.Body.String()
			if w.Code != tc.status || !strings.Contains(body, tc.holds) || (tc.lacks != "" && strings.Contains(body, tc.lacks)) {
				t.Errorf("%d %s", w.Code, body)
			}
			if got := w.Header().Get("Date"); got != "Sun, 01 Mar 2026 12:00:00 GMT" {
				t.Errorf("date %q", got)
			}
		})
	}
}

func TestFailEvery(t *testing.T) {
	s, err := discoursetest.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.FailEvery(2, discoursetest.TooManyRequests(3*time.Second), discoursetest.Truncated)
	srv := httptest.NewServer(s)
	defer srv.Close()
	var got []string
	for range 4 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/latest.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			got = append(got, "cut")
		case resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "3" && strings.Contains(string(body), `"wait_seconds":3`):
			got = append(got, "429")
		case err == nil && resp.StatusCode == http.StatusOK:
			got = append(got, "ok")
		}
	}
	if s := strings.Join(got, " "); s != "ok 429 ok cut" {
		t.Errorf("got %s", s)
	}
}

func TestNewNamesTheBadFile(t *testing.T) {
	_, err := discoursetest.New(fstest.MapFS{"7.json": {Data: []byte(`{"id":7}`)}})
	if err == nil || !strings.Contains(err.Error(), "7.json") {
		t.Errorf("got %v", err)
	}
}
