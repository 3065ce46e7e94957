// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kith-dev/kith/api/event"
)

const channelColumns = "n, platform, instance, account, name, live_from, since, history, from_beginning, watermark, pending_watermark, epoch, holder, dropped_old, quarantined"

func scanChannel(rs interface{ Scan(...any) error }) (*Channel, error) {
	c := &Channel{}
	err := rs.Scan(&c.N, &c.Ref.Platform, &c.Ref.Instance, &c.Ref.Account, &c.Name, &c.LiveFrom, &c.Since, &c.History,
		&c.FromBeginning, &c.Watermark, &c.PendingWatermark, &c.Epoch, &c.Holder, &c.DroppedOld, &c.Quarantined)
	return c, err
}

// Channels gives all channels by row number.
func (tx *Tx) Channels() ([]*Channel, error) {
	err := tx.query(func(rs *sql.Rows) error {
		c, err := scanChannel(rs)
		if err == nil && tx.channels[c.N] == nil {
			tx.channels[c.N] = c
		}
		return err
	}, "SELECT "+channelColumns+" FROM channels")
	if err != nil {
		return nil, err
	}
	ns := keys(tx.channels)
	slices.Sort(ns)
	out := make([]*Channel, len(ns))
	for i, n := range ns {
		out[i] = tx.channels[n]
	}
	return out, nil
}

// Channels gives all channels by row number, for reading.
func (l *Ledger) Channels(ctx context.Context) ([]*Channel, error) {
	tx, err := l.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	return tx.Channels()
}

// Channel finds a channel by its identity; nil where there is none. Changes to it are written at Commit.
func (tx *Tx) Channel(ref event.ChannelRef) (*Channel, error) {
	all, err := tx.Channels()
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Ref == ref {
			return c, nil
		}
	}
	return nil, nil
}

// NewChannel makes a channel's row.
func (tx *Tx) NewChannel(c Channel) *Channel {
	tx.next.channel++
	c.N = tx.next.channel
	tx.channels[c.N] = &c
	return &c
}

func (tx *Tx) flushChannels() error {
	for _, c := range tx.channels {
		if err := tx.exec("INSERT INTO channels ("+channelColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"+upsert(channelColumns),
			c.N, c.Ref.Platform, c.Ref.Instance, c.Ref.Account, c.Name, c.LiveFrom, c.Since, int(c.History), c.FromBeginning,
			c.Watermark, c.PendingWatermark, c.Epoch, c.Holder, c.DroppedOld, c.Quarantined); err != nil {
			return err
		}
	}
	return nil
}

// Cursor is the stored position of one lane.
type Cursor struct {
	Cursor          json.RawMessage
	Done            bool
	CompleteThrough int64
}

// Cursors gives the positions of a channel's lanes.
func (tx *Tx) Cursors(channel int64) (map[event.Lane]Cursor, error) {
	out := map[event.Lane]Cursor{}
	err := tx.query(func(rs *sql.Rows) error {
		var lane, cursor string
		var c Cursor
		if err := rs.Scan(&lane, &cursor, &c.Done, &c.CompleteThrough); err != nil {
			return err
		}
		if cursor != "" {
			c.Cursor = json.RawMessage(cursor)
		}
		out[event.Lane(lane)] = c
		return nil
	}, "SELECT lane, cursor, done, complete_through FROM cursors WHERE channel = ?", channel)
	return out, err
}

// SetCursor moves a lane.
func (tx *Tx) SetCursor(channel int64, lane event.Lane, c Cursor) error {
	return tx.exec("INSERT INTO cursors (channel, lane, cursor, done, complete_through) VALUES (?, ?, ?, ?, ?) "+
		"ON CONFLICT DO UPDATE SET cursor = excluded.cursor, done = excluded.done, complete_through = max(complete_through, excluded.complete_through)",
		channel, string(lane), string(c.Cursor), c.Done, c.CompleteThrough)
}

// DropCursor forgets a lane's position, so that it is read anew (widened horizon).
func (tx *Tx) DropCursor(channel int64, lane event.Lane) error {
	return tx.exec("DELETE FROM cursors WHERE channel = ? AND lane = ?", channel, string(lane))
}

