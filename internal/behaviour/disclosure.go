// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/ledger"
)

// other is the label of everybody who may not be told apart.
const other = string(event.OtherL)

// combinations is the dimension under which people are noted: level and segment together.
const combinations = "both"

// combination is a level together with a segment.
type combination struct{ level, segment string }

// String gives it as it is stored.
func (c combination) String() string { return c.level + "|" + c.segment }

func parseCombination(s string) combination {
	level, segment, _ := strings.Cut(s, "|")
	return combination{level, segment}
}

// disclosure says which labels are shown. Each combination is counted under itself, else under its level alone, else
// under other; and behind every label that anybody is counted under stand at least so many people, also behind all the
// others together: a label of fewer can neither be read nor had by subtraction.
type disclosure struct {
	people ledger.People
	k      int
	hidden map[combination]bool // {level, other} stands for a level alone
	as     int                  // the state of the people that it was worked out from
}

// disclose hides labels, the smallest first, until the rest may be shown.
func disclose(people ledger.People, k int) *disclosure {
	d := &disclosure{people: people, k: k, hidden: map[combination]bool{{other, other}: true}}
	for {
		behind := d.labels()
		labels := slices.SortedFunc(maps.Keys(behind), func(a, b combination) int {
			return cmp.Or(cmp.Compare(people.Distinct(1<<30, behind[a]), people.Distinct(1<<30, behind[b])),
				cmp.Compare(a.level, b.level), cmp.Compare(a.segment, b.segment))
		})
		safe := true
		for _, l := range labels {
			safe = safe && people.Distinct(k, behind[l]) >= k && (d.hidden[l] || people.Distinct(k, others(behind, l)) >= k)
		}
		if safe {
			return d
		}
		if !d.hide(labels) {
			return d
		}
	}
}

// hide hides the first label that is not hidden; of a level that would be hidden as a whole, rather a segment.
func (d *disclosure) hide(labels []combination) bool {
	i := slices.IndexFunc(labels, func(l combination) bool { return !d.hidden[l] })
	if i < 0 {
		return false
	}
	l := labels[i]
	if l.segment == other {
		if j := slices.IndexFunc(labels, func(s combination) bool { return s.level == l.level && s.segment != other && !d.hidden[s] }); j >= 0 {
			l = labels[j]
		}
	}
	d.hidden[l] = true
	return true
}

// label is what a combination is counted under.
func (d *disclosure) label(c combination) combination {
	for _, l := range []combination{c, {c.level, other}} {
		if !d.hidden[l] {
			return l
		}
	}
	return combination{other, other}
}

// labels gives the combinations behind each label.
func (d *disclosure) labels() map[combination][]string {
	out := map[combination][]string{}
	for value := range d.people {
		l := d.label(parseCombination(value))
		out[l] = append(out[l], value)
	}
	return out
}

// others are the combinations behind all labels but one.
func others(behind map[combination][]string, but combination) []string {
	var out []string
	for l, values := range behind {
		if l != but {
			out = append(out, values...)
		}
	}
	return out
}
