// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kith-dev/kith/connectors/sdk"
)

// readLive makes one step of a pass: the document, or one comments feed.
func (c *Connector) readLive(ctx context.Context, cursor sdk.Cursor) (sdk.Page, error) {
	var pos livePosition
	if err := decode(cursor, &pos); err != nil {
		return sdk.Page{}, err
	}
	if pos.Version == 0 {
		pos = livePosition{Version: cursorVersion, Stock: true}
	}
	if pos.Known == nil {
		pos.Known = map[string]known{}
	}
	p := &livePass{Connector: c, pos: pos}
	var err error
	if len(pos.Queue) > 0 {
		err = p.comments(ctx)
	} else {
		err = p.document(ctx)
	}
	if err != nil {
		return sdk.Page{}, err
	}
	return p.page()
}

// livePass is one step of a pass.
type livePass struct {
	*Connector
	pos livePosition
	out budget
	bad []sdk.Quarantined
	// more is set where the step has left something of its document.
	more bool
}

// page ends the step, and the pass where nothing is left.
func (p *livePass) page() (sdk.Page, error) {
	page := sdk.Page{Observations: p.out.observations, Quarantined: p.bad, More: p.more || len(p.pos.Queue) > 0}
	if !page.More {
		page.CompleteThrough = p.pos.AsOf
		if p.pos.Gap {
			// Not all of the documents have been looked at for comments: have the feed given again.
			p.pos.ETag, p.pos.Last = "", ""
		}
		p.pos.AsOf, p.pos.Stock, p.pos.Gap, p.pos.Follow, p.pos.Hops = time.Time{}, false, false, "", 0
		for k, was := range p.pos.Known {
			was.New = false
			p.pos.Known[k] = was
		}
	}
	next, err := json.Marshal(p.pos)
	page.Next = next
	return page, err
}

// document reads the feed, or after a gap an older document of it.
func (p *livePass) document(ctx context.Context) error {
	fresh := p.pos.AsOf.IsZero()
	address, cond := p.address(), condition{}
	if fresh {
		cond = condition{etag: p.pos.ETag, modified: p.pos.Last}
	}
	d, err := p.fetch(ctx, address, cond)
	if err != nil {
		return err
	}
	if fresh {
		p.pos.AsOf = d.served
	}
	if p.pos.Follow == "" && d.movedTo != "" && sdk.ScrubURL(d.movedTo) == d.movedTo {
		// An address that holds a token is not stored: the redirection is followed each time instead.
		p.pos.URL = bounded(d.movedTo, maxAddress)
	}
	if d.unchanged {
		p.look(nil)
		return nil
	}
	if fresh && p.begin(d) {
		p.more = true
		return nil
	}
	if !p.give(d) {
		p.more = true
		return nil
	}
	if p.pos.Follow == "" {
		p.pos.ETag, p.pos.Last = d.cond.etag, d.cond.modified
	}
	if p.pos.Gap && !p.overlaps(d) {
		if next := p.older(d); next != "" {
			p.pos.Follow, p.more = next, true
			p.pos.Hops++
			return nil
		}
		p.bad = append(p.bad, sdk.Quarantined{Kind: "feed", ID: p.instance(), Reason: "it shows nothing that was known: it shows too few items, and some may have been missed"})
	}
	p.look(d)
	return nil
}

func (p *livePass) address() string {
	switch {
	case p.pos.Follow != "":
		return p.pos.Follow
	case p.pos.URL != "":
		return p.pos.URL
	}
	return p.cfg.URL
}

// begin prepares a pass over a document. It is true where the time must be put into the cursor first, because something
// new has no date of its own.
func (p *livePass) begin(d *document) bool {
	if len(p.pos.Known) > 0 && len(d.items) > 0 && !p.overlaps(d) {
		p.pos.Gap = true
	} else {
		p.forget(d)
	}
	if p.pos.Stock {
		return false
	}
	return slices.ContainsFunc(d.items, func(it item) bool {
		_, isKnown := p.pos.Known[key(it.id)]
		return it.at.IsZero() && !isKnown
	})
}

// overlaps says whether a document shows something that was known before this pass.
func (p *livePass) overlaps(d *document) bool {
	return slices.ContainsFunc(d.items, func(it item) bool {
		was, ok := p.pos.Known[key(it.id)]
		return ok && !was.New
	})
}

// older is the document to go on with after a gap.
func (p *livePass) older(d *document) string {
	if p.pos.Hops >= maxLiveHops || d.next == p.pos.Follow {
		return ""
	}
	return d.next
}

// forget drops what the feed no longer shows.
func (p *livePass) forget(d *document) {
	shown := map[string]bool{}
	for i := range d.items {
		shown[key(d.items[i].id)] = true
	}
	maps.DeleteFunc(p.pos.Known, func(k string, _ known) bool { return !shown[k] })
}

