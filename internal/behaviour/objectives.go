// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"context"
	"database/sql"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

// Standing is how an objective stands.
type Standing string

// The standings. TooFew: fewer cases than agreed, or about fewer people than the minimum group; no value is shown.
// Unknown: what it depends on has not been read; silence is not zero.
const (
	Met     Standing = "Met"
	NotMet  Standing = "NotMet"
	TooFew  Standing = "TooFew"
	Unknown Standing = "Unknown"
)

// Result is one objective over its window.
type Result struct {
	Objective *blueprint.Objective
	Standing  Standing
	// Reason says why it is TooFew or Unknown, and what to do.
	Reason string
	// Value is a ratio for a share, a number for a count; without meaning where TooFew or Unknown.
	Value, Target float64
	// Hits of Cases for a share; for a count both are the count. Provisional cases lie in the window and are not
	// decided yet; they are in neither.
	Hits, Cases, Provisional int
	// People is how many distinct members the figure is about.
	People int
	// Withheld says that there are cases, of fewer people than the minimum group: Hits, Cases and People are 0 then, and
	// mean nothing. ProvisionalWithheld says the same of Provisional.
	Withheld, ProvisionalWithheld bool
	// From and To bound the window; AsOf is up to when everything has been read.
	From, To, AsOf time.Time
}

// Objectives works out every objective of a blueprint as of what has been read.
func Objectives(ctx context.Context, db *sql.DB, bp *blueprint.Blueprint) ([]Result, error) {
	reading, err := readings(ctx, db, bp)
	if err != nil {
		return nil, err
	}
	location, err := time.LoadLocation(bp.TimeZone)
	if err != nil {
		return nil, err
	}
	out := make([]Result, len(bp.Objectives))
	for i := range bp.Objectives {
		q := &question{ctx: ctx, db: db, bp: bp, o: &bp.Objectives[i], reading: reading, location: location}
		if out[i], err = q.result(); err != nil {
			return nil, fmt.Errorf("objective %s: %w", bp.Objectives[i].Name, err)
		}
	}
	return out, nil
}

// reading is how far a declared channel has been read.
type reading struct {
	n         int64
	name      string
	static    bool // an archive: it will not get newer
	complete  bool
	watermark int64
}

func readings(ctx context.Context, db *sql.DB, bp *blueprint.Blueprint) ([]reading, error) {
	rows := map[string]reading{}
	if err := each(ctx, db, func(rs *sql.Rows) error {
		var r reading
		var history ledger.History
		if err := rs.Scan(&r.n, &r.name, &history, &r.watermark); err != nil {
			return err
		}
		r.complete = history == ledger.HistoryComplete && r.watermark > 0
		rows[r.name] = r
		return nil
	}, "SELECT n, name, history, watermark FROM channels ORDER BY n"); err != nil {
		return nil, err
	}
	var out []reading
	for _, c := range bp.Channels {
		r, ok := rows[c.Name]
		if c.Suspend && !ok {
			continue
		}
		r.name, r.static = c.Name, c.Platform == "archive" || c.Suspend
		out = append(out, r)
	}
	return out, nil
}

// question is one objective on its way to a result.
type question struct {
	ctx      context.Context //nolint:containedctx // lives for one call
	db       *sql.DB
	bp       *blueprint.Blueprint
	o        *blueprint.Objective
	reading  []reading
	location *time.Location

	channels []any
	asOf     int64
	from, to int64
	// people are those whom the decided cases are about, waiting those of the provisional ones.
	people, waiting map[int64]bool
}

