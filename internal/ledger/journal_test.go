// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func entry(channel int64, b byte) journalEntry {
	return journalEntry{channel, bytes.Repeat([]byte{b}, lookupSize)}
}

var sameEntries = cmp.AllowUnexported(journalEntry{})

func TestTheJournalOfErasuresSurvivesACrashWhileItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db.erased")
	if err := appendJournal(path, []journalEntry{entry(1, 0xaa), entry(2, 0xbb)}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := appendJournal(path, []journalEntry{entry(3, 0xcc)}); err != nil {
			t.Fatal(err)
		}
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseJournal(doc)
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", cut, err)
		}
		kept := []journalEntry{entry(1, 0xaa), entry(2, 0xbb)}[:strings.Count(string(whole[:cut]), "\n")]
		want := slices.Concat(kept, []journalEntry{entry(3, 0xcc)})
		if diff := cmp.Diff(want, got, sameEntries); diff != "" {
			t.Fatalf("cut after %d bytes (-want +got):\n%s", cut, diff)
		}
	}
}

func TestADamagedJournalStopsTheStart(t *testing.T) {
	line := "1 " + strings.Repeat("ab", lookupSize) + "\n"
	for name, doc := range map[string]string{
		"no hex":          line + "1 zz\n",
		"too short":       line + "1 abcd\n",
		"no channel":      line + strings.Repeat("ab", lookupSize) + "\n",
		"an empty line":   line + "\n" + line,
		"an endless line": strings.Repeat("a", 1<<20) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := parseJournal([]byte(doc)); err == nil {
				t.Errorf("was read as %d entries", len(got))
			}
			l := opened(t)
			if err := os.WriteFile(l.Path()+".erased", []byte(doc), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := l.ReplayErasures(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
				t.Errorf("replayed: %v", err)
			}
			if n := count(t, l, "SELECT count(*) FROM blocked"); n != 0 {
				t.Errorf("%d accounts were blocked", n)
			}
		})
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte("1 " + strings.Repeat("ab", lookupSize) + "\n"))
	f.Add([]byte("1 " + strings.Repeat("ab", lookupSize) + "\n2 ab"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		before, err := parseJournal(doc)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, doc, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := appendJournal(path, []journalEntry{entry(7, 0xcc)}); err != nil {
			if len(doc) > maxJournalLine {
				return // refused: the last line is no journal's
			}
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		after, err := parseJournal(got)
		if diff := cmp.Diff(append(before, entry(7, 0xcc)), after, sameEntries); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func FuzzDecodeKey(f *testing.F) {
	f.Add([]byte(strings.Repeat("ab", 32) + "\n"))
	f.Add(bytes.Repeat([]byte{0xff}, 32))
	f.Add([]byte(" short "))
	f.Fuzz(func(t *testing.T, b []byte) {
		key := DecodeKey(b)
		if !bytes.Equal(key, DecodeKey(append(bytes.Clone(b), '\n'))) {
			t.Error("a newline at the end makes another key")
		}
		if _, err := NewKeys(key, nil); (err == nil) != (len(key) >= 32) {
			t.Errorf("a key of %d bytes: %v", len(key), err)
		}
	})
}
