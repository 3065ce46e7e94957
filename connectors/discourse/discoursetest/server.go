// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursetest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Server is a forum. It is an http.Handler and safe for concurrent use.
type Server struct {
	mu         sync.Mutex
	topics     map[int64]*topic
	posts      map[int64]*post
	categories map[int64]Category
	users      map[int64]User
	removed    map[int64]bool
	lastTopic  int64
	lastPost   int64

	now       func() time.Time
	key       *apiKey
	without   map[string]int
	directory bool
	chunk     int
	oldPosts  bool
	unlisted  int
	onRequest func(*http.Request)
	fault     func(*http.Request) Fault
	requests  int
}

// topic is a topic's own JSON and its posts in the order of their numbers, removed ones included.
type topic struct {
	fields object
	posts  []*post
	bumped time.Time
}

// post is a post's JSON. A removed post is seen by staff only.
type post struct {
	fields  object
	topic   int64
	removed bool
}

// object is a JSON object.
type object map[string]any

func (o object) int(key string) int64 {
	switch v := o[key].(type) {
	case float64:
		return int64(v)
	case int64:
		return v
	case int:
		return int64(v)
	}
	return 0
}

func (o object) bool(key string) bool {
	b, _ := o[key].(bool)
	return b
}

func (o object) text(key string) string {
	s, _ := o[key].(string)
	return s
}

func (o object) time(key string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, o.text(key))
	return t
}

// Category is a category. Private ones are seen with an API key of staff only.
type Category struct {
	ID     int64
	Name   string
	Slug   string
	Parent int64
	// Private is what Discourse calls read_restricted; Solved is whether answers can be accepted in it.
	Private, Solved bool
	// Definition is the topic that describes it, left out of listings.
	Definition int64
}

// User is an account.
type User struct {
	ID               int64
	Username         string
	Admin, Moderator bool
	TrustLevel       int
}

type apiKey struct {
	key, username string
	staff         bool
}

// Option sets up a Server.
type Option func(*Server)

// WithClock replaces time.Now. Answers bear its time in their Date header.
func WithClock(now func() time.Time) Option { return func(s *Server) { s.now = now } }

// WithAPIKey accepts a key; staff see private categories, removed posts and whispers. Other keys are refused.
func WithAPIKey(key, username string, staff bool) Option {
	return func(s *Server) { s.key = &apiKey{key, username, staff} }
}

// WithCategories names the categories. Those that topics use and nobody names have their number as slug and name.
func WithCategories(categories ...Category) Option {
	return func(s *Server) {
		for _, c := range categories {
			s.categories[c.ID] = c
		}
	}
}

// WithDirectory shows the member directory, which is off otherwise.
func WithDirectory() Option { return func(s *Server) { s.directory = true } }

// Without answers a path ("/site.json") with a status such as 404 or 403.
func Without(path string, status int) Option {
	return func(s *Server) { s.without[path] = status }
}

// WithChunkLimit refuses requests for more posts at once.
func WithChunkLimit(n int) Option { return func(s *Server) { s.chunk = n } }

// WithOldPostListing lists in /posts.json the posts of the fifty ids up to before, as older versions do, instead of the
// fifty newest posts.
func WithOldPostListing() Option { return func(s *Server) { s.oldPosts = true } }

// WithoutStreamAbove leaves the list of ids out of topics with more posts, as Discourse does above ten thousand.
func WithoutStreamAbove(posts int) Option { return func(s *Server) { s.unlisted = posts } }

// OnRequest is called for each request, before it is answered.
func OnRequest(f func(*http.Request)) Option { return func(s *Server) { s.onRequest = f } }

