// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/sdk"
)

const (
	cursorVersion = 1
	// pageBytes is where a page of topics ends, which leaves room for what goes around the observations.
	pageBytes = event.MaxPageBytes * 3 / 4
	// pageTopics is how many files one call reads at most, so that it answers soon also where nothing is found.
	pageTopics = 500
)

// position is where Backfill stands: behind which entry, and how far into the one after it.
type position struct {
	Version int `json:"v"`
	// ID and Name are of the last entry that has been read whole; Listing is the digest of the listing up to it.
	ID      int64  `json:"id"`
	Name    string `json:"name,omitempty"`
	Listing string `json:"listing"`
	// Part of the entry after it have been given, as it was at Mark.
	Part int    `json:"part,omitempty"`
	Mark string `json:"mark,omitempty"`
	// Scope is a digest of what else decides which topics are read: another one begins anew.
	Scope string `json:"scope"`
	// Since is the horizon of this pass. Topics that were active at Until or later have been read by an earlier pass,
	// under a nearer horizon.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// beginning of a pass over everything.
func (c *Connector) beginning(x *index) position {
	return position{Version: cursorVersion, Listing: x.digest(0), Scope: c.scope(x), Since: c.cfg.Since.UTC()}
}

// scope is a digest of what names and chooses rooms.
func (c *Connector) scope(x *index) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q%s", c.cfg.Rooms.Include, c.cfg.Rooms.Exclude, x.rooms.mark))
	return hex.EncodeToString(sum[:8])
}

func (c *Connector) readBackfill(ctx context.Context, x *index, cursor sdk.Cursor) (sdk.Page, error) {
	var pos position
	if err := decodeCursor(cursor, &pos, func() bool { return pos.Version == cursorVersion && pos.Part >= 0 }); err != nil {
		return sdk.Page{}, err
	}
	if pos.Version == 0 {
		pos = c.beginning(x)
	}
	at := x.behind(pos.ID, pos.Name)
	if at == len(x.entries) {
		// At the end a change in place matters too.
		var err error
		if x, err = c.open(ctx, true); err != nil {
			return sdk.Page{}, err
		}
		at = x.behind(pos.ID, pos.Name)
	}
	pos, at = c.resume(x, pos, at)
	b := builder{connector: c, index: x, pos: pos, at: at, part: pos.Part}
	if b.part > 0 && (at == len(x.entries) || markOf(x.entries[at]) != pos.Mark) {
		b.part = 0
	}
	if err := b.fill(ctx); err != nil {
		return sdk.Page{}, err
	}
	return b.finish()
}

// resume goes on from a position where that still stands, and begins anew where what has been read, or what is to be
// read, is no longer what it was. The ledger knows what it has, so reading twice only costs time.
func (c *Connector) resume(x *index, pos position, at int) (position, int) {
	now := c.beginning(x)
	if x.digest(at) != pos.Listing || pos.Scope != now.Scope {
		return now, 0
	}
	wider := !pos.Since.IsZero() && (now.Since.IsZero() || now.Since.Before(pos.Since))
	switch {
	case !wider:
		// A nearer horizon asks for nothing that has not been asked for; the ledger drops what is too old for it.
		return pos, at
	case at == len(x.entries) && pos.Part == 0:
		now.Until = pos.Since
		return now, 0
	default:
		return now, 0
	}
}

// builder fills one page.
type builder struct {
	connector *Connector
	index     *index
	pos       position
	// at is the entry being read, part how many of its observations have been given.
	at, part int
	page     sdk.Page
	bytes    int
}

func (b *builder) fill(ctx context.Context) error {
	for topics := 0; topics < pageTopics && b.at < len(b.index.entries); topics++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := b.index.entries[b.at]
		observations, bad := b.connector.topic(b.index, e, b.pos)
		rest := observations[min(b.part, len(observations)):]
		n := b.fits(rest)
		if n == 0 && len(rest) > 0 {
			return nil // The page is full.
		}
		b.page.Observations = append(b.page.Observations, rest[:n]...)
		if b.part == 0 {
			b.page.Quarantined = append(b.page.Quarantined, bad...)
		}
		if n < len(rest) {
			b.part += n
			return nil
		}
		b.at, b.part = b.at+1, 0
	}
	return nil
}

