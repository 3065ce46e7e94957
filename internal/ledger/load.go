// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kith-dev/kith/api/event"
)

const threadColumns = "n, channel, native, opened, last_at, asker, question, visible, first_at, first_party, first_member_at, solution, solver, views, doc"

func (tx *Tx) scanThread(rs *sql.Rows) error {
	t := &Thread{}
	var doc string
	if err := rs.Scan(&t.N, &t.Channel, &t.Native, &t.Opened, &t.LastAt, &t.Asker, &t.Question, &t.Visible, &t.FirstAt,
		&t.FirstParty, &t.FirstMemberAt, &t.Solution, &t.Solver, &t.Views, &doc); err != nil {
		return err
	}
	if tx.threads.get(t.N) != nil {
		return nil // what is in memory is newer
	}
	if err := json.Unmarshal([]byte(doc), &t.Doc); err != nil {
		return fmt.Errorf("thread %d: %w", t.N, err)
	}
	tx.threads.put(t.N, t)
	tx.threadByID[nativeKey{t.Channel, t.Native}] = t
	return nil
}

const messageColumns = "n, channel, native, thread, author, at, seq, parent, flags, revision, hash, missing, reactions, revisions"

func (tx *Tx) scanMessage(rs *sql.Rows) error {
	m := &Message{}
	var reactions, revisions string
	var hash int64
	if err := rs.Scan(&m.N, &m.Channel, &m.Native, &m.Thread, &m.Author, &m.At, &m.Seq, &m.Parent, &m.Flags, &m.Revision,
		&hash, &m.Missing, &reactions, &revisions); err != nil {
		return err
	}
	m.Hash = uint64(hash) // #nosec G115 -- stored bit for bit
	if tx.messages.get(m.N) != nil {
		return nil
	}
	if err := decodeCounts(reactions, &m.Reactions); err != nil {
		return fmt.Errorf("message %d: %w", m.N, err)
	}
	if err := decodeCounts(revisions, &m.Revisions); err != nil {
		return fmt.Errorf("message %d: %w", m.N, err)
	}
	tx.messages.put(m.N, m)
	tx.messageByID[nativeKey{m.Channel, m.Native}] = m
	tx.byThread[m.Thread] = append(tx.byThread[m.Thread], m)
	return nil
}

func decodeCounts(s string, into *map[string]int) error {
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), into)
}

func encodeCounts(m map[string]int) (string, error) {
	if len(m) == 0 {
		return "", nil
	}
	b, err := json.Marshal(m)
	return string(b), err
}

// in gives a placeholder list and its arguments, for at most 500 values at a time.
func in[T any](values []T) (string, []any) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return "(" + strings.TrimSuffix(strings.Repeat("?,", len(values)), ",") + ")", args
}

// chunks loads values in lists of a few fixed sizes, so that statements repeat.
func (tx *Tx) inChunks(scan func(*sql.Rows) error, query string, first []any, values []any) error {
	for _, size := range []int{250, 50, 10, 1} {
		for len(values) >= size {
			list, args := in(values[:size])
			if err := tx.query(scan, query+list, append(slices.Clone(first), args...)...); err != nil {
				return err
			}
			values = values[size:]
		}
	}
	return nil
}

// Prefetch loads threads and messages of a channel by native id, so that a page needs few queries.
func (tx *Tx) Prefetch(channel int64, threads, messages []string) error {
	var want []any
	for _, id := range threads {
		if _, ok := tx.threadByID[nativeKey{channel, id}]; !ok {
			tx.threadByID[nativeKey{channel, id}] = nil
			want = append(want, id)
		}
	}
	if err := tx.inChunks(tx.scanThread, "SELECT "+threadColumns+" FROM threads WHERE channel = ? AND native IN ", []any{channel}, want); err != nil {
		return err
	}
	want = want[:0]
	for _, id := range messages {
		if _, ok := tx.messageByID[nativeKey{channel, id}]; !ok {
			tx.messageByID[nativeKey{channel, id}] = nil
			want = append(want, id)
		}
	}
	return tx.inChunks(tx.scanMessage, "SELECT "+messageColumns+" FROM messages WHERE channel = ? AND native IN ", []any{channel}, want)
}

// ThreadByNative finds a thread; nil where there is none.
func (tx *Tx) ThreadByNative(channel int64, native string) (*Thread, error) {
	k := nativeKey{channel, native}
	if t, ok := tx.threadByID[k]; ok {
		return t, nil
	}
	if err := tx.Prefetch(channel, []string{native}, nil); err != nil {
		return nil, err
	}
	return tx.threadByID[k], nil
}

