// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package suggest finds the name that somebody probably meant. What enters are a name and those that are known; it
// knows nothing of what they name, and never changes anything on a guess.
package suggest

import (
	"fmt"
	"slices"
	"strings"
)

// For says which of the known names was probably meant, or lists them where none is near. It returns an empty string
// where nothing is known.
func For(name string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	best, distance := "", len(name)/3+2
	for _, candidate := range known {
		if d := editDistance(strings.ToLower(name), strings.ToLower(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	sorted := slices.Sorted(slices.Values(known))
	const most = 40
	if len(sorted) > most {
		return "known are " + strings.Join(sorted[:most], ", ") + ", …"
	}
	return "known are " + strings.Join(sorted, ", ")
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours. Long names are cut: nobody means them.
func editDistance(a, b string) int {
	const most = 64
	a, b = a[:min(len(a), most)], b[:min(len(b), most)]
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
