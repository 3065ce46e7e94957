// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursejson

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/kith-dev/kith/connectors/sdk"
)

// HeadPosts is how many posts Discourse sends with a topic; what is said of a thread rests on these alone, so that it
// does not depend on how much of the topic has been read.
const HeadPosts = 20

// Topic is what /t/{id}.json answers, as far as Kith reads it.
type Topic struct {
	ID                int64      `json:"id"`
	Title             string     `json:"title"`
	Slug              string     `json:"slug"`
	PostsCount        int        `json:"posts_count"`
	HighestPostNumber int        `json:"highest_post_number"`
	CreatedAt         time.Time  `json:"created_at"`
	Views             int        `json:"views"`
	Visible           *bool      `json:"visible"`
	Closed            bool       `json:"closed"`
	Archived          bool       `json:"archived"`
	Pinned            bool       `json:"pinned"`
	PinnedGlobally    bool       `json:"pinned_globally"`
	Archetype         string     `json:"archetype"`
	CategoryID        *int64     `json:"category_id"`
	UserID            *int64     `json:"user_id"`
	DeletedAt         *time.Time `json:"deleted_at"`
	DeletedBy         *User      `json:"deleted_by"`
	Tags              []Tag      `json:"tags"`
	// AcceptedAnswer is null where the plug-in is installed and nothing is accepted, absent where it is not shown.
	AcceptedAnswer AcceptedAnswer `json:"accepted_answer"`
	Details        Details        `json:"details"`
	PostStream     PostStream     `json:"post_stream"`
}

// Details is the part of a topic about its people.
type Details struct {
	CreatedBy    *User  `json:"created_by"`
	Participants []User `json:"participants"`
}

// User is an account as topics and posts mention it.
type User struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

// Tag is a tag's name; newer servers send an object instead of a string.
type Tag string

// UnmarshalJSON accepts both forms.
func (t *Tag) UnmarshalJSON(b []byte) error {
	var name string
	if json.Unmarshal(b, &name) == nil {
		*t = Tag(name)
		return nil
	}
	var object struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(b, &object); err != nil {
		return fmt.Errorf("tag is neither a name nor an object with one: %w", err)
	}
	*t = Tag(object.Name)
	return nil
}

// AcceptedAnswer points at the accepted post of a topic.
type AcceptedAnswer struct {
	// Shown is whether the topic has the field at all; PostNumber is 0 where nothing is accepted.
	Shown      bool
	PostNumber int
	// AccepterUsername accepted it, where the server says so.
	AccepterUsername string
}

// UnmarshalJSON is called for null too, which says that the field is shown and nothing accepted. Another shape says no
// more than that: the posts tell themselves which is accepted.
func (a *AcceptedAnswer) UnmarshalJSON(b []byte) error {
	var pointer *struct {
		PostNumber       int    `json:"post_number"`
		AccepterUsername string `json:"accepter_username"`
	}
	*a = AcceptedAnswer{Shown: true}
	if json.Unmarshal(b, &pointer) == nil && pointer != nil {
		a.PostNumber, a.AccepterUsername = pointer.PostNumber, pointer.AccepterUsername
	}
	return nil
}

// PostStream is a topic's posts (the first of them, or all in an export) and the ids of all of them in order.
type PostStream struct {
	Posts []Post
	// Stream is absent in very long topics.
	Stream []int64
	// Bad are posts whose JSON could not be understood; the others are good.
	Bad []sdk.Quarantined
}

