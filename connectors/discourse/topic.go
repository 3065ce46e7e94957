// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Bounds of one page: texts stay well below event.MaxPageBytes once they are encoded, and a page never takes so many
// requests that a slow forum gives none for minutes.
const (
	pageTextBytes = 4 << 20
	pageTopics    = 40
)

// errPageFull says that a topic does not fit any more and comes first on the next page.
var errPageFull = errors.New("the page is full")

// errTroubled is why a topic is set aside that the platform fails on.
var errTroubled = errors.New("the platform gives errors for it, and answers otherwise; it is looked at again when something changes in it")

// want says how a topic is read.
type want struct {
	// anchor is the last post of the topic that an earlier page has; 0: from its beginning.
	anchor int64
	// fresh are the new posts that made the topic be read. Long topics are then read at these only; nil: all of it.
	fresh []int64
	// listing adds what exists, so that the hub can conclude removals; atEnd puts it behind all else on the page.
	listing, atEnd bool
	// gone adds a removed thread where the topic does not answer, or has left the rooms that are read (with fresh, it
	// may never have been in them).
	gone bool
}

// outcome of reading a topic.
type outcome struct {
	// anchor is where the next page goes on; 0: the topic has been read to its end.
	anchor int64
	// gone is whether the topic is not there or not to be read.
	gone bool
}

