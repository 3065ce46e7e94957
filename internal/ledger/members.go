// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
)

type lookupKey struct {
	channel int64
	lookup  string
}

type identity struct {
	member  int64
	blocked string
	fresh   *freshIdentity
	known   bool
}

type freshIdentity struct {
	n, member, channel      int64
	lookup, wrapped, sealed []byte
}

// Person is what an identity says of somebody, decrypted.
type Person struct {
	Native string `json:"native"`
	Handle string `json:"handle,omitempty"`
	Name   string `json:"name,omitempty"`
}

// Lookup is the keyed hash under which an identity is found.
func (tx *Tx) Lookup(channel int64, native string) []byte {
	return tx.l.keys.current.hash(channel, native)
}

// PrefetchMembers loads the identities of several accounts at once.
func (tx *Tx) PrefetchMembers(channel int64, natives []string) error {
	masters := append([]*masterKey{tx.l.keys.current}, tx.l.keys.retired...)
	byLookup := map[string]string{} // any of its hashes → the current one
	var want []any
	for _, id := range natives {
		current := string(tx.Lookup(channel, id))
		if tx.identities[lookupKey{channel, current}].known {
			continue
		}
		tx.identities[lookupKey{channel, current}] = identity{known: true}
		for _, m := range masters {
			h := m.hash(channel, id)
			byLookup[string(h)] = current
			want = append(want, h)
		}
	}
	keep := func(lookup []byte, change func(*identity)) {
		k := lookupKey{channel, byLookup[string(lookup)]}
		i := tx.identities[k]
		change(&i)
		tx.identities[k] = i
	}
	if err := tx.inChunks(func(rs *sql.Rows) error {
		var lookup []byte
		var m Member
		if err := rs.Scan(&lookup, &m.N, &m.ID, &m.Status); err != nil {
			return err
		}
		if tx.members[m.N] == nil {
			tx.members[m.N] = &m
		}
		keep(lookup, func(i *identity) { i.member = m.N })
		return nil
	}, "SELECT i.lookup, m.n, m.id, m.status FROM identities i JOIN members m ON m.n = i.member WHERE i.channel = ? AND i.lookup IN ", []any{channel}, want); err != nil {
		return err
	}
	return tx.inChunks(func(rs *sql.Rows) error {
		var lookup []byte
		var reason string
		if err := rs.Scan(&lookup, &reason); err != nil {
			return err
		}
		keep(lookup, func(i *identity) { i.blocked = reason })
		return nil
	}, "SELECT lookup, reason FROM blocked WHERE channel = ? AND lookup IN ", []any{channel}, want)
}

// erasedID is the id of the row that stands for everybody who has been erased and still writes.
const erasedID = "erased"

// FindMember finds or makes the member behind an account. Erased accounts all come out as one member of status
// MemberErased, of whom nothing is kept.
func (tx *Tx) FindMember(channel int64, a event.Actor, name string) (m *Member, created bool, err error) {
	if err := tx.PrefetchMembers(channel, []string{a.ID}); err != nil {
		return nil, false, err
	}
	lookup := tx.Lookup(channel, a.ID)
	k := lookupKey{channel, string(lookup)}
	found := tx.identities[k]
	switch {
	case found.blocked == blockedErased:
		m, err := tx.erasedMember()
		return m, false, err
	case found.member != 0:
		return tx.members[found.member], false, nil
	}
	plain, err := json.Marshal(Person{Native: a.ID, Handle: a.Handle, Name: name})
	if err != nil {
		return nil, false, err
	}
	f := &freshIdentity{channel: channel, lookup: lookup}
	if f.wrapped, f.sealed, err = tx.l.keys.current.seal(plain); err != nil {
		return nil, false, fmt.Errorf("encrypt an identity: %w", err)
	}
	m = tx.newMember(randomID())
	tx.next.identity++
	f.n, f.member = tx.next.identity, m.N
	setUndo(tx, tx.identities, k, identity{member: m.N, fresh: f, known: true})
	return m, true, nil
}

func (tx *Tx) newMember(id string) *Member {
	tx.next.member++
	m := &Member{N: tx.next.member, ID: id, fresh: true}
	setUndo(tx, tx.members, m.N, m)
	return m
}

func (tx *Tx) erasedMember() (*Member, error) {
	for _, m := range tx.members {
		if m.ID == erasedID {
			return m, nil
		}
	}
	var m *Member
	if err := tx.query(func(rs *sql.Rows) error {
		m = &Member{ID: erasedID}
		return rs.Scan(&m.N, &m.Status)
	}, "SELECT n, status FROM members WHERE id = ?", erasedID); err != nil {
		return nil, err
	}
	if m == nil {
		m = tx.newMember(erasedID)
		m.Status = MemberErased
	}
	tx.members[m.N] = m
	return m, nil
}

