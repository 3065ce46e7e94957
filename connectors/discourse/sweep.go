// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/sdk"
)

const (
	// maxKnown bounds the topics that a sweep keeps in its cursor; those with the latest activity stay.
	maxKnown = 1000
	// recentPages bounds how many pages of the listing a pass looks through for changes.
	recentPages = 3
	// firstPages bounds how many pages of the listing one page of the first pass notes.
	firstPages = 10
)

// sweepCursor is the position in looking again. The first pass only notes how recent topics are listed. Each later one
// reads the topics whose listing differs, and some of the others in turn: an edit shows in no listing.
type sweepCursor struct {
	V int `json:"v"`
	// First is the next page of the listing for the first pass; -1 when that is done.
	First int `json:"first,omitempty"`
	// Known are the topics with activity in the window, in the order of their ids.
	Known []knownTopic `json:"known,omitempty"`
	// Turn is the last topic that was looked at in its turn.
	Turn int64 `json:"turn,omitempty"`
	// Queue are the topics to be read in this pass; Anchor as in the backfill.
	Queue  []int64 `json:"queue,omitempty"`
	Anchor int64   `json:"anchor,omitempty"`
	// Done and Total count the topics of this pass.
	Done  int `json:"done,omitempty"`
	Total int `json:"total,omitempty"`
}

// knownTopic is how a topic was listed, written as [id, print, posts, activity] to keep cursors small.
type knownTopic struct {
	id       int64
	print    uint32
	posts    int64
	activity int64
}

// MarshalJSON writes four numbers.
func (k knownTopic) MarshalJSON() ([]byte, error) {
	return json.Marshal([4]int64{k.id, int64(k.print), k.posts, k.activity})
}

// UnmarshalJSON reads four numbers.
func (k *knownTopic) UnmarshalJSON(b []byte) error {
	var n [4]int64
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*k = knownTopic{id: n[0], print: uint32(n[1]), posts: n[2], activity: n[3]}
	return nil
}

func noted(t *listedTopic) knownTopic {
	category, accepted := int64(0), false
	if t.CategoryID != nil {
		category = *t.CategoryID
	}
	if t.HasAcceptedAnswer != nil {
		accepted = *t.HasAcceptedAnswer
	}
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, t.Title, t.PostsCount, t.HighestPostNumber, t.LikeCount, t.LastPostedAt.UnixMilli(), t.BumpedAt.UnixMilli(),
		t.Closed, t.Archived, t.Visible, t.Pinned, t.PinnedGlobally, category, accepted)
	return knownTopic{id: t.ID, print: h.Sum32(), posts: int64(t.PostsCount), activity: t.activity().Unix()}
}

// sweep looks again at what has been read. A pass ends with More false.
func (r *reading) sweep(raw sdk.Cursor) (sdk.Page, error) {
	cur := sweepCursor{V: cursorVersion}
	if _, err := decodeCursor(raw, &cur); err != nil {
		return sdk.Page{}, err
	}
	progress := false
	var err error
	switch {
	case cur.First >= 0:
		progress, err = r.firstPass(&cur)
		r.page.More = cur.First >= 0
	case len(cur.Queue) == 0:
		if err = r.listChanges(&cur); err == nil {
			progress, err = r.readChanges(&cur)
		}
	default:
		progress, err = r.readChanges(&cur)
	}
	if err != nil {
		if err := r.interrupted(err, progress); err != nil {
			return sdk.Page{}, err
		}
	}
	r.add(r.last...)
	r.page.More = r.page.More || len(cur.Queue) > 0
	r.page.Progress = sdk.Progress{Done: int64(cur.Done), Total: int64(cur.Total), Unit: "topics"}
	r.page.Next = encodeCursor(cur)
	return r.page, nil
}

// firstPass notes how the topics in the window are listed, and reads none: the backfill does.
func (r *reading) firstPass(cur *sweepCursor) (progress bool, err error) {
	d, err := r.directory()
	if err != nil {
		return false, err
	}
	for range firstPages {
		l, err := r.topics(nil, cur.First)
		if err != nil {
			return progress, err
		}
		progress = true
		horizon := r.horizon(l.asOf)
		for i := range l.topics {
			if r.sweeps(d, &l.topics[i], horizon) {
				cur.note(noted(&l.topics[i]))
			}
		}
		cur.First++
		if !l.more || len(cur.Known) >= maxKnown || allBefore(l.topics, horizon) {
			cur.First = -1
			cur.forget(horizon)
			return true, nil
		}
	}
	return true, nil
}

// horizon is how far back the window reaches, and never before the history that is read at all.
func (r *reading) horizon(at time.Time) time.Time {
	h := r.clockOf(at).Add(-r.c.settings.SweepWindow)
	if r.c.since.After(h) {
		return r.c.since
	}
	return h
}