// MessageByNative finds a message; nil where there is none.
func (tx *Tx) MessageByNative(channel int64, native string) (*Message, error) {
	k := nativeKey{channel, native}
	if m, ok := tx.messageByID[k]; ok {
		return m, nil
	}
	if err := tx.Prefetch(channel, nil, []string{native}); err != nil {
		return nil, err
	}
	return tx.messageByID[k], nil
}

// Thread loads a thread by row number.
func (tx *Tx) Thread(n int64) (*Thread, error) {
	if t := tx.threads.get(n); t != nil {
		return t, nil
	}
	if err := tx.query(tx.scanThread, "SELECT "+threadColumns+" FROM threads WHERE n = ?", n); err != nil {
		return nil, err
	}
	t := tx.threads.get(n)
	if t == nil {
		return nil, fmt.Errorf("thread %d is not in the ledger: run `kith ledger check`", n)
	}
	return t, nil
}

// Message loads a message by row number.
func (tx *Tx) Message(n int64) (*Message, error) {
	if m := tx.messages.get(n); m != nil {
		return m, nil
	}
	if err := tx.query(tx.scanMessage, "SELECT "+messageColumns+" FROM messages WHERE n = ?", n); err != nil {
		return nil, err
	}
	m := tx.messages.get(n)
	if m == nil {
		return nil, fmt.Errorf("message %d is not in the ledger: run `kith ledger check`", n)
	}
	return m, nil
}

// MessagesOf gives all messages of a thread in time order.
func (tx *Tx) MessagesOf(thread int64) ([]*Message, error) {
	if !tx.loadedThread[thread] {
		if err := tx.query(tx.scanMessage, "SELECT "+messageColumns+" FROM messages WHERE thread = ?", thread); err != nil {
			return nil, err
		}
		setUndo(tx, tx.loadedThread, thread, true)
	}
	var out []*Message
	for _, m := range tx.byThread[thread] {
		if m.Thread == thread && tx.messages.get(m.N) == m {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b *Message) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.N, b.N)) })
	return slices.Compact(out), nil
}

// MoveMessage puts a message into another thread.
func (tx *Tx) MoveMessage(m *Message, thread int64) {
	tx.EditMessage(m).Thread = thread
	tx.byThread[thread] = append(tx.byThread[thread], m)
}

// NewThread makes a thread's row with the number given (0: the next one).
func (tx *Tx) NewThread(n, channel int64, native string) *Thread {
	if n == 0 {
		tx.next.thread++
		n = tx.next.thread
	}
	tx.next.thread = max(tx.next.thread, n)
	t := &Thread{N: n, Channel: channel, Native: native, Visible: true}
	add(tx, &tx.threads, n, t)
	setUndo(tx, tx.threadByID, nativeKey{channel, native}, t)
	return t
}

// NextThread and NextMessage reserve row numbers for rows that an event is going to make.
func (tx *Tx) NextThread() int64 { tx.next.thread++; return tx.next.thread }

// NextMessage see NextThread.
func (tx *Tx) NextMessage() int64 { tx.next.message++; return tx.next.message }

// NewMessage makes a message's row with the number given, in a thread.
func (tx *Tx) NewMessage(n, channel int64, native string, thread int64) *Message {
	tx.next.message = max(tx.next.message, n)
	m := &Message{N: n, Channel: channel, Native: native, Thread: thread}
	add(tx, &tx.messages, n, m)
	tx.byThread[thread] = append(tx.byThread[thread], m)
	setUndo(tx, tx.messageByID, nativeKey{channel, native}, m)
	return m
}

// EditThread must be called before a thread is changed; likewise the other Edit functions.
func (tx *Tx) EditThread(t *Thread) *Thread { edit(tx, &tx.threads, t); return t }

// EditMessage see EditThread.
func (tx *Tx) EditMessage(m *Message) *Message { edit(tx, &tx.messages, m); return m }

// EditStats see EditThread.
func (tx *Tx) EditStats(s *Stats) *Stats { edit(tx, &tx.stats, s); return s }

// EditOccurrence see EditThread.
func (tx *Tx) EditOccurrence(o *Occurrence) *Occurrence { edit(tx, &tx.occurrences, o); return o }

const statsColumns = "member, prior, messages, first_at, last_at, joined, bot, domain, roles, days, revision"