// New makes a forum from a folder of topics (*.json, each as /t/{id}.json answers with all of its posts); nil for an
// empty one.
func New(topics fs.FS, options ...Option) (*Server, error) {
	s := &Server{
		topics: map[int64]*topic{}, posts: map[int64]*post{}, categories: map[int64]Category{}, users: map[int64]User{},
		removed: map[int64]bool{}, without: map[string]int{}, now: time.Now,
	}
	for _, o := range options {
		o(s)
	}
	if topics == nil {
		return s, nil
	}
	names, err := fs.Glob(topics, "*.json")
	if err != nil {
		return nil, fmt.Errorf("listing topics: %w", err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(topics, name)
		if err != nil {
			return nil, fmt.Errorf("reading a topic: %w", err)
		}
		if err := s.Load(raw); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}

// Load adds a topic from its JSON.
func (s *Server) Load(raw []byte) error {
	var fields object
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("not the JSON of a topic: %w", err)
	}
	id := fields.int("id")
	stream, _ := fields["post_stream"].(map[string]any)
	list, _ := stream["posts"].([]any)
	if id <= 0 || len(list) == 0 {
		return fmt.Errorf("topic %d has no id or no posts", id)
	}
	delete(fields, "post_stream")
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &topic{fields: fields, bumped: fields.time("last_posted_at")}
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			return fmt.Errorf("topic %d has a post that is no object", id)
		}
		p := &post{fields: m, topic: id}
		t.posts = append(t.posts, p)
		s.posts[p.fields.int("id")] = p
		s.lastPost = max(s.lastPost, p.fields.int("id"))
		s.noteUser(User{ID: p.fields.int("user_id"), Username: p.fields.text("username"), Admin: p.fields.bool("admin"),
			Moderator: p.fields.bool("moderator"), TrustLevel: int(p.fields.int("trust_level"))})
	}
	s.topics[id] = t
	s.lastTopic = max(s.lastTopic, id)
	s.noteCategory(fields.int("category_id"))
	return nil
}

func (s *Server) noteUser(u User) {
	if u.ID != 0 {
		s.users[u.ID] = u
	}
}

func (s *Server) noteCategory(id int64) {
	if _, ok := s.categories[id]; !ok && id > 0 {
		number := strconv.FormatInt(id, 10)
		s.categories[id] = Category{ID: id, Name: number, Slug: number}
	}
}

// viewer is who asks.
type viewer struct {
	known, staff bool
	username     string
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	hook, fault := s.onRequest, s.fault
	now := s.now()
	s.mu.Unlock()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if hook != nil {
		hook(r)
	}
	if fault != nil {
		if f := fault(r); f != nil {
			f(w, r, http.HandlerFunc(s.answer))
			return
		}
	}
	s.answer(w, r)
}

// Requests is how many requests have come.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodGet {
		refuse(w, http.StatusNotFound)
		return
	}
	v, ok := s.viewer(r)
	if !ok {
		writeError(w, http.StatusForbidden, "invalid_access", "You are not permitted to view the requested resource. The API username or key is invalid.")
		return
	}
	if status, ok := s.without[r.URL.Path]; ok {
		refuse(w, status)
		return
	}
	s.route(w, r, v)
}

func (s *Server) viewer(r *http.Request) (viewer, bool) {
	key, name := r.Header.Get("Api-Key"), r.Header.Get("Api-Username")
	switch {
	case key == "":
		return viewer{}, true
	case s.key == nil || key != s.key.key || !strings.EqualFold(name, s.key.username):
		return viewer{}, false
	}
	return viewer{known: true, staff: s.key.staff, username: name}, true
}

// SetAPIKey replaces the key that is accepted; an empty one revokes it.
func (s *Server) SetAPIKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		s.key.key = key
	}
	if key == "" {
		s.key = nil
	}
}

