// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Tx is one transaction: rows are loaded as asked for, changed in memory, and written together at Commit. Whatever
// fails before that leaves no trace. A Tx belongs to one goroutine.
type Tx struct {
	*cache
	l    *Ledger
	ctx  context.Context //nolint:containedctx // lives as long as the transaction; asked between rows, see query
	next counters
	done bool
	// cold: rows were changed behind the cache's back, which is not kept.
	cold bool

	events    []*Event
	identity  map[eventKey]bool
	marks     []mark
	timers    timerHeap
	timersTo  map[int64]int64 // channel → loaded up to
	newTimers []*Timer
	dropped   []int64
	texts     map[int64]text
	titles    map[int64]text
	refs      []ref
	reactors  map[reactor]bool
	counts    map[Counter]int64
	buckets   map[bucket]int64
	people    map[person]bool
	verdicts  []verdict
	aside     []SetAside
	channels  map[int64]*Channel

	guard int // the savepoint now; 0: none
	undo  []func()
}

// cache holds rows as they are in the database. Since one process alone writes, it outlives a transaction that commits;
// one that fails throws it away.
type cache struct {
	threads     rows[Thread]
	messages    rows[Message]
	stats       rows[Stats]
	occurrences rows[Occurrence]
	// Natives that are known not to exist map to nil.
	threadByID   map[nativeKey]*Thread
	messageByID  map[nativeKey]*Message
	byThread     map[int64][]*Message
	loadedThread map[int64]bool // threads whose messages are all in memory
	occByKey     map[scopeKey][]*Occurrence
	occByThread  map[int64][]*Occurrence
	keyLoaded    map[scopeKey]bool
	occLoaded    map[int64]bool
	members      map[int64]*Member
	identities   map[lookupKey]identity
	eventBySeq   map[int64]*Event
	// guards is how many savepoints there have been. Rows remember the last one that kept a copy of them, so the number
	// lives as long as they do.
	guards int
}

// maxCached bounds the rows that are kept from one transaction to the next; beyond it everything is read anew.
const maxCached = 50_000

func newCache() *cache {
	return &cache{
		threadByID: map[nativeKey]*Thread{}, messageByID: map[nativeKey]*Message{}, loadedThread: map[int64]bool{},
		byThread: map[int64][]*Message{}, occByKey: map[scopeKey][]*Occurrence{}, occByThread: map[int64][]*Occurrence{},
		keyLoaded: map[scopeKey]bool{}, occLoaded: map[int64]bool{}, members: map[int64]*Member{},
		identities: map[lookupKey]identity{}, eventBySeq: map[int64]*Event{},
	}
}

func (c *cache) size() int {
	return len(c.threadByID) + len(c.messageByID) + len(c.eventBySeq) + len(c.occurrences.byN) + len(c.identities)
}

type (
	nativeKey struct {
		channel int64
		native  string
	}
	eventKey struct {
		channel  int64
		kind     int
		native   string
		revision int
	}
	mark struct{ seq, channel, upTo int64 }
	text struct {
		at   int64
		text string
	}
	ref struct {
		channel         int64
		native          string
		message, author int64
	}
	reactor struct {
		message int64
		name    string
		member  int64
	}
	bucket struct {
		name    string
		channel int64
		le      int64
	}
	person struct {
		channel   int64
		behaviour string
		dimension string
		value     string
		member    int64
	}
	verdict struct {
		position, event int64
		behaviour       string
		part            int
		holds           bool
	}
)

// ErrStorage is in the chain of every error of the database itself: nothing is wrong with what was to be written.
var ErrStorage = errors.New("ledger storage")

// Counter names one stored total.
type Counter struct {
	Name      string
	Channel   int64
	Behaviour string
	Level     string
	Segment   string
}

// rows is a cache of one table's rows by number.
type rows[R any] struct {
	byN   map[int64]*R
	dirty []*R
}

func (r *rows[R]) get(n int64) *R { return r.byN[n] }

func (r *rows[R]) put(n int64, v *R) {
	if r.byN == nil {
		r.byN = map[int64]*R{}
	}
	r.byN[n] = v
}

// Begin starts the transaction; it waits for the one before it.
func (l *Ledger) Begin(ctx context.Context) (*Tx, error) {
	if err := l.take(ctx); err != nil {
		return nil, err
	}
	if _, err := l.conn.ExecContext(context.WithoutCancel(ctx), "BEGIN IMMEDIATE"); err != nil {
		l.give()
		return nil, fmt.Errorf("begin a transaction of the %w: %w", ErrStorage, err)
	}
	c := l.warm
	l.warm = nil
	if c == nil || c.size() > maxCached {
		c = newCache()
	}
	return &Tx{
		cache: c, l: l, ctx: ctx, next: l.next, identity: map[eventKey]bool{}, timersTo: map[int64]int64{},
		texts: map[int64]text{}, titles: map[int64]text{}, reactors: map[reactor]bool{}, counts: map[Counter]int64{},
		buckets: map[bucket]int64{}, people: map[person]bool{}, channels: map[int64]*Channel{},
	}, nil
}

// take waits for the turn to write, as long as the context lasts.
func (l *Ledger) take(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the ledger: %w", ctx.Err())
	}
}

func (l *Ledger) give() { <-l.turn }

// Rollback gives everything up. After Commit it does nothing.
func (tx *Tx) Rollback() {
	if tx.done {
		return
	}
	tx.done = true
	// An error here leaves the transaction to be rolled back when the connection is used next; the one that led here is told.
	_, _ = tx.l.conn.ExecContext(context.WithoutCancel(tx.ctx), "ROLLBACK")
	if tx.untouched() {
		tx.l.warm = tx.cache
	}
	tx.l.give()
}

