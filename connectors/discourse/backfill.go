// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/sdk"
)

const (
	// listingsPerPage bounds the requests of a page that finds nothing to read.
	listingsPerPage = 10
	// maxStepsBack bounds how far back a listing is looked at for an overlap with what was read.
	maxStepsBack = 5
	// maxPasses bounds how often topics that moved up meanwhile are looked for again.
	maxPasses = 4
	// restOfForum is the source after the last category: topics in no category that the forum shows.
	restOfForum = -1
)

// backfillCursor is the position in history. A pass goes through the categories in the order of their numbers and then
// through the whole forum for what is in none of them, each by latest activity. Passes after the first read what has
// become active since the pass before began: such topics move up in the listings and could be missed.
type backfillCursor struct {
	V int `json:"v"`
	// Since is the horizon of this history; zero means everything. Covered is the horizon of an earlier one.
	Since    time.Time `json:"since,omitzero"`
	Covered  time.Time `json:"covered,omitzero"`
	Finished bool      `json:"finished,omitempty"`
	// Members is the next page of the member directory; -1 when it is done or not shown.
	Members int `json:"members,omitempty"`
	// Pass, the time when it Began by the platform's clock, the activity at which it Stops, and whether it Found any.
	Pass  int       `json:"pass,omitempty"`
	Began time.Time `json:"began,omitzero"`
	Stop  time.Time `json:"stop,omitzero"`
	Found bool      `json:"found,omitempty"`
	// Source is a category's number, restOfForum, or 0 before the first; End is set when all of it has been listed.
	Source int64 `json:"source,omitempty"`
	End    bool  `json:"end,omitempty"`
	// Page is the next page of the source's listing. Edge is the activity down to which it has been listed, At are the
	// listed topics of exactly that time, and Stuck those that are pinned, whatever their time.
	Page  int       `json:"page,omitempty"`
	Edge  time.Time `json:"edge,omitzero"`
	At    []int64   `json:"at,omitempty"`
	Stuck []int64   `json:"stuck,omitempty"`
	// Queue are listed topics to be read; Anchor is the last post of the first of them that has been read.
	Queue  []queuedTopic `json:"queue,omitempty"`
	Anchor int64         `json:"anchor,omitempty"`
	// Done and Total count topics for progress.
	Done  int64 `json:"done,omitempty"`
	Total int64 `json:"total,omitempty"`
}

// queuedTopic is a topic to be read and how many posts its listing promised.
type queuedTopic struct {
	ID    int64 `json:"i"`
	Posts int   `json:"n"`
	// Tries is how often the platform has failed on it.
	Tries int `json:"x,omitempty"`
}

// backfill reads history down to the horizon.
func (r *reading) backfill(raw sdk.Cursor) (sdk.Page, error) {
	cur := backfillCursor{V: cursorVersion}
	fresh, err := decodeCursor(raw, &cur)
	if err != nil {
		return sdk.Page{}, err
	}
	switch {
	case fresh:
		cur.Since, cur.Stop = r.c.since, r.c.since
	case cur.Finished && r.widened(cur.Since):
		cur = backfillCursor{V: cursorVersion, Since: r.c.since, Stop: r.c.since, Covered: cur.Since, Members: -1}
	}
	if !cur.Finished {
		progress, err := r.history(&cur)
		if err != nil {
			if err := r.interrupted(err, progress); err != nil {
				return sdk.Page{}, err
			}
		}
		r.page.More = !cur.Finished
	}
	r.page.FromBeginning = cur.Finished && cur.Since.IsZero()
	r.page.Progress = sdk.Progress{Done: cur.Done, Total: max(cur.Total, cur.Done), Unit: "topics"}
	if cur.Total == 0 && !cur.Finished {
		r.page.Progress.Total = 0
	}
	r.page.Next = encodeCursor(cur)
	return r.page, nil
}

// widened says whether the channel's horizon now lies before the one that was read.
func (r *reading) widened(covered time.Time) bool {
	return !covered.IsZero() && r.c.since.Before(covered)
}

