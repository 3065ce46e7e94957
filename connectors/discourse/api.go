// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/sdk"
)

// How far an answer lags behind the clock that it names: posts may be committed while it is made, and Discourse serves
// visitors from a cache for up to a minute.
const (
	settleMargin = 5 * time.Second
	cacheMargin  = time.Minute
)

// reading is one call of Read: what it has learnt lives no longer than the call.
type reading struct {
	c   *Connector
	ctx context.Context //nolint:containedctx // It is this call's, and the value does not outlive the call.

	rooms *discoursejson.Directory
	// answersHere is set once the forum has answered beside a topic that did not.
	answersHere bool
	// behind is set while live has not listed up to the newest post.
	behind bool

	page  sdk.Page
	bytes int
	// last are observations that come after all others of the page.
	last []event.Observation
}

// get reads a JSON document of the forum.
func (r *reading) get(path string, query url.Values, into any) (*sdk.Response, error) {
	address := r.c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return r.c.http.GetJSON(r.ctx, address, nil, into)
}

// optional is for endpoints that a forum may lack, hide or forbid: found is false then. A forum refuses a revoked key in
// the same way as what it does not show, so that with a key it is asked each time whether it answers otherwise.
func (r *reading) optional(path string, query url.Values, into any) (found bool, err error) {
	_, err = r.get(path, query, into)
	if r.c.hasKey() && isStatus(err, http.StatusForbidden, http.StatusUnauthorized) {
		r.answersHere = false
		if err := r.checkForumAnswers(); err != nil {
			return false, err
		}
	}
	if isStatus(err, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusUnauthorized, http.StatusBadRequest, http.StatusUnprocessableEntity) {
		return false, nil
	}
	return err == nil, err
}

func isStatus(err error, statuses ...int) bool {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok || e.Reason == sdk.RateLimited {
		return false
	}
	for _, s := range statuses {
		if e.Status == s {
			return true
		}
	}
	return false
}

// asOf is the platform's time up to which an answer is complete; zero where the platform shows no clock.
func asOf(resp *sdk.Response) time.Time {
	t, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	t = t.UTC().Add(-settleMargin)
	if age, err := strconv.Atoi(resp.Header.Get("Age")); err == nil && age > 0 {
		t = t.Add(-time.Duration(min(age, 86400)) * time.Second)
	}
	if resp.Header.Get("X-Discourse-Cached") == "true" {
		t = t.Add(-cacheMargin)
	}
	return t
}

// latestPost is a post as /posts.json lists it.
type latestPost struct {
	ID         int64  `json:"id"`
	TopicID    int64  `json:"topic_id"`
	CategoryID *int64 `json:"category_id"`
}

// latestPosts lists the newest posts with ids up to before (0: the newest of all). Servers differ in whether before
// itself is included, and older ones give the posts of the fifty ids below it instead of the fifty newest posts.
func (r *reading) latestPosts(before int64) ([]latestPost, *sdk.Response, error) {
	var answer struct {
		LatestPosts []latestPost `json:"latest_posts"`
	}
	query := url.Values{}
	if before > 0 {
		query.Set("before", strconv.FormatInt(before, 10))
	}
	resp, err := r.get("/posts.json", query, &answer)
	return answer.LatestPosts, resp, err
}

// listedTopic is a topic as listings show it.
type listedTopic struct {
	ID                int64     `json:"id"`
	Title             string    `json:"title"`
	PostsCount        int       `json:"posts_count"`
	HighestPostNumber int       `json:"highest_post_number"`
	CreatedAt         time.Time `json:"created_at"`
	LastPostedAt      time.Time `json:"last_posted_at"`
	BumpedAt          time.Time `json:"bumped_at"`
	Archetype         string    `json:"archetype"`
	CategoryID        *int64    `json:"category_id"`
	LikeCount         int       `json:"like_count"`
	Closed            bool      `json:"closed"`
	Archived          bool      `json:"archived"`
	Visible           bool      `json:"visible"`
	Pinned            bool      `json:"pinned"`
	PinnedGlobally    bool      `json:"pinned_globally"`
	HasAcceptedAnswer *bool     `json:"has_accepted_answer"`
}

// activity is what listings are ordered by.
func (t *listedTopic) activity() time.Time {
	switch {
	case !t.BumpedAt.IsZero():
		return t.BumpedAt
	case !t.LastPostedAt.IsZero():
		return t.LastPostedAt
	}
	return t.CreatedAt
}

func (t *listedTopic) stuck() bool { return t.Pinned || t.PinnedGlobally }

// listing is one page of topics.
type listing struct {
	topics []listedTopic
	more   bool
	asOf   time.Time
}

// topics lists the topics of a category (nil: of the forum), latest activity first.
func (r *reading) topics(category *discoursejson.Room, page int) (listing, error) {
	var answer struct {
		TopicList struct {
			MoreTopicsURL string            `json:"more_topics_url"`
			Topics        []json.RawMessage `json:"topics"`
		} `json:"topic_list"`
	}
	path := "/latest.json"
	if category != nil {
		path = "/c/" + category.Path + "/" + strconv.FormatInt(category.ID, 10) + "/l/latest.json"
	}
	query := url.Values{"order": {"activity"}, "no_definitions": {"true"}}
	if page > 0 {
		query.Set("page", strconv.Itoa(page))
	}
	resp, err := r.get(path, query, &answer)
	if err != nil {
		return listing{}, err
	}
	l := listing{more: answer.TopicList.MoreTopicsURL != "" && len(answer.TopicList.Topics) > 0, asOf: asOf(resp)}
	for _, raw := range answer.TopicList.Topics {
		var t listedTopic
		if err := json.Unmarshal(raw, &t); err != nil || t.ID <= 0 {
			r.quarantine(sdk.Quarantined{Kind: "topic", ID: "on page " + strconv.Itoa(page), Reason: "its entry in the listing cannot be understood"})
			continue
		}
		l.topics = append(l.topics, t)
	}
	return l, nil
}

