// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"path/filepath"
	"testing"
)

func TestALedgerKeepsItsID(t *testing.T) {
	l, other := opened(t), opened(t)
	id := l.ID()
	if len(id) != 32 || id == other.ID() {
		t.Fatalf("ids %q and %q: want 32 random digits each", id, other.ID())
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := l.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	path := closed(t, l)
	if got := reopened(t, path, newKeys(t, "k", "")).ID(); got != id {
		t.Errorf("opened again it is %s, want %s", got, id)
	}
	// A restore brings the same ledger back, whatever lies in its place.
	place := closed(t, other)
	if _, err := Restore(t.Context(), backup, place, Options{Keys: newKeys(t, "k", "")}); err != nil {
		t.Fatal(err)
	}
	if got := reopened(t, place, newKeys(t, "k", "")).ID(); got != id {
		t.Errorf("restored it is %s, want %s", got, id)
	}
}

// A ledger from before there were ids gets one when it is opened.
func TestAnOlderLedgerGetsAnID(t *testing.T) {
	l := opened(t)
	if _, err := l.conn.ExecContext(t.Context(), "DELETE FROM meta WHERE key = 'id'; DELETE FROM goose_db_version WHERE version_id = 2"); err != nil {
		t.Fatal(err)
	}
	l = reopened(t, closed(t, l), newKeys(t, "k", ""))
	id := l.ID()
	if len(id) != 32 {
		t.Fatalf("id %q", id)
	}
	if got := reopened(t, closed(t, l), newKeys(t, "k", "")).ID(); got != id {
		t.Errorf("opened again it is %s, want %s", got, id)
	}
}
