// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursetest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// NewTopic opens a topic and gives its id and its opening's.
func (s *Server) NewTopic(by User, category int64, title, cooked string) (topicID, postID int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.newTopic(by, category, title, "regular")
	return t.fields.int("id"), s.newPost(t, by, typeRegular, cooked, 0)
}

// NewPrivateMessage opens a private message, which no reader must see.
func (s *Server) NewPrivateMessage(by User, title, cooked string) (topicID, postID int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.newTopic(by, 0, title, "private_message")
	t.fields["category_id"] = nil
	return t.fields.int("id"), s.newPost(t, by, typeRegular, cooked, 0)
}

// Reply posts into a topic; to is the number of the post that it replies to, 0 for the topic.
func (s *Server) Reply(topicID int64, by User, cooked string, to int) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topic(topicID)
	return s.newPost(t, by, typeRegular, cooked, to)
}

// Whisper posts what only staff see.
func (s *Server) Whisper(topicID int64, by User, cooked string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newPost(s.topic(topicID), by, typeWhisper, cooked, 0)
}

// Edit changes a post's text and raises its version, as an edit after the grace period does.
func (s *Server) Edit(postID int64, cooked string) {
	s.change(postID, func(t *topic, p *post) {
		p.fields["cooked"], p.fields["version"], p.fields["updated_at"] = cooked, p.fields.int("version")+1, stamp(s.now())
		if p == t.posts[len(t.posts)-1] {
			t.bumped = s.now()
		}
	})
}

// RemoveByAuthor leaves the stub that Discourse shows for a day.
func (s *Server) RemoveByAuthor(postID int64) {
	s.change(postID, func(_ *topic, p *post) {
		p.fields["kept"] = p.fields["cooked"]
		p.fields["user_deleted"], p.fields["updated_at"] = true, stamp(s.now())
		p.fields["cooked"] = "<p>(post deleted by author)</p>"
	})
}

// RemoveByModerator takes a post from everybody but staff.
func (s *Server) RemoveByModerator(postID int64, by User) {
	s.change(postID, func(_ *topic, p *post) {
		p.removed = true
		p.fields["deleted_at"], p.fields["deleted_by"] = stamp(s.now()), s.mention(by)
	})
}

// Restore undoes either removal.
func (s *Server) Restore(postID int64) {
	s.change(postID, func(_ *topic, p *post) {
		if p.fields.bool("user_deleted") {
			p.fields["cooked"], p.fields["user_deleted"] = p.fields["kept"], false
			delete(p.fields, "kept")
		}
		p.removed = false
		p.fields["deleted_at"] = nil
		delete(p.fields, "deleted_by")
	})
}

// Hide is what enough flags do; Unhide what a moderator does who disagrees.
func (s *Server) Hide(postID int64) {
	s.change(postID, func(_ *topic, p *post) { p.fields["hidden"], p.fields["updated_at"] = true, stamp(s.now()) })
}

// Unhide shows a hidden post again.
func (s *Server) Unhide(postID int64) {
	s.change(postID, func(_ *topic, p *post) { p.fields["hidden"] = false })
}

// Accept makes a post its topic's accepted answer, in place of another one.
func (s *Server) Accept(postID int64) {
	s.change(postID, func(t *topic, p *post) {
		for _, other := range t.posts {
			other.fields["accepted_answer"] = other == p
		}
		t.fields["accepted_answer"] = object{"post_number": p.fields.int("post_number"), "username": p.fields.text("username"), "excerpt": ""}
	})
}

// Unaccept takes the acceptance back.
func (s *Server) Unaccept(postID int64) {
	s.change(postID, func(t *topic, p *post) {
		p.fields["accepted_answer"] = false
		delete(t.fields, "accepted_answer")
	})
}

// Like adds a like to a post.
func (s *Server) Like(postID int64) {
	s.change(postID, func(t *topic, p *post) {
		n := int64(0)
		if list, ok := p.fields["actions_summary"].([]any); ok && len(list) > 0 {
			if like, ok := list[0].(map[string]any); ok {
				n = object(like).int("count")
			}
		}
		p.fields["actions_summary"] = []any{map[string]any{"id": 2, "count": n + 1}}
		t.fields["like_count"] = t.fields.int("like_count") + 1
	})
}

// Close and Reopen leave a note in the topic, as Discourse does.
func (s *Server) Close(topicID int64, by User) { s.setClosed(topicID, by, true) }

// Reopen opens a closed topic.
func (s *Server) Reopen(topicID int64, by User) { s.setClosed(topicID, by, false) }

