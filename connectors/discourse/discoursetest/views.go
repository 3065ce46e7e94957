// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursetest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	forumTitle = "Example forum"
	// How many entries Discourse gives at once.
	topicsPerPage  = 30
	postsPerTopic  = 20
	postsPerList   = 50
	membersPerPage = 50
	printPosts     = 1000

	typeRegular     = 1
	typeModerator   = 2
	typeSmallAction = 3
	typeWhisper     = 4
)

// stamp is a time as Discourse writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func number(q url.Values, key string) int {
	n, err := strconv.Atoi(q.Get(key))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// list is /latest.json, or a category's.
func (s *Server) list(r *http.Request, v viewer, category int64) object {
	q := r.URL.Query()
	var all []*topic
	for id, t := range s.topics {
		if s.listed(v, id, t) && (category == 0 || s.within(t.fields.int("category_id"), category)) {
			all = append(all, t)
		}
	}
	order := q.Get("order")
	slices.SortFunc(all, func(a, b *topic) int {
		if order == "" && a.fields.bool("pinned_globally") != b.fields.bool("pinned_globally") {
			if a.fields.bool("pinned_globally") {
				return -1
			}
			return 1
		}
		c := b.bumped.Compare(a.bumped)
		if order == "created" {
			c = b.fields.time("created_at").Compare(a.fields.time("created_at"))
		}
		if q.Get("ascending") == "true" {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(b.fields.int("id"), a.fields.int("id")))
	})
	per := topicsPerPage
	if n := number(q, "per_page"); n > 0 && n < 100 {
		per = n
	}
	page := number(q, "page")
	from, to := min(page*per, len(all)), min((page+1)*per, len(all))
	list := object{"can_create_topic": false, "per_page": per, "topics": []object{}}
	topics := make([]object, 0, per)
	users := map[int64]bool{}
	for _, t := range all[from:to] {
		topics = append(topics, s.listEntry(t))
		users[t.fields.int("user_id")] = true
	}
	list["topics"] = topics
	if to < len(all) {
		q.Set("page", strconv.Itoa(page+1))
		list["more_topics_url"] = strings.TrimSuffix(r.URL.Path, ".json") + "?" + q.Encode()
	}
	var people []object
	for _, id := range slices.Sorted(maps.Keys(users)) {
		people = append(people, s.user(id))
	}
	return object{"users": people, "primary_groups": []any{}, "topic_list": list}
}

func (s *Server) listed(v viewer, id int64, t *topic) bool {
	visible, ok := t.fields["visible"].(bool)
	return !s.removed[id] && (!ok || visible) && s.seesTopic(v, t) && s.categories[t.fields.int("category_id")].Definition != id
}

func (s *Server) within(category, parent int64) bool {
	for range 5 {
		if category == parent {
			return true
		}
		c, ok := s.categories[category]
		if !ok || c.Parent == 0 {
			return false
		}
		category = c.Parent
	}
	return false
}

func (s *Server) user(id int64) object {
	return object{"id": id, "username": s.users[id].Username, "name": "", "avatar_template": avatar}
}

const avatar = "/letter_avatar/x/{size}.png"

// listEntry is a topic as listings show it.
func (s *Server) listEntry(t *topic) object {
	e := object{}
	for _, k := range []string{
		"id", "title", "fancy_title", "slug", "posts_count", "reply_count", "highest_post_number", "created_at", "last_posted_at",
		"archetype", "pinned", "unpinned", "visible", "closed", "archived", "views", "like_count", "has_summary", "category_id",
		"pinned_globally", "featured_link", "tags",
	} {
		if v, ok := t.fields[k]; ok {
			e[k] = v
		}
	}
	_, accepted := t.fields["accepted_answer"].(map[string]any)
	if _, ok := t.fields["accepted_answer"].(object); ok {
		accepted = true
	}
	last := t.posts[len(t.posts)-1]
	maps.Copy(e, object{
		"bumped": true, "bumped_at": stamp(t.bumped), "unseen": false, "bookmarked": nil, "liked": nil, "has_accepted_answer": accepted,
		"last_poster_username": last.fields.text("username"), "op_like_count": 0,
		"posters": []object{{"extras": nil, "description": "Original Poster", "user_id": t.fields.int("user_id"), "primary_group_id": nil}},
	})
	return e
}