func (tx *Tx) scanStats(rs *sql.Rows) error {
	s := &Stats{}
	var roles string
	var days []byte
	if err := rs.Scan(&s.Member, &s.Prior, &s.Messages, &s.FirstAt, &s.LastAt, &s.Joined, &s.Bot, &s.Domain, &roles, &days, &s.Revision); err != nil {
		return err
	}
	if tx.stats.get(s.Member) != nil {
		return nil
	}
	if roles != "" {
		s.Roles = strings.Split(roles, "\n")
	}
	for i := 0; i+4 <= len(days); i += 4 {
		s.Days = append(s.Days, Day{Day: binary.LittleEndian.Uint16(days[i:]), Count: binary.LittleEndian.Uint16(days[i+2:])})
	}
	tx.stats.put(s.Member, s)
	return nil
}

func encodeDays(days []Day) []byte {
	b := make([]byte, 0, 4*len(days))
	for _, d := range days {
		b = binary.LittleEndian.AppendUint16(b, d.Day)
		b = binary.LittleEndian.AppendUint16(b, d.Count)
	}
	return b
}

// Stats loads a member's activity; a member without any has an empty row.
func (tx *Tx) Stats(member int64) (*Stats, error) {
	if s := tx.stats.get(member); s != nil {
		return s, nil
	}
	if err := tx.query(tx.scanStats, "SELECT "+statsColumns+" FROM stats WHERE member = ?", member); err != nil {
		return nil, err
	}
	if s := tx.stats.get(member); s != nil {
		return s, nil
	}
	s := &Stats{Member: member}
	tx.stats.put(member, s)
	return s, nil
}

// PrefetchStats loads the activity of several members at once.
func (tx *Tx) PrefetchStats(members []int64) error {
	var want []any
	for _, n := range members {
		if tx.stats.get(n) == nil {
			want = append(want, n)
		}
	}
	return tx.inChunks(tx.scanStats, "SELECT "+statsColumns+" FROM stats WHERE member IN ", nil, want)
}

const eventColumns = "seq, channel, kind, native, revision, at, observed, flags, thread, message, author, actor, data, facts"

const (
	flagInferred = 1 << iota
	flagImported
)

func scanEvent(rs *sql.Rows) (*Event, error) {
	e := &Event{}
	var kind, flags int
	var data, facts string
	if err := rs.Scan(&e.Seq, &e.Channel, &kind, &e.Native, &e.Revision, &e.At, &e.Observed, &flags, &e.Thread, &e.Message,
		&e.Author, &e.Actor, &data, &facts); err != nil {
		return nil, err
	}
	if kind <= 0 || kind >= len(kindCodes) {
		return nil, fmt.Errorf("event %d is of kind %d, which this version does not know: a newer kith wrote it", e.Seq, kind)
	}
	e.Kind, e.Inferred, e.Imported = kindCodes[kind], flags&flagInferred != 0, flags&flagImported != 0
	if data != "" {
		if err := json.Unmarshal([]byte(data), &e.Data); err != nil {
			return nil, fmt.Errorf("event %d: %w", e.Seq, err)
		}
	}
	if facts != "" {
		if err := json.Unmarshal([]byte(facts), &e.Facts); err != nil {
			return nil, fmt.Errorf("facts of event %d: %w", e.Seq, err)
		}
	}
	return e, nil
}

func (tx *Tx) keepEvent(rs *sql.Rows) error {
	e, err := scanEvent(rs)
	if err == nil && tx.eventBySeq[e.Seq] == nil {
		tx.eventBySeq[e.Seq] = e
	}
	return err
}

// Event gives an event by its position.
func (tx *Tx) Event(seq int64) (*Event, error) {
	if e := tx.eventBySeq[seq]; e != nil {
		return e, nil
	}
	if err := tx.query(tx.keepEvent, "SELECT "+eventColumns+" FROM events WHERE seq = ?", seq); err != nil {
		return nil, err
	}
	if e := tx.eventBySeq[seq]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("event %d is not in the ledger: run `kith ledger check`", seq)
}

// PrefetchEvents loads several events at once.
func (tx *Tx) PrefetchEvents(seqs []int64) error {
	var want []any
	for _, n := range seqs {
		if n != 0 && tx.eventBySeq[n] == nil {
			want = append(want, n)
		}
	}
	return tx.inChunks(tx.keepEvent, "SELECT "+eventColumns+" FROM events WHERE seq IN ", nil, want)
}

// ThreadEvents gives the events of a thread other than MessagePosted, in ledger order.
func (tx *Tx) ThreadEvents(thread int64) ([]*Event, error) {
	var out []*Event
	err := tx.query(func(rs *sql.Rows) error {
		e, err := scanEvent(rs)
		if err == nil {
			out = append(out, e)
		}
		return err
	}, "SELECT "+eventColumns+" FROM events WHERE thread = ? AND kind > 1 ORDER BY seq", thread)
	if err != nil {
		return nil, err
	}
	for _, e := range tx.events {
		if e.Thread == thread && e.Kind != event.MessagePosted {
			out = append(out, e)
		}
	}
	return out, nil
}

