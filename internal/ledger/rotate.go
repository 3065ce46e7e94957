// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// retiredPrefix is followed by the id of a key that was in use once; the value is its look-up key, sealed.
const retiredPrefix = "retired/"

// rotate moves every identity from the previous key to the current one, once, so that the previous one can be taken
// away at the next start. Whoever was erased under it has left nothing but a hash: its look-up key stays, sealed under
// the current key, so that they stay erased.
func (l *Ledger) rotate(ctx context.Context) error {
	retired, err := l.readRetired(ctx)
	if err != nil {
		return err
	}
	if l.keys.previous == nil || retired[l.keys.previous.id] != nil {
		l.keys.retire(retired)
		return l.allReadable(ctx)
	}
	retired[l.keys.previous.id] = l.keys.previous.lookup
	delete(retired, l.keys.current.id) // back to a key of before
	// A backup from before an erasure: whoever it names is found under the previous key for the last time now.
	l.keys.retire(retired)
	if _, err := l.ReplayErasures(ctx); err != nil {
		return fmt.Errorf("rotate the identity key: %w", err)
	}
	tx, err := l.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	tx.cold = true
	if err := tx.rewrap(l.keys.previous); err != nil {
		return fmt.Errorf("rotate the identity key: %w", err)
	}
	if err := tx.exec("DELETE FROM meta WHERE key LIKE '" + retiredPrefix + "%'"); err != nil {
		return err
	}
	for id, lookup := range retired {
		sealed := hex.EncodeToString(l.keys.current.wrap.Seal(nil, nil, lookup, nil)) // #nosec G407 -- the AEAD draws its own nonce
		if err := tx.exec("INSERT INTO meta (key, value) VALUES (?, ?)", retiredPrefix+id, sealed); err != nil {
			return err
		}
	}
	if err := tx.exec("UPDATE meta SET value = ? WHERE key = 'key'", l.keys.current.id); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return l.allReadable(ctx)
}

// retire makes keys of retired look-up keys; they can find, and open nothing.
func (k *Keys) retire(lookups map[string][]byte) {
	k.retired = nil
	for id, lookup := range lookups {
		k.retired = append(k.retired, &masterKey{id: id, lookup: lookup})
	}
}

// readRetired opens the look-up keys of times gone by, whichever of the keys given they are sealed under.
func (l *Ledger) readRetired(ctx context.Context) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := l.each(ctx, func(rs *sql.Rows) error {
		var key, value string
		if err := rs.Scan(&key, &value); err != nil {
			return err
		}
		sealed, err := hex.DecodeString(value)
		if err != nil {
			return errors.New("a retired look-up key is damaged")
		}
		for _, m := range []*masterKey{l.keys.current, l.keys.previous} {
			if m == nil {
				continue
			}
			if lookup, err := m.wrap.Open(nil, nil, sealed, nil); err == nil {
				out[strings.TrimPrefix(key, retiredPrefix)] = lookup
				return nil
			}
		}
		return errors.New("a retired look-up key is under a key that was not given: add it as `previous`")
	}, "SELECT key, value FROM meta WHERE key LIKE '"+retiredPrefix+"%'")
	return out, err
}

// rewrap puts the identities under a key under the current one: their own keys and their look-up hashes.
func (tx *Tx) rewrap(from *masterKey) error {
	type old struct {
		n, channel      int64
		wrapped, sealed []byte
	}
	var list []old
	if err := tx.query(func(rs *sql.Rows) error {
		var i old
		err := rs.Scan(&i.n, &i.channel, &i.wrapped, &i.sealed)
		list = append(list, i)
		return err
	}, "SELECT n, channel, wrapped, sealed FROM identities WHERE key_id = ?", from.id); err != nil {
		return err
	}
	current := tx.l.keys.current
	for _, i := range list {
		own, err := from.wrap.Open(nil, nil, i.wrapped, nil)
		if err != nil {
			return fmt.Errorf("unwrap an identity's key: %w", err)
		}
		plain, err := tx.l.keys.open(from.id, i.wrapped, i.sealed)
		if err != nil {
			return fmt.Errorf("decrypt an identity: %w", err)
		}
		var p Person
		if err := json.Unmarshal(plain, &p); err != nil {
			return fmt.Errorf("decode an identity: %w", err)
		}
		wrapped := current.wrap.Seal(nil, nil, own, nil) // #nosec G407 -- the AEAD draws its own nonce
		lookup := current.hash(i.channel, p.Native)
		if err := tx.exec("UPDATE identities SET key_id = ?, wrapped = ?, lookup = ? WHERE n = ?", current.id, wrapped, lookup, i.n); err != nil {
			return err
		}
	}
	return tx.rehashStaged()
}

// rehashStaged puts what waits under the current look-up key, so that it is still counted and erased by its author.
func (tx *Tx) rehashStaged() error {
	type waiting struct {
		n, channel int64
		native     string
	}
	var list []waiting
	if err := tx.query(func(rs *sql.Rows) error {
		var w waiting
		err := rs.Scan(&w.n, &w.channel, &w.native)
		list = append(list, w)
		return err
	}, `SELECT n, channel, coalesce(o ->> '$.message.author.id', o ->> '$.thread.author.id', o ->> '$.member.id', '')
		FROM (SELECT n, channel, CAST(doc AS TEXT) -> '$.observation' AS o FROM staged WHERE author IS NOT NULL)`); err != nil {
		return err
	}
	for _, w := range list {
		if err := tx.exec("UPDATE staged SET author = ? WHERE n = ?", tx.Lookup(w.channel, w.native), w.n); err != nil {
			return err
		}
	}
	return nil
}

// allReadable refuses a ledger that holds identities which none of the keys opens: they would come in a second time, as
// other people.
func (l *Ledger) allReadable(ctx context.Context) error {
	n := 0
	err := l.read.QueryRowContext(ctx, "SELECT count(*) FROM identities WHERE key_id <> ?", l.keys.current.id).Scan(&n)
	if err == nil && n > 0 {
		err = fmt.Errorf("%d identities are under a key that was not given: add it as `previous` beside `key`", n)
	}
	return err
}