// history makes one page's steps: members first, then listing and reading in turn.
func (r *reading) history(cur *backfillCursor) (progress bool, err error) {
	if cur.Members >= 0 {
		return r.addMembers(cur)
	}
	for topics, listings := 0, 0; !cur.Finished && topics < pageTopics && listings < listingsPerPage; {
		switch {
		case len(cur.Queue) > 0:
			full, err := r.readQueued(cur)
			if err != nil || full {
				return progress || full, err
			}
			topics++
		case cur.Source == 0 || cur.End:
			if err := r.nextSource(cur); err != nil {
				return progress, err
			}
		default:
			if err := r.listSource(cur); err != nil {
				return progress, err
			}
			listings++
		}
		progress = true
	}
	return progress, nil
}

// readQueued reads the first queued topic. Full is whether the page takes no more.
func (r *reading) readQueued(cur *backfillCursor) (full bool, err error) {
	q := cur.Queue[0]
	if n := len(r.page.Observations); n > 0 && cur.Anchor == 0 && n+q.Posts+2 > event.MaxObservations {
		return true, nil
	}
	out, err := r.addTopic(q.ID, want{anchor: cur.Anchor, listing: true})
	if errors.Is(err, errPageFull) {
		return true, nil
	}
	if err != nil && r.troubled(err) {
		q.Tries++
		cur.Queue, cur.Anchor = cur.Queue[1:], 0
		if q.Tries < maxTries {
			cur.Queue = append(cur.Queue, q)
			return true, nil
		}
		r.setAside(q.ID, errTroubled)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if cur.Anchor = out.anchor; cur.Anchor != 0 {
		return true, nil
	}
	cur.Queue = cur.Queue[1:]
	if cur.Pass == 0 {
		cur.Done++
	}
	return false, nil
}

// nextSource goes on to the next category, the rest of the forum, or the next pass.
func (r *reading) nextSource(cur *backfillCursor) error {
	d, err := r.directory()
	if err != nil {
		return err
	}
	last := cur.Source
	cur.Page, cur.Edge, cur.At, cur.Stuck, cur.End = 0, time.Time{}, nil, nil, false
	if last == restOfForum {
		cur.nextPass()
		return nil
	}
	rooms := d.Readable(r.c.roomSpec)
	if last == 0 && cur.Pass == 0 && cur.Since.IsZero() {
		for _, c := range rooms {
			cur.Total += c.Topics
		}
	}
	for _, c := range rooms {
		if c.ID > last {
			cur.Source = c.ID
			return nil
		}
	}
	cur.Source = restOfForum
	return nil
}

// nextPass finishes the history, or begins a pass for what has moved up since the last one began.
func (c *backfillCursor) nextPass() {
	again := c.Pass == 0 || c.Found
	if c.Began.IsZero() || !again || c.Pass+1 >= maxPasses {
		*c = backfillCursor{V: c.V, Since: c.Since, Finished: true, Members: -1, Done: c.Done, Total: c.Done}
		return
	}
	c.Pass, c.Stop, c.Began, c.Found, c.Source = c.Pass+1, c.Began, time.Time{}, false, 0
}

// listSource lists the next page of the source and queues what is to be read.
//
// A listing moves while it is read: what becomes active goes up (the next pass reads it), and what is removed lets the
// rest move up, from the page that comes next to one that has been listed. So each page is read together with the one
// before it, further back if need be, until an entry shows up that has been listed: nothing lies between.
func (r *reading) listSource(cur *backfillCursor) error {
	d, err := r.directory()
	if err != nil {
		return err
	}
	var category *discoursejson.Room
	if cur.Source != restOfForum {
		room, ok := d.Rooms[cur.Source]
		if !ok {
			cur.End = true // The category has gone meanwhile.
			return nil
		}
		category = &room
	}
	l, err := r.topics(category, cur.Page)
	if category != nil && (isStatus(err, 403, 404, 410)) {
		if err := r.checkForumAnswers(); err != nil {
			return err
		}
		cur.End = true
		return nil
	}
	if err != nil {
		return err
	}
	if cur.Began.IsZero() {
		cur.Began = l.asOf
	}
	entries := l.topics
	for back := 1; back <= maxStepsBack && back <= cur.Page; back++ {
		earlier, err := r.topics(category, cur.Page-back)
		if err != nil {
			return err
		}
		entries = append(earlier.topics, entries...)
		if overlaps(earlier.topics, cur.Edge) {
			break
		}
	}
	done := r.queue(cur, d, category, entries)
	cur.Page++
	cur.End = done || !l.more
	return nil
}

// overlaps says whether a page holds an entry that has been listed before.
func overlaps(topics []listedTopic, edge time.Time) bool {
	return slices.ContainsFunc(topics, func(t listedTopic) bool { return !t.stuck() && !t.activity().Before(edge) })
}

// queue takes what lies below the edge, and moves the edge down. Done is whether the pass's end has been reached.
func (r *reading) queue(cur *backfillCursor, d *discoursejson.Directory, category *discoursejson.Room, entries []listedTopic) (done bool) {
	edge, taken := cur.Edge, map[int64]bool{}
	var fresh []*listedTopic
	for i := range entries {
		t := &entries[i]
		if taken[t.ID] || cur.listed(t) {
			continue
		}
		taken[t.ID] = true
		fresh = append(fresh, t)
		if !t.stuck() && (edge.IsZero() || t.activity().Before(edge)) {
			edge = t.activity()
		}
	}
	if !edge.Equal(cur.Edge) {
		cur.Edge, cur.At = edge, nil
	}
	for _, t := range fresh {
		switch {
		case t.stuck():
			cur.Stuck = append(cur.Stuck, t.ID)
		case t.activity().Equal(edge):
			cur.At = append(cur.At, t.ID)
		}
		if t.activity().Before(cur.Stop) {
			done = done || !t.stuck()
			continue
		}
		if r.queues(cur, d, category, t) {
			cur.Found = true
			cur.Queue = append(cur.Queue, queuedTopic{ID: t.ID, Posts: t.PostsCount})
		}
	}
	return done
}

// listed says whether an entry has been taken: it lies above the edge, or was met at it or pinned.
func (c *backfillCursor) listed(t *listedTopic) bool {
	if t.stuck() {
		return slices.Contains(c.Stuck, t.ID)
	}
	return slices.Contains(c.At, t.ID) || (!c.Edge.IsZero() && t.activity().After(c.Edge))
}

// queues says whether an entry is this source's to read. Categories show their subcategories' topics too, which come
// in their own turn.
func (r *reading) queues(cur *backfillCursor, d *discoursejson.Directory, category *discoursejson.Room, t *listedTopic) bool {
	switch {
	case t.Archetype == "private_message" || d.Definitions[t.ID]:
		return false
	case !cur.Covered.IsZero() && !t.CreatedAt.Before(cur.Covered):
		return false // Opened after the earlier horizon: read then, or live.
	case category != nil:
		return t.CategoryID != nil && *t.CategoryID == category.ID
	}
	if t.CategoryID != nil {
		if _, ok := d.Rooms[*t.CategoryID]; ok {
			return false
		}
	}
	return r.reads(d, t.CategoryID)
}

// directoryPagesPerPage bounds the requests for members on one page; Discourse lists fifty at once.
const directoryPagesPerPage = 8

// maxDirectoryPages bounds how much of a huge directory is read.
const maxDirectoryPages = 2000

// addMembers reads the member directory, where the forum shows it: who has contributed how much before Kith came.
func (r *reading) addMembers(cur *backfillCursor) (progress bool, err error) {
	for range directoryPagesPerPage {
		members, more, err := r.members(cur.Members)
		if err != nil {
			return progress, err
		}
		progress = true
		for _, m := range members {
			r.add(event.Observation{Member: m})
		}
		if cur.Members++; !more || cur.Members >= maxDirectoryPages {
			cur.Members = -1
			break
		}
	}
	return progress, nil
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }
