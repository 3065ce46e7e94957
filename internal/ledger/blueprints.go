// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"database/sql"
	"fmt"

	"github.com/kith-dev/kith/api/event"
)

// SaveBlueprint keeps a blueprint under its digest, with the version of the engine that runs it.
func (tx *Tx) SaveBlueprint(digest string, doc []byte, engine string) error {
	return tx.exec("INSERT OR IGNORE INTO blueprints (digest, doc, engine) VALUES (?, ?, ?)", digest, doc, engine)
}

// Blueprint gives a recorded blueprint.
func (tx *Tx) Blueprint(digest string) ([]byte, error) {
	var doc []byte
	if err := tx.query(func(rs *sql.Rows) error { return rs.Scan(&doc) }, "SELECT doc FROM blueprints WHERE digest = ?", digest); err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, fmt.Errorf("blueprint %.12s is not in the ledger", digest)
	}
	return doc, nil
}

// LastBlueprint is the digest of the blueprint applied last, empty where there was none.
func (tx *Tx) LastBlueprint() (digest string, err error) {
	err = tx.query(func(rs *sql.Rows) error { return rs.Scan(&digest) },
		"SELECT native FROM events WHERE channel = 0 AND kind = ? ORDER BY seq DESC LIMIT 1", codeOfKind[event.BlueprintApplied])
	return digest, err
}

// CountBlueprints says how often a blueprint has been applied.
func (tx *Tx) CountBlueprints() (n int, err error) {
	err = tx.query(func(rs *sql.Rows) error { return rs.Scan(&n) },
		"SELECT count(*) FROM events WHERE channel = 0 AND kind = ?", codeOfKind[event.BlueprintApplied])
	return n, err
}

// ThreadsOpenedAfter gives the threads of a channel opened after a time, in row order. It reads what is written: use it
// at the beginning of a transaction.
func (tx *Tx) ThreadsOpenedAfter(channel, at int64) ([]*Thread, error) {
	var ns []int64
	err := tx.query(func(rs *sql.Rows) error {
		var n int64
		if err := rs.Scan(&n); err != nil {
			return err
		}
		ns = append(ns, n)
		return nil
	}, "SELECT n FROM threads WHERE channel = ? AND opened > ? ORDER BY n", channel, at)
	if err != nil {
		return nil, err
	}
	out := make([]*Thread, len(ns))
	for i, n := range ns {
		if out[i], err = tx.Thread(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PrefetchPeople loads the activity of a page's authors, and the events behind its known messages.
func (tx *Tx) PrefetchPeople(channel int64, natives, messages []string) error {
	var members, seqs []int64
	for _, id := range natives {
		if i := tx.identities[lookupKey{channel, string(tx.Lookup(channel, id))}]; i.member != 0 {
			members = append(members, i.member)
		}
	}
	for _, id := range messages {
		if m := tx.messageByID[nativeKey{channel, id}]; m != nil {
			seqs = append(seqs, m.Seq)
		}
	}
	if err := tx.PrefetchStats(members); err != nil {
		return err
	}
	return tx.PrefetchEvents(seqs)
}
