// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import "github.com/kith-dev/kith/api/event"

// SizeOf estimates an observation's bytes on the wire, rather too high than too low, so that a connector can end a page
// before event.MaxPageBytes: what JSON escapes counts as what it becomes ("<" takes six bytes).
func SizeOf(o *event.Observation) int {
	const each = 512
	n := each
	if m := o.Message; m != nil {
		n += wireSize(m.Text) + textsSize(m.Links) + textsSize(m.Author.Roles) + wireSize(m.ID) + wireSize(m.Thread) + wireSize(m.Parent)
		for i := range m.Reactions {
			n += each / 4 * (1 + len(m.Reactions[i].By))
		}
	}
	if t := o.Thread; t != nil {
		n += wireSize(t.ID) + wireSize(t.Title) + wireSize(t.URL) + textsSize(t.Tags)
	}
	if m := o.Member; m != nil {
		n += wireSize(m.ID) + wireSize(m.Handle) + wireSize(m.Name) + textsSize(m.Roles)
	}
	if l := o.Listing; l != nil {
		n += textsSize(l.IDs)
	}
	if m := o.Moderation; m != nil {
		n += each / 4 * len(m.Flaggers)
	}
	return n
}

func textsSize(texts []string) int {
	n := 0
	for _, t := range texts {
		n += wireSize(t) + 3
	}
	return n
}

// wireSize is a text's length as encoding/json writes it.
func wireSize(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			n++
		case c < 0x20 || c == '<' || c == '>' || c == '&':
			n += 5
		}
	}
	return n
}
