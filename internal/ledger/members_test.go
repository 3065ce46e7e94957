// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
)

// peopled is a ledger in which ann asked and ben answered.
func peopled(t *testing.T) *Ledger {
	t.Helper()
	l := opened(t)
	write(t, l, func(tx *Tx) {
		posted(t, tx, "ann", "t1", "p1", "How do I bleed a radiator?", 1)
		posted(t, tx, "ben", "t1", "p2", "With the key that came with it.", 2)
	})
	return l
}

func closed(t *testing.T, l *Ledger) string {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Path()
}

// memberOf is the row that an account leads to.
func memberOf(t *testing.T, l *Ledger, native string) (n int64, created bool) {
	t.Helper()
	tx, err := l.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	m, created, err := tx.FindMember(1, event.Actor{ID: native}, "")
	if err != nil {
		t.Fatal(err)
	}
	return m.N, created
}

func TestAnAccountLeadsToOneMemberForGood(t *testing.T) {
	l := peopled(t)
	ann, created := memberOf(t, l, "ann")
	if created {
		t.Error("ann was made anew")
	}
	l = reopened(t, closed(t, l), newKeys(t, "k", ""))
	if again, created := memberOf(t, l, "ann"); created || again != ann {
		t.Errorf("ann is member %d (new: %v) after a restart, was %d", again, created, ann)
	}
	if ben, created := memberOf(t, l, "ben"); created || ben == ann {
		t.Errorf("ben is member %d (new: %v), ann %d", ben, created, ann)
	}
}

func TestNothingInTheFileNamesAnybody(t *testing.T) {
	l := peopled(t)
	if err := l.Backup(t.Context(), filepath.Join(t.TempDir(), "b.db")); err != nil {
		t.Fatal(err)
	}
	path := closed(t, l)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"ann-handle", "ann name", "ben-handle", "ben name"} {
			if bytes.Contains(raw, []byte(s)) {
				t.Errorf("%s holds %q", filepath.Base(f), s)
			}
		}
	}
}

func TestTheCanonicalDumpNamesNobody(t *testing.T) {
	l := peopled(t)
	write(t, l, func(tx *Tx) {
		m, s := must[*Member](t)(tx.Member(1)), &MemberState{Roles: []string{"moderator"}}
		must[bool](t)(tx.Append(&Event{Channel: 1, Kind: event.MemberJoined, Native: m.ID, At: 1, Author: m.N, Data: Data{Member: s}}))
	})
	other := peopled(t)
	write(t, other, func(tx *Tx) {
		m, s := must[*Member](t)(tx.Member(1)), &MemberState{Roles: []string{"moderator"}}
		must[bool](t)(tx.Append(&Event{Channel: 1, Kind: event.MemberJoined, Native: m.ID, At: 1, Author: m.N, Data: Data{Member: s}}))
	})
	got := dumped(t, l)
	if diff := cmp.Diff(got, dumped(t, other)); diff != "" {
		t.Errorf("two ledgers of the same community differ:\n%s", diff)
	}
	forbidden := []string{"ann", "ben", "radiator", "Title of"}
	for n := range 2 {
		tx, err := l.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		forbidden = append(forbidden, must[*Member](t)(tx.Member(int64(n+1))).ID)
		tx.Rollback()
	}
	for _, s := range forbidden {
		if s == "ann" { // also in "channel"
			s = `"ann`
		}
		if strings.Contains(got, s) {
			t.Errorf("the dump holds %q:\n%s", s, got)
		}
	}
	if !strings.Contains(got, `"author":"m1"`) {
		t.Errorf("members are not numbered by their first appearance:\n%s", got)
	}
}

