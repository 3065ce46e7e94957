// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"strings"
	"testing"
)

func TestFor(t *testing.T) {
	known := []string{"thread", "author", "channel", "event"}
	tests := map[string]struct {
		name  string
		known []string
		want  string
	}{
		"one letter off":        {name: "autor", known: known, want: `did you mean "author"?`},
		"neighbours swapped":    {name: "theard", known: known, want: `did you mean "thread"?`},
		"other case":            {name: "Event", known: known, want: `did you mean "event"?`},
		"nothing near":          {name: "zzzzzzzz", known: known, want: "known are author, channel, event, thread"},
		"nothing known":         {name: "author", known: nil, want: ""},
		"absurdly long is fine": {name: strings.Repeat("x", 1<<16), known: []string{"a"}, want: `did you mean "a"?`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := For(tc.name, tc.known); got != tc.want {
				t.Errorf("For(%q) = %q, want %q", tc.name, got, tc.want)
			}
		})
	}
}
