// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/ledger"
)

func rotationKeys(t *testing.T, current, previous string) ledger.Keys {
	t.Helper()
	var old []byte
	if previous != "" {
		old = bytes.Repeat([]byte(previous), 32)
	}
	k, err := ledger.NewKeys(bytes.Repeat([]byte(current), 32), old)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sees opens the ledger, looks an account up as intake does, and says who it is.
func sees(t *testing.T, path string, k ledger.Keys, account string) (id string, created bool) {
	t.Helper()
	l, err := ledger.Open(t.Context(), path, ledger.Options{Keys: k})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	tx, err := l.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if c, err := tx.Channel(event.ChannelRef{Platform: "p", Instance: "i"}); err != nil {
		t.Fatal(err)
	} else if c == nil {
		tx.NewChannel(ledger.Channel{Ref: event.ChannelRef{Platform: "p", Instance: "i"}, Name: "forum"})
	}
	m, created, err := tx.FindMember(1, event.Actor{ID: account, Handle: "h-" + account}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return m.ID, created
}

func TestRotatingTheKeyKeepsPeopleAndErasures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	before, _ := sees(t, path, rotationKeys(t, "a", ""), "1")
	sees(t, path, rotationKeys(t, "a", ""), "2")
	l, err := ledger.Open(t.Context(), path, ledger.Options{Keys: rotationKeys(t, "a", "")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.EraseMember(t.Context(), "2"); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Open(t.Context(), path, ledger.Options{Keys: rotationKeys(t, "b", "")}); err == nil {
		t.Fatal("a ledger opened with a key that is not its own")
	}
	while, created := sees(t, path, rotationKeys(t, "b", "a"), "1")
	if created || while != before {
		t.Errorf("while rotating, account 1 is %s (made anew: %v), was %s", while, created, before)
	}
	if id, _ := sees(t, path, rotationKeys(t, "b", "a"), "2"); id != "erased" {
		t.Errorf("while rotating, the erased account is %s", id)
	}
	after, created := sees(t, path, rotationKeys(t, "b", ""), "1")
	if created || after != before {
		t.Errorf("after rotating, account 1 is %s (made anew: %v), was %s", after, created, before)
	}
	if id, _ := sees(t, path, rotationKeys(t, "b", ""), "2"); id != "erased" {
		t.Errorf("after rotating, the erased account that was seen in between is %s", id)
	}
}