// fits says how many of these still fit into the page.
func (b *builder) fits(observations []event.Observation) int {
	n := 0
	for ; n < len(observations) && len(b.page.Observations)+n < event.MaxObservations; n++ {
		size := sdk.SizeOf(&observations[n])
		if b.bytes+size > pageBytes && len(b.page.Observations)+n > 0 {
			break
		}
		b.bytes += size
	}
	return n
}

func (b *builder) finish() (sdk.Page, error) {
	x, p := b.index, b.page
	next := b.pos
	next.ID, next.Name, next.Listing, next.Part, next.Mark = 0, "", x.digest(b.at), b.part, ""
	if b.at > 0 {
		next.ID, next.Name = x.entries[b.at-1].id, x.entries[b.at-1].name
	}
	if b.part > 0 {
		next.Mark = markOf(x.entries[b.at])
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return sdk.Page{}, err
	}
	p.Next, p.More = raw, b.at < len(x.entries)
	p.Progress = sdk.Progress{Done: int64(b.at), Total: int64(len(x.entries)), Unit: "topics"}
	p.FromBeginning = !p.More && b.connector.settings.History == HistoryComplete && b.pos.Since.IsZero()
	return p, nil
}

// topic maps one entry. What cannot be understood is named and left out; the rest goes on.
func (c *Connector) topic(x *index, e entry, pos position) ([]event.Observation, []sdk.Quarantined) {
	leftOut := func(reason string) []sdk.Quarantined {
		return []sdk.Quarantined{{Kind: "topic", ID: e.name, Reason: reason}}
	}
	if e.size > maxEntryBytes {
		return nil, leftOut(errTooLarge.Error())
	}
	raw, err := x.read(e)
	if err != nil {
		return nil, leftOut(err.Error())
	}
	t, err := discoursejson.DecodeTopic(bytes.TrimPrefix(raw, []byte("\ufeff")))
	if err != nil {
		return nil, leftOut(err.Error())
	}
	if !c.wanted(x, t, pos) {
		return nil, nil
	}
	o := discoursejson.Options{Base: c.base(), Room: x.rooms.Room, AsOf: c.settings.ExportedAt}
	if o.AsOf.IsZero() {
		// A later post may be in the ledger already, read live: the export does not speak of it.
		o.AsOf = lastPost(t)
	}
	observations, bad := discoursejson.Observations(t, o)
	if n, all := len(t.PostStream.Posts)+len(t.PostStream.Bad), len(t.IDs()); n < all {
		bad = append(bad, leftOut(fmt.Sprintf("holds %d of its %d posts; export it with all of them", n, all))...)
	}
	return observations, bad
}

// wanted leaves out, as over HTTP, private messages, topics that describe a category and rooms that are not read; and
// what ended before the horizon, and what an earlier pass has read.
func (c *Connector) wanted(x *index, t *discoursejson.Topic, pos position) bool {
	if t.Archetype == "private_message" || x.rooms.Definitions[t.ID] || !x.rooms.Reads(c.cfg.Rooms, t.CategoryID, false) {
		return false
	}
	last := lastPost(t)
	if last.IsZero() {
		last = t.CreatedAt
	}
	return !last.Before(pos.Since) && (pos.Until.IsZero() || last.Before(pos.Until))
}

func lastPost(t *discoursejson.Topic) time.Time {
	var last time.Time
	for i := range t.PostStream.Posts {
		if at := t.PostStream.Posts[i].CreatedAt; at.After(last) {
			last = at
		}
	}
	return last
}

func markOf(e entry) string { return fmt.Sprintf("%d/%s", e.size, e.mark) }

// decodeCursor reads a cursor that this connector has written; nil leaves into as it is.
func decodeCursor(cursor sdk.Cursor, into any, valid func() bool) error {
	if len(cursor) == 0 || string(cursor) == "null" {
		return nil
	}
	if err := json.Unmarshal(cursor, into); err != nil || !valid() {
		return &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Err: err, Message: fmt.Sprintf(
			"the stored position is none of connector %s (version %d); it was written by another version or connector", Name, cursorVersion)}
	}
	return nil
}
