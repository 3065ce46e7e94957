// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"container/heap"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kith-dev/kith/api/event"
)

// Append records an event at the next position. It reports false, and records nothing, where the ledger has one of
// the same identity already.
func (tx *Tx) Append(e *Event) (bool, error) {
	k := eventKey{e.Channel, codeOfKind[e.Kind], e.Native, e.Revision}
	known, err := tx.known(k)
	if err != nil || known {
		return false, err
	}
	tx.next.seq++
	e.Seq = tx.next.seq
	setUndo(tx, tx.identity, k, true)
	setUndo(tx, tx.eventBySeq, e.Seq, e)
	appendUndo(tx, &tx.events, e)
	return true, nil
}

// known asks the ledger only where state alone does not rule a repetition out: posts and openings of rows that were
// just found missing cannot be known.
func (tx *Tx) known(k eventKey) (bool, error) {
	if seen, ok := tx.identity[k]; ok {
		return seen, nil
	}
	if k.kind == codeOfKind[event.MessagePosted] || k.kind == codeOfKind[event.ThreadOpened] {
		return false, nil // the unique index would still refuse it
	}
	found := false
	err := tx.query(func(*sql.Rows) error { found = true; return nil },
		"SELECT 1 FROM events WHERE channel = ? AND kind = ? AND native = ? AND revision = ?", k.channel, k.kind, k.native, k.revision)
	return found, err
}

// Mark records that a channel's watermark made settled cases due, so that a rebuild settles them at the same position.
func (tx *Tx) Mark(channel, upTo int64) int64 {
	tx.next.seq++
	appendUndo(tx, &tx.marks, mark{tx.next.seq, channel, upTo})
	return tx.next.seq
}

// Position is the latest position in the ledger.
func (tx *Tx) Position() int64 { return tx.next.seq }

// SetText keeps a message's text until retention takes it.
func (tx *Tx) SetText(message, at int64, s string) { setUndo(tx, tx.texts, message, text{at, s}) }

// DropText forgets a message's text now.
func (tx *Tx) DropText(message int64) { setUndo(tx, tx.texts, message, text{}) }

// Text gives a message's text, empty where it has gone.
func (tx *Tx) Text(message int64) (string, error) {
	if t, ok := tx.texts[message]; ok {
		return t.text, nil
	}
	var out string
	err := tx.query(func(rs *sql.Rows) error { return rs.Scan(&out) }, "SELECT text FROM texts WHERE message = ?", message)
	return out, err
}

// SetTitle keeps a thread's title as a text.
func (tx *Tx) SetTitle(thread, at int64, s string) { setUndo(tx, tx.titles, thread, text{at, s}) }

// Title gives a thread's title, empty where it has gone.
func (tx *Tx) Title(thread int64) (string, error) {
	if t, ok := tx.titles[thread]; ok {
		return t.text, nil
	}
	var out string
	err := tx.query(func(rs *sql.Rows) error { return rs.Scan(&out) }, "SELECT text FROM titles WHERE thread = ?", thread)
	return out, err
}

// AddRef notes that a message points at a thread.
func (tx *Tx) AddRef(channel int64, native string, message, author int64) {
	appendUndo(tx, &tx.refs, ref{channel, native, message, author})
}

// RefAuthors gives the distinct authors of visible messages that point at a thread.
func (tx *Tx) RefAuthors(channel int64, native string) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := tx.query(func(rs *sql.Rows) error {
		var author int64
		if err := rs.Scan(&author); err != nil {
			return err
		}
		out[author] = true
		return nil
	}, "SELECT r.author FROM refs r JOIN messages m ON m.n = r.message WHERE r.channel = ? AND r.native = ? AND m.flags & ? = 0", channel, native, MessageRemoved|MessageHeld)
	for _, r := range tx.refs {
		if r.channel == channel && r.native == native {
			out[r.author] = true
		}
	}
	return out, err
}