func (q *question) result() (Result, error) {
	r := Result{Objective: q.o, Target: decimal(q.target())}
	if reason := q.place(); reason != "" {
		r.Standing, r.Reason = Unknown, reason
		return r, nil
	}
	q.window()
	r.From, r.To, r.AsOf = time.UnixMilli(q.from).In(q.location), time.UnixMilli(q.to).In(q.location), time.UnixMilli(q.asOf).UTC()
	name := q.o.Share + q.o.Count
	q.people, q.waiting = map[int64]bool{}, map[int64]bool{}
	err := each(q.ctx, q.db, func(rs *sql.Rows) error {
		var c oneCase
		if err := rs.Scan(&c.state, &c.due, &c.credit.member, &c.credit.level, &c.credit.party, &c.credit.segment,
			&c.benefits.member, &c.benefits.level, &c.benefits.party, &c.benefits.segment); err != nil {
			return err
		}
		q.take(&r, c)
		return nil
	}, "SELECT state, due, credit, level, party, segment, benefits, benefits_level, benefits_party, benefits_segment FROM occurrences "+
		"WHERE behaviour = ? AND arose >= ? AND arose < ? AND state IN (0, 1, 5) AND channel IN ("+placeholders(len(q.channels))+")",
		append([]any{name, q.from, min(q.to, q.asOf+1)}, q.channels...)...)
	if err != nil {
		return r, err
	}
	if err := q.undecided(&r); err != nil {
		return r, err
	}
	r.People = len(q.people)
	q.stand(&r)
	return r, nil
}

func placeholders(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

type oneCase struct {
	state            ledger.State
	due              int64
	credit, benefits someone
}

type someone struct {
	member  int64
	level   event.Level
	party   event.Party
	segment string
}

// place finds the channels that the objective looks at, and up to when all of them have been read.
func (q *question) place() string {
	var archives []int64
	q.asOf = 0
	for _, r := range q.reading {
		if len(q.o.Audience.Channels) > 0 && !slices.Contains(q.o.Audience.Channels, r.name) {
			continue
		}
		if !r.complete {
			return fmt.Sprintf("channel %s has not been read completely yet", r.name)
		}
		q.channels = append(q.channels, r.n)
		switch {
		case r.static:
			archives = append(archives, r.watermark)
		case q.asOf == 0 || r.watermark < q.asOf:
			q.asOf = r.watermark
		}
	}
	if len(q.channels) == 0 {
		return "no channel is declared that it could be seen on"
	}
	if q.asOf == 0 {
		q.asOf = slices.Max(archives)
	}
	return ""
}

func (q *question) window() {
	now := time.UnixMilli(q.asOf).In(q.location)
	if q.o.Rolling > 0 {
		q.from, q.to = now.Add(-q.o.Rolling).UnixMilli(), q.asOf+1
		return
	}
	from, to := period(q.o.Calendar, now)
	q.from, q.to = from.UnixMilli(), to.UnixMilli()
}

// period gives the calendar period that holds a time, in the time's location.
func period(kind string, t time.Time) (from, to time.Time) {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	switch kind {
	case "Week":
		from = day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		return from, from.AddDate(0, 0, 7)
	case "Month":
		from = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
		return from, from.AddDate(0, 1, 0)
	case "Quarter":
		from = time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, t.Location())
		return from, from.AddDate(0, 3, 0)
	}
	from = time.Date(t.Year(), 1, 1, 0, 0, 0, 0, t.Location())
	return from, from.AddDate(1, 0, 0)
}

// narrows says whether the audience leaves anybody out.
func narrows(a *blueprint.Audience) bool {
	return len(a.Levels)+len(a.Segments)+len(a.Parties) > 0
}

func (s someone) of(a *blueprint.Audience) bool {
	return (len(a.Levels) == 0 || slices.Contains(a.Levels, s.level)) &&
		(len(a.Segments) == 0 || slices.Contains(a.Segments, s.segment)) &&
		(len(a.Parties) == 0 || slices.Contains(a.Parties, s.party))
}