// untouched says that nothing was to be written, so that the cache is still true.
func (tx *Tx) untouched() bool {
	return !tx.cold && len(tx.undo) == 0 && tx.next == tx.l.next && len(tx.events)+len(tx.threads.dirty)+len(tx.messages.dirty)+
		len(tx.stats.dirty)+len(tx.occurrences.dirty) == 0
}

// Commit writes every changed row and ends the transaction.
func (tx *Tx) Commit() error {
	if tx.done {
		return sql.ErrTxDone
	}
	if err := tx.flush(); err != nil {
		tx.cold = true
		tx.Rollback()
		return err
	}
	if _, err := tx.l.conn.ExecContext(context.WithoutCancel(tx.ctx), "COMMIT"); err != nil {
		tx.cold = true
		tx.Rollback()
		return fmt.Errorf("commit to the %w: %w", ErrStorage, err)
	}
	tx.done = true
	tx.l.next = tx.next
	for p := range tx.people {
		tx.l.groups.add(p)
	}
	if !tx.cold {
		tx.l.warm = tx.cache
	}
	tx.l.give()
	return nil
}

// Guard runs f under a savepoint: if f fails, all that it changed is as before, and its error is returned.
// Guards nest.
func (tx *Tx) Guard(f func() error) error {
	outer, undo, next := tx.guard, len(tx.undo), tx.next
	tx.guards++
	tx.guard = tx.guards
	err := f()
	if err != nil {
		for _, u := range slices.Backward(tx.undo[undo:]) {
			u()
		}
		tx.undo = tx.undo[:undo]
		tx.next = next
	}
	tx.guard = outer
	if outer == 0 {
		tx.undo = tx.undo[:0]
	}
	return err
}

func (tx *Tx) onUndo(u func()) {
	if tx.guard > 0 {
		tx.undo = append(tx.undo, u)
	}
}

// edit must be called before a cached row is changed: it keeps a copy for the savepoint and marks the row to be written.
func edit[R any, P interface {
	*R
	meta() *row
}](tx *Tx, table *rows[R], r P) {
	m := r.meta()
	if tx.guard > 0 && m.guard != tx.guard {
		kept := *r
		tx.undo = append(tx.undo, func() { *r = kept })
		m.guard = tx.guard
	}
	if !m.dirty {
		m.dirty = true
		table.dirty = append(table.dirty, r)
	}
}

// add caches a new row.
func add[R any, P interface {
	*R
	meta() *row
}](tx *Tx, table *rows[R], n int64, r P) {
	table.put(n, r)
	*r.meta() = row{dirty: true}
	table.dirty = append(table.dirty, r)
	tx.onUndo(func() {
		delete(table.byN, n)
		r.meta().dirty = false
	})
}

// takeDirty gives the rows to be written, each once. Rows that a savepoint undid are clean again and left out.
func takeDirty[R any, P interface {
	*R
	meta() *row
}](table *rows[R]) []P {
	var out []P
	for _, r := range table.dirty {
		if p := P(r); p.meta().dirty {
			p.meta().dirty = false
			out = append(out, p)
		}
	}
	table.dirty = nil
	return out
}

func appendUndo[T any](tx *Tx, s *[]T, v T) {
	n := len(*s)
	*s = append(*s, v)
	tx.onUndo(func() { *s = (*s)[:n] })
}

func setUndo[K comparable, V any](tx *Tx, m map[K]V, k K, v V) {
	old, had := m[k]
	m[k] = v
	tx.onUndo(func() {
		if had {
			m[k] = old
		} else {
			delete(m, k)
		}
	})
}

// prepared gives a statement that is prepared once for the life of the connection.
func (tx *Tx) prepared(query string) (*sql.Stmt, error) {
	if s, ok := tx.l.stmts[query]; ok {
		return s, nil
	}
	s, err := tx.l.conn.PrepareContext(context.WithoutCancel(tx.ctx), query)
	if err != nil {
		return nil, fmt.Errorf("prepare a statement of the %w: %w", ErrStorage, err)
	}
	tx.l.stmts[query] = s
	return s, nil
}

// query runs a prepared query and calls scan for each row. A statement takes microseconds, and a context that can end
// costs the driver a goroutine for each: so it is asked here, between statements.
func (tx *Tx) query(scan func(*sql.Rows) error, query string, args ...any) error {
	if err := tx.ctx.Err(); err != nil {
		return err
	}
	s, err := tx.prepared(query) //nolint:sqlclosecheck // kept for the life of the connection
	if err != nil {
		return err
	}
	rs, err := s.QueryContext(context.WithoutCancel(tx.ctx), args...)
	if err != nil {
		return fmt.Errorf("read the %w: %w", ErrStorage, err)
	}
	defer func() { _ = rs.Close() }() // its error shows in rs.Err
	for rs.Next() {
		if err := scan(rs); err != nil {
			return fmt.Errorf("read a ledger row: %w", err)
		}
	}
	return rs.Err()
}

func (tx *Tx) exec(query string, args ...any) error {
	s, err := tx.prepared(query) //nolint:sqlclosecheck // kept for the life of the connection
	if err != nil {
		return err
	}
	if _, err := s.ExecContext(context.WithoutCancel(tx.ctx), args...); err != nil {
		return fmt.Errorf("write the %w: %w", ErrStorage, err)
	}
	return nil
}

// byDue sorts timers; of those due at the same moment, those that make events come first, so that a rebuild, which gets
// the events from the record, fires the others at the same point.
func byDue(a, b *Timer) int {
	return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(boolInt(!a.Kind.MakesEvent()), boolInt(!b.Kind.MakesEvent())), cmp.Compare(a.N, b.N))
}
