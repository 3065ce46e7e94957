// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"errors"
	"slices"
	"time"

	"github.com/kith-dev/kith/connectors/sdk"
)

const (
	// overlap is how many ids below the highest are looked at again: posts become visible out of the order of their
	// ids, because those are given before the posts are committed.
	overlap = 50
	// window is how many ids one request for older posts covers in every version of Discourse.
	window = 49
	// windowsPerPage bounds how far one page catches up.
	windowsPerPage = 10
	// fullPage is how many posts the least generous server gives at once: fewer are all that there are.
	fullPage = 20
)

// liveCursor is the position in what is new.
type liveCursor struct {
	V int `json:"v"`
	// Last is the highest post id that has been seen; Seen are the ids in the overlap below it, ascending.
	Last int64   `json:"last"`
	Seen []int64 `json:"seen,omitempty"`
	// Pending are topics with new posts that have not been read yet, and AsOf is what will be complete when they are
	// (zero while older posts are still to be listed).
	Pending []pendingTopic `json:"pending,omitempty"`
	AsOf    time.Time      `json:"asOf,omitzero"`
}

// pendingTopic is a topic and its new posts, ascending.
type pendingTopic struct {
	Topic int64   `json:"t"`
	Posts []int64 `json:"p"`
	// Tries is how often the platform has failed on it.
	Tries int `json:"x,omitempty"`
}

// live reads what is new since the cursor. The first call only notes where the forum stands: what is older belongs to
// the backfill.
//
// A page without pending topics begins with one request for the newest posts; idle polling costs no more. Topics with
// new posts are then read: in full where they are short, else at their head and the new posts. Listings of what exists
// are left to the sweep, which knows in which order moved posts must be looked at.
func (r *reading) live(raw sdk.Cursor) (sdk.Page, error) {
	cur := liveCursor{V: cursorVersion}
	fresh, err := decodeCursor(raw, &cur)
	if err != nil {
		return sdk.Page{}, err
	}
	if fresh {
		return r.liveStart()
	}
	if len(cur.Pending) == 0 {
		if err := r.listNew(&cur); err != nil {
			return sdk.Page{}, err
		}
	}
	progress, err := r.readPending(&cur)
	if err != nil {
		if err := r.interrupted(err, progress); err != nil {
			return sdk.Page{}, err
		}
	}
	if len(cur.Pending) > 0 {
		r.page.More = true
	} else if cur.AsOf.IsZero() {
		r.page.More = r.behind
	} else {
		r.page.CompleteThrough, cur.AsOf = cur.AsOf, time.Time{}
	}
	r.page.Next = encodeCursor(cur)
	return r.page, nil
}

func (r *reading) liveStart() (sdk.Page, error) {
	posts, resp, err := r.latestPosts(0)
	if err != nil {
		return sdk.Page{}, err
	}
	cur := liveCursor{V: cursorVersion}
	for _, p := range posts {
		cur.Last = max(cur.Last, p.ID)
	}
	for _, p := range posts {
		cur.Seen = append(cur.Seen, p.ID)
	}
	cur.trim()
	return sdk.Page{Next: encodeCursor(cur), CompleteThrough: asOf(resp)}, nil
}

// trim keeps of Seen what lies in the overlap, ascending and once each.
func (c *liveCursor) trim() {
	c.Seen = slices.DeleteFunc(c.Seen, func(id int64) bool { return id <= c.Last-overlap || id > c.Last })
	slices.Sort(c.Seen)
	c.Seen = slices.Compact(c.Seen)
}

