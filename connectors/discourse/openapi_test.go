// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
)

// undescribed are requests that forums answer and the description leaves out: listings by category (it has only the
// first page), posts by number, who one is.
var undescribed = []string{
	`^/c/.+/l/latest\.json$`, `^/posts/by_number/\d+/\d+\.json$`, `^/session/current\.json$`, `^/about\.json$`,
}

// looser are parameters that forums take and the description leaves out.
var looser = map[string][]string{
	"/latest.json":       {"no_definitions", "page"},
	"/t/{id}/posts.json": {"post_ids[]"}, // Described as a request body, which a GET has not.
	"/categories.json":   {"page"},
}

// wrong are places where the description contradicts what forums answer, or demands what only some accounts see.
var wrong = []*regexp.Regexp{
	regexp.MustCompile(`/reply_to_post_number$`), // A number, described as text.
	regexp.MustCompile(`/posters/\d+/extras$`),   // Null for most posters.
	regexp.MustCompile(`/(image_url|last_posted_at|unpinned|liked|bookmarked|deleted_by|topic_url|reviewable_id)$`), // Null where there is none.
	regexp.MustCompile(`^/(draft_sequence|has_deleted)$`),                                                           // Null, and left out, for visitors.
	regexp.MustCompile(`/actions_summary/\d+(/can_act)?$`),                                                          // Has a count as soon as somebody liked; visitors cannot act.
	regexp.MustCompile(`^/post_stream/posts/\d+(/link_counts|/reviewable_[a-z_]+)?$`),                               // Demands what staff see, lacks the solved plug-in.
	regexp.MustCompile(`^/(details(/.*)?)?$`),                                                                       // Likewise.
	regexp.MustCompile(`^/category_list/categories/\d+$`),                                                           // Lacks custom_fields.
	regexp.MustCompile(`^/directory_items/\d+/user$`),                                                               // Lacks trust_level, which newer forums show.
}

