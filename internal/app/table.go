// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"unicode/utf8"
)

// table lays out rows in columns. Columns whose number is in right are flush right.
type table struct {
	indent string
	right  map[int]bool
	rows   [][]string
}

func newTable(indent string, right ...int) *table {
	t := &table{indent: indent, right: map[int]bool{}}
	for _, c := range right {
		t.right[c] = true
	}
	return t
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// String is the table, with a newline behind each row and no blanks at its end.
func (t *table) String() string {
	var widths []int
	for _, r := range t.rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, r := range t.rows {
		var line strings.Builder
		line.WriteString(t.indent)
		for i, c := range r {
			if i > 0 {
				line.WriteString("  ")
			}
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if t.right[i] {
				line.WriteString(gap + c)
			} else {
				line.WriteString(c + gap)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