// addTopic reads a topic into the page. It returns errPageFull before it has added anything.
func (r *reading) addTopic(id int64, w want) (outcome, error) {
	t, at, err := r.topic(id)
	if bad, ok := errors.AsType[*badTopic](err); ok {
		r.setAside(id, bad.err)
		return outcome{}, nil
	}
	if errors.Is(err, sdk.ErrTooLarge) {
		r.setAside(id, errors.New("its first answer is larger than an answer may be"))
		return outcome{}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	d, err := r.directory()
	if err != nil {
		return outcome{}, err
	}
	if t == nil || !r.admits(d, t) {
		if w.gone && (t == nil || w.fresh == nil) {
			r.add(discoursejson.GoneThread(id))
		}
		return outcome{gone: true}, nil
	}
	o := discoursejson.Options{Base: r.c.base, Room: d.Room, AsOf: at, Whispers: r.c.settings.Whispers}
	add := r.addPosts
	if len(t.PostStream.Stream) == 0 && t.PostsCount > len(t.PostStream.Posts) && w.fresh == nil {
		add = r.addByNumber
	}
	out, err := add(t, w, o)
	if bad, ok := errors.AsType[*badTopic](err); ok {
		r.setAside(id, bad.err)
		return outcome{}, nil
	}
	return out, err
}

func (r *reading) setAside(id int64, err error) {
	r.quarantine(sdk.Quarantined{Kind: "topic", ID: strconv.FormatInt(id, 10), Reason: err.Error()})
}

// admits: no private messages, no category descriptions, only the rooms that are to be read.
func (r *reading) admits(d *discoursejson.Directory, t *discoursejson.Topic) bool {
	return t.Archetype != "private_message" && !d.Definitions[t.ID] && r.reads(d, t.CategoryID)
}

func (r *reading) addPosts(t *discoursejson.Topic, w want, o discoursejson.Options) (outcome, error) {
	ids := t.IDs()
	start := 0
	if w.anchor != 0 {
		// Where the anchor has gone meanwhile the topic is read again from its start: twice is harmless.
		start = slices.Index(ids, w.anchor) + 1
	}
	whole := ids[start:]
	if w.fresh != nil && max(len(ids), t.PostsCount) > discoursejson.HeadPosts+r.c.settings.PostsPerRequest {
		var err error
		if whole, err = r.freshOnly(t, ids, w.fresh); err != nil {
			return outcome{}, err
		}
	}
	left := r.left()
	if left < 1 || (len(whole) > left && len(r.page.Observations) > 0) {
		return outcome{}, errPageFull
	}
	block := whole[:min(len(whole), left)]
	posts, err := r.fill(t, block)
	if err != nil {
		return outcome{}, err
	}
	block, posts, err = r.fit(block, posts)
	if err != nil {
		return outcome{}, err
	}
	parents, err := r.parents(t, posts, len(block) == len(ids))
	if err != nil {
		return outcome{}, err
	}
	if start == 0 {
		r.add(discoursejson.ThreadOf(t, o))
	}
	messages, bad := discoursejson.MessagesOf(t, posts, parents, o)
	r.quarantine(t.PostStream.Bad...)
	r.quarantine(bad...)
	r.add(messages...)
	if len(block) < len(whole) {
		return outcome{anchor: block[len(block)-1]}, nil
	}
	if w.listing {
		if l, ok := discoursejson.ListingOf(t, o); ok && w.atEnd {
			r.last = append(r.last, l)
		} else if ok {
			r.add(l)
		}
	}
	return outcome{}, nil
}

// left is how many posts the page still takes beside a thread and its listing.
func (r *reading) left() int {
	return event.MaxObservations - len(r.page.Observations) - len(r.last) - 2
}

// addByNumber reads a topic so long (ten thousand posts) that the forum does not list its ids: by the numbers of its
// posts, on pages of its own. Anchors are numbers then, below zero to tell them from ids. Such a topic has no listing.
func (r *reading) addByNumber(t *discoursejson.Topic, w want, o discoursejson.Options) (outcome, error) {
	if len(r.page.Observations) > 0 {
		return outcome{}, errPageFull
	}
	last := int(max(-w.anchor, 0))
	first := last == 0
	var posts []discoursejson.Post
	size := 0
	for more := true; more && len(posts)+discoursejson.HeadPosts <= r.left() && size < pageTextBytes; {
		chunk, err := r.postsAfter(t.ID, last)
		if err != nil {
			return outcome{}, err
		}
		more = false
		for _, p := range chunk {
			if p.PostNumber > last {
				more, last = true, p.PostNumber
			}
			size += min(len(p.Cooked), event.MaxText)
		}
		posts = append(posts, chunk...)
		if !more {
			last = 0
		}
	}
	parents, err := r.parents(t, posts, false)
	if err != nil {
		return outcome{}, err
	}
	if first {
		r.add(discoursejson.ThreadOf(t, o))
	}
	messages, bad := discoursejson.MessagesOf(t, posts, parents, o)
	r.quarantine(bad...)
	r.add(messages...)
	return outcome{anchor: int64(-last)}, nil
}

// freshOnly chooses what is read of a long topic when posts are new in it: its head, the new posts, and the accepted
// answer, which may have been chosen meanwhile. The sweep reads the rest.
func (r *reading) freshOnly(t *discoursejson.Topic, ids, fresh []int64) ([]int64, error) {
	chosen := make(map[int64]bool, len(fresh)+discoursejson.HeadPosts)
	for i := range t.PostStream.Posts {
		chosen[t.PostStream.Posts[i].ID] = true
	}
	for _, id := range fresh {
		chosen[id] = true
	}
	if n := t.AcceptedAnswer.PostNumber; n > discoursejson.HeadPosts {
		id, err := r.postIDByNumber(t.ID, n)
		if err != nil {
			return nil, err
		}
		if id != 0 {
			chosen[id] = true
		}
	}
	if len(t.PostStream.Stream) == 0 {
		return slices.Sorted(maps.Keys(chosen)), nil
	}
	var out []int64
	for _, id := range ids {
		if chosen[id] {
			out = append(out, id)
		}
	}
	return out, nil
}

// fill gives the posts with these ids: those that came with the topic, and the others by request.
func (r *reading) fill(t *discoursejson.Topic, ids []int64) ([]discoursejson.Post, error) {
	head := make(map[int64]discoursejson.Post, len(t.PostStream.Posts))
	for _, p := range t.PostStream.Posts {
		head[p.ID] = p
	}
	var (
		out     []discoursejson.Post
		missing []int64
	)
	for _, id := range ids {
		if p, ok := head[id]; ok {
			out = append(out, p)
			continue
		}
		missing = append(missing, id)
	}
	if len(missing) == 0 {
		return out, nil
	}
	rest, err := r.posts(t.ID, missing)
	return append(out, rest...), err
}

// fit cuts a block to the bytes that the page still takes, at least to one post on a page of its own.
func (r *reading) fit(block []int64, posts []discoursejson.Post) ([]int64, []discoursejson.Post, error) {
	size := make(map[int64]int, len(posts))
	total := 0
	for i := range posts {
		n := min(len(posts[i].Cooked), event.MaxText)
		size[posts[i].ID], total = n, total+n
	}
	if r.bytes+total <= pageTextBytes {
		return block, posts, nil
	}
	if len(r.page.Observations) > 0 {
		return nil, nil, errPageFull
	}
	taken := 0
	for i, id := range block {
		taken += size[id]
		if taken > pageTextBytes && i > 0 {
			block = block[:i]
			break
		}
	}
	kept := slices.DeleteFunc(posts, func(p discoursejson.Post) bool { return !slices.Contains(block, p.ID) })
	return block, kept, nil
}

// parents resolves what posts reply to. All is at hand where the whole topic is; else the others are asked for, so that
// what is said of a post does not depend on the page that it comes on.
func (r *reading) parents(t *discoursejson.Topic, posts []discoursejson.Post, whole bool) (map[int]int64, error) {
	parents := discoursejson.ParentsIn(posts)
	for _, p := range t.PostStream.Posts {
		parents[p.PostNumber] = p.ID
	}
	if whole {
		return parents, nil
	}
	for i := range posts {
		to := posts[i].ReplyToPostNumber
		if to == nil {
			continue
		}
		if _, ok := parents[*to]; ok {
			continue
		}
		id, err := r.postIDByNumber(t.ID, *to)
		if err != nil {
			return nil, err
		}
		parents[*to] = id
	}
	for number, id := range parents {
		if id == 0 {
			delete(parents, number)
		}
	}
	return parents, nil
}

func (r *reading) add(obs ...event.Observation) {
	for _, o := range obs {
		if o.Message != nil {
			r.bytes += len(o.Message.Text)
		}
	}
	r.page.Observations = append(r.page.Observations, obs...)
}

// interrupted decides what an error in the middle of a page means: what has been read before is given first, and the
// next call meets the error at once. A cancelled call gives nothing.
func (r *reading) interrupted(err error, progress bool) error {
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	if !progress {
		return err
	}
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		r.page.Wait = e.RetryAfter
	}
	r.page.More = true
	return nil
}

// clockOf is the platform's time, or the reader's where the platform shows none.
func (r *reading) clockOf(t time.Time) time.Time {
	if t.IsZero() {
		return r.c.now().UTC()
	}
	return t
}
