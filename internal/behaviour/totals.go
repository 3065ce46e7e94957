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
	// People is how many distinct members are credited with what counted within the window, PeopleAll at any time;
	// PeoplePending and PeopleUndone are those of these figures. PeopleDecided are both sides, credited and benefiting, of
	// Counted and Unfulfilled together.
	People, PeopleAll, PeoplePending, PeopleUndone, PeopleDecided int
	From                                                          time.Time
	AsOf                                                          time.Time
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
			t.Pending, t.PeoplePending = n, people
		case ledger.Undone:
			t.Undone, t.PeopleUndone = n, people
		case ledger.Unfulfilled:
			t.Unfulfilled = n
		}
		return nil
	}, "SELECT behaviour, state, arose >= ? AS within, count(*), count(DISTINCT "+whose+") FROM occurrences GROUP BY 1, 2, 3", from)
	if err != nil {
		return nil, err
	}
	err = people(ctx, db, byName, func(t *Total) *int { return &t.PeopleAll },
		"SELECT behaviour, count(DISTINCT "+whose+") FROM occurrences WHERE state = 1 GROUP BY 1")
	if err != nil {
		return nil, err
	}
	err = people(ctx, db, byName, func(t *Total) *int { return &t.PeopleDecided },
		`SELECT behaviour, count(DISTINCT nullif(who, 0)) FROM (
			SELECT behaviour, credit AS who FROM occurrences WHERE state IN (1, 5) AND arose >= ?1
			UNION SELECT behaviour, benefits FROM occurrences WHERE state IN (1, 5) AND arose >= ?1) GROUP BY 1`, from)
	return out, err
}

// whose is the member to whom an occurrence is credited; NULL is nobody.
const whose = "nullif(credit, 0)"

// people fills in numbers of people by behaviour.
func people(ctx context.Context, db *sql.DB, byName map[string]*Total, into func(*Total) *int, query string, args ...any) error {
	return each(ctx, db, func(rs *sql.Rows) error {
		var name string
		var n int
		if err := rs.Scan(&name, &n); err != nil {
			return err
		}
		if t := byName[name]; t != nil {
			*into(t) = n
		}
		return nil
	}, query, args...)
}

// WorthRange is what the behaviours of a time are worth under one factor, as an honest range in the community's currency.
type WorthRange struct {
	Factor *blueprint.Factor
	// Cases is how many threads (or cases outside threads) it rests on: a thread counts at most once per factor.
	Cases          int
	Low, Mid, High float64
	// People is how many distinct members it is credited to.
	People int
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
	people := map[string]map[int64]bool{}
	err := each(ctx, db, func(rs *sql.Rows) error {
		var name string
		var n, thread, who int64
		if err := rs.Scan(&name, &n, &thread, &who); err != nil {
			return err
		}
		for _, w := range amounts[name] {
			if people[w.Factor] == nil {
				people[w.Factor] = map[int64]bool{}
			}
			meet(people[w.Factor], who)
			k := onceKey{factor: w.Factor, thread: thread}
			if thread == 0 {
				k.loose = n
			}
			if have, ok := best[k]; !ok || decimal(w.Mid) > decimal(have.Mid) {
				best[k] = w
			}
		}
		return nil
	}, "SELECT behaviour, n, thread, coalesce("+whose+", 0) FROM occurrences WHERE state = 1 AND arose >= ? AND arose < ?", from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, err
	}
	var out []WorthRange
	for i := range bp.Factors {
		f := &bp.Factors[i]
		r := WorthRange{Factor: f, People: len(people[f.Name])}
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