// give gives what has changed, and in the first pass only remembers it; false where the page is full.
func (p *livePass) give(d *document) bool {
	undated := map[string]bool{}
	for i := range d.items {
		if d.items[i].at.IsZero() {
			undated[d.items[i].id] = true
		}
	}
	for _, it := range d.oldestFirst(p.pos.AsOf) {
		k := key(it.id)
		was, isKnown := p.pos.Known[k]
		now := was
		if now.Digest = content(it); now.Digest == was.Digest {
			continue
		}
		if undated[it.id] {
			if !isKnown {
				now.Seen = p.pos.AsOf.Unix()
			}
			it.at = time.Unix(now.Seen, 0).UTC()
		}
		if !p.pos.Stock && !p.out.take(observeItem(it)...) {
			return false
		}
		if !isKnown {
			now.Count, now.New = -1, true
		}
		p.pos.Known[k] = now
	}
	return true
}

// look decides whose comments are read in this pass: of new items, of items whose number of comments has changed, and of
// some others in turn, because a feed need not say how many there are. A nil document has not changed.
func (p *livePass) look(d *document) {
	var all []string
	if d == nil {
		for k, it := range p.pos.Known {
			if it.Comments != "" {
				all = append(all, k)
			}
		}
		slices.Sort(all)
	} else {
		all = p.track(d)
	}
	var queue, others []string
	for _, k := range all {
		if it := p.pos.Known[k]; it.Changed || p.pos.Stock {
			it.Changed = false
			p.pos.Known[k] = it
			queue = append(queue, k)
		} else {
			others = append(others, k)
		}
	}
	p.pos.Queue = slices.Concat(queue, turn(others, p.pos.AsOf))
}

// track notes the comments feeds of the newest items and gives their keys.
func (p *livePass) track(d *document) []string {
	var keys []string
	for _, it := range d.items {
		k := key(it.id)
		now, ok := p.pos.Known[k]
		if !ok {
			continue
		}
		if it.comments == "" || len(it.comments) > maxAddress || len(keys) >= followed || p.early(it) {
			now.Comments, now.ID = "", ""
		} else {
			now.Changed = now.Comments == "" || now.Count != it.count
			now.Comments, now.ID, now.Count = it.comments, it.id, it.count
			keys = append(keys, k)
		}
		p.pos.Known[k] = now
	}
	return keys
}

// early says whether an item lies before the horizon: its thread is not read.
func (c *Connector) early(it item) bool { return !it.at.IsZero() && it.at.Before(c.cfg.Since) }

// turn picks a few by the server's clock, so that all have their turn without a position of their own.
func turn(keys []string, at time.Time) []string {
	if len(keys) <= atOnce {
		return keys
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(strconv.FormatInt(at.Unix()/60, 10)))
	first := int(h.Sum32() % uint32(len(keys)))
	return append(slices.Clone(keys[first:]), keys[:first]...)[:atOnce]
}

// comments reads the comments feed at the head of the queue.
func (p *livePass) comments(ctx context.Context) error {
	k := p.pos.Queue[0]
	now, ok := p.pos.Known[k]
	if !ok || now.Comments == "" {
		p.pos.Queue = p.pos.Queue[1:]
		return nil
	}
	d, err := p.fetch(ctx, now.Comments, condition{etag: now.ETag, modified: now.Last})
	if left := p.leaveOut(now.ID, err); left {
		p.pos.Queue = p.pos.Queue[1:]
		return nil
	}
	if err != nil {
		return err
	}
	if !d.unchanged {
		if !p.giveComments(d, &now) {
			p.more = true
			p.pos.Known[k] = now
			return nil
		}
		now.ETag, now.Last = d.cond.etag, d.cond.modified
	}
	p.pos.Known[k] = now
	p.pos.Queue = p.pos.Queue[1:]
	return nil
}

// leaveOut notes a comments feed that the platform refuses; one such feed must not stop the others, and Live asks again.
func (p *livePass) leaveOut(id string, err error) bool {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok || e.Reason != sdk.PlatformError {
		return false
	}
	p.bad = append(p.bad, sdk.Quarantined{Kind: "comments feed", ID: id, Reason: e.Message})
	return true
}

// giveComments gives the comments that have not been given; false where the page is full.
func (p *livePass) giveComments(d *document, of *known) bool {
	all := d.oldestFirst(p.pos.AsOf)
	if len(all) > maxComments {
		all = all[len(all)-maxComments:]
	}
	var shown strings.Builder
	for _, it := range all {
		k := commentKey(it, p.pos.AsOf)
		if !given(of.Read, k) && !p.pos.Stock {
			if !p.out.take(observeComment(it, of.ID)) {
				return false
			}
			of.Read += k
		}
		shown.WriteString(k)
	}
	of.Read = shown.String()
	return true
}

// commentKey changes with the comment. One without a date counts as the same for good, so that its date stays.
func commentKey(it item, asOf time.Time) string {
	if it.at.Equal(asOf) {
		return key(it.id)
	}
	return key(it.id, content(it))
}

// given says whether a list of keys holds one.
func given(list, k string) bool {
	for i := 0; i+keyLength <= len(list); i += keyLength {
		if list[i:i+keyLength] == k {
			return true
		}
	}
	return false
}