func (s *Server) setClosed(topicID int64, by User, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topic(topicID)
	t.fields["closed"] = closed
	code := "closed.enabled"
	if !closed {
		code = "closed.disabled"
	}
	s.note(t, by, code, "")
}

// Recategorise moves a topic to another category.
func (s *Server) Recategorise(topicID, category int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topic(topicID).fields["category_id"] = category
	s.noteCategory(category)
}

// RemoveTopic deletes a topic with all of its posts.
func (s *Server) RemoveTopic(topicID int64, by User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topic(topicID)
	s.removed[topicID] = true
	t.fields["deleted_at"], t.fields["deleted_by"] = stamp(s.now()), s.mention(by)
}

// RestoreTopic brings a deleted topic back.
func (s *Server) RestoreTopic(topicID int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.removed, topicID)
	t := s.topic(topicID)
	t.fields["deleted_at"], t.fields["deleted_by"] = nil, nil
}

// Move moves posts into another topic, where they get new numbers and keep their ids; an opening is copied under a new
// id instead and stays where it is, as in Discourse. It gives the ids that the posts have now.
func (s *Server) Move(posts []int64, into int64, by User) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.move(posts, s.topic(into), by, "%d posts were merged into an existing topic: %s")
}

// MoveToNewTopic splits posts off into a topic of their own.
func (s *Server) MoveToNewTopic(posts []int64, title string, by User) (topicID int64, ids []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.post(posts[0])
	from := s.topic(first.topic)
	t := s.newTopic(s.users[first.fields.int("user_id")], from.fields.int("category_id"), title, "regular")
	ids = s.move(posts, t, by, "%d posts were split to a new topic: %s")
	return t.fields.int("id"), ids
}

// Merge moves all posts of a topic into another one and closes what is left.
func (s *Server) Merge(from, into int64, by User) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topic(from)
	var posts []int64
	for _, p := range t.posts {
		if p.fields.int("post_type") == typeRegular && !p.removed {
			posts = append(posts, p.fields.int("id"))
		}
	}
	ids := s.move(posts, s.topic(into), by, "%d posts were merged into an existing topic: %s")
	t.fields["closed"] = true
	return ids
}

func (s *Server) move(posts []int64, into *topic, by User, text string) []int64 {
	from := s.topic(s.post(posts[0]).topic)
	numbers := map[int64]int64{}
	var ids []int64
	for _, id := range posts {
		p := s.post(id)
		old := p.fields.int("post_number")
		if old == 1 {
			moved := &post{fields: maps.Clone(p.fields)}
			s.lastPost++
			moved.fields["id"] = s.lastPost
			s.posts[s.lastPost] = moved
			p = moved
		} else {
			from.posts = slices.DeleteFunc(from.posts, func(q *post) bool { return q == p })
		}
		numbers[old] = into.next()
		p.topic = into.fields.int("id")
		p.fields["topic_id"], p.fields["topic_slug"], p.fields["post_number"] = p.topic, into.fields.text("slug"), numbers[old]
		to := p.fields.int("reply_to_post_number")
		if n, ok := numbers[to]; ok {
			p.fields["reply_to_post_number"] = n
		} else {
			p.fields["reply_to_post_number"] = nil
		}
		into.posts = append(into.posts, p)
		ids = append(ids, p.fields.int("id"))
	}
	s.recount(into)
	into.bumped = into.fields.time("last_posted_at")
	link := fmt.Sprintf(`<a href="/t/%s/%d">%s</a>`, into.fields.text("slug"), into.fields.int("id"), into.fields.text("title"))
	s.note(from, by, "split_topic", "<p>"+fmt.Sprintf(text, len(posts), link)+"</p>")
	return ids
}

// change applies f to a post and counts its topic anew.
func (s *Server) change(postID int64, f func(*topic, *post)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.post(postID)
	t := s.topic(p.topic)
	f(t, p)
	s.recount(t)
}

func (s *Server) topic(id int64) *topic {
	t, ok := s.topics[id]
	if !ok {
		panic(fmt.Sprintf("discoursetest: there is no topic %d", id))
	}
	return t
}

func (s *Server) post(id int64) *post {
	p, ok := s.posts[id]
	if !ok {
		panic(fmt.Sprintf("discoursetest: there is no post %d", id))
	}
	return p
}

func (s *Server) mention(u User) object {
	s.noteUser(u)
	return object{"id": u.ID, "username": u.Username, "name": "", "avatar_template": avatar}
}