// Member gives a member by row number.
func (tx *Tx) Member(n int64) (*Member, error) {
	if m := tx.members[n]; m != nil {
		return m, nil
	}
	m := &Member{}
	found := false
	if err := tx.query(func(rs *sql.Rows) error { found = true; return rs.Scan(&m.N, &m.ID, &m.Status) },
		"SELECT n, id, status FROM members WHERE n = ?", n); err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("member %d is not in the ledger: run `kith ledger check`", n)
	}
	tx.members[n] = m
	return m, nil
}

func randomID() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

func (tx *Tx) flushMembers() error {
	var fresh []*Member
	for _, m := range tx.members {
		if m.fresh {
			fresh = append(fresh, m)
			m.fresh = false
		}
	}
	slices.SortFunc(fresh, func(a, b *Member) int { return cmp.Compare(a.N, b.N) })
	if err := tx.insert("INSERT INTO members (n, id, status)", 3, len(fresh), "", func(i int) ([]any, error) {
		return []any{fresh[i].N, fresh[i].ID, int(fresh[i].Status)}, nil
	}); err != nil {
		return err
	}
	var ids []*freshIdentity
	for k, i := range tx.identities {
		if i.fresh != nil {
			ids = append(ids, i.fresh)
			i.fresh = nil
			tx.identities[k] = i
		}
	}
	slices.SortFunc(ids, func(a, b *freshIdentity) int { return cmp.Compare(a.n, b.n) })
	return tx.insert("INSERT INTO identities (n, member, channel, lookup, key_id, wrapped, sealed)", 7, len(ids), "", func(i int) ([]any, error) {
		f := ids[i]
		return []any{f.n, f.member, f.channel, f.lookup, tx.l.keys.current.id, f.wrapped, f.sealed}, nil
	})
}

// Reasons of the block-list.
const blockedErased = "erased"

// ErrNoMember says that nobody was found.
var ErrNoMember = errors.New("no such member: give the account's native id, or its handle, on a channel of this ledger")

// Found is a member found by `kith member find`.
type Found struct {
	ID      string
	Channel string
	Person
	Status MemberStatus
	n      int64
}

// FindPeople decrypts identities to find those whose native id, handle or member id equals who. The look-up index
// serves native ids; handles need a scan.
func (l *Ledger) FindPeople(ctx context.Context, who string) ([]Found, error) {
	rs, err := l.read.QueryContext(ctx, "SELECT m.n, m.id, m.status, c.name, i.key_id, i.wrapped, i.sealed FROM identities i JOIN members m ON m.n = i.member JOIN channels c ON c.n = i.channel ORDER BY i.n")
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	defer func() { _ = rs.Close() }()
	var out []Found
	for rs.Next() {
		var f Found
		var keyID string
		var wrapped, sealed []byte
		if err := rs.Scan(&f.n, &f.ID, &f.Status, &f.Channel, &keyID, &wrapped, &sealed); err != nil {
			return nil, err
		}
		plain, err := l.keys.open(keyID, wrapped, sealed)
		if err != nil {
			return nil, fmt.Errorf("decrypt an identity: %w", err)
		}
		if err := json.Unmarshal(plain, &f.Person); err != nil {
			return nil, fmt.Errorf("decode an identity: %w", err)
		}
		if f.Native == who || strings.EqualFold(f.Handle, who) || f.ID == who {
			out = append(out, f)
		}
	}
	return out, rs.Err()
}

// MemberExport is everything that the ledger holds about one person.
type MemberExport struct {
	Member      string           `json:"member"`
	Status      string           `json:"status"`
	Identities  []ExportIdentity `json:"identities"`
	Messages    []ExportMessage  `json:"messages"`
	Events      []ExportEvent    `json:"events"`
	Occurrences []ExportCase     `json:"occurrences"`
}

type (
	// ExportIdentity is one account of the person.
	ExportIdentity struct {
		Channel string `json:"channel"`
		Person
	}
	// ExportMessage is something that the person wrote.
	ExportMessage struct {
		Channel string    `json:"channel"`
		ID      string    `json:"id"`
		At      time.Time `json:"at"`
		Text    string    `json:"text,omitempty"`
	}
	// ExportEvent is an event that is about the person.
	ExportEvent struct {
		At    time.Time   `json:"at"`
		Kind  event.Kind  `json:"kind"`
		ID    string      `json:"id"`
		Facts event.Facts `json:"facts,omitzero"`
	}
	// ExportCase is a counted case that the person has a part in.
	ExportCase struct {
		At        time.Time `json:"at"`
		Behaviour string    `json:"behaviour"`
		As        string    `json:"as"`
		State     string    `json:"state"`
	}
)

