// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// recorded are the tables that hold the truth; derived those that a rebuild makes from them.
var (
	recorded = []string{"channels", "blueprints", "events", "marks", "verdicts", "members", "texts", "titles", "folded"}
	derived  = []string{"threads", "messages", "stats", "refs", "reactors", "occurrences", "timers"}
)

// Shadow makes an empty ledger beside this one that has its recorded tables and none of the derived ones.
func (l *Ledger) Shadow(ctx context.Context) (*Ledger, error) {
	path := l.path + ".rebuild"
	if err := removeDatabase(path); err != nil {
		return nil, err
	}
	s, err := Open(ctx, path, Options{Keys: l.keys})
	if err != nil {
		return nil, err
	}
	err = s.attached(ctx, l.path, func(c *sql.Conn) error {
		for _, t := range recorded {
			if _, err := c.ExecContext(ctx, "INSERT INTO main."+t+" SELECT * FROM other."+t); err != nil { // #nosec G202 -- a constant list
				return fmt.Errorf("copy %s: %w", t, err)
			}
		}
		_, err := c.ExecContext(ctx, "INSERT INTO main.stats (member, messages, first_at, last_at, joined, bot, domain, roles, revision) "+
			"SELECT member, messages, first_at, last_at, 0, 0, '', '', 0 FROM main.folded")
		return err
	})
	if err == nil {
		err = s.loadCounters(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Discard())
	}
	return s, nil
}

// attached runs f on the writing connection with another database attached as "other".
func (l *Ledger) attached(ctx context.Context, path string, f func(*sql.Conn) error) error {
	if err := l.take(ctx); err != nil {
		return err
	}
	defer l.give()
	c := l.conn
	l.warm = nil
	if _, err := c.ExecContext(ctx, "ATTACH DATABASE ? AS other", path); err != nil {
		return fmt.Errorf("attach %s: %w", filepath.Base(path), err)
	}
	return errors.Join(inTransaction(ctx, c, f), exec(c, "DETACH DATABASE other"))
}

func inTransaction(ctx context.Context, c *sql.Conn, f func(*sql.Conn) error) error {
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := f(c); err != nil {
		return errors.Join(err, exec(c, "ROLLBACK"))
	}
	_, err := c.ExecContext(ctx, "COMMIT")
	return err
}

// exec runs what must run even when the context has ended.
func exec(c *sql.Conn, q string) error {
	_, err := c.ExecContext(context.Background(), q)
	return err
}

// Discard closes a shadow and removes its files.
func (l *Ledger) Discard() error { return errors.Join(l.Close(), removeDatabase(l.path)) }

func removeDatabase(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// CarryOver brings into a rebuilt shadow what is no function of events: the platform's view counts, messages that a
// listing lacked, the labels that occurrences were counted under, and the days on which members were active of whom some
// events have gone.
func (l *Ledger) CarryOver(ctx context.Context, from *Ledger) error {
	return l.attached(ctx, from.path, func(c *sql.Conn) error {
		for _, q := range []string{
			// Timers that made events have fired; a rebuild has those events from the record.
			"DELETE FROM main.timers WHERE kind = 1 AND EXISTS (SELECT 1 FROM main.threads t, json_each(t.doc, '$.aged') a WHERE t.n = timers.thread AND CAST(a.key AS INTEGER) = timers.after)",
			"UPDATE main.threads SET views = coalesce((SELECT o.views FROM other.threads o WHERE o.n = threads.n), 0)",
			"UPDATE main.messages SET missing = coalesce((SELECT o.missing FROM other.messages o WHERE o.n = messages.n), 0)",
			// Row numbers of occurrences are made anew, and differ where old activity has gone.
			"UPDATE main.occurrences SET counted_as = coalesce((SELECT o.counted_as FROM other.occurrences o WHERE o.thread = occurrences.thread AND o.behaviour = occurrences.behaviour " +
				"AND o.generation = occurrences.generation AND o.seq = occurrences.seq AND o.arose = occurrences.arose AND o.state = occurrences.state LIMIT 1), '')",
			"UPDATE main.stats SET days = (SELECT o.days FROM other.stats o WHERE o.member = stats.member) WHERE member IN (SELECT member FROM main.folded)",
			"INSERT INTO main.timers SELECT (SELECT coalesce(max(n), 0) FROM main.timers) + row_number() OVER (ORDER BY o.n), o.channel, o.due, o.kind, o.thread, o.message, o.occurrence, o.after, o.behaviour FROM other.timers o WHERE o.kind = 4",
		} {
			if _, err := c.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReplaceDerived puts the derived tables of a rebuilt shadow in the place of this ledger's, in one transaction.
func (l *Ledger) ReplaceDerived(ctx context.Context, shadow *Ledger) error {
	err := l.attached(ctx, shadow.path, func(c *sql.Conn) error {
		for _, t := range derived {
			if _, err := c.ExecContext(ctx, "DELETE FROM main."+t); err != nil { // #nosec G202 -- a constant list
				return err
			}
			if _, err := c.ExecContext(ctx, "INSERT INTO main."+t+" SELECT * FROM other."+t); err != nil { // #nosec G202 -- a constant list
				return fmt.Errorf("replace %s: %w", t, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.loadCounters(ctx)
}

// Entry is one thing of the record in ledger order: an event, or a mark (Event nil) up to which a channel's clock went.
type Entry struct {
	Event   *Event
	Seq     int64
	Channel int64
	UpTo    int64
}

// Entries gives the record after a position, in order.
func (l *Ledger) Entries(ctx context.Context, after int64, limit int) ([]Entry, error) {
	var out []Entry
	err := l.each(ctx, func(rs *sql.Rows) error {
		var x Entry
		var isEvent bool
		if err := rs.Scan(&x.Seq, &x.Channel, &x.UpTo, &isEvent); err != nil {
			return err
		}
		if isEvent {
			x.Event = &Event{}
		}
		out = append(out, x)
		return nil
	}, `SELECT seq, channel, up_to, is_event FROM (
		SELECT seq, channel, 0 AS up_to, 1 AS is_event FROM events WHERE seq > ?1 AND seq <= ?1 + ?2
		UNION ALL SELECT seq, channel, up_to, 0 FROM marks WHERE seq > ?1 AND seq <= ?1 + ?2) ORDER BY seq`, after, limit)
	if err != nil {
		return nil, err
	}
	i := 0
	err = l.each(ctx, func(rs *sql.Rows) error {
		e, err := scanEvent(rs)
		if err != nil {
			return err
		}
		for out[i].Seq != e.Seq {
			i++
		}
		out[i].Event = e
		return nil
	}, "SELECT "+eventColumns+" FROM events WHERE seq > ?1 AND seq <= ?1 + ?2 ORDER BY seq", after, limit)
	return out, err
}

// LastSeq is the last position of the record.
func (l *Ledger) LastSeq() int64 {
	l.turn <- struct{}{}
	defer l.give()
	return l.next.seq
}