// take counts one case. An audience of those who benefit narrows the cases; one of those who are credited narrows what
// counts as fulfilled, for an unfulfilled case is nobody's.
func (q *question) take(r *Result, c oneCase) {
	a := &q.o.Audience
	who := c.credit
	if a.Who == "Benefits" {
		if !c.benefits.of(a) {
			return
		}
		who = c.benefits
	}
	if c.state == ledger.Pending || (c.state == ledger.Unfulfilled && c.due > q.asOf) {
		r.Provisional++
		meet(q.waiting, q.sides(c)...)
		return
	}
	hit := c.state == ledger.Counted && (a.Who == "Benefits" || who.of(a))
	if q.o.Count != "" {
		if !hit {
			return
		}
	}
	r.Cases++
	if hit {
		r.Hits++
	}
	switch {
	case a.Who == "Benefits" || (narrows(a) && hit):
		meet(q.people, who.member)
	case !narrows(a):
		meet(q.people, q.sides(c)...)
	}
}

// sides are those whom a case is about: a count tells what somebody did, a share of what became of somebody's case too.
func (q *question) sides(c oneCase) []int64 {
	if q.o.Count != "" && c.credit.member != 0 {
		return []int64{c.credit.member}
	}
	return []int64{c.credit.member, c.benefits.member}
}

// meet adds members to those whom a figure is about; 0 is nobody.
func meet(people map[int64]bool, members ...int64) {
	for _, m := range members {
		if m != 0 {
			people[m] = true
		}
	}
}

// undecided adds questions of the window that have not fallen due.
func (q *question) undecided(r *Result) error {
	basis := behaviourOf(q.bp, behaviourOf(q.bp, q.o.Share).Of)
	if !slices.Contains(basis.On, event.ThreadAged) || !strings.Contains(basis.When, "thread.question") {
		return nil
	}
	return each(q.ctx, q.db, func(rs *sql.Rows) error {
		var asker int64
		if err := rs.Scan(&asker); err != nil {
			return err
		}
		r.Provisional++
		meet(q.waiting, asker)
		return nil
	}, "SELECT asker FROM threads WHERE question AND visible AND opened >= ? AND opened > ? AND opened < ? AND channel IN ("+placeholders(len(q.channels))+")",
		append([]any{q.from, q.asOf - basis.After.Milliseconds(), q.to}, q.channels...)...)
}

func behaviourOf(bp *blueprint.Blueprint, name string) *blueprint.Behaviour {
	for i := range bp.Behaviours {
		if bp.Behaviours[i].Name == name {
			return &bp.Behaviours[i]
		}
	}
	return &blueprint.Behaviour{}
}

func (q *question) target() string { return q.o.AtLeast + q.o.AtMost }

func decimal(s string) float64 {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0
	}
	f, _ := r.Float64()
	return f
}

// stand compares exactly, in fractions, and takes out what is about too few people: nobody who shows a result can then
// show that.
func (q *question) stand(r *Result) {
	k := q.bp.Privacy.MinimumGroupSize
	few := r.People < k && r.Hits+r.People > 0 // a share of nothing is about people too
	hits, cases := r.Hits, r.Cases
	if few {
		r.Withheld, r.Hits, r.Cases, r.People = true, 0, 0, 0
	}
	if r.Provisional > 0 && len(q.waiting) < k {
		r.ProvisionalWithheld, r.Provisional = true, 0
	}
	value := new(big.Rat).SetInt64(int64(hits))
	if least := max(1, q.o.MinimumCases); q.o.Share != "" && cases < least {
		r.Standing, r.Reason = TooFew, fmt.Sprintf("%d cases, agreed were at least %d", cases, least)
		if few {
			r.Reason = aboutFewer(k)
		}
		return
	}
	if q.o.Share != "" {
		value.Quo(value, new(big.Rat).SetInt64(int64(cases)))
	}
	if few {
		r.Standing, r.Reason = TooFew, aboutFewer(k)
		return
	}
	r.Value, _ = value.Float64()
	target, ok := new(big.Rat).SetString(q.target())
	r.Standing = NotMet
	if ok && (q.o.AtLeast != "" && value.Cmp(target) >= 0 || q.o.AtMost != "" && value.Cmp(target) <= 0) {
		r.Standing = Met
	}
}

func aboutFewer(k int) string {
	return fmt.Sprintf("the figure would be about fewer than %d people", k)
}
