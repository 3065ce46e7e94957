// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy of the ledger to a file that does not exist yet, while the ledger is in use.
func (l *Ledger) Backup(ctx context.Context, to string) error {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the backup %s exists already: name another file", to)
	}
	tmp := to + ".part"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clear an unfinished backup: %w", err)
	}
	// A connection of its own: those for reading may write nothing, not even a copy, and the writing one is in use.
	db, err := connect(l.path, 16, false)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", tmp)
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := os.Chmod(tmp, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, to)
}

// BackupFile makes a backup of a ledger that another process may have open.
func BackupFile(ctx context.Context, path, to string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("find the ledger: %w", err)
	}
	return (&Ledger{path: path}).Backup(ctx, to)
}

// Restore puts a backup in the place of the ledger at path, and erases again whoever asked for it since the backup was
// made: the journal of erasures lies beside the ledger and is not part of a backup. The ledger that was there is kept as
// path+".before-restore" until the restore is complete, and then removed, since it may hold what has been erased.
func Restore(ctx context.Context, backup, path string, o Options) (erased int, err error) {
	if err := checkBackup(ctx, backup, o.Keys); err != nil {
		return 0, err
	}
	lock, err := takeLock(path + ".lock")
	if err != nil {
		return 0, err
	}
	old := path + ".before-restore"
	if err = swap(backup, path, old); err != nil {
		return 0, errors.Join(err, lock.Close())
	}
	if err := lock.Close(); err != nil {
		return 0, err
	}
	l, err := Open(ctx, path, o)
	if err != nil {
		return 0, fmt.Errorf("open the restored ledger (the one before is %s): %w", filepath.Base(old), err)
	}
	erased, err = l.ReplayErasures(ctx)
	if err := errors.Join(err, l.Close()); err != nil {
		return erased, err
	}
	return erased, removeDatabase(old)
}

// checkBackup looks at a backup without changing it: it may lie where nothing can be written.
func checkBackup(ctx context.Context, backup string, keys Keys) error {
	if _, err := os.Stat(backup); err != nil {
		return fmt.Errorf("find the backup: %w", err)
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: backup}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	defer func() { _ = db.Close() }() // only read
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check").Scan(&verdict); err != nil || verdict != "ok" {
		return fmt.Errorf("the backup %s is damaged or no ledger (%s): nothing was changed", filepath.Base(backup), verdict)
	}
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name IN ('events', 'marks', 'channels')").Scan(&n); err != nil || n != 3 {
		return fmt.Errorf("%s is a database but no ledger of Kith: nothing was changed", filepath.Base(backup))
	}
	var id string
	if err := db.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'key'").Scan(&id); err != nil || keys.byID(id) == nil {
		return fmt.Errorf("the backup %s was made under an identity key that was not given (add it as `previous`): nothing was changed", filepath.Base(backup))
	}
	return nil
}

func swap(backup, path, old string) error {
	if err := removeDatabase(old); err != nil {
		return err
	}
	fresh := path + ".restoring"
	if err := copyFile(backup, fresh); err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		db, err := connect(path, 8, false)
		if err != nil {
			return err
		}
		// Fold the write-ahead log into the file, so that the file alone is the ledger.
		_, err = db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
		if err := errors.Join(err, db.Close()); err != nil {
			return err
		}
		if err := os.Rename(path, old); err != nil {
			return err
		}
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Rename(fresh, path)
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from) // #nosec G304 -- the operator names it
	if err != nil {
		return err
	}
	// It is only read.
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- beside the ledger
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err = io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}

// Retain removes texts and titles older than one time, and activity of threads without anything since another; zero
// times remove nothing. What members had done before stays as a number, so that nobody becomes a newcomer again.
func (l *Ledger) Retain(ctx context.Context, textsBefore, activityBefore int64) (texts, threads int64, err error) {
	tx, err := l.Begin(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer tx.Rollback()
	tx.cold = true
	if textsBefore > 0 {
		for _, table := range []string{"texts", "titles"} {
			r, err := tx.l.conn.ExecContext(ctx, "DELETE FROM "+table+" WHERE at < ?", textsBefore) // #nosec G202 -- one of two names
			if err != nil {
				return 0, 0, fmt.Errorf("remove old %s: %w", table, err)
			}
			n, err := r.RowsAffected()
			if err != nil {
				return 0, 0, err
			}
			texts += n
		}
		if err := tx.exec("DELETE FROM setaside WHERE at < ?", textsBefore); err != nil {
			return 0, 0, err
		}
	}
	if activityBefore > 0 {
		if threads, err = tx.retainActivity(activityBefore); err != nil {
			return 0, 0, err
		}
	}
	return texts, threads, tx.Commit()
}

func (tx *Tx) retainActivity(before int64) (threads int64, err error) {
	const old = "(SELECT n FROM threads WHERE last_at < ?)"
	if err := tx.query(func(rs *sql.Rows) error { return rs.Scan(&threads) }, "SELECT count(*) FROM threads WHERE last_at < ?", before); err != nil || threads == 0 {
		return 0, err
	}
	for _, q := range []string{
		"INSERT INTO folded (member, messages, first_at, last_at) SELECT author, count(*), min(at), max(at) FROM messages WHERE thread IN " + old +
			" GROUP BY author ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)",
		"DELETE FROM texts WHERE message IN (SELECT n FROM messages WHERE thread IN " + old + ")",
		"DELETE FROM titles WHERE thread IN " + old,
		"DELETE FROM refs WHERE message IN (SELECT n FROM messages WHERE thread IN " + old + ")",
		"DELETE FROM reactors WHERE message IN (SELECT n FROM messages WHERE thread IN " + old + ")",
		"DELETE FROM verdicts WHERE event IN (SELECT seq FROM messages WHERE thread IN " + old + ")",
		"DELETE FROM timers WHERE thread IN " + old,
		"DELETE FROM occurrences WHERE thread IN " + old,
		"DELETE FROM events WHERE thread IN " + old,
		"DELETE FROM messages WHERE thread IN " + old,
		"DELETE FROM threads WHERE last_at < ?",
	} {
		if err := tx.exec(q, before); err != nil {
			return 0, err
		}
	}
	return threads, nil
}

// ListAside gives what has been set aside, oldest first.
func (l *Ledger) ListAside(ctx context.Context) ([]SetAside, error) {
	var out []SetAside
	err := l.each(ctx, func(rs *sql.Rows) error {
		var s SetAside
		if err := rs.Scan(&s.N, &s.Channel, &s.Ident, &s.What, &s.Doc, &s.Error, &s.Attempts, &s.At); err != nil {
			return err
		}
		out = append(out, s)
		return nil
	}, "SELECT n, channel, ident, what, doc, error, attempts, at FROM setaside ORDER BY n LIMIT 10000")
	return out, err
}

// DropAside removes something that has been processed at last.
func (tx *Tx) DropAside(n int64) error { return tx.exec("DELETE FROM setaside WHERE n = ?", n) }