// TestAgainstTheDescription checks the connector's requests, and the test forum's answers, against Discourse's own API
// description.
func TestAgainstTheDescription(t *testing.T) {
	raw, err := os.ReadFile(sharedFile(t, "specs", "discourse", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	f := newForum(t, nil, discoursetest.WithDirectory(), discoursetest.WithAPIKey("s3cr3t-key", "system", true),
		discoursetest.WithCategories(discoursetest.Category{ID: 5, Slug: "help", Solved: true}))
	c := &checker{t: t, doc: doc, paths: templates(doc), next: f.Server, seen: map[string]bool{}, badAnswers: map[string]bool{}}
	srv := httptest.NewServer(c)
	defer srv.Close()

	for n := range 40 {
		topic, _ := f.NewTopic(ann, 5, fmt.Sprintf("Topic %d", n), "<p>x</p>")
		for range n {
			f.Like(f.Reply(topic, ben, "<p>x</p>", 1))
		}
		if n == 30 {
			f.Accept(f.Reply(topic, ben, "<p>x</p>", 1))
		}
	}
	f.clock.Advance(time.Minute)
	here := func(c *sdk.Config) { c.URL = srv.URL }
	for _, r := range []sdk.Connector{f.reader(here), f.reader(here, withKey("s3cr3t-key", "system"))} {
		if _, err := r.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, live := drain(t, r, event.Live, nil)
		_, sweep := drain(t, r, event.Sweep, nil)
		drain(t, r, event.Backfill, nil)
		f.Reply(40, ann, "<p>new</p>", 1)
		f.clock.Advance(time.Minute)
		drain(t, r, event.Live, live.Next)
		drain(t, r, event.Sweep, sweep.Next)
	}
	for _, path := range []string{"/latest.json", "/posts.json", "/t/{id}.json", "/t/{id}/posts.json", "/categories.json", "/directory_items.json", "/site/basic-info.json"} {
		if !c.seen[path] {
			t.Errorf("%s was never asked for", path)
		}
	}
}

// checker stands before the forum and holds each request and answer against the description.
type checker struct {
	t     *testing.T
	doc   *openapi3.T
	paths []template
	next  http.Handler

	mu         sync.Mutex
	seen       map[string]bool
	badAnswers map[string]bool
}

type template struct {
	path string
	re   *regexp.Regexp
}

func templates(doc *openapi3.T) []template {
	var out []template
	for path := range doc.Paths.Map() {
		re := regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`)
		out = append(out, template{path, regexp.MustCompile("^" + re + "$")})
	}
	// The most literal template wins.
	slices.SortFunc(out, func(a, b template) int {
		return strings.Count(a.path, "{") - strings.Count(b.path, "{") + 10*(strings.Count(b.path, "/")-strings.Count(a.path, "/"))
	})
	return out
}

func (c *checker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	c.next.ServeHTTP(answer, r)
	for k, v := range answer.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())

	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tpl := range c.paths {
		if tpl.re.MatchString(r.URL.Path) {
			c.seen[tpl.path] = true
			c.check(tpl.path, r, answer)
			return
		}
	}
	if !slices.ContainsFunc(undescribed, func(p string) bool { return regexp.MustCompile(p).MatchString(r.URL.Path) }) {
		c.t.Errorf("%s %s is not in the description", r.Method, r.URL.Path)
	}
}

func (c *checker) check(path string, r *http.Request, answer *httptest.ResponseRecorder) {
	op := c.doc.Paths.Value(path).GetOperation(r.Method)
	if op == nil {
		c.t.Errorf("%s %s: the description has no such method", r.Method, path)
		return
	}
	for name, values := range r.URL.Query() {
		p := op.Parameters.GetByInAndName("query", name)
		switch {
		case p == nil && !slices.Contains(looser[path], name):
			c.t.Errorf("%s: parameter %s is not in the description", path, name)
		case p != nil:
			if err := p.Schema.Value.VisitJSON(parameter(p.Schema.Value, values[0])); err != nil {
				c.t.Errorf("%s: parameter %s: %v", path, name, err)
			}
		}
	}
	if answer.Code != http.StatusOK || path == "/site.json" {
		return // The description shows good answers only; of /site.json the test forum gives the categories alone.
	}
	var body any
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
		c.t.Errorf("%s: %v", path, err)
		return
	}
	schema := op.Responses.Status(200).Value.Content.Get("application/json").Schema
	if schema == nil {
		return
	}
	for _, e := range flat(schema.Value.VisitJSON(body, openapi3.MultiErrors())) {
		at := "/" + strings.Join(e.JSONPointer(), "/")
		if slices.ContainsFunc(wrong, func(re *regexp.Regexp) bool { return re.MatchString(at) }) {
			continue
		}
		if kind := path + " " + regexp.MustCompile(`\d+`).ReplaceAllString(at, "N") + " " + e.SchemaField; !c.badAnswers[kind] {
			c.badAnswers[kind] = true
			c.t.Errorf("answer of %s at %s: %s (%s)", path, at, e.Reason, e.SchemaField)
		}
	}
}

func parameter(s *openapi3.Schema, v string) any {
	switch {
	case s.Type.Is("integer"):
		if n, err := strconv.Atoi(v); err == nil {
			return float64(n)
		}
	case s.Type.Is("boolean"):
		if b, err := strconv.ParseBool(v); err == nil {
			return b
		}
	}
	return v
}

// flat gives the single complaints of a validation.
func flat(err error) []*openapi3.SchemaError {
	if err == nil {
		return nil
	}
	if many, ok := errors.AsType[openapi3.MultiError](err); ok {
		var out []*openapi3.SchemaError
		for _, e := range many {
			out = append(out, flat(e)...)
		}
		return out
	}
	if one, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return []*openapi3.SchemaError{one}
	}
	return nil
}
