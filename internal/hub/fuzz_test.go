// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

// fuzzPages are pages as they come over the wire: what a connector may send, and what none should.
var fuzzPages = []string{
	`[]`,
	`[{"thread":{"id":"1","room":"support","title":"How?","createdAt":"2026-03-02T10:00:00Z","author":{"id":"a"}}},
	  {"message":{"id":"1","thread":"1","opening":true,"author":{"id":"a"},"createdAt":"2026-03-02T10:00:00Z","text":"How?","reactions":[{"name":"like","count":2}]}},
	  {"message":{"id":"2","thread":"1","author":{"id":"b"},"createdAt":"2026-03-02T11:00:00Z","text":"So.","accepted":true}}]`,
	`[{"message":{"id":"2","thread":"1","author":{"id":"b"},"createdAt":"2026-03-02T11:00:00Z","text":"So.","presence":"Removed","removedBy":"Author"}}]`,
	`[{"message":{"id":"2","thread":"9","author":{"id":""},"createdAt":"2026-03-02T11:00:00Z","accepted":false,"presence":"Held"}}]`,
	`[{"message":{"id":"2","thread":"1","author":{"id":"b"},"createdAt":"2026-03-02T11:00:00Z","reactions":[{"name":"","count":1},{"name":"\u0000flag","count":3},{"name":"x","count":-4},{"name":"x","count":2}],"flags":-3}}]`,
	`[{"message":{"id":"2","thread":"1","author":{"id":"b"},"createdAt":"2026-03-02T11:00:00Z","reactions":[]}}]`,
	`[{"thread":{"id":"1","presence":"Removed","mergedInto":"1","duplicateOf":"1","splitFrom":"1"}}]`,
	`[{"listing":{"thread":"1","ids":["1","x"]}},{"listing":{"ids":null}},{"member":{"id":"a","messages":-5}},{}]`,
	`[{"moderation":{"id":"m","message":"2","at":"2026-03-02T12:00:00Z","by":{"id":"c"},"flaggers":[{"id":"b"}]}},{"moderation":{"id":""}}]`,
	`[{"message":{"id":"3","thread":"1","opening":true,"author":{"id":"b"},"createdAt":"9999-12-31T23:59:59Z"}},{"message":{"id":"4","thread":"1","author":{"id":"b"},"createdAt":"0001-01-02T00:00:00Z"}}]`,
	`[{"thread":{"id":"7","room":"support","createdAt":"1969-01-01T00:00:00Z","author":{"id":"b"}}},{"message":{"id":"8","thread":"7","parent":"8","author":{"id":"a"},"createdAt":"1969-01-02T00:00:00Z","refs":["7","1"]}}]`,
}

// FuzzCommit sends arbitrary observations in two pages, before and after history is complete: a page is refused or goes
// in, nothing panics, and a rebuild gives the same ledger.
func FuzzCommit(f *testing.F) {
	for i, p := range fuzzPages {
		f.Add(p, fuzzPages[(i+1)%len(fuzzPages)], i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, first, second string, history bool) {
		var pages [2][]event.Observation
		for i, doc := range []string{first, second} {
			if json.Unmarshal([]byte(doc), &pages[i]) != nil {
				return
			}
		}
		l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Keys: fuzzKeys()})
		if err != nil {
			t.Fatal(err)
		}
		h := hub.New(l, hub.Options{Now: func() time.Time { return start }})
		defer func() {
			h.Close()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := h.Apply(t.Context(), answers()); err != nil {
			t.Fatal(err)
		}
		ref := event.ChannelRef{Platform: "discourse", Instance: "forum.example"}
		lease, err := h.Acquire(t.Context(), ref, "forum", "fuzz")
		if err != nil {
			t.Fatal(err)
		}
		commit := func(lane event.Lane, previous, next string, at time.Time, list []event.Observation) bool {
			c := event.Commit{Channel: ref, Epoch: lease.Epoch, Lane: lane, Previous: json.RawMessage(previous), Next: json.RawMessage(next), CompleteThrough: at,
				ObservedAt: at, Done: lane == event.Backfill, FromBeginning: true, Observations: list}
			err := h.Commit(t.Context(), c)
			if err != nil && !errors.Is(err, reader.ErrRefused) {
				t.Fatalf("%s: %v", lane, err)
			}
			return err == nil
		}
		page := pages[0]
		if !history {
			page = nil
		}
		if !commit(event.Backfill, "null", "1", start, page) {
			return
		}
		if err := h.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		cursor := "null"
		if commit(event.Live, cursor, "1", start.Add(time.Hour), pages[0]) {
			cursor = "1"
		}
		commit(event.Live, cursor, "2", start.Add(30*day), pages[1])
		aside, err := l.ListAside(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range aside {
			if strings.Contains(a.Error, "panic") {
				t.Errorf("set aside: %s %s: %s", a.What, a.Ident, a.Error)
			}
		}
		differences, err := hub.Check(t.Context(), l, 10, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range differences {
			t.Errorf("only in the %s: %s", d.Side, d.Line)
		}
	})
}

// fuzzKeys are the keys of every ledger of a fuzz target.
func fuzzKeys() ledger.Keys {
	keys, err := ledger.NewKeys([]byte(strings.Repeat("k", 32)), nil)
	if err != nil {
		panic(err) // 32 bytes are enough
	}
	return keys
}