func (l *Ledger) one(ctx context.Context, who string) ([]Found, error) {
	found, err := l.FindPeople(ctx, who)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNoMember
	}
	for _, f := range found[1:] {
		if f.n != found[0].n {
			return nil, errors.New("that names more than one member: give the member id that `kith member find` prints")
		}
	}
	return found, nil
}

// ExportMember gathers what is held about a person (GDPR articles 15 and 20).
func (l *Ledger) ExportMember(ctx context.Context, who string) (*MemberExport, error) {
	found, err := l.one(ctx, who)
	if err != nil {
		return nil, err
	}
	n := found[0].n
	out := &MemberExport{Member: found[0].ID, Status: found[0].Status.String()}
	for _, f := range found {
		out.Identities = append(out.Identities, ExportIdentity{f.Channel, f.Person})
	}
	if err := l.each(ctx, func(rs *sql.Rows) error {
		var m ExportMessage
		var at int64
		if err := rs.Scan(&m.Channel, &m.ID, &at, &m.Text); err != nil {
			return err
		}
		m.At = time.UnixMilli(at).UTC()
		out.Messages = append(out.Messages, m)
		return nil
	}, "SELECT c.name, m.native, m.at, coalesce(t.text, '') FROM messages m JOIN channels c ON c.n = m.channel LEFT JOIN texts t ON t.message = m.n WHERE m.author = ? ORDER BY m.n", n); err != nil {
		return nil, err
	}
	if err := l.each(ctx, func(rs *sql.Rows) error {
		e, err := scanEvent(rs)
		if err == nil {
			out.Events = append(out.Events, ExportEvent{time.UnixMilli(e.At).UTC(), e.Kind, e.Native, e.Facts})
		}
		return err
	}, "SELECT "+eventColumns+" FROM events WHERE author = ? OR actor = ? ORDER BY seq", n, n); err != nil {
		return nil, err
	}
	err = l.each(ctx, func(rs *sql.Rows) error {
		var c ExportCase
		var at int64
		var state State
		if err := rs.Scan(&at, &c.Behaviour, &c.As, &state); err != nil {
			return err
		}
		c.At, c.State = time.UnixMilli(at).UTC(), state.String()
		out.Occurrences = append(out.Occurrences, c)
		return nil
	}, "SELECT at, behaviour, CASE WHEN credit = ?1 THEN 'credit' ELSE 'benefits' END, state FROM occurrences WHERE credit = ?1 OR benefits = ?1 ORDER BY n", n)
	return out, err
}

// String names the status.
func (s MemberStatus) String() string { return [...]string{"Known", "Erased", "Objected"}[s] }

func (l *Ledger) each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	rs, err := l.read.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	defer func() { _ = rs.Close() }()
	for rs.Next() {
		if err := scan(rs); err != nil {
			return fmt.Errorf("read a ledger row: %w", err)
		}
	}
	return rs.Err()
}

// EraseMember forgets a person: identities and their keys, texts, and what waits. What they did stays as numbers under
// a random id that leads nowhere. The account is put on the block-list, and the erasure into a journal beside the
// ledger, so that restoring an older backup erases again.
func (l *Ledger) EraseMember(ctx context.Context, who string) (messages int64, err error) {
	found, err := l.one(ctx, who)
	if err != nil {
		return 0, err
	}
	tx, err := l.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	var lookups []journalEntry
	if err := tx.query(func(rs *sql.Rows) error {
		var e journalEntry
		if err := rs.Scan(&e.channel, &e.lookup); err != nil {
			return err
		}
		lookups = append(lookups, e)
		return nil
	}, "SELECT channel, lookup FROM identities WHERE member = ?", found[0].n); err != nil {
		return 0, err
	}
	// The journal first: an erasure that is written there and not here is done again at the next restore or start.
	if err := appendJournal(l.path+".erased", lookups); err != nil {
		return 0, err
	}
	for _, e := range lookups {
		n, err := tx.erase(e)
		if err != nil {
			return 0, err
		}
		messages += n
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	return messages, l.checkpoint(ctx)
}

// checkpoint folds the write-ahead log into the file and empties it, so that nothing erased lingers there.
func (l *Ledger) checkpoint(ctx context.Context) error {
	if err := l.take(ctx); err != nil {
		return err
	}
	defer l.give()
	if _, err := l.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("empty the write-ahead log: %w", err)
	}
	return nil
}