// topic reads a topic's head. It is nil where the topic is gone, that is, where the forum answers and the topic not.
func (r *reading) topic(id int64) (*discoursejson.Topic, time.Time, error) {
	resp, err := r.getRaw("/t/" + strconv.FormatInt(id, 10) + ".json")
	if isStatus(err, http.StatusNotFound, http.StatusGone, http.StatusForbidden, http.StatusUnauthorized) {
		return nil, time.Time{}, r.checkForumAnswers()
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	t, err := discoursejson.DecodeTopic(resp.Body)
	if err != nil {
		return nil, time.Time{}, &badTopic{id: id, err: err}
	}
	if t.ID != id {
		return nil, time.Time{}, &badTopic{id: id, err: errors.New("another topic was answered")}
	}
	return t, asOf(resp), nil
}

// getRaw is get for callers that decode by themselves.
func (r *reading) getRaw(path string) (*sdk.Response, error) {
	var raw json.RawMessage
	return r.get(path, nil, &raw)
}

// badTopic is a topic that is there and cannot be understood: it is set aside, and the others are read.
type badTopic struct {
	id  int64
	err error
}

func (e *badTopic) Error() string {
	return "topic " + strconv.FormatInt(e.id, 10) + ": " + e.err.Error()
}
func (e *badTopic) Unwrap() error { return e.err }

// checkForumAnswers makes sure that a topic which does not answer is gone, and not the whole forum or the credentials:
// else one wrong key would make every topic look removed.
func (r *reading) checkForumAnswers() error {
	if r.answersHere {
		return nil
	}
	if _, err := r.topics(nil, 0); err != nil {
		return err
	}
	r.answersHere = true
	return nil
}

// posts reads posts of a topic by their ids. Ids that the forum does not give are left out.
func (r *reading) posts(topic int64, ids []int64) ([]discoursejson.Post, error) {
	var out []discoursejson.Post
	for size := r.c.settings.PostsPerRequest; len(ids) > 0; {
		n := min(size, len(ids))
		got, err := r.chunk(topic, ids[:n])
		switch {
		case n > 1 && errors.Is(err, sdk.ErrTooLarge):
			size = max(n/2, 1)
			continue
		case errors.Is(err, sdk.ErrTooLarge):
			r.quarantine(sdk.Quarantined{Kind: "post", ID: strconv.FormatInt(ids[0], 10), Reason: "larger than an answer may be"})
		case n > discoursejson.HeadPosts && isStatus(err, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusUnprocessableEntity):
			size = discoursejson.HeadPosts
			continue
		case err != nil:
			return nil, err
		case n > discoursejson.HeadPosts && len(got) < n && len(got) <= discoursejson.HeadPosts:
			// The server gives fewer at once than it was asked for; whatever is missing from small chunks is gone.
			size = discoursejson.HeadPosts
			continue
		}
		out = append(out, got...)
		ids = ids[n:]
	}
	return out, nil
}

func (r *reading) chunk(topic int64, ids []int64) ([]discoursejson.Post, error) {
	query := url.Values{}
	for _, id := range ids {
		query.Add("post_ids[]", strconv.FormatInt(id, 10))
	}
	return r.postsOf(topic, query)
}

// postsAfter reads the posts of a topic that follow a number, twenty or so.
func (r *reading) postsAfter(topic int64, number int) ([]discoursejson.Post, error) {
	return r.postsOf(topic, url.Values{"post_number": {strconv.Itoa(number)}, "asc": {"true"}})
}

func (r *reading) postsOf(topic int64, query url.Values) ([]discoursejson.Post, error) {
	var raw json.RawMessage
	if _, err := r.get("/t/"+strconv.FormatInt(topic, 10)+"/posts.json", query, &raw); err != nil {
		return nil, err
	}
	s, err := discoursejson.DecodePosts(raw)
	if err != nil {
		return nil, &badTopic{id: topic, err: err}
	}
	r.quarantine(s.Bad...)
	return s.Posts, nil
}

// postIDByNumber finds the id of a post of a topic; 0 where there is none (any more).
func (r *reading) postIDByNumber(topic int64, number int) (int64, error) {
	var p struct {
		ID int64 `json:"id"`
	}
	found, err := r.optional("/posts/by_number/"+strconv.FormatInt(topic, 10)+"/"+strconv.Itoa(number)+".json", nil, &p)
	if err != nil || !found {
		return 0, err
	}
	return p.ID, nil
}

// maxTries is how often a topic is tried, each time on another page, that gives errors while the forum answers.
const maxTries = 3

// troubled says whether an error is one topic's alone: the platform fails on it, and answers otherwise.
func (r *reading) troubled(err error) bool {
	e, ok := errors.AsType[*sdk.Error](err)
	return ok && e.Reason == sdk.PlatformError && !e.Permanent && r.ctx.Err() == nil && r.checkForumAnswers() == nil
}

// maxQuarantined bounds what a page reports; the rest would say the same.
const maxQuarantined = 100

func (r *reading) quarantine(q ...sdk.Quarantined) {
	room := max(maxQuarantined-len(r.page.Quarantined), 0)
	r.page.Quarantined = append(r.page.Quarantined, q[:min(len(q), room)]...)
}