func TestTheKeyMustFit(t *testing.T) {
	tests := map[string]struct {
		keys Keys
		want string // part of the error; empty: it opens
	}{
		"the same key":           {newKeys(t, "k", ""), ""},
		"another key":            {newKeys(t, "x", ""), "does not fit this ledger"},
		"rotated":                {newKeys(t, "x", "k"), ""},
		"rotated from a wrong":   {newKeys(t, "x", "y"), "does not fit this ledger"},
		"a previous one besides": {newKeys(t, "k", "y"), ""},
		"none":                   {Keys{}, "no identity key was given"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			path := closed(t, peopled(t))
			l, err := Open(t.Context(), path, Options{Keys: tc.keys})
			if tc.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if _, created := memberOf(t, l, "ann"); created {
					t.Error("ann came in a second time")
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestAfterARotationThePreviousKeyCanGo(t *testing.T) {
	l := peopled(t)
	if _, err := l.EraseMember(t.Context(), "ben"); err != nil {
		t.Fatal(err)
	}
	ann, _ := memberOf(t, l, "ann")
	write(t, l, func(tx *Tx) {
		waiting := `{"observation":{"message":{"id":"p9","author":{"id":"ann"}}}}`
		if err := tx.Stage(1, []Staged{{At: 9, Rank: 2, Ident: "p9", Author: tx.Lookup(1, "ann"), Doc: []byte(waiting)}}); err != nil {
			t.Fatal(err)
		}
	})
	path := closed(t, l)
	for i, keys := range []Keys{newKeys(t, "x", "k"), newKeys(t, "x", ""), newKeys(t, "y", "x"), newKeys(t, "y", "x"), newKeys(t, "y", ""), newKeys(t, "k", "y"), newKeys(t, "k", "")} {
		l := reopened(t, path, keys)
		if n, created := memberOf(t, l, "ann"); created || n != ann {
			t.Errorf("opening %d: ann is member %d (new: %v), was %d", i, n, created, ann)
		}
		if found, err := l.FindPeople(t.Context(), "ann-handle"); err != nil || len(found) != 1 {
			t.Errorf("opening %d: found %d, %v", i, len(found), err)
		}
		tx, err := l.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m, _, err := tx.FindMember(1, event.Actor{ID: "ben"}, ""); err != nil || m.Status != MemberErased {
			t.Errorf("opening %d: ben, who was erased, is back: %+v, %v", i, m, err)
		}
		if n, err := tx.CountStaged(1, tx.Lookup(1, "ann")); err != nil || n != 1 {
			t.Errorf("opening %d: %d of ann's messages wait, %v", i, n, err)
		}
		tx.Rollback()
		closed(t, l)
	}
	if _, err := Open(t.Context(), path, Options{Keys: newKeys(t, "x", "")}); err == nil {
		t.Error("a key of before still opens the ledger")
	}
}

func TestABackupOfBeforeARotationAndAnErasureErasesAgain(t *testing.T) {
	l := peopled(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := l.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if _, err := l.EraseMember(t.Context(), "ben"); err != nil {
		t.Fatal(err)
	}
	path := closed(t, reopened(t, closed(t, l), newKeys(t, "x", "k")))
	erased, err := Restore(t.Context(), backup, path, Options{Keys: newKeys(t, "x", "k")})
	if err != nil || erased != 1 {
		t.Fatalf("erased %d again, %v; want 1", erased, err)
	}
	l = reopened(t, path, newKeys(t, "x", ""))
	if found, err := l.FindPeople(t.Context(), "ben"); err != nil || len(found) != 0 {
		t.Errorf("ben is back: %v, %v", found, err)
	}
	if n := count(t, l, "SELECT count(*) FROM texts"); n != 1 {
		t.Errorf("%d texts, want ann's alone", n)
	}
}

func TestErasingLeadsNowhere(t *testing.T) {
	l := peopled(t)
	before, err := l.FindPeople(t.Context(), "ben-handle")
	if err != nil || len(before) != 1 {
		t.Fatal(before, err)
	}
	dump := dumped(t, l)
	n, err := l.EraseMember(t.Context(), "BEN-handle")
	if err != nil || n != 1 {
		t.Fatalf("erased %d texts, %v; want 1", n, err)
	}
	for _, who := range []string{"ben", "ben-handle", before[0].ID} {
		if found, err := l.FindPeople(t.Context(), who); err != nil || len(found) != 0 {
			t.Errorf("%q still leads to %v, %v", who, found, err)
		}
		if _, err := l.ExportMember(t.Context(), who); !errors.Is(err, ErrNoMember) {
			t.Errorf("export of %q: %v", who, err)
		}
	}
	if got := dumped(t, l); got != dump {
		t.Errorf("what was done has changed\nfrom %s\nto   %s", dump, got)
	}
	// They write again: nothing is kept of who they are.
	write(t, l, func(tx *Tx) {
		m, created, err := tx.FindMember(1, event.Actor{ID: "ben", Handle: "ben-handle"}, "")
		if err != nil || created || m.Status != MemberErased || m.ID == before[0].ID {
			t.Errorf("intake of an erased account gives %+v (new: %v), %v", m, created, err)
		}
	})
	if n := count(t, l, "SELECT count(*) FROM identities"); n != 1 {
		t.Errorf("%d identities, want ann's alone", n)
	}
	path := closed(t, l)
	for _, f := range []string{path, path + "-wal", path + ".erased"} {
		raw, err := os.ReadFile(f)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for _, s := range []string{"ben-handle", "ben name", "came with it"} {
			if bytes.Contains(raw, []byte(s)) {
				t.Errorf("%s still holds %q", filepath.Base(f), s)
			}
		}
	}
}

func TestAnExportHoldsWhatIsKeptOfOnePerson(t *testing.T) {
	l := peopled(t)
	x, err := l.ExportMember(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ann-handle", "ann name", "radiator", "MessagePosted"} {
		if !strings.Contains(string(doc), want) {
			t.Errorf("the export lacks %q: %s", want, doc)
		}
	}
	if strings.Contains(string(doc), "ben") || strings.Contains(string(doc), "came with it") {
		t.Errorf("the export holds somebody else: %s", doc)
	}
}

func TestRestoreRefusesWhatIsNoBackup(t *testing.T) {
	l := peopled(t)
	good := filepath.Join(t.TempDir(), "good.db")
	if err := l.Backup(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	if err := l.Backup(t.Context(), good); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a backup over another one: %v", err)
	}
	want := dumped(t, l)
	path := closed(t, l)
	raw, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(raw)
	for i := 4096; i < len(damaged); i += 512 {
		damaged[i] ^= 0xff
	}
	tests := map[string]struct {
		doc  []byte
		keys Keys
		want string
	}{
		"damaged":     {damaged, newKeys(t, "k", ""), "damaged"},
		"truncated":   {raw[:len(raw)/2], newKeys(t, "k", ""), "damaged"},
		"not a file":  {nil, newKeys(t, "k", ""), "find the backup"},
		"something":   {[]byte("hello"), newKeys(t, "k", ""), "nothing was changed"},
		"another key": {raw, newKeys(t, "x", ""), "identity key"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			backup := filepath.Join(t.TempDir(), "backup.db")
			if tc.doc != nil {
				if err := os.WriteFile(backup, tc.doc, 0o400); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Restore(t.Context(), backup, path, Options{Keys: tc.keys}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			l := reopened(t, path, newKeys(t, "k", ""))
			if got := dumped(t, l); got != want {
				t.Errorf("the ledger has changed\nfrom %s\nto   %s", want, got)
			}
			closed(t, l)
		})
	}
	if _, err := Restore(context.Background(), good, path, Options{Keys: newKeys(t, "k", "")}); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(good)
	if err != nil || !bytes.Equal(raw, after) {
		t.Errorf("restoring has changed the backup itself (%v)", err)
	}
	if got := dumped(t, reopened(t, path, newKeys(t, "k", ""))); got != want {
		t.Errorf("the restored ledger differs\nfrom %s\nto   %s", want, got)
	}
}

func TestRetention(t *testing.T) {
	const later = 1000
	prepare := func(t *testing.T) *Ledger {
		l := peopled(t)
		write(t, l, func(tx *Tx) { posted(t, tx, "ann", "t2", "p3", "It is warm now.", later) })
		return l
	}
	t.Run("texts go, and what was done stays", func(t *testing.T) {
		l := prepare(t)
		before := dumped(t, l)
		texts, threads, err := l.Retain(t.Context(), later, 0)
		if err != nil || texts != 3 || threads != 0 {
			t.Errorf("removed %d texts and %d threads, %v; want 2 texts and a title", texts, threads, err)
		}
		if got := dumped(t, l); got != before {
			t.Errorf("the record has changed\nfrom %s\nto   %s", before, got)
		}
		if n := count(t, l, "SELECT count(*) FROM texts"); n != 1 {
			t.Errorf("%d texts are left, want 1", n)
		}
	})
	t.Run("activity goes, and nobody becomes a newcomer again", func(t *testing.T) {
		l := prepare(t)
		if _, threads, err := l.Retain(t.Context(), 0, later); err != nil || threads != 1 {
			t.Errorf("removed %d threads, %v; want 1", threads, err)
		}
		write(t, l, func(tx *Tx) {
			if th := must[*Thread](t)(tx.ThreadByNative(1, "t1")); th != nil {
				t.Error("the thread is still there")
			}
			if s := must[*Stats](t)(tx.Stats(1)); s.Messages != 2 {
				t.Errorf("ann has written %d messages, want 2", s.Messages)
			}
		})
		if n := count(t, l, "SELECT messages FROM folded WHERE member = 1"); n != 1 {
			t.Errorf("%d of ann's messages are folded, want 1", n)
		}
	})
	t.Run("nothing is asked for", func(t *testing.T) {
		l := prepare(t)
		if texts, threads, err := l.Retain(t.Context(), 0, 0); err != nil || texts+threads != 0 {
			t.Errorf("removed %d texts and %d threads, %v", texts, threads, err)
		}
	})
}