// topicView is /t/{id}.json: the topic, its first posts (or a page of them), and the ids of all of them.
func (s *Server) topicView(r *http.Request, v viewer, t *topic) object {
	q := r.URL.Query()
	posts := s.visiblePosts(v, t)
	per := postsPerTopic
	if q.Get("print") == "true" {
		per = printPosts
	}
	page := max(number(q, "page"), 1) - 1
	ids := make([]int64, 0, len(posts))
	for _, p := range posts {
		ids = append(ids, p.fields.int("id"))
	}
	shown := make([]object, 0, per)
	for _, p := range posts[min(page*per, len(posts)):min((page+1)*per, len(posts))] {
		shown = append(shown, p.fields)
	}
	view := maps.Clone(t.fields)
	stream := object{"posts": shown}
	if s.unlisted == 0 || len(ids) <= s.unlisted {
		stream["stream"] = ids
	}
	view["post_stream"] = stream
	view["chunk_size"] = postsPerTopic
	return view
}

func (s *Server) visiblePosts(v viewer, t *topic) []*post {
	var out []*post
	for _, p := range t.posts {
		if s.seesPost(v, p) {
			out = append(out, p)
		}
	}
	return out
}

// topicPosts is /t/{id}/posts.json: named posts, or those around a number.
func (s *Server) topicPosts(w http.ResponseWriter, r *http.Request, v viewer, t *topic) {
	q := r.URL.Query()
	posts := s.visiblePosts(v, t)
	ids := q["post_ids[]"]
	if s.chunk > 0 && len(ids) > s.chunk {
		writeError(w, http.StatusBadRequest, "invalid_parameters", "You supplied invalid parameters to the request: post_ids")
		return
	}
	shown := []object{}
	after := int64(number(q, "post_number"))
	for _, p := range posts {
		if len(ids) > 0 {
			if slices.Contains(ids, strconv.FormatInt(p.fields.int("id"), 10)) {
				shown = append(shown, p.fields)
			}
			continue
		}
		if p.fields.int("post_number") > after && len(shown) < postsPerTopic {
			shown = append(shown, p.fields)
		}
	}
	write(w, object{"post_stream": object{"posts": shown}, "id": t.fields.int("id")})
}

