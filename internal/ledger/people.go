// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"strings"
)

// enoughPeople is how many distinct people of a label are remembered: more than any minimum group needs.
const enoughPeople = 100

// groups are the distinct people behind the labels of each behaviour, kept in memory by the one writer.
type groups map[groupKey]map[string]map[int64]bool // value of the dimension → members

type groupKey struct {
	channel   int64
	behaviour string
	dimension string
}

func (l *Ledger) loadGroups(ctx context.Context) error {
	l.groups = groups{}
	rs, err := l.conn.QueryContext(ctx, "SELECT channel, behaviour, label, member FROM people")
	if err != nil {
		return err
	}
	defer func() { _ = rs.Close() }() // its error shows in rs.Err
	for rs.Next() {
		var p person
		var label string
		if err := rs.Scan(&p.channel, &p.behaviour, &label, &p.member); err != nil {
			return err
		}
		p.dimension, p.value, _ = strings.Cut(label, "/")
		l.groups.add(p)
	}
	return rs.Err()
}

func (g groups) add(p person) {
	k := groupKey{p.channel, p.behaviour, p.dimension}
	if g[k] == nil {
		g[k] = map[string]map[int64]bool{}
	}
	if g[k][p.value] == nil {
		g[k][p.value] = map[int64]bool{}
	}
	g[k][p.value][p.member] = true
}

// AddPerson notes a distinct person behind a value of a dimension of a behaviour's labels, up to a limit.
func (tx *Tx) AddPerson(channel int64, behaviour, dimension, value string, member int64) {
	p := person{channel, behaviour, dimension, value, member}
	known := tx.l.groups[groupKey{channel, behaviour, dimension}][value]
	if len(known) < enoughPeople && !known[member] && !tx.people[p] {
		setUndo(tx, tx.people, p, true)
		tx.peopleChanged++
		tx.onUndo(func() { tx.peopleChanged++ })
	}
}

// PeopleChanged is another number whenever People may give something else than before in this transaction.
func (tx *Tx) PeopleChanged() int { return tx.peopleChanged }

// People are the distinct members behind each value of a dimension: those of before, and those of this transaction.
type People map[string]*behind

type behind struct {
	known map[int64]bool
	fresh []int64
}

// People gives who stands behind each value of a dimension of a behaviour's labels.
func (tx *Tx) People(channel int64, behaviour, dimension string) People {
	out := People{}
	for value, members := range tx.l.groups[groupKey{channel, behaviour, dimension}] {
		out[value] = &behind{known: members}
	}
	for p := range tx.people {
		if p.channel == channel && p.behaviour == behaviour && p.dimension == dimension {
			out.Add(p.value, p.member)
		}
	}
	return out
}

// Add puts a member behind a value who is not behind it yet.
func (p People) Add(value string, member int64) {
	if p[value] == nil {
		p[value] = &behind{}
	}
	p[value].fresh = append(p[value].fresh, member)
}

// Distinct counts the distinct members behind some values, and stops at a limit.
func (p People) Distinct(limit int, values []string) int {
	if len(values) == 1 && p[values[0]] != nil {
		return min(limit, len(p[values[0]].known)+len(p[values[0]].fresh))
	}
	all := map[int64]bool{}
	for _, v := range values {
		if p[v] == nil {
			continue
		}
		for m := range p[v].known {
			if all[m] = true; len(all) >= limit {
				return limit
			}
		}
		for _, m := range p[v].fresh {
			if all[m] = true; len(all) >= limit {
				return limit
			}
		}
	}
	return len(all)
}
