// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kith-dev/kith/internal/ledger"
)

func TestCombinationsAreHiddenBelowTheGroupSize(t *testing.T) {
	const k = 3
	tests := map[string]struct {
		people map[string]int // how many, all different
		want   map[string]string
	}{
		"nobody":                         {map[string]int{}, map[string]string{}},
		"few":                            {map[string]int{"newcomer|other": 2, "regular|other": 1}, map[string]string{"newcomer|other": "other|other", "regular|other": "other|other"}},
		"one level without a complement": {map[string]int{"newcomer|other": 9}, map[string]string{"newcomer|other": "other|other"}},
		"two levels":                     {map[string]int{"newcomer|other": 3, "regular|other": 3}, map[string]string{"newcomer|other": "newcomer|other", "regular|other": "regular|other"}},
		"one level too small for itself": {map[string]int{"newcomer|other": 9, "regular|other": 2}, map[string]string{"newcomer|other": "other|other", "regular|other": "other|other"}},
		"the rest would be one person": {map[string]int{"newcomer|other": 5, "regular|other": 4, "other|other": 1},
			map[string]string{"newcomer|other": "newcomer|other", "regular|other": "other|other", "other|other": "other|other"}},
		"a segment, and one person of the level without": {map[string]int{"newcomer|partner": 5, "newcomer|other": 1, "regular|other": 5},
			map[string]string{"newcomer|partner": "newcomer|other", "newcomer|other": "newcomer|other", "regular|other": "regular|other"}},
		"small segments hide in their level": {map[string]int{"newcomer|partner": 2, "newcomer|staff": 2, "regular|other": 5},
			map[string]string{"newcomer|partner": "newcomer|other", "newcomer|staff": "newcomer|other", "regular|other": "regular|other"}},
		"all large": {map[string]int{"newcomer|partner": 3, "newcomer|other": 3, "other|partner": 3, "other|other": 3},
			map[string]string{"newcomer|partner": "newcomer|partner", "newcomer|other": "newcomer|other", "other|partner": "other|partner", "other|other": "other|other"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			people, n := ledger.People{}, int64(0)
			for value, size := range tc.people {
				for range size {
					n++
					people.Add(value, n)
				}
			}
			d, got := disclose(people, k), map[string]string{}
			for value := range people {
				got[value] = d.label(parseCombination(value)).String()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoLabelIsAboutFewPeople draws people with levels and segments, also people who change theirs. Whatever they are:
// behind each label stand enough people, and behind all the others together too.
func TestNoLabelIsAboutFewPeople(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := rapid.IntRange(1, 6).Draw(rt, "k")
		people := ledger.People{}
		sets := map[string]map[int64]bool{}
		for range rapid.IntRange(0, 60).Draw(rt, "n") {
			c := combination{rapid.SampledFrom([]string{"newcomer", "regular", other}).Draw(rt, "level"), rapid.SampledFrom([]string{"a", "b", other}).Draw(rt, "segment")}
			member := rapid.Int64Range(1, 25).Draw(rt, "member")
			if sets[c.String()] == nil {
				sets[c.String()] = map[int64]bool{}
			}
			if !sets[c.String()][member] {
				sets[c.String()][member] = true
				people.Add(c.String(), member)
			}
		}
		d := disclose(people, k)
		behind := map[string]map[int64]bool{}
		for value, members := range sets {
			label := d.label(parseCombination(value)).String()
			if behind[label] == nil {
				behind[label] = map[int64]bool{}
			}
			for m := range members {
				behind[label][m] = true
			}
		}
		if len(behind) <= 1 && (len(behind) == 0 || behind[other+"|"+other] != nil) {
			return // everybody under other: nothing is told
		}
		for label, members := range behind {
			complement := map[int64]bool{}
			for l, those := range behind {
				for m := range those {
					complement[m] = complement[m] || l != label
				}
			}
			outside := 0
			for _, is := range complement {
				if is {
					outside++
				}
			}
			if len(members) < k || outside < k {
				rt.Fatalf("label %s stands for %d people, all others for %d, the minimum is %d\n%v", label, len(members), outside, k, show(behind))
			}
		}
	})
}

func show(behind map[string]map[int64]bool) []string {
	var out []string
	for l, m := range behind {
		out = append(out, fmt.Sprintf("%s: %d", l, len(m)))
	}
	slices.Sort(out)
	return out
}