// UnmarshalJSON takes the posts one by one, so that one bad post costs no other.
func (s *PostStream) UnmarshalJSON(b []byte) error {
	var raw struct {
		Posts  []json.RawMessage `json:"posts"`
		Stream []int64           `json:"stream"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return fmt.Errorf("post_stream: %w", err)
	}
	*s = PostStream{Posts: make([]Post, 0, len(raw.Posts)), Stream: raw.Stream}
	for i, r := range raw.Posts {
		p, bad := decodePost(r, i)
		if bad != nil {
			s.Bad = append(s.Bad, *bad)
			continue
		}
		s.Posts = append(s.Posts, p)
	}
	return nil
}

func decodePost(r json.RawMessage, index int) (Post, *sdk.Quarantined) {
	var p Post
	err := json.Unmarshal(r, &p)
	if err == nil {
		err = p.check()
	}
	if err == nil {
		return p, nil
	}
	id := "at position " + strconv.Itoa(index)
	var just struct {
		ID int64 `json:"id"`
	}
	if json.Unmarshal(r, &just) == nil && just.ID != 0 {
		id = strconv.FormatInt(just.ID, 10)
	}
	return Post{}, &sdk.Quarantined{Kind: "post", ID: id, Reason: shapeOf(err)}
}

// shapeOf says what is wrong with the shape of a record without repeating its content, which may name a person.
func shapeOf(err error) string {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("field %q holds a %s where %s is wanted", t.Field, t.Value, t.Type)
	}
	if t, ok := errors.AsType[*time.ParseError](err); ok && t != nil {
		return "a time is not in the form 2006-01-02T15:04:05.000Z"
	}
	if s, ok := errors.AsType[shapeError](err); ok {
		return string(s)
	}
	return "not the JSON of a post"
}

// shapeError is a complaint about a record's shape that holds none of its content.
type shapeError string

func (e shapeError) Error() string { return string(e) }

// Post is one post as topics, posts.json and posts/{id}.json show it.
type Post struct {
	ID                int64         `json:"id"`
	TopicID           int64         `json:"topic_id"`
	UserID            *int64        `json:"user_id"`
	Username          string        `json:"username"`
	CreatedAt         time.Time     `json:"created_at"`
	UpdatedAt         time.Time     `json:"updated_at"`
	Cooked            string        `json:"cooked"`
	CookedHidden      bool          `json:"cooked_hidden"`
	PostNumber        int           `json:"post_number"`
	PostType          int           `json:"post_type"`
	ActionCode        string        `json:"action_code"`
	ReplyToPostNumber *int          `json:"reply_to_post_number"`
	Version           int           `json:"version"`
	Moderator         bool          `json:"moderator"`
	Admin             bool          `json:"admin"`
	Staff             bool          `json:"staff"`
	PrimaryGroupName  string        `json:"primary_group_name"`
	TrustLevel        *int          `json:"trust_level"`
	Hidden            bool          `json:"hidden"`
	DeletedAt         *time.Time    `json:"deleted_at"`
	DeletedBy         *User         `json:"deleted_by"`
	UserDeleted       bool          `json:"user_deleted"`
	ActionsSummary    []ActionCount `json:"actions_summary"`
	LinkCounts        []LinkCount   `json:"link_counts"`
	Polls             []any         `json:"polls"`
	CanAcceptAnswer   bool          `json:"can_accept_answer"`
	CanUnacceptAnswer bool          `json:"can_unaccept_answer"`
	// AcceptedAnswer is absent where the plug-in is not installed.
	AcceptedAnswer *bool `json:"accepted_answer"`
}

// check says what a post lacks that no message can be without.
func (p *Post) check() error {
	switch {
	case p.ID <= 0:
		return shapeError("has no id")
	case p.CreatedAt.IsZero():
		return shapeError("has no created_at")
	case p.PostNumber <= 0:
		return shapeError("has no post_number")
	}
	return nil
}

// ActionCount is how often an action (a like, a flag) was taken on a post.
type ActionCount struct {
	ID    int `json:"id"`
	Count int `json:"count"`
}

// LinkCount is one link in a post, or (Reflection) one that points at it.
type LinkCount struct {
	URL        string `json:"url"`
	Reflection bool   `json:"reflection"`
}

// DecodeTopic reads a topic's JSON. An error means that nothing of it can be used; single bad posts are in
// PostStream.Bad instead. The error says what is wrong with the shape and repeats none of the content.
func DecodeTopic(b []byte) (*Topic, error) {
	var t Topic
	if err := json.Unmarshal(b, &t); err != nil {
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, fmt.Errorf("topic is not whole JSON (at byte %d of %d): fetch or export it again", s.Offset, len(b))
		}
		return nil, fmt.Errorf("topic cannot be understood: %s", shapeOf(err))
	}
	if t.ID <= 0 {
		return nil, errors.New("topic has no id: not the JSON of a Discourse topic")
	}
	if t.CreatedAt.IsZero() && len(t.PostStream.Posts) > 0 {
		t.CreatedAt = t.PostStream.Posts[0].CreatedAt
	}
	if t.CreatedAt.IsZero() {
		return nil, fmt.Errorf("topic %d has no created_at", t.ID)
	}
	return &t, nil
}

// DecodePosts reads the answer of /t/{id}/posts.json.
func DecodePosts(b []byte) (PostStream, error) {
	var chunk struct {
		PostStream PostStream `json:"post_stream"`
	}
	if err := json.Unmarshal(b, &chunk); err != nil {
		return PostStream{}, fmt.Errorf("posts of a topic cannot be understood: %s", shapeOf(err))
	}
	return chunk.PostStream, nil
}

// IDs are the ids of all of the topic's posts in order, from the stream or else from the posts at hand.
func (t *Topic) IDs() []int64 {
	if len(t.PostStream.Stream) > 0 {
		return t.PostStream.Stream
	}
	ids := make([]int64, 0, len(t.PostStream.Posts))
	for i := range t.PostStream.Posts {
		ids = append(ids, t.PostStream.Posts[i].ID)
	}
	return ids
}