// listNew finds the posts after the cursor and notes their topics as pending. Ids are walked upwards, so that however
// much is new, each page takes up where the last one ended.
func (r *reading) listNew(cur *liveCursor) error {
	newest, resp, err := r.latestPosts(0)
	if err != nil {
		return err
	}
	found := map[int64]latestPost{}
	note := func(posts []latestPost) {
		for _, p := range posts {
			if p.ID > cur.Last-overlap && !slices.Contains(cur.Seen, p.ID) {
				found[p.ID] = p
			}
		}
	}
	note(newest)
	lowest, highest := span(newest)
	from := cur.Last - overlap
	if len(found) > 0 && lowest > from+1 {
		// The newest do not reach down to what has been seen: fill in what lies between.
		for n := 0; from+1 < lowest && n < windowsPerPage; n++ {
			posts, err := r.postsBetween(from, from+window)
			if err != nil {
				return err
			}
			note(posts)
			from += window
		}
		if from+1 < lowest {
			r.behind = true
			return r.notePending(cur, found, max(cur.Last, from))
		}
	}
	cur.AsOf = asOf(resp)
	return r.notePending(cur, found, max(cur.Last, highest))
}

// span is the lowest and highest id; 0 and 0 for none.
func span(posts []latestPost) (lowest, highest int64) {
	for i, p := range posts {
		if i == 0 || p.ID < lowest {
			lowest = p.ID
		}
		highest = max(highest, p.ID)
	}
	return lowest, highest
}

// postsBetween lists the posts with ids in (from, to], whatever the server thinks a page is.
func (r *reading) postsBetween(from, to int64) ([]latestPost, error) {
	var all []latestPost
	for before := to + 1; before > from+1; {
		posts, _, err := r.latestPosts(before)
		if err != nil {
			return nil, err
		}
		for _, p := range posts {
			if p.ID > from && p.ID <= to {
				all = append(all, p)
			}
		}
		lowest, _ := span(posts)
		if len(posts) < fullPage || lowest >= before {
			break
		}
		before = lowest
	}
	return all, nil
}

// notePending groups new posts by topic, in the order of their first post. Rooms that are not read cost no request.
func (r *reading) notePending(cur *liveCursor, found map[int64]latestPost, through int64) error {
	ids := make([]int64, 0, len(found))
	for id := range found {
		if id <= through {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	cur.Last = through
	cur.Seen = append(cur.Seen, ids...)
	cur.trim()
	if len(ids) == 0 {
		return nil
	}
	d, err := r.directory()
	if err != nil {
		return err
	}
	at := map[int64]int{}
	for _, id := range ids {
		p := found[id]
		if p.TopicID <= 0 || (p.CategoryID != nil && !r.reads(d, p.CategoryID)) {
			continue
		}
		i, ok := at[p.TopicID]
		if !ok {
			i = len(cur.Pending)
			at[p.TopicID] = i
			cur.Pending = append(cur.Pending, pendingTopic{Topic: p.TopicID})
		}
		cur.Pending[i].Posts = append(cur.Pending[i].Posts, id)
	}
	return nil
}

// readPending reads pending topics while the page takes them. Progress is whether any has been read.
func (r *reading) readPending(cur *liveCursor) (progress bool, err error) {
	for n := 0; len(cur.Pending) > 0 && n < pageTopics; n++ {
		p := &cur.Pending[0]
		out, err := r.addTopic(p.Topic, want{fresh: p.Posts, gone: true})
		if errors.Is(err, errPageFull) {
			return true, nil
		}
		if err != nil && r.troubled(err) {
			again := *p
			again.Tries++
			cur.Pending = cur.Pending[1:]
			if again.Tries < maxTries {
				cur.Pending = append(cur.Pending, again)
				return true, nil
			}
			r.setAside(again.Topic, errTroubled)
			progress = true
			continue
		}
		if err != nil {
			return progress, err
		}
		progress = true
		if out.anchor != 0 {
			p.Posts = after(p.Posts, out.anchor)
			if len(p.Posts) > 0 {
				return true, nil
			}
		}
		cur.Pending = cur.Pending[1:]
	}
	return progress, nil
}

// after gives the posts behind an anchor: ids ascend in a topic, but for posts that were moved into it, which the
// overlap of the sweep finds.
func after(posts []int64, anchor int64) []int64 {
	i, found := slices.BinarySearch(posts, anchor)
	if found {
		i++
	}
	return posts[i:]
}