// SetReactor notes that a member reacted to a message, or took it back.
func (tx *Tx) SetReactor(message int64, name string, member int64, on bool) {
	setUndo(tx, tx.reactors, reactor{message, name, member}, on)
}

// Reactors gives the members known to have reacted to a message.
func (tx *Tx) Reactors(message int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := tx.query(func(rs *sql.Rows) error {
		var name string
		var member int64
		if err := rs.Scan(&name, &member); err != nil {
			return err
		}
		if on, ok := tx.reactors[reactor{message, name, member}]; !ok || on {
			out[member] = true
		}
		return nil
	}, "SELECT name, member FROM reactors WHERE message = ?", message)
	for k, on := range tx.reactors {
		if on && k.message == message {
			out[k.member] = true
		}
	}
	return out, err
}

// HasReactor says whether a member's reaction of that name is known.
func (tx *Tx) HasReactor(message int64, name string, member int64) (bool, error) {
	if on, ok := tx.reactors[reactor{message, name, member}]; ok {
		return on, nil
	}
	found := false
	err := tx.query(func(*sql.Rows) error { found = true; return nil },
		"SELECT 1 FROM reactors WHERE message = ? AND name = ? AND member = ?", message, name, member)
	return found, err
}

// Count raises a stored total.
func (tx *Tx) Count(c Counter, by int64) { setUndo(tx, tx.counts, c, tx.counts[c]+by) }

// Observe raises the bucket of a stored histogram; le is the bucket's bound in milliseconds, -1 for infinity.
func (tx *Tx) Observe(name string, channel, le int64) {
	b := bucket{name, channel, le}
	setUndo(tx, tx.buckets, b, tx.buckets[b]+1)
}

// SetVerdict records the outcome of an expression that read texts, because texts go after a while.
func (tx *Tx) SetVerdict(eventSeq int64, behaviour string, part int, holds bool) {
	appendUndo(tx, &tx.verdicts, verdict{tx.next.seq, eventSeq, behaviour, part, holds})
}

// Verdict gives the outcome recorded at a position.
func (tx *Tx) Verdict(position, eventSeq int64, behaviour string, part int) (holds, found bool, err error) {
	err = tx.query(func(rs *sql.Rows) error { found = true; return rs.Scan(&holds) },
		"SELECT holds FROM verdicts WHERE position = ? AND event = ? AND behaviour = ? AND part = ?", position, eventSeq, behaviour, part)
	return holds, found, err
}

// SetAside is something that could not be processed: kept, counted, and retried by command.
type SetAside struct {
	N       int64
	Channel int64
	// Ident names it so that a repetition replaces it; What is "observation", "timer" or "behaviour".
	Ident, What string
	Doc         []byte
	Error       string
	Attempts    int
	At          int64
}

// PutAside keeps something for a retry.
func (tx *Tx) PutAside(s SetAside) { appendUndo(tx, &tx.aside, s) }

// AsideIdents names what of a kind a channel has set aside.
func (tx *Tx) AsideIdents(channel int64, what string) (map[string]bool, error) {
	out := map[string]bool{}
	err := tx.query(func(rs *sql.Rows) error {
		var ident string
		err := rs.Scan(&ident)
		out[ident] = true
		return err
	}, "SELECT ident FROM setaside WHERE channel = ? AND what = ?", channel, what)
	return out, err
}

// Overtake forgets what was set aside of something that has been processed as it stood later. It must not be called
// within a Guard.
func (tx *Tx) Overtake(channel int64, what, ident string) error {
	tx.aside = slices.DeleteFunc(tx.aside, func(s SetAside) bool { return s.Channel == channel && s.What == what && s.Ident == ident })
	return tx.exec("DELETE FROM setaside WHERE channel = ? AND what = ? AND ident = ?", channel, what, ident)
}