func (t *topic) next() int64 {
	n := int64(0)
	for _, p := range t.posts {
		n = max(n, p.fields.int("post_number"))
	}
	return max(n, t.fields.int("highest_post_number")) + 1
}

// recount brings what a topic says of its posts up to date.
func (s *Server) recount(t *topic) {
	count, highest := 0, int64(0)
	var last time.Time
	for _, p := range t.posts {
		if p.removed || p.fields.int("post_type") == typeWhisper {
			continue
		}
		count++
		highest = max(highest, p.fields.int("post_number"))
		if at := p.fields.time("created_at"); at.After(last) {
			last = at
		}
	}
	t.fields["posts_count"], t.fields["highest_post_number"] = count, highest
	if !last.IsZero() {
		t.fields["last_posted_at"] = stamp(last)
	}
}

func slugOf(title string) string {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, strings.ToLower(title))
	return strings.Trim(slug, "-")
}

// note is a small action: "closed", "split".
func (s *Server) note(t *topic, by User, code, cooked string) {
	id := s.newPost(t, by, typeSmallAction, cooked, 0)
	s.posts[id].fields["action_code"] = code
}

func (s *Server) newTopic(by User, category int64, title, archetype string) *topic {
	s.lastTopic++
	s.noteCategory(category)
	now := stamp(s.now())
	t := &topic{bumped: s.now(), fields: object{
		"id": s.lastTopic, "title": title, "fancy_title": title, "slug": slugOf(title), "posts_count": 0, "created_at": now, "views": 1,
		"reply_count": 0, "like_count": 0, "last_posted_at": now, "visible": true, "closed": false, "archived": false, "has_summary": false,
		"archetype": archetype, "category_id": category, "word_count": 1, "deleted_at": nil, "user_id": by.ID, "featured_link": nil,
		"pinned_globally": false, "pinned_at": nil, "pinned_until": nil, "image_url": nil, "slow_mode_seconds": 0, "draft": nil,
		"draft_key": "topic_" + strconv.FormatInt(s.lastTopic, 10), "draft_sequence": nil, "unpinned": nil, "pinned": false, "current_post_number": 1,
		"highest_post_number": 0, "deleted_by": nil, "actions_summary": []any{}, "bookmarked": false, "bookmarks": []any{}, "topic_timer": nil,
		"message_bus_last_id": 0, "participant_count": 1, "show_read_indicator": false, "thumbnails": nil, "slow_mode_enabled_until": nil,
		"tags": []any{}, "tags_descriptions": object{}, "timeline_lookup": []any{}, "suggested_topics": []any{},
		"details": object{"can_edit": false, "notification_level": 1, "participants": []any{}, "created_by": s.mention(by), "last_poster": s.mention(by)},
	}}
	s.topics[s.lastTopic] = t
	return t
}

func (s *Server) newPost(t *topic, by User, kind int, cooked string, to int) int64 {
	s.noteUser(by)
	s.lastPost++
	now := stamp(s.now())
	var reply any
	if to > 0 {
		reply = to
	}
	p := &post{topic: t.fields.int("id"), fields: object{
		"id": s.lastPost, "name": "", "username": by.Username, "avatar_template": avatar, "created_at": now, "cooked": cooked,
		"post_number": t.next(), "post_type": kind, "updated_at": now, "reply_count": 0, "reply_to_post_number": reply, "quote_count": 0,
		"incoming_link_count": 0, "reads": 1, "readers_count": 0, "score": 0.2, "yours": false, "topic_id": t.fields.int("id"),
		"topic_slug": t.fields.text("slug"), "display_username": "", "primary_group_name": nil, "flair_name": nil, "flair_url": nil,
		"flair_bg_color": nil, "flair_color": nil, "version": 1, "can_edit": false, "can_delete": false, "can_recover": false,
		"can_wiki": false, "read": true, "user_title": nil, "bookmarked": false, "actions_summary": []any{}, "moderator": by.Moderator,
		"admin": by.Admin, "staff": by.Admin || by.Moderator, "user_id": by.ID, "hidden": false, "trust_level": by.TrustLevel,
		"deleted_at": nil, "user_deleted": false, "edit_reason": nil, "can_view_edit_history": true, "wiki": false,
		"can_accept_answer": false, "can_unaccept_answer": false, "accepted_answer": false,
	}}
	t.posts = append(t.posts, p)
	s.posts[s.lastPost] = p
	s.recount(t)
	if kind == typeRegular {
		t.bumped = s.now()
	}
	return s.lastPost
}
