// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/kith-dev/kith/connectors/sdk"
)

// readBackfill makes one step through what the feed shows: a document, or the comments feed of one of its items.
func (c *Connector) readBackfill(ctx context.Context, cursor sdk.Cursor) (sdk.Page, error) {
	var pos backPosition
	if err := decode(cursor, &pos); err != nil {
		return sdk.Page{}, err
	}
	wider := !pos.Since.IsZero() && (c.cfg.Since.IsZero() || c.cfg.Since.Before(pos.Since))
	if pos.Version == 0 || wider {
		pos = backPosition{Version: cursorVersion, URL: channelAddress, Since: c.cfg.Since.UTC()}
	}
	p := &backPass{Connector: c, pos: pos}
	var err error
	switch {
	case pos.Done:
	case len(pos.Queue) > 0:
		err = p.comments(ctx)
	case pos.URL != "":
		err = p.document(ctx)
	}
	if err != nil {
		return sdk.Page{}, err
	}
	return p.page()
}

// backPass is one step of a backfill.
type backPass struct {
	*Connector
	pos backPosition
	out budget
	bad []sdk.Quarantined
}

func (p *backPass) page() (sdk.Page, error) {
	p.pos.Items += int64(len(p.out.observations))
	if p.pos.URL == "" && len(p.pos.Queue) == 0 {
		p.pos.Done = true
	}
	next, err := json.Marshal(p.pos)
	return sdk.Page{
		Observations: p.out.observations, Quarantined: p.bad, Next: next, More: !p.pos.Done,
		FromBeginning: p.pos.Done && p.pos.Whole && p.pos.Since.IsZero(),
		Progress:      sdk.Progress{Done: p.pos.Items, Unit: "items and comments"},
	}, err
}

func (p *backPass) document(ctx context.Context) error {
	address := p.pos.URL
	if address == channelAddress {
		address = p.cfg.URL
	}
	d, err := p.fetch(ctx, address, condition{})
	if err != nil {
		return err
	}
	if p.pinned(d) {
		return nil
	}
	if !p.give(d, func(it item) bool { return p.out.take(observeItem(it)...) }) {
		return nil
	}
	for _, it := range d.items {
		if it.comments != "" && len(it.comments) <= maxAddress && len(p.pos.Queue) < followed && !p.early(it) {
			p.pos.Queue = append(p.pos.Queue, queued{URL: it.comments, Item: it.id})
		}
	}
	p.turnPage(d, address)
	return nil
}

// turnPage goes on to the next older document, until there is none or all of this one lies before the horizon.
func (p *backPass) turnPage(d *document, address string) {
	p.pos.After = place{}
	reached := !p.pos.Since.IsZero() && len(d.items) > 0 && !slices.ContainsFunc(d.items, func(it item) bool {
		return it.at.IsZero() || !it.at.Before(p.pos.Since)
	})
	// Older documents can be followed to the first one; a document alone is whole only where it says so.
	p.pos.Whole = d.next == "" && (d.complete || p.pos.Hops > 0)
	next := d.next
	if reached || next == address || p.pos.Hops >= maxBackHops {
		next = ""
	}
	p.pos.URL = next
	p.pos.Hops++
}

func (p *backPass) comments(ctx context.Context) error {
	q := p.pos.Queue[0]
	d, err := p.fetch(ctx, q.URL, condition{})
	if e, ok := errors.AsType[*sdk.Error](err); ok && e.Permanent && e.Reason == sdk.PlatformError {
		p.bad = append(p.bad, sdk.Quarantined{Kind: "comments feed", ID: q.Item, Reason: e.Message})
		p.pos.Queue, p.pos.After = p.pos.Queue[1:], place{}
		return nil
	}
	if err != nil {
		return err
	}
	if p.pinned(d) {
		return nil
	}
	if p.give(d, func(it item) bool { return p.out.take(observeComment(it, q.Item)) }) {
		p.pos.Queue, p.pos.After = p.pos.Queue[1:], place{}
	}
	return nil
}

// pinned puts the server's clock into the cursor before the first thing without a date is given.
func (p *backPass) pinned(d *document) bool {
	if !p.pos.AsOf.IsZero() || !slices.ContainsFunc(d.items, func(it item) bool { return it.at.IsZero() }) {
		return false
	}
	p.pos.AsOf = d.served
	return true
}

// give gives what comes after the place that has been reached; false where the page is full.
func (p *backPass) give(d *document, take func(item) bool) bool {
	for _, it := range d.oldestFirst(p.pos.AsOf) {
		if !p.pos.After.before(it) || it.at.Before(p.pos.Since) {
			continue
		}
		if !take(it) {
			return false
		}
		p.pos.After = place{At: it.at, ID: it.id}
	}
	return true
}