func (r *reading) sweeps(d *discoursejson.Directory, t *listedTopic, horizon time.Time) bool {
	return !t.activity().Before(horizon) && t.Archetype != "private_message" && !d.Definitions[t.ID] && r.reads(d, t.CategoryID)
}

func allBefore(topics []listedTopic, t time.Time) bool {
	return !slices.ContainsFunc(topics, func(l listedTopic) bool { return !l.stuck() && !l.activity().Before(t) })
}

// listChanges begins a pass: topics whose listing differs from what is noted, then those whose turn it is.
//
// Topics that have gained posts come first, and listings last on each page: posts that were moved are seen in their new
// topic before they are missing from the old one, and are not taken for removed.
func (r *reading) listChanges(cur *sweepCursor) error {
	d, err := r.directory()
	if err != nil {
		return err
	}
	var gained, rest []int64
	var horizon time.Time
	for page := range recentPages {
		l, err := r.topics(nil, page)
		if err != nil {
			return err
		}
		horizon = r.horizon(l.asOf)
		changed := false
		for i := range l.topics {
			t := &l.topics[i]
			if !r.sweeps(d, t, horizon) {
				continue
			}
			now := noted(t)
			before, known := cur.find(t.ID)
			if known && before.print == now.print {
				continue
			}
			changed = true
			if known && now.posts <= before.posts {
				rest = append(rest, t.ID)
			} else {
				gained = append(gained, t.ID)
			}
			cur.note(now)
		}
		if !changed || !l.more {
			break
		}
	}
	cur.forget(horizon)
	cur.Queue = nil
	for _, id := range append(gained, cur.inTurn(r.c.settings.SweepTopics)...) {
		if !slices.Contains(cur.Queue, id) && !slices.Contains(rest, id) {
			cur.Queue = append(cur.Queue, id)
		}
	}
	cur.Queue = append(cur.Queue, rest...)
	cur.Done, cur.Total, cur.Anchor = 0, len(cur.Queue), 0
	return nil
}

// readChanges reads queued topics while the page takes them.
func (r *reading) readChanges(cur *sweepCursor) (progress bool, err error) {
	for n := 0; len(cur.Queue) > 0 && n < pageTopics; n++ {
		id := cur.Queue[0]
		out, err := r.addTopic(id, want{anchor: cur.Anchor, listing: true, atEnd: true, gone: true})
		if errors.Is(err, errPageFull) {
			return true, nil
		}
		if err != nil && r.troubled(err) {
			// Its turn comes again.
			r.setAside(id, errTroubled)
			cur.Queue, cur.Anchor, progress = cur.Queue[1:], 0, true
			continue
		}
		if err != nil {
			return progress, err
		}
		progress = true
		if cur.Anchor = out.anchor; cur.Anchor != 0 {
			return true, nil
		}
		if out.gone {
			cur.drop(id)
		}
		cur.Queue = cur.Queue[1:]
		cur.Done++
	}
	return progress, nil
}

func byID(k knownTopic, id int64) int { return cmp.Compare(k.id, id) }

func (c *sweepCursor) find(id int64) (knownTopic, bool) {
	i, ok := slices.BinarySearchFunc(c.Known, id, byID)
	if !ok {
		return knownTopic{}, false
	}
	return c.Known[i], true
}

func (c *sweepCursor) note(k knownTopic) {
	i, ok := slices.BinarySearchFunc(c.Known, k.id, byID)
	if ok {
		c.Known[i] = k
		return
	}
	c.Known = slices.Insert(c.Known, i, k)
}

func (c *sweepCursor) drop(id int64) {
	if i, ok := slices.BinarySearchFunc(c.Known, id, byID); ok {
		c.Known = slices.Delete(c.Known, i, i+1)
	}
}

// forget drops what has left the window, and the least active where there are too many.
func (c *sweepCursor) forget(horizon time.Time) {
	c.Known = slices.DeleteFunc(c.Known, func(k knownTopic) bool { return k.activity < horizon.Unix() })
	if len(c.Known) <= maxKnown {
		return
	}
	slices.SortFunc(c.Known, func(a, b knownTopic) int { return cmp.Or(cmp.Compare(b.activity, a.activity), cmp.Compare(a.id, b.id)) })
	c.Known = slices.Clone(c.Known[:maxKnown])
	slices.SortFunc(c.Known, func(a, b knownTopic) int { return cmp.Compare(a.id, b.id) })
}

// inTurn gives the next n known topics behind the last one whose turn it was, from the start again at the end.
func (c *sweepCursor) inTurn(n int) []int64 {
	n = min(n, len(c.Known))
	i, found := slices.BinarySearchFunc(c.Known, c.Turn, byID)
	if found {
		i++
	}
	ids := make([]int64, 0, n)
	for k := range n {
		ids = append(ids, c.Known[(i+k)%len(c.Known)].id)
	}
	if n > 0 {
		c.Turn = ids[n-1]
	}
	return ids
}