type timerHeap []*Timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return byDue(h[i], h[j]) < 0 }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)        { *h = append(*h, x.(*Timer)) } //nolint:forcetypeassert // heap.Interface
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	*h = old[:len(old)-1]
	return t
}

// LoadTimers brings a channel's timers that are due by a time into memory; further ones of the same transaction that
// fall due by then join them. One channel at a time.
func (tx *Tx) LoadTimers(channel, upTo int64) error {
	from, loaded := tx.timersTo[channel]
	if loaded && upTo <= from {
		return nil
	}
	if !loaded {
		from = -1 << 62
	}
	err := tx.query(func(rs *sql.Rows) error {
		t := &Timer{Channel: channel, saved: true}
		if err := rs.Scan(&t.N, &t.Due, &t.Kind, &t.Thread, &t.Message, &t.Occurrence, &t.After, &t.Behaviour); err != nil {
			return err
		}
		if !slices.Contains(tx.dropped, t.N) {
			heap.Push(&tx.timers, t)
		}
		return nil
	}, "SELECT n, due, kind, thread, message, occurrence, after, behaviour FROM timers WHERE channel = ? AND due > ? AND due <= ?", channel, from, upTo)
	if err != nil {
		return err
	}
	rest := tx.newTimers[:0:0]
	for _, t := range tx.newTimers {
		if t.Channel == channel && t.Due <= upTo {
			heap.Push(&tx.timers, t)
		} else {
			rest = append(rest, t)
		}
	}
	tx.newTimers = rest
	tx.timersTo[channel] = upTo
	return nil
}

// AddTimer sets a timer.
func (tx *Tx) AddTimer(t Timer) {
	tx.next.timer++
	t.N = tx.next.timer
	p := &t
	if to, ok := tx.timersTo[t.Channel]; ok && t.Due <= to {
		heap.Push(&tx.timers, p)
		tx.onUndo(func() {
			if i := slices.Index(tx.timers, p); i >= 0 {
				heap.Remove(&tx.timers, i)
			}
		})
		return
	}
	appendUndo(tx, &tx.newTimers, p)
}

// NextTimer takes the earliest timer of the channel that is due by a time (and loaded); nil where there is none.
func (tx *Tx) NextTimer(upTo int64) *Timer {
	if len(tx.timers) == 0 || tx.timers[0].Due > upTo {
		return nil
	}
	t := heap.Pop(&tx.timers).(*Timer) //nolint:forcetypeassert // the heap holds timers alone
	if t.saved {
		tx.dropped = append(tx.dropped, t.N)
	}
	return t
}

// PeekTimer gives the due time of the earliest loaded timer.
func (tx *Tx) PeekTimer() (due int64, kind TimerKind, ok bool) {
	if len(tx.timers) == 0 {
		return 0, 0, false
	}
	return tx.timers[0].Due, tx.timers[0].Kind, true
}

const flushRows = 32

// insert writes rows many at a time.
func (tx *Tx) insert(head string, columns, rows int, tail string, args func(i int) ([]any, error)) error {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", columns), ",") + ")"
	for done := 0; done < rows; {
		n := flushRows
		if rows-done < n {
			n = 1
		}
		var all []any
		for i := range n {
			a, err := args(done + i)
			if err != nil {
				return err
			}
			all = append(all, a...)
		}
		if err := tx.exec(head+" VALUES "+strings.TrimSuffix(strings.Repeat(one+",", n), ",")+tail, all...); err != nil {
			return err
		}
		done += n
	}
	return nil
}

