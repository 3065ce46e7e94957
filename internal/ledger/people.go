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

// AddPerson notes a distinct person behind a value of a dimension ("level", "segment") of a behaviour. It gives how many
// distinct people there are now behind that value, and how many behind all the others; both up to a limit.
func (tx *Tx) AddPerson(channel int64, behaviour, dimension, value string, member int64) (here, elsewhere int) {
	all := tx.l.groups[groupKey{channel, behaviour, dimension}]
	p := person{channel, behaviour, dimension, value, member}
	if known := all[value]; len(known) < enoughPeople && !known[member] && !tx.people[p] {
		setUndo(tx, tx.people, p, true)
	}
	others := map[int64]bool{}
	for v, members := range all {
		if v == value {
			here += len(members)
			continue
		}
		for m := range members {
			others[m] = true
			if len(others) >= enoughPeople {
				break
			}
		}
	}
	for q := range tx.people {
		if q.channel != channel || q.behaviour != behaviour || q.dimension != dimension {
			continue
		}
		if q.value == value {
			here++
		} else {
			others[q.member] = true
		}
	}
	return here, len(others)
}
