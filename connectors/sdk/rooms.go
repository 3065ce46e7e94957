// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"path"
	"strings"
)

// Rooms decides which rooms of a channel are read. Patterns are globs on the room's path: `*` within one segment, and
// `x/*` also matches what lies deeper under x, and x itself (a category holds topics of its own).
type Rooms struct {
	// Include lists what is read; empty means every public room.
	Include []string
	// Exclude wins over Include.
	Exclude []string
}

// Reads says whether a room is read. Private rooms (and direct messages) are never read unless a pattern of Include
// names them without a wildcard.
func (r Rooms) Reads(room string, private bool) bool {
	for _, p := range r.Exclude {
		if MatchRoom(p, room) {
			return false
		}
	}
	if private {
		for _, p := range r.Include {
			if p == room {
				return true
			}
		}
		return false
	}
	if len(r.Include) == 0 {
		return true
	}
	for _, p := range r.Include {
		if MatchRoom(p, room) {
			return true
		}
	}
	return false
}

// MatchRoom says whether a pattern matches a room's path.
func MatchRoom(pattern, room string) bool {
	if pattern == "*" || pattern == "**" || pattern == room {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/*"); ok {
		if room == base || strings.HasPrefix(room, base+"/") {
			return true
		}
	}
	ok, err := path.Match(pattern, room)
	return err == nil && ok
}
