// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/kith-dev/kith/api/event"
)

func newKeys(t testing.TB, current, previous string) Keys {
	t.Helper()
	var before []byte
	if previous != "" {
		before = bytes.Repeat([]byte(previous), 32)
	}
	k, err := NewKeys(bytes.Repeat([]byte(current), 32), before)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// opened makes a ledger of one channel in a folder of its own.
func opened(t testing.TB) *Ledger {
	t.Helper()
	l := reopened(t, filepath.Join(t.TempDir(), "ledger.db"), newKeys(t, "k", ""))
	write(t, l, func(tx *Tx) {
		tx.NewChannel(Channel{Ref: event.ChannelRef{Platform: "discourse", Instance: "forum.example"}, Name: "forum"})
	})
	return l
}

func reopened(t testing.TB, path string, keys Keys) *Ledger {
	t.Helper()
	l, err := Open(context.Background(), path, Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // a test may have closed it itself
	return l
}

// write runs f in a transaction that commits.
func write(t testing.TB, l *Ledger, f func(*Tx)) {
	t.Helper()
	tx, err := l.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	f(tx)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// must gives a value, or fails the test.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// posted records a message and what is kept of it: an event, rows, a text, the author's activity.
func posted(t testing.TB, tx *Tx, author, thread, native, says string, at int64) *Message {
	t.Helper()
	m, _, err := tx.FindMember(1, event.Actor{ID: author, Handle: author + "-handle"}, author+" name")
	if err != nil {
		t.Fatal(err)
	}
	th := must[*Thread](t)(tx.ThreadByNative(1, thread))
	if th == nil {
		th = tx.NewThread(tx.NextThread(), 1, thread)
		th.Opened, th.Asker = at, m.N
		tx.SetTitle(th.N, at, "Title of "+thread)
		must[bool](t)(tx.Append(&Event{Channel: 1, Kind: event.ThreadOpened, Native: thread, At: at, Thread: th.N, Author: m.N, Data: Data{Thread: &ThreadState{}}}))
	}
	tx.EditThread(th).LastAt = at
	row := tx.NewMessage(tx.NextMessage(), 1, native, th.N)
	row.Author, row.At = m.N, at
	e := &Event{Channel: 1, Kind: event.MessagePosted, Native: native, At: at, Thread: th.N, Message: row.N, Author: m.N}
	must[bool](t)(tx.Append(e))
	row.Seq = e.Seq
	s := must[*Stats](t)(tx.Stats(m.N))
	tx.EditStats(s).Messages++
	s.AddDay(uint16(at/86_400_000), 0) // #nosec G115 -- test times are small
	tx.SetText(row.N, at, says)
	return row
}

func count(t testing.TB, l *Ledger, query string, args ...any) (n int) {
	t.Helper()
	if err := l.Reader().QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func dumped(t testing.TB, l *Ledger) string {
	t.Helper()
	var b bytes.Buffer
	if err := l.Dump(context.Background(), &b, DumpOptions{Labels: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var errFault = errors.New("a fault")

func TestAFailedGuardLeavesNoTrace(t *testing.T) {
	changes := map[string]func(t *testing.T, tx *Tx){
		"a new member, thread and message": func(t *testing.T, tx *Tx) { posted(t, tx, "cat", "t9", "p9", "new", 9) },
		"a message in a known thread":      func(t *testing.T, tx *Tx) { posted(t, tx, "ann", "t1", "p9", "more", 9) },
		"an edit": func(t *testing.T, tx *Tx) {
			m := must[*Message](t)(tx.MessageByNative(1, "p1"))
			tx.EditMessage(m).Set(MessageRemoved, true)
			m.Reactions = map[string]int{"like": 4}
			tx.DropText(m.N)
		},
		"a move": func(t *testing.T, tx *Tx) {
			tx.MoveMessage(must[*Message](t)(tx.MessageByNative(1, "p2")), must[*Thread](t)(tx.ThreadByNative(1, "t2")).N)
		},
		"totals, timers, marks and more": func(_ *testing.T, tx *Tx) {
			tx.Count(Counter{Name: "behaviours", Channel: 1, Behaviour: "b"}, 3)
			tx.Observe("first_response", 1, 1000)
			tx.AddTimer(Timer{Channel: 1, Due: 50, Kind: TimerAged, Thread: 1})
			tx.Mark(1, 40)
			tx.AddRef(1, "t2", 1, 1)
			tx.SetReactor(1, "like", 1, true)
			tx.SetVerdict(1, "b", 0, true)
			tx.PutAside(SetAside{Channel: 1, Ident: "x", What: "observation", Doc: []byte("{}")})
			tx.AddPerson(1, "b", "level", "regular", 1)
		},
		"an occurrence": func(_ *testing.T, tx *Tx) {
			tx.NothingYet("b", "t1")
			tx.NewOccurrence(&Occurrence{Behaviour: "b", Channel: 1, Thread: 1, Seq: 1, Key: "t1"})
		},
		"a savepoint within that held": func(t *testing.T, tx *Tx) {
			if err := tx.Guard(func() error { posted(t, tx, "dan", "t9", "p9", "inner", 9); return nil }); err != nil {
				t.Fatal(err)
			}
			tx.EditMessage(must[*Message](t)(tx.MessageByNative(1, "p9"))).Set(MessageHeld, true)
		},
	}
	everything := func(t *testing.T, l *Ledger) string {
		s := dumped(t, l)
		for _, table := range []string{"members", "identities", "texts", "titles", "refs", "reactors", "verdicts", "setaside", "people", "timers", "marks", "buckets", "occurrences", "stats"} {
			s += fmt.Sprintln(table, count(t, l, "SELECT count(*) FROM "+table))
		}
		return s
	}
	prepare := func(t *testing.T) *Ledger {
		l := opened(t)
		write(t, l, func(tx *Tx) {
			posted(t, tx, "ann", "t1", "p1", "one", 1)
			posted(t, tx, "ben", "t1", "p2", "two", 2)
			posted(t, tx, "ann", "t2", "p3", "three", 3)
		})
		return l
	}
	want := everything(t, prepare(t))
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			l := prepare(t)
			// The rows of the last transaction stay in memory: also one whose savepoints had the same numbers.
			for range 3 {
				write(t, l, func(tx *Tx) {
					if err := tx.Guard(func() error { change(t, tx); return errFault }); !errors.Is(err, errFault) {
						t.Fatalf("Guard gave %v", err)
					}
				})
				if got := everything(t, l); got != want {
					t.Fatalf("the ledger has changed\nfrom %s\nto   %s", want, got)
				}
			}
			// What failed once can happen after all, and no row number was lost.
			write(t, l, func(tx *Tx) {
				if err := tx.Guard(func() error { change(t, tx); return nil }); err != nil {
					t.Fatal(err)
				}
			})
			if got := everything(t, l); got == want {
				t.Error("the change has no effect: the test tests nothing")
			}
		})
	}
}

func TestAGuardRestoresRowsThatAnEarlierTransactionGuarded(t *testing.T) {
	l := opened(t)
	write(t, l, func(tx *Tx) {
		if err := tx.Guard(func() error { posted(t, tx, "ann", "t1", "p1", "one", 1); return nil }); err != nil {
			t.Fatal(err)
		}
	})
	write(t, l, func(tx *Tx) {
		if err := tx.Guard(func() error {
			tx.EditMessage(must[*Message](t)(tx.MessageByNative(1, "p1"))).Set(MessageAccepted, true)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
	write(t, l, func(tx *Tx) {
		m := must[*Message](t)(tx.MessageByNative(1, "p1"))
		if err := tx.Guard(func() error { tx.EditMessage(m).Set(MessageRemoved, true); return errFault }); !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		if m.Is(MessageRemoved) || !m.Is(MessageAccepted) {
			t.Errorf("flags are %b after the savepoint was given up", m.Flags)
		}
	})
}

func TestAnEventIsRecordedOnce(t *testing.T) {
	l := opened(t)
	edited := func(revision int) *Event {
		return &Event{Channel: 1, Kind: event.MessageEdited, Native: "p1", Revision: revision, At: 2}
	}
	record := func(tx *Tx, e *Event) bool { return must[bool](t)(tx.Append(e)) }
	write(t, l, func(tx *Tx) {
		if !record(tx, edited(1)) || record(tx, edited(1)) {
			t.Error("within a transaction: want the first alone")
		}
		_ = tx.Guard(func() error { record(tx, edited(2)); return errFault }) // the fault is the test's own
		if !record(tx, edited(2)) {
			t.Error("an event of a savepoint that was given up still counts as known")
		}
	})
	before := l.LastSeq()
	write(t, l, func(tx *Tx) {
		if record(tx, edited(1)) || record(tx, edited(2)) || !record(tx, edited(3)) {
			t.Error("in the next transaction: want the third alone")
		}
	})
	if got := l.LastSeq() - before; got != 1 {
		t.Errorf("%d positions were used, want 1", got)
	}
	if n := count(t, l, "SELECT count(DISTINCT seq) FROM events"); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}

func TestAFailedTransactionLeavesNoTrace(t *testing.T) {
	l := opened(t)
	write(t, l, func(tx *Tx) { posted(t, tx, "ann", "t1", "p1", "one", 1) })
	want := dumped(t, l)
	tx, err := l.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	posted(t, tx, "ben", "t1", "p2", "two", 2)
	tx.EditMessage(must[*Message](t)(tx.MessageByNative(1, "p1"))).Set(MessageRemoved, true)
	tx.Rollback()
	tx.Rollback() // may be called again
	write(t, l, func(tx *Tx) {
		if m := must[*Message](t)(tx.MessageByNative(1, "p1")); m.Is(MessageRemoved) {
			t.Error("a change that was given up is still in memory")
		}
		if m := must[*Message](t)(tx.MessageByNative(1, "p2")); m != nil {
			t.Error("a message that was given up is still in memory")
		}
	})
	if got := dumped(t, l); got != want {
		t.Errorf("the ledger has changed\nfrom %s\nto   %s", want, got)
	}
}

func TestOneProcessAloneWrites(t *testing.T) {
	l := opened(t)
	if _, err := Open(t.Context(), l.Path(), Options{Keys: newKeys(t, "k", "")}); !errors.Is(err, ErrLocked) {
		t.Errorf("opened a second time: %v, want ErrLocked", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	reopened(t, l.Path(), newKeys(t, "k", ""))
}

func TestWaitingForTheTurnEndsWithItsContext(t *testing.T) {
	l := opened(t)
	tx, err := l.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Begin(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin gave %v, want that the context has ended", err)
	}
}

func TestATitleThatGoesTakesNoTextAlong(t *testing.T) {
	l := opened(t)
	write(t, l, func(tx *Tx) { posted(t, tx, "ann", "t1", "p1", "one", 1) })
	write(t, l, func(tx *Tx) { tx.SetTitle(1, 1, "") })
	if texts, titles := count(t, l, "SELECT count(*) FROM texts"), count(t, l, "SELECT count(*) FROM titles"); texts != 1 || titles != 0 {
		t.Errorf("%d texts and %d titles are left, want 1 and none", texts, titles)
	}
}