// upsert is the tail that replaces every column but the key's.
func upsert(columns string) string {
	names := strings.Split(columns, ", ")
	var sets []string
	for _, c := range names[1:] {
		sets = append(sets, c+"=excluded."+c)
	}
	return " ON CONFLICT (" + names[0] + ") DO UPDATE SET " + strings.Join(sets, ", ")
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func marshalNonZero(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	if string(b) == "{}" {
		return "", nil
	}
	return string(b), nil
}

func (tx *Tx) flush() error {
	return errors.Join(tx.flushMembers(), tx.flushEvents(), tx.flushState(), tx.flushTexts(), tx.flushTimers(), tx.flushTotals(), tx.flushChannels())
}

func (tx *Tx) flushEvents() error {
	err := tx.insert("INSERT INTO events ("+eventColumns+")", 14, len(tx.events), "", func(i int) ([]any, error) {
		e := tx.events[i]
		data, err := marshalNonZero(e.Data)
		if err != nil {
			return nil, fmt.Errorf("encode event %d: %w", e.Seq, err)
		}
		facts, err := marshalNonZero(e.Facts)
		if err != nil {
			return nil, fmt.Errorf("encode facts of event %d: %w", e.Seq, err)
		}
		flags := boolInt(e.Inferred)*flagInferred | boolInt(e.Imported)*flagImported
		return []any{e.Seq, e.Channel, codeOfKind[e.Kind], e.Native, e.Revision, e.At, e.Observed, flags, e.Thread, e.Message, e.Author, e.Actor, data, facts}, nil
	})
	if err != nil {
		return err
	}
	if err := tx.insert("INSERT INTO marks (seq, channel, up_to)", 3, len(tx.marks), "", func(i int) ([]any, error) {
		m := tx.marks[i]
		return []any{m.seq, m.channel, m.upTo}, nil
	}); err != nil {
		return err
	}
	return tx.insert("INSERT OR REPLACE INTO verdicts (position, event, behaviour, part, holds)", 5, len(tx.verdicts), "", func(i int) ([]any, error) {
		v := tx.verdicts[i]
		return []any{v.position, v.event, v.behaviour, v.part, v.holds}, nil
	})
}

func (tx *Tx) flushState() error {
	threads := takeDirty(&tx.threads)
	err := tx.insert("INSERT INTO threads ("+threadColumns+")", 15, len(threads), upsert(threadColumns), func(i int) ([]any, error) {
		t := threads[i]
		doc, err := json.Marshal(t.Doc)
		if err != nil {
			return nil, fmt.Errorf("encode thread %d: %w", t.N, err)
		}
		return []any{t.N, t.Channel, t.Native, t.Opened, t.LastAt, t.Asker, t.Question, t.Visible, t.FirstAt, string(t.FirstParty),
			t.FirstMemberAt, t.Solution, t.Solver, t.Views, string(doc)}, nil
	})
	if err != nil {
		return err
	}
	messages := takeDirty(&tx.messages)
	err = tx.insert("INSERT INTO messages ("+messageColumns+")", 14, len(messages), upsert(messageColumns), func(i int) ([]any, error) {
		m := messages[i]
		reactions, err := encodeCounts(m.Reactions)
		if err != nil {
			return nil, err
		}
		revisions, err := encodeCounts(m.Revisions)
		return []any{m.N, m.Channel, m.Native, m.Thread, m.Author, m.At, m.Seq, m.Parent, m.Flags, m.Revision,
			int64(m.Hash), m.Missing, reactions, revisions}, err // #nosec G115 -- stored bit for bit
	})
	if err != nil {
		return err
	}
	stats := takeDirty(&tx.stats)
	err = tx.insert("INSERT INTO stats ("+statsColumns+")", 11, len(stats), upsert(statsColumns), func(i int) ([]any, error) {
		s := stats[i]
		return []any{s.Member, s.Prior, s.Messages, s.FirstAt, s.LastAt, s.Joined, s.Bot, s.Domain, strings.Join(s.Roles, "\n"), encodeDays(s.Days), s.Revision}, nil
	})
	if err != nil {
		return err
	}
	occurrences := takeDirty(&tx.occurrences)
	return tx.insert("INSERT INTO occurrences ("+occurrenceColumns+")", 23, len(occurrences), upsert(occurrenceColumns), func(i int) ([]any, error) {
		o := occurrences[i]
		return []any{o.N, o.Behaviour, o.Generation, o.Channel, o.Thread, o.Message, o.Seq, o.Basis, o.Credit, o.Benefits,
			string(o.Level), string(o.Party), o.Segment, string(o.BenefitsLevel), string(o.BenefitsParty), o.BenefitsSegment,
			o.Arose, o.At, o.Due, int(o.State), o.Imported, o.CountedAs, o.Key}, nil
	})
}

func keys[K comparable, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

func (tx *Tx) flushTexts() error {
	for _, kept := range []struct {
		table, key string
		rows       map[int64]text
	}{{"texts", "message", tx.texts}, {"titles", "thread", tx.titles}} {
		m := kept.rows
		var ns []int64
		for n, t := range m {
			if t.text != "" {
				ns = append(ns, n)
			} else if err := tx.exec("DELETE FROM "+kept.table+" WHERE "+kept.key+" = ?", n); err != nil {
				return err
			}
		}
		slices.Sort(ns)
		if err := tx.insert("INSERT OR REPLACE INTO "+kept.table+" ("+kept.key+", at, text)", 3, len(ns), "", func(i int) ([]any, error) {
			t := m[ns[i]]
			return []any{ns[i], t.at, t.text}, nil
		}); err != nil {
			return err
		}
	}
	if err := tx.insert("INSERT OR IGNORE INTO refs (channel, native, message, author)", 4, len(tx.refs), "", func(i int) ([]any, error) {
		r := tx.refs[i]
		return []any{r.channel, r.native, r.message, r.author}, nil
	}); err != nil {
		return err
	}
	for r, on := range tx.reactors {
		q := "INSERT OR IGNORE INTO reactors (message, name, member) VALUES (?, ?, ?)"
		if !on {
			q = "DELETE FROM reactors WHERE message = ? AND name = ? AND member = ?"
		}
		if err := tx.exec(q, r.message, r.name, r.member); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) flushTimers() error {
	for _, n := range tx.dropped {
		if err := tx.exec("DELETE FROM timers WHERE n = ?", n); err != nil {
			return err
		}
	}
	fresh := tx.newTimers
	for _, t := range tx.timers {
		if !t.saved {
			fresh = append(fresh, t)
		}
	}
	return tx.insert("INSERT INTO timers (n, channel, due, kind, thread, message, occurrence, after, behaviour)", 9, len(fresh), "", func(i int) ([]any, error) {
		t := fresh[i]
		return []any{t.N, t.Channel, t.Due, int(t.Kind), t.Thread, t.Message, t.Occurrence, t.After, t.Behaviour}, nil
	})
}

func (tx *Tx) flushTotals() error {
	for c, by := range tx.counts {
		if err := tx.exec("INSERT INTO counters (name, channel, behaviour, level, segment, value) VALUES (?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT DO UPDATE SET value = value + excluded.value", c.Name, c.Channel, c.Behaviour, c.Level, c.Segment, by); err != nil {
			return err
		}
	}
	for b, by := range tx.buckets {
		if err := tx.exec("INSERT INTO buckets (name, channel, le, value) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
			b.name, b.channel, b.le, by); err != nil {
			return err
		}
	}
	for p := range tx.people {
		if err := tx.exec("INSERT OR IGNORE INTO people (channel, behaviour, label, member) VALUES (?, ?, ?, ?)", p.channel, p.behaviour, p.dimension+"/"+p.value, p.member); err != nil {
			return err
		}
	}
	for _, s := range tx.aside {
		if err := tx.exec("INSERT INTO setaside (channel, ident, what, doc, error, attempts, at) VALUES (?, ?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT (channel, what, ident) DO UPDATE SET doc = excluded.doc, error = excluded.error, attempts = attempts + 1, at = excluded.at",
			s.Channel, s.Ident, s.What, s.Doc, s.Error, s.Attempts, s.At); err != nil {
			return err
		}
	}
	return nil
}
