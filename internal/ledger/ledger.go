// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the pure-Go driver, registered as "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Ledger is an open ledger. One process may write to it at a time; within it, transactions take turns.
type Ledger struct {
	path  string
	id    string
	write *sql.DB
	// conn is the writing connection, held for good: transactions are begun and ended on it, and its statements live as
	// long as it does.
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	read  *sql.DB
	keys  Keys
	lock  *os.File

	turn chan struct{} // holds one token while a Tx is open
	next counters

	groups groups
	warm   *cache // rows left by the last transaction
}

// counters are the next free row numbers. They move only when a transaction commits, so that a failed one leaves no gap.
type counters struct {
	seq, thread, message, member, identity, occurrence, timer, channel int64
}

// Options of Open.
type Options struct {
	// Keys encrypt identities; required unless ReadOnly.
	Keys Keys
	// CacheMiB bounds the page cache of the writing connection; default 64.
	CacheMiB int
}

// ErrLocked is returned by Open where another process has the ledger open for writing.
var ErrLocked = errors.New("the ledger is in use by another kith process: stop it first; in a cluster, run the command in the hub's pod (kubectl exec), to which the hub lends it")

// Open opens the SQLite ledger at path, making and migrating it as needed, and takes it for this process alone.
func Open(ctx context.Context, path string, o Options) (*Ledger, error) {
	if o.CacheMiB == 0 {
		o.CacheMiB = 64
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the ledger's folder: %w", err)
	}
	lock, err := takeLock(path + ".lock")
	if err != nil {
		return nil, err
	}
	l := &Ledger{path: path, keys: o.Keys, lock: lock, turn: make(chan struct{}, 1)}
	if err := l.open(ctx, o); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Ledger) open(ctx context.Context, o Options) error {
	var err error
	if l.write, err = connect(l.path, o.CacheMiB, false); err != nil {
		return err
	}
	l.write.SetMaxOpenConns(1)
	if err := migrate(ctx, l.write); err != nil {
		return fmt.Errorf("migrate the ledger %s: %w", filepath.Base(l.path), err)
	}
	if err := l.write.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'id'").Scan(&l.id); err != nil {
		return fmt.Errorf("read the ledger's id: %w", err)
	}
	if l.read, err = connect(l.path, 16, true); err != nil {
		return err
	}
	l.read.SetMaxOpenConns(2)
	if err := l.keys.bind(ctx, l.write); err != nil {
		return err
	}
	if l.conn, err = l.write.Conn(ctx); err != nil {
		return fmt.Errorf("open the ledger's writing connection: %w", err)
	}
	l.stmts = map[string]*sql.Stmt{}
	if err := l.loadGroups(ctx); err != nil {
		return fmt.Errorf("read the ledger's groups: %w", err)
	}
	if err := l.loadCounters(ctx); err != nil {
		return err
	}
	return l.rotate(ctx)
}

func connect(path string, cacheMiB int, readOnly bool) (*sql.DB, error) {
	q := url.Values{}
	for _, p := range []string{"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(10000)", "temp_store(MEMORY)",
		fmt.Sprintf("cache_size(-%d)", cacheMiB<<10), "foreign_keys(OFF)", "wal_autocheckpoint(4000)", "secure_delete(ON)"} {
		q.Add("_pragma", p)
	}
	if readOnly {
		q.Add("_pragma", "query_only(ON)")
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open the ledger %s: %w", filepath.Base(path), err)
	}
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

func (l *Ledger) loadCounters(ctx context.Context) error {
	for _, c := range []struct {
		into  *int64
		query string
	}{
		{&l.next.seq, "SELECT max(coalesce((SELECT max(seq) FROM events), 0), coalesce((SELECT max(seq) FROM marks), 0))"},
		{&l.next.thread, "SELECT coalesce(max(n), 0) FROM threads"},
		{&l.next.message, "SELECT coalesce(max(n), 0) FROM messages"},
		{&l.next.member, "SELECT coalesce(max(n), 0) FROM members"},
		{&l.next.identity, "SELECT coalesce(max(n), 0) FROM identities"},
		{&l.next.occurrence, "SELECT coalesce(max(n), 0) FROM occurrences"},
		{&l.next.timer, "SELECT coalesce(max(n), 0) FROM timers"},
		{&l.next.channel, "SELECT coalesce(max(n), 0) FROM channels"},
	} {
		if err := l.conn.QueryRowContext(ctx, c.query).Scan(c.into); err != nil {
			return fmt.Errorf("read the ledger's counters: %w", err)
		}
	}
	return nil
}

// Path is where the ledger lies.
func (l *Ledger) Path() string { return l.path }

// ID was drawn when the ledger was made. It stays with it, through backups and restores.
func (l *Ledger) ID() string { return l.id }

// Reader gives a pool of read-only connections, for queries beside the writer.
func (l *Ledger) Reader() *sql.DB { return l.read }

// Close gives the ledger back.
func (l *Ledger) Close() error {
	var errs []error
	if l.read != nil {
		errs = append(errs, l.read.Close())
	}
	for _, s := range l.stmts {
		errs = append(errs, s.Close())
	}
	if l.conn != nil {
		errs = append(errs, l.conn.Close())
	}
	if l.write != nil {
		errs = append(errs, l.write.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}
