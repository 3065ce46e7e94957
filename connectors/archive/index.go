// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
)

// index is an archive's listing in its order, with a digest of each beginning of it: a cursor that holds the digest of
// what lies behind it can tell whether that is still the same. What the archive tells of its rooms comes with it.
type index struct {
	source
	entries []entry
	rooms   rooms
	// upTo[i] is the digest of entries[:i].
	upTo [][16]byte
}

func newIndex(s source) (*index, error) {
	l := s.list()
	r, err := readRooms(s, l.categories)
	if err != nil {
		return nil, err
	}
	x := &index{source: s, entries: slices.Clone(l.topics), rooms: r}
	slices.SortFunc(x.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.name, b.name))
	})
	x.upTo = make([][16]byte, len(x.entries)+1)
	for i, e := range x.entries {
		sum := sha256.Sum256(fmt.Appendf(x.upTo[i][:], "%d\x00%q\x00%d\x00%s", e.id, e.name, e.size, e.mark))
		copy(x.upTo[i+1][:], sum[:])
	}
	return x, nil
}

// digest of the first n entries.
func (x *index) digest(n int) string { return hex.EncodeToString(x.upTo[n][:]) }

// behind is how many entries are at or before (id, name).
func (x *index) behind(id int64, name string) int {
	return sort.Search(len(x.entries), func(i int) bool {
		e := x.entries[i]
		return e.id > id || (e.id == id && e.name > name)
	})
}