// latestPosts is /posts.json: the newest regular posts of public topics, from an id downwards.
func (s *Server) latestPosts(r *http.Request, v viewer) object {
	before := int64(number(r.URL.Query(), "before"))
	if before == 0 {
		before = s.lastPost
	}
	var ids []int64
	for id, p := range s.posts {
		t := s.topics[p.topic]
		if id > before || t == nil || p.removed || p.fields.bool("hidden") || p.fields.int("post_type") != typeRegular {
			continue
		}
		if s.oldPosts && id <= before-postsPerList {
			continue
		}
		if visible, ok := t.fields["visible"].(bool); (!ok || visible) && !s.removed[p.topic] && s.seesTopic(v, t) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	posts := []object{}
	for _, id := range ids[:min(len(ids), postsPerList)] {
		posts = append(posts, s.fullPost(s.posts[id]))
	}
	return object{"latest_posts": posts}
}

// fullPost is a post with what posts.json and posts/{id}.json say of its topic.
func (s *Server) fullPost(p *post) object {
	o := maps.Clone(p.fields)
	t := s.topics[p.topic]
	for _, k := range []string{"read", "link_counts", "accepted_answer", "can_accept_answer", "can_unaccept_answer", "reply_to_user", "title_is_group", "polls", "user_suspended", "via_email", "action_code"} {
		delete(o, k)
	}
	maps.Copy(o, object{
		"posts_count": t.fields.int("posts_count"), "topic_title": t.fields.text("title"), "topic_html_title": t.fields.text("title"),
		"category_id": t.fields.int("category_id"), "raw": "", "flair_group_id": nil, "badges_granted": []any{},
		"can_see_hidden_post": false, "excerpt": "", "truncated": false, "reviewable_id": nil,
		"reviewable_score_count": 0, "reviewable_score_pending_count": 0,
		"post_url": "/t/" + t.fields.text("slug") + "/" + strconv.FormatInt(p.topic, 10) + "/" + strconv.FormatInt(p.fields.int("post_number"), 10),
	})
	return o
}

func (s *Server) onePost(w http.ResponseWriter, v viewer, is func(*post) bool) {
	for _, p := range s.posts {
		if !is(p) {
			continue
		}
		switch t := s.topics[p.topic]; {
		case !s.seesPost(v, p) || s.removed[p.topic]:
			refuse(w, http.StatusNotFound)
		case !s.seesTopic(v, t):
			refuse(w, http.StatusForbidden)
		default:
			write(w, s.fullPost(p))
		}
		return
	}
	refuse(w, http.StatusNotFound)
}

func (s *Server) categoryList(v viewer, nested bool) object {
	return object{"category_list": object{"can_create_category": false, "can_create_topic": false, "categories": s.children(v, 0, nested)}}
}

func (s *Server) children(v viewer, parent int64, nested bool) []object {
	list := []object{}
	for _, id := range slices.Sorted(maps.Keys(s.categories)) {
		c := s.categories[id]
		if c.Parent != parent || !s.seesCategory(v, id) {
			continue
		}
		o := s.category(c)
		below := s.children(v, id, nested)
		ids := []int64{}
		for _, b := range below {
			ids = append(ids, b["id"].(int64))
		}
		o["subcategory_ids"], o["has_children"] = ids, len(ids) > 0
		if nested {
			o["subcategory_list"] = below
		}
		list = append(list, o)
	}
	return list
}

func (s *Server) category(c Category) object {
	var topics, posts int64
	for id, t := range s.topics {
		if t.fields.int("category_id") == c.ID && !s.removed[id] {
			topics, posts = topics+1, posts+int64(len(t.posts))
		}
	}
	o := object{
		"id": c.ID, "name": c.Name, "slug": c.Slug, "color": "0088CC", "text_color": "FFFFFF", "style_type": "square", "emoji": nil,
		"icon": nil, "topic_count": topics, "post_count": posts, "position": 0, "description": nil, "description_text": nil,
		"description_excerpt": nil, "topic_url": nil, "read_restricted": c.Private, "permission": 1, "notification_level": 1,
		"can_edit": false, "topic_template": nil, "topic_title_placeholder": nil, "has_children": false, "subcategory_count": nil,
		"sort_order": nil, "sort_ascending": nil, "show_subcategory_list": false, "num_featured_topics": 3, "default_view": nil,
		"subcategory_list_style": "rows_with_featured_topics", "default_top_period": "all", "default_list_filter": "all",
		"minimum_required_tags": 0, "navigate_to_first_post_after_read": false, "topics_day": 0, "topics_week": 0, "topics_month": 0,
		"topics_year": 0, "topics_all_time": topics, "uploaded_logo": nil, "uploaded_logo_dark": nil, "uploaded_background": nil,
		"uploaded_background_dark": nil,
	}
	if c.Solved {
		o["custom_fields"] = object{"enable_accepted_answers": "true"}
	}
	if c.Definition != 0 {
		o["topic_url"] = "/t/about-the-" + c.Slug + "-category/" + strconv.FormatInt(c.Definition, 10)
	}
	return o
}

func (s *Server) site(v viewer) object {
	var list []object
	for _, id := range slices.Sorted(maps.Keys(s.categories)) {
		if c := s.categories[id]; s.seesCategory(v, id) {
			o := s.category(c)
			if c.Parent != 0 {
				o["parent_category_id"] = c.Parent
			}
			list = append(list, o)
		}
	}
	return object{"default_archetype": "regular", "categories": list}
}

func basicInfo() object {
	return object{
		"logo_url": "", "logo_small_url": "", "apple_touch_icon_url": "", "favicon_url": "", "title": forumTitle, "description": "",
		"header_primary_color": "333333", "header_background_color": "ffffff", "login_required": false, "locale": "en",
		"include_in_discourse_discover": false, "mobile_logo_url": "",
	}
}

// directoryItems counts as Discourse does: openings in topic_count, replies in post_count.
func (s *Server) directoryItems(r *http.Request) object {
	type count struct{ topics, replies int }
	counts := map[int64]count{}
	for _, p := range s.posts {
		id := p.fields.int("user_id")
		if id <= 0 || p.removed || p.fields.int("post_type") != typeRegular {
			continue
		}
		c := counts[id]
		if p.fields.int("post_number") == 1 {
			c.topics++
		} else {
			c.replies++
		}
		counts[id] = c
	}
	ids := slices.SortedFunc(maps.Keys(counts), func(a, b int64) int {
		return cmp.Or(cmp.Compare(counts[b].replies, counts[a].replies), cmp.Compare(a, b))
	})
	page := number(r.URL.Query(), "page")
	from, to := min(page*membersPerPage, len(ids)), min((page+1)*membersPerPage, len(ids))
	items := []object{}
	for _, id := range ids[from:to] {
		u := s.user(id)
		u["title"], u["trust_level"] = nil, s.users[id].TrustLevel
		items = append(items, object{
			"id": id, "likes_received": 0, "likes_given": 0, "topics_entered": 0, "topic_count": counts[id].topics,
			"post_count": counts[id].replies, "posts_read": 0, "days_visited": 0, "user": u,
		})
	}
	meta := object{"last_updated_at": stamp(s.now()), "total_rows_directory_items": len(ids), "load_more_directory_items": ""}
	if to < len(ids) {
		meta["load_more_directory_items"] = "/directory_items?order=post_count&page=" + strconv.Itoa(page+1) + "&period=all"
	}
	return object{"directory_items": items, "meta": meta}
}
