// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"context"
	"database/sql"
	"time"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

// Total is what has been seen of one behaviour.
type Total struct {
	Behaviour *blueprint.Behaviour
	// Counted, Pending, Undone and Unfulfilled arose within the window; CountedAll at any time.
	Counted, Pending, Undone, Unfulfilled int
	CountedAll                            int
	// People is how many distinct members are credited within the window.
	People int
	From   time.Time
	AsOf   time.Time
}

// Totals gives what has been seen of every behaviour, over a window up to what has been read.
func Totals(ctx context.Context, db *sql.DB, bp *blueprint.Blueprint, window time.Duration) ([]Total, error) {
	reading, err := readings(ctx, db, bp)
	if err != nil {
		return nil, err
	}
	asOf := int64(0)
	for _, r := range reading {
		asOf = max(asOf, r.watermark)
	}
	from := asOf - window.Milliseconds()
	byName := map[string]*Total{}
	out := make([]Total, len(bp.Behaviours))
	for i := range bp.Behaviours {
		out[i] = Total{Behaviour: &bp.Behaviours[i], From: timeOf(from), AsOf: timeOf(asOf)}
		byName[bp.Behaviours[i].Name] = &out[i]
	}
	err = each(ctx, db, func(rs *sql.Rows) error {
		var name string
		var state ledger.State
		var within bool
		var n, people int
		if err := rs.Scan(&name, &state, &within, &n, &people); err != nil {
			return err
		}
		t := byName[name]
		if t == nil {
			return nil // its definition is gone
		}
		if state == ledger.Counted {
			t.CountedAll += n
		}
		if !within {
			return nil
		}
		switch state {
		case ledger.Counted:
			t.Counted, t.People = n, people
		case ledger.Pending:
			t.Pending = n
		case ledger.Undone:
			t.Undone = n
		case ledger.Unfulfilled:
			t.Unfulfilled = n
		}
		return nil
	}, "SELECT behaviour, state, arose >= ? AS within, count(*), count(DISTINCT nullif(credit, 0)) FROM occurrences GROUP BY 1, 2, 3", from)
	return out, err
}

// WorthRange is what the behaviours of a time are worth under one factor, as an honest range in the community's currency.
type WorthRange struct {
	Factor *blueprint.Factor
	// Cases is how many threads (or cases outside threads) it rests on: a thread counts at most once per factor.
	Cases          int
	Low, Mid, High float64
}

// Worth adds up what occurrences that arose between two times are worth.
func Worth(ctx context.Context, db *sql.DB, bp *blueprint.Blueprint, from, to time.Time) ([]WorthRange, error) {
	amounts := map[string][]blueprint.Worth{}
	for _, b := range bp.Behaviours {
		amounts[b.Name] = b.Worth
	}
	type onceKey struct {
		factor string
		thread int64
		loose  int64
	}
	best := map[onceKey]blueprint.Worth{}
	err := each(ctx, db, func(rs *sql.Rows) error {
		var name string
		var n, thread int64
		if err := rs.Scan(&name, &n, &thread); err != nil {
			return err
		}
		for _, w := range amounts[name] {
			k := onceKey{factor: w.Factor, thread: thread}
			if thread == 0 {
				k.loose = n
			}
			if have, ok := best[k]; !ok || decimal(w.Mid) > decimal(have.Mid) {
				best[k] = w
			}
		}
		return nil
	}, "SELECT behaviour, n, thread FROM occurrences WHERE state = 1 AND arose >= ? AND arose < ?", from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, err
	}
	var out []WorthRange
	for i := range bp.Factors {
		f := &bp.Factors[i]
		r := WorthRange{Factor: f}
		for k, w := range best {
			if k.factor == f.Name {
				r.Cases++
				r.Low += decimal(w.Low) * decimal(f.Low)
				r.Mid += decimal(w.Mid) * decimal(f.Mid)
				r.High += decimal(w.High) * decimal(f.High)
			}
		}
		out = append(out, r)
	}
	return out, nil
}
