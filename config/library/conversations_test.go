// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package library_test

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/config/library"
	"github.com/kith-dev/kith/config/library/librarytest"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/testing/builders"
)

// TestConversations reads each conversation twice: as history, in one piece after everything has happened, and live,
// looking whenever something happens. Both must give what the conversation expects.
func TestConversations(t *testing.T) {
	files, err := librarytest.Load(os.DirFS("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	behaviours := load(t)
	for _, f := range files {
		t.Run(f.Behaviour, func(t *testing.T) {
			t.Parallel()
			bp := compile(t, behaviours, &f)
			for _, how := range []string{"history", "live"} {
				t.Run(how, func(t *testing.T) {
					readFile(t, bp, &f, how == "history")
				})
			}
		})
	}
}

func load(t *testing.T) map[string]*v1alpha1.Behaviour {
	t.Helper()
	loaded, err := blueprint.LoadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range loaded.Problems {
		t.Fatal(p)
	}
	out := map[string]*v1alpha1.Behaviour{}
	for _, b := range loaded.Resources.Behaviours {
		out[b.Name] = b
	}
	return out
}

// compile makes the blueprint for a file: the behaviour, what it stands `of`, and a channel for each case.
func compile(t *testing.T, behaviours map[string]*v1alpha1.Behaviour, f *librarytest.File) *blueprint.Blueprint {
	t.Helper()
	community := builders.MakeCommunity(library.Community).TimeZone(librarytest.TimeZone).Factor("support-contact", "6", "9", "14").With(
		func(s *v1alpha1.CommunitySpec) {
			for _, party := range []v1alpha1.Party{"Volunteer", "Company", "Agency"} {
				s.Parties = append(s.Parties, v1alpha1.PartyRule{Party: party, Match: v1alpha1.PartyMatch{Roles: []string{string(party)}}})
			}
		})
	r := blueprint.Resources{Communities: []*v1alpha1.Community{community.Obj()}}
	for name := f.Behaviour; name != ""; name = string(behaviours[name].Spec.Of) {
		r.Behaviours = append(r.Behaviours, behaviours[name])
	}
	for i := range f.Cases {
		c := builders.MakeChannel(channelName(i)).Community(library.Community).With(func(s *v1alpha1.ChannelSpec) {
			s.Rooms = &v1alpha1.Rooms{Questions: patterns(f.Channel.Questions), Feedback: patterns(f.Channel.Feedback), HowTo: patterns(f.Channel.HowTo)}
		})
		r.Channels = append(r.Channels, c.Obj())
	}
	bp, problems := blueprint.Compile(r, nil)
	for _, p := range problems {
		if p.Severity == blueprint.Error {
			t.Fatal(p)
		}
	}
	return bp
}

func channelName(i int) string { return fmt.Sprintf("case-%d", i) }

func readFile(t *testing.T, bp *blueprint.Blueprint, f *librarytest.File, asHistory bool) {
	ctx := t.Context()
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(ctx, filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := &reading{l: l}
	r.hub = hub.New(l, hub.Options{Now: func() time.Time { return r.now }})
	defer r.hub.Close()
	if err := r.hub.Apply(ctx, bp); err != nil {
		t.Fatal(err)
	}
	for i := range f.Cases {
		c := &f.Cases[i]
		t.Run(c.Name, func(t *testing.T) {
			r.t, r.name, r.ref = t, channelName(i), event.ChannelRef{Platform: "test", Instance: channelName(i)}
			r.read(c, asHistory)
			r.compare(ctx, c, f.Behaviour)
		})
	}
	aside, err := l.ListAside(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range aside {
		t.Errorf("set aside: %s %s: %s", s.What, s.Ident, s.Error)
	}
	differences, err := hub.Check(ctx, l, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		t.Errorf("only in the %s: %s", d.Side, d.Line)
	}
}

// reading is one channel being read.
type reading struct {
	t     *testing.T
	l     *ledger.Ledger
	hub   *hub.Hub
	now   time.Time
	name  string
	ref   event.ChannelRef
	epoch int64
	n     map[event.Lane]int
}

func (r *reading) read(c *librarytest.Case, asHistory bool) {
	p := newPlatform(c)
	end := librarytest.Start.Add(cmp.Or(time.Duration(c.ReadThrough), librarytest.DefaultReadThrough))
	r.now = p.begins()
	if asHistory {
		r.now = p.onlyWatched(end)
	}
	lease, err := r.hub.Acquire(r.t.Context(), r.ref, r.name, "test")
	if err != nil {
		r.t.Fatal(err)
	}
	r.epoch, r.n = lease.Epoch, map[event.Lane]int{}
	r.commit(event.Commit{Lane: event.Backfill, Done: true, FromBeginning: c.History != librarytest.HistoryUnknown, CompleteThrough: r.now, Observations: p.until(r.now)})
	if err := r.hub.Drain(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	for len(p.steps) > 0 && !p.steps[0].at.After(end) {
		at, observations := p.next()
		r.now = at
		r.commit(event.Commit{Lane: event.Live, CompleteThrough: at, Observations: observations})
	}
	r.now = end
	r.commit(event.Commit{Lane: event.Live, CompleteThrough: end})
}

// commit writes a page behind the lane's last one.
func (r *reading) commit(c event.Commit) {
	r.t.Helper()
	if n := r.n[c.Lane]; n > 0 {
		c.Previous = json.RawMessage(fmt.Sprint(n))
	}
	r.n[c.Lane]++
	c.Channel, c.Epoch, c.ObservedAt, c.Next = r.ref, r.epoch, r.now, json.RawMessage(fmt.Sprint(r.n[c.Lane]))
	if err := r.hub.Commit(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
}

// compare looks at what counts in the threads of the case, and at the denominator.
func (r *reading) compare(ctx context.Context, c *librarytest.Case, behaviour string) {
	names := map[int64]string{}
	for who := range c.Parties {
		found, err := r.l.FindPeople(ctx, who)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, f := range found {
			if f.Channel == r.name {
				names[r.one("SELECT n FROM members WHERE id = ?", f.ID)] = who
			}
		}
	}
	counts := map[librarytest.Expected]int{}
	due := 0
	rows, err := r.l.Reader().QueryContext(ctx, `SELECT t.native, o.credit, o.benefits, o.state FROM occurrences o
		JOIN threads t ON t.n = o.thread JOIN channels c ON c.n = o.channel WHERE c.name = ? AND o.behaviour = ? AND t.native NOT LIKE 'earlier-%'`, r.name, behaviour)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var thread string
		var credit, benefits int64
		var state ledger.State
		if err := rows.Scan(&thread, &credit, &benefits, &state); err != nil {
			r.t.Fatal(err)
		}
		if state == ledger.Counted {
			counts[librarytest.Expected{Thread: thread, Credit: names[credit], Benefits: names[benefits]}]++
		}
		if state == ledger.Counted || state == ledger.Unfulfilled {
			due++
		}
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	got := []librarytest.Expected{}
	for e, n := range counts {
		e.Count = n
		got = append(got, e)
	}
	want := slices.Clone(c.Expect)
	for _, list := range [][]librarytest.Expected{got, want} {
		slices.SortFunc(list, func(a, b librarytest.Expected) int {
			return cmp.Or(strings.Compare(a.Thread, b.Thread), strings.Compare(a.Credit, b.Credit), strings.Compare(a.Benefits, b.Benefits))
		})
	}
	if d := gocmp.Diff(want, got); d != "" {
		r.t.Errorf("what counts (-want +got):\n%s", d)
	}
	if c.Due != nil && *c.Due != due {
		r.t.Errorf("%d cases are due, want %d", due, *c.Due)
	}
}

func (r *reading) one(query string, args ...any) (n int64) {
	r.t.Helper()
	if err := r.l.Reader().QueryRowContext(r.t.Context(), query, args...).Scan(&n); err != nil && err != sql.ErrNoRows {
		r.t.Fatal(err)
	}
	return n
}

func patterns(list []string) (out []v1alpha1.Pattern) {
	for _, p := range list {
		out = append(out, v1alpha1.Pattern(p))
	}
	return out
}