// erase forgets the identity under one look-up hash; it does nothing where that is done already.
func (tx *Tx) erase(e journalEntry) (texts int64, err error) {
	tx.cold = true
	var member int64
	if err := tx.query(func(rs *sql.Rows) error { return rs.Scan(&member) },
		"SELECT member FROM identities WHERE channel = ? AND lookup = ?", e.channel, e.lookup); err != nil {
		return 0, err
	}
	if err := tx.exec("INSERT OR IGNORE INTO blocked (channel, lookup, reason) VALUES (?, ?, ?)", e.channel, e.lookup, blockedErased); err != nil {
		return 0, err
	}
	if err := tx.exec("DELETE FROM staged WHERE channel = ? AND author = ?", e.channel, e.lookup); err != nil {
		return 0, err
	}
	if member == 0 {
		return 0, nil
	}
	if err := tx.query(func(rs *sql.Rows) error { return rs.Scan(&texts) },
		"SELECT count(*) FROM texts WHERE message IN (SELECT n FROM messages WHERE author = ?)", member); err != nil {
		return 0, err
	}
	for _, q := range []string{
		"DELETE FROM texts WHERE message IN (SELECT n FROM messages WHERE author = ?)",
		"DELETE FROM titles WHERE thread IN (SELECT n FROM threads WHERE asker = ?)",
		"DELETE FROM setaside WHERE what = 'observation'", // may hold what they wrote; it is read again from the platform
		"UPDATE members SET status = 1 WHERE n = ?",
		"DELETE FROM identities WHERE member = ?",
	} {
		args := []any{member}
		if !strings.Contains(q, "?") {
			args = nil
		}
		if err := tx.exec(q, args...); err != nil {
			return 0, err
		}
	}
	return texts, nil
}

// ObjectMember records an objection (GDPR article 21): from now on no level, no credit, no benefit.
func (l *Ledger) ObjectMember(ctx context.Context, who string) error {
	found, err := l.one(ctx, who)
	if err != nil {
		return err
	}
	tx, err := l.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	tx.cold = true
	if err := tx.exec("UPDATE members SET status = 2 WHERE n = ? AND status = 0", found[0].n); err != nil {
		return err
	}
	return tx.Commit()
}

// journalEntry is one erasure: a keyed hash, from which nobody can be told without the key.
type journalEntry struct {
	channel int64
	lookup  []byte
}

// maxJournalLine is longer than any line of the journal.
const maxJournalLine = 256

func appendJournal(path string, entries []journalEntry) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- beside the ledger
	if err != nil {
		return fmt.Errorf("open the journal of erasures: %w", err)
	}
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%d %s\n", e.channel, hex.EncodeToString(e.lookup))
	}
	end, err := journalEnd(f)
	if err == nil {
		_, err = f.WriteAt([]byte(b.String()), end)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the journal of erasures: %w", err)
	}
	return nil
}

// journalEnd is behind the last whole line: what follows was being written when the process died, and who asked for it
// was never told that it was done.
func journalEnd(f *os.File) (int64, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	tail := make([]byte, min(size, maxJournalLine))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return 0, err
	}
	whole := int64(bytes.LastIndexByte(tail, '\n') + 1)
	if whole == 0 && size > maxJournalLine {
		return 0, errors.New("its last line is too long: repair it before going on")
	}
	end := size - int64(len(tail)) + whole
	return end, f.Truncate(end)
}

// parseJournal reads a journal of erasures. A last line without its end is no entry yet.
func parseJournal(doc []byte) ([]journalEntry, error) {
	var out []journalEntry
	for n := 1; ; n++ {
		line, rest, whole := bytes.Cut(doc, []byte("\n"))
		if !whole {
			return out, nil
		}
		doc = rest
		channel, lookup, ok := strings.Cut(string(line), " ")
		c, err := strconv.ParseInt(channel, 10, 64)
		raw, err2 := hex.DecodeString(lookup)
		if !ok || err != nil || err2 != nil || len(raw) != lookupSize || len(line) > maxJournalLine {
			return nil, fmt.Errorf("line %d of the journal of erasures cannot be read: repair it before going on, nothing was changed", n)
		}
		out = append(out, journalEntry{c, raw})
	}
}

// ReplayErasures erases again whoever the journal beside the ledger names: after a restore, and at every start.
func (l *Ledger) ReplayErasures(ctx context.Context) (int, error) {
	doc, err := os.ReadFile(l.path + ".erased")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the journal of erasures: %w", err)
	}
	entries, err := parseJournal(doc)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	tx, err := l.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	for _, e := range entries {
		if _, err := tx.erase(e); err != nil {
			return 0, err
		}
	}
	return len(entries), tx.Commit()
}