// Staged is an observation waiting until history has been read, to be processed in the order of its time.
type Staged struct {
	N    int64
	At   int64
	Rank int
	// Ident repeats where the same thing is observed again: the later observation replaces the earlier one.
	Ident string
	// Author is the look-up hash of who wrote it, for counting and erasure; nil for threads.
	Author []byte
	Doc    []byte
}

// Stage keeps observations for later.
func (tx *Tx) Stage(channel int64, list []Staged) error {
	return tx.insert("INSERT INTO staged (channel, at, rank, ident, author, doc)", 6, len(list),
		" ON CONFLICT (channel, rank, ident) DO UPDATE SET at = excluded.at, author = excluded.author, doc = excluded.doc",
		func(i int) ([]any, error) {
			s := list[i]
			return []any{channel, s.At, s.Rank, s.Ident, s.Author, s.Doc}, nil
		})
}

// DropStaged removes what is kept of things under a rank.
func (tx *Tx) DropStaged(channel int64, rank int, idents []string) error {
	const size = 250
	for len(idents) > 0 {
		n := 1
		if len(idents) >= size {
			n = size // few lengths, so that statements stay prepared
		}
		list := make([]any, n)
		for i := range list {
			list[i] = idents[i]
		}
		q, args := in(list)
		if err := tx.exec("DELETE FROM staged WHERE channel = ? AND rank = ? AND ident IN "+q, append([]any{channel, rank}, args...)...); err != nil {
			return fmt.Errorf("replace observations in the staging area: %w", err)
		}
		idents = idents[n:]
	}
	return nil
}

// Waiting is how many staged messages a known member wrote.
type Waiting struct{ Member, Messages int64 }

// StagedByMember counts the staged messages of each known member, in row order of the members.
func (tx *Tx) StagedByMember(channel int64) ([]Waiting, error) {
	var out []Waiting
	err := tx.query(func(rs *sql.Rows) error {
		var w Waiting
		err := rs.Scan(&w.Member, &w.Messages)
		out = append(out, w)
		return err
	}, "SELECT i.member, count(*) FROM staged s JOIN identities i ON i.channel = s.channel AND i.lookup = s.author WHERE s.channel = ? AND s.rank = 2 GROUP BY i.member ORDER BY i.member", channel)
	return out, err
}

// NextStaged gives the earliest staged observations of a channel.
func (tx *Tx) NextStaged(channel int64, limit int) ([]Staged, error) {
	var out []Staged
	err := tx.query(func(rs *sql.Rows) error {
		var s Staged
		if err := rs.Scan(&s.N, &s.At, &s.Rank, &s.Ident, &s.Author, &s.Doc); err != nil {
			return err
		}
		out = append(out, s)
		return nil
	}, "SELECT n, at, rank, ident, author, doc FROM staged WHERE channel = ? ORDER BY channel, at, rank, ident LIMIT ?", channel, limit)
	return out, err
}

// StagedOf gives one staged thing; nil where it is not there.
func (tx *Tx) StagedOf(channel int64, rank int, ident string) (*Staged, error) {
	var s *Staged
	err := tx.query(func(rs *sql.Rows) error {
		s = &Staged{Rank: rank, Ident: ident}
		return rs.Scan(&s.N, &s.At, &s.Doc)
	}, "SELECT n, at, doc FROM staged WHERE channel = ? AND rank = ? AND ident = ?", channel, rank, ident)
	return s, err
}

// Unstage removes what has been processed.
func (tx *Tx) Unstage(list []Staged) error {
	ns := make([]any, len(list))
	for i, s := range list {
		ns[i] = s.N
	}
	for _, size := range []int{250, 10, 1} {
		for len(ns) >= size {
			q, args := in(ns[:size])
			if err := tx.exec("DELETE FROM staged WHERE n IN "+q, args...); err != nil {
				return fmt.Errorf("remove processed observations from the staging area: %w", err)
			}
			ns = ns[size:]
		}
	}
	return nil
}

// CountStaged says how many observations wait, and how many of them an author wrote.
func (tx *Tx) CountStaged(channel int64, author []byte) (n int64, err error) {
	if author == nil {
		err = tx.query(func(rs *sql.Rows) error { return rs.Scan(&n) }, "SELECT count(*) FROM staged WHERE channel = ?", channel)
		return n, err
	}
	err = tx.query(func(rs *sql.Rows) error { return rs.Scan(&n) },
		"SELECT count(*) FROM staged WHERE channel = ? AND author = ? AND rank = 2", channel, author)
	return n, err
}
