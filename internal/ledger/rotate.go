// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// rotate puts every identity that is still under the previous key under the current one, so that the previous key can
// be thrown away afterwards. The block-list holds hashes alone: its entries move when their account is seen again, and
// until then the previous key is needed to recognise it.
func (l *Ledger) rotate(ctx context.Context) (moved int, err error) {
	if l.keys.previous == nil {
		return 0, nil
	}
	tx, err := l.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	tx.cold = true
	type row struct {
		n, channel      int64
		wrapped, sealed []byte
	}
	var rows []row
	if err := tx.query(func(rs *sql.Rows) error {
		var r row
		if err := rs.Scan(&r.n, &r.channel, &r.wrapped, &r.sealed); err != nil {
			return err
		}
		rows = append(rows, r)
		return nil
	}, "SELECT n, channel, wrapped, sealed FROM identities WHERE key_id = ?", l.keys.previous.id); err != nil {
		return 0, err
	}
	for _, r := range rows {
		plain, err := l.keys.open(l.keys.previous.id, r.wrapped, r.sealed)
		if err != nil {
			return 0, fmt.Errorf("open identity %d with the previous key: %w", r.n, err)
		}
		var p Person
		if err := json.Unmarshal(plain, &p); err != nil {
			return 0, fmt.Errorf("decode identity %d: %w", r.n, err)
		}
		wrapped, sealed, err := l.keys.current.seal(plain)
		if err != nil {
			return 0, err
		}
		if err := tx.exec("UPDATE identities SET lookup = ?, key_id = ?, wrapped = ?, sealed = ? WHERE n = ?",
			l.keys.current.hash(r.channel, p.Native), l.keys.current.id, wrapped, sealed, r.n); err != nil {
			return 0, err
		}
	}
	return len(rows), tx.Commit()
}