const occurrenceColumns = "n, behaviour, generation, channel, thread, message, seq, basis, credit, benefits, level, party, segment, benefits_level, benefits_party, benefits_segment, arose, at, due, state, imported, counted_as, key"

func (tx *Tx) scanOccurrence(rs *sql.Rows) error {
	o := &Occurrence{}
	if err := rs.Scan(&o.N, &o.Behaviour, &o.Generation, &o.Channel, &o.Thread, &o.Message, &o.Seq, &o.Basis, &o.Credit,
		&o.Benefits, &o.Level, &o.Party, &o.Segment, &o.BenefitsLevel, &o.BenefitsParty, &o.BenefitsSegment, &o.Arose, &o.At,
		&o.Due, &o.State, &o.Imported, &o.CountedAs, &o.Key); err != nil {
		return err
	}
	if tx.occurrences.get(o.N) == nil {
		tx.occurrences.put(o.N, o)
		tx.indexOccurrence(o)
	}
	return nil
}

type scopeKey struct{ behaviour, key string }

func (tx *Tx) indexOccurrence(o *Occurrence) {
	k := scopeKey{o.Behaviour, o.Key}
	tx.occByKey[k] = append(tx.occByKey[k], o)
	if o.Thread != 0 {
		tx.occByThread[o.Thread] = append(tx.occByThread[o.Thread], o)
	}
}

// present leaves out rows that a savepoint undid, and sorts by row number.
func (tx *Tx) present(list []*Occurrence) []*Occurrence {
	var out []*Occurrence
	for _, o := range list {
		if tx.occurrences.get(o.N) == o {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *Occurrence) int { return cmp.Compare(a.N, b.N) })
	return out
}

// OccurrencesOf gives all occurrences of a thread, oldest row first.
func (tx *Tx) OccurrencesOf(thread int64) ([]*Occurrence, error) {
	if !tx.occLoaded[thread] {
		if err := tx.query(tx.scanOccurrence, "SELECT "+occurrenceColumns+" FROM occurrences WHERE thread = ?", thread); err != nil {
			return nil, err
		}
		tx.occLoaded[thread] = true
	}
	return tx.present(tx.occByThread[thread]), nil
}

// OccurrencesByKey gives the occurrences of one behaviour in one scope, oldest row first.
func (tx *Tx) OccurrencesByKey(behaviour, key string) ([]*Occurrence, error) {
	k := scopeKey{behaviour, key}
	if !tx.keyLoaded[k] {
		if err := tx.query(tx.scanOccurrence, "SELECT "+occurrenceColumns+" FROM occurrences WHERE behaviour = ? AND key = ?", behaviour, key); err != nil {
			return nil, err
		}
		tx.keyLoaded[k] = true
	}
	return tx.present(tx.occByKey[k]), nil
}

// NothingYet says that a scope can have no occurrence in the database, because what it is about is new in this
// transaction: it saves the look-up.
func (tx *Tx) NothingYet(behaviour, key string) { tx.keyLoaded[scopeKey{behaviour, key}] = true }

// FreshEvent says, as FreshThread and FreshOccurrence do, whether a row has been made in this transaction.
func (tx *Tx) FreshEvent(seq int64) bool { return seq > tx.l.next.seq }

// FreshThread see FreshEvent.
func (tx *Tx) FreshThread(n int64) bool { return n > tx.l.next.thread }

// FreshOccurrence see FreshEvent.
func (tx *Tx) FreshOccurrence(n int64) bool { return n > tx.l.next.occurrence }

// Occurrence loads one by row number; nil where it is gone.
func (tx *Tx) Occurrence(n int64) (*Occurrence, error) {
	if o := tx.occurrences.get(n); o != nil {
		return o, nil
	}
	if err := tx.query(tx.scanOccurrence, "SELECT "+occurrenceColumns+" FROM occurrences WHERE n = ?", n); err != nil {
		return nil, err
	}
	return tx.occurrences.get(n), nil
}

// NewOccurrence makes a row for it.
func (tx *Tx) NewOccurrence(o *Occurrence) *Occurrence {
	tx.next.occurrence++
	o.N = tx.next.occurrence
	add(tx, &tx.occurrences, o.N, o)
	tx.indexOccurrence(o)
	return o
}