func (s *Server) route(w http.ResponseWriter, r *http.Request, v viewer) {
	parts := strings.Split(strings.Trim(strings.TrimSuffix(r.URL.Path, ".json"), "/"), "/")
	switch {
	case r.URL.Path == "/latest.json":
		write(w, s.list(r, v, 0))
	case parts[0] == "c":
		s.routeCategory(w, r, v, parts[1:])
	case parts[0] == "t":
		s.routeTopic(w, r, v, parts[1:])
	case r.URL.Path == "/posts.json":
		write(w, s.latestPosts(r, v))
	case parts[0] == "posts" && len(parts) == 2:
		s.onePost(w, v, func(p *post) bool { return strconv.FormatInt(p.fields.int("id"), 10) == parts[1] })
	case parts[0] == "posts" && len(parts) == 4 && parts[1] == "by_number":
		s.onePost(w, v, func(p *post) bool {
			return strconv.FormatInt(p.topic, 10) == parts[2] && strconv.FormatInt(p.fields.int("post_number"), 10) == parts[3]
		})
	case r.URL.Path == "/categories.json":
		write(w, s.categoryList(v, r.URL.Query().Get("include_subcategories") == "true"))
	case r.URL.Path == "/site.json":
		write(w, s.site(v))
	case r.URL.Path == "/site/basic-info.json":
		write(w, basicInfo())
	case r.URL.Path == "/about.json":
		write(w, object{"about": object{"title": forumTitle, "description": "", "stats": object{"topics_count": len(s.topics), "posts_count": len(s.posts)}}})
	case r.URL.Path == "/directory_items.json" && s.directory:
		write(w, s.directoryItems(r))
	case r.URL.Path == "/directory_items.json":
		refuse(w, http.StatusForbidden)
	case r.URL.Path == "/session/current.json" && v.known:
		write(w, object{"current_user": object{"id": 1, "username": v.username, "admin": v.staff, "moderator": v.staff}})
	default:
		refuse(w, http.StatusNotFound)
	}
}

func (s *Server) routeCategory(w http.ResponseWriter, r *http.Request, v viewer, parts []string) {
	i := slices.IndexFunc(parts, func(p string) bool { _, err := strconv.ParseInt(p, 10, 64); return err == nil })
	if len(parts) >= 3 && parts[len(parts)-2] == "l" {
		i = len(parts) - 3 // A slug may be a number too.
	}
	if i < 0 {
		refuse(w, http.StatusNotFound)
		return
	}
	id, _ := strconv.ParseInt(parts[i], 10, 64)
	c, ok := s.categories[id]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound)
	case !s.seesCategory(v, c.ID):
		refuse(w, http.StatusForbidden)
	default:
		write(w, s.list(r, v, id))
	}
}

func (s *Server) routeTopic(w http.ResponseWriter, r *http.Request, v viewer, parts []string) {
	var id int64
	rest := parts
	for i, p := range parts {
		if n, err := strconv.ParseInt(p, 10, 64); err == nil {
			id, rest = n, parts[i+1:]
			break
		}
	}
	t, ok := s.topics[id]
	switch {
	case !ok || (s.removed[id] && !v.staff):
		refuse(w, http.StatusNotFound)
	case !s.seesTopic(v, t):
		refuse(w, http.StatusForbidden)
	case len(rest) == 1 && rest[0] == "posts":
		s.topicPosts(w, r, v, t)
	default:
		write(w, s.topicView(r, v, t))
	}
}

func (s *Server) seesCategory(v viewer, id int64) bool {
	c, ok := s.categories[id]
	if !ok {
		return true
	}
	return v.staff || (!c.Private && (c.Parent == 0 || s.seesCategory(v, c.Parent)))
}

func (s *Server) seesTopic(v viewer, t *topic) bool {
	return t.fields.text("archetype") != "private_message" && s.seesCategory(v, t.fields.int("category_id"))
}

func (s *Server) seesPost(v viewer, p *post) bool {
	return v.staff || (!p.removed && p.fields.int("post_type") != typeWhisper)
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	doc, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("discoursetest: encoding an answer: %v", err))
	}
	_, _ = w.Write(append(doc, '\n')) // the reader may have gone: there is nobody to tell
}

func writeError(w http.ResponseWriter, status int, kind, text string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object{"errors": []string{text}, "error_type": kind})
}

// refuse answers as Discourse does for what is not there or not to be seen.
func refuse(w http.ResponseWriter, status int) {
	if status == http.StatusForbidden {
		writeError(w, status, "invalid_access", "You are not permitted to view the requested resource.")
		return
	}
	writeError(w, status, "not_found", "The requested URL or resource could not be found.")
}
