// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"cmp"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/duration"
	"github.com/kith-dev/kith/internal/ledger"
)

// Questions are looked at for questionsWithin; one without a response is overdue after overdueAfter.
const (
	questionsWithin = 90 * 24 * time.Hour
	overdueAfter    = 24 * time.Hour
)

// other is the value of a label that says nothing, or may not.
const other = "other"

// factors shows what one unit is worth.
func factors(out *series, bp *blueprint.Blueprint) {
	for _, f := range bp.Factors {
		out.scenarios(valueFactor, f.Range, f.Name)
	}
}

// definitions shows which behaviours are in force, and how many units of each factor one case stands for.
func definitions(out *series, bp *blueprint.Blueprint) {
	for i := range bp.Behaviours {
		b := &bp.Behaviours[i]
		out.gauge(behaviourInfo, 1, b.Name, b.Family, b.Role, b.Generation)
		for _, w := range b.Worth {
			out.scenarios(behaviourWorth, w.Range, b.Name, w.Factor)
		}
	}
}

// scenarios sends one series for each scenario of a range; the scenario is the last label.
func (s *series) scenarios(name string, r blueprint.Range, labels ...string) {
	for _, x := range []struct{ scenario, amount string }{{"low", r.Low}, {"mid", r.Mid}, {"high", r.High}} {
		if v, err := strconv.ParseFloat(x.amount, 64); err == nil {
			s.gauge(name, v, append(slices.Clone(labels), x.scenario)...)
		}
	}
}

// objectives shows how objectives stand. A value about too few cases or people does not leave.
func objectives(out *series, results []behaviour.Result) {
	for _, r := range results {
		o := r.Objective
		out.gauge(objectiveTarget, r.Target, o.Name)
		out.gauge(objectiveInfo, 1, o.Name, o.Goal, o.Share+o.Count, windowOf(o), sideOf(o), string(r.Standing))
		if !r.AsOf.IsZero() {
			out.gauge(objectiveTime, unix(r.AsOf), o.Name)
		}
		if r.Standing != behaviour.Unknown && !r.Withheld {
			out.gauge(objectiveCases, float64(r.Cases), o.Name)
		}
		if r.Standing != behaviour.Met && r.Standing != behaviour.NotMet {
			continue
		}
		out.gauge(objectiveMet, one(r.Standing == behaviour.Met), o.Name)
		if o.Share != "" {
			out.gauge(objectiveShare, r.Value, o.Name)
		} else {
			out.gauge(objectiveCount, r.Value, o.Name)
		}
	}
}

// windowOf names an objective's window as people write it: 28d, 1d12h, Quarter.
func windowOf(o *blueprint.Objective) string {
	if o.Rolling == 0 {
		return o.Calendar
	}
	return duration.Format(o.Rolling)
}

// sideOf names the side of the target on which an objective is to be, as the resource's field is called.
func sideOf(o *blueprint.Objective) string {
	if o.AtMost != "" {
		return "atMost"
	}
	return "atLeast"
}

// questions counts each channel's questions by state. A channel whose history has not been processed has no figures.
func (f *figures) questions() error {
	for _, name := range f.declared() {
		c := f.channel(name)
		if c == nil || c.History != ledger.HistoryComplete || c.Watermark.IsZero() {
			continue
		}
		var solved, member, answered, unanswered, overdue int64
		var solvable bool
		mark := c.Watermark.UnixMilli()
		err := f.tx.QueryRowContext(f.ctx, `SELECT
			coalesce(sum(solution != 0), 0),
			coalesce(sum(solution = 0 AND first_member_at != 0), 0),
			coalesce(sum(solution = 0 AND first_member_at = 0 AND first_at != 0), 0),
			coalesce(sum(solution = 0 AND first_member_at = 0 AND first_at = 0), 0),
			coalesce(sum(solution = 0 AND first_at = 0 AND opened <= ?), 0),
			coalesce(max(solution != 0 OR coalesce(json_extract(doc, '$.solvable'), 0)), 0)
			FROM threads WHERE channel = ? AND opened > ? AND opened <= ? AND question AND visible`,
			mark-overdueAfter.Milliseconds(), c.N, mark-questionsWithin.Milliseconds(), mark).
			Scan(&solved, &member, &answered, &unanswered, &overdue, &solvable)
		if err != nil {
			return fmt.Errorf("count the questions of channel %s: %w", name, err)
		}
		if solvable {
			f.out.gauge(questions, float64(solved), name, "solved")
		}
		f.out.gauge(questions, float64(member), name, "answered_by_member")
		f.out.gauge(questions, float64(answered), name, "answered")
		f.out.gauge(questions, float64(unanswered), name, "unanswered")
		f.out.gauge(questionsOverdue, float64(overdue), name)
	}
	return nil
}

// histograms shows the stored times to a first response and to a first answer by a member.
func (f *figures) histograms() error {
	counts := map[string]map[string]map[int64]uint64{}
	err := each(f.ctx, f.tx, func(rs *sql.Rows) error {
		var name string
		var n, le int64
		var v uint64
		if err := rs.Scan(&name, &n, &le, &v); err != nil {
			return err
		}
		c := f.known[n]
		if c == nil {
			return nil // no longer declared
		}
		if counts[name] == nil {
			counts[name] = map[string]map[int64]uint64{}
		}
		if counts[name][c.Name] == nil {
			counts[name][c.Name] = map[int64]uint64{}
		}
		counts[name][c.Name][le] += v
		return nil
	}, "SELECT name, channel, le, value FROM buckets")
	if err != nil {
		return fmt.Errorf("read the histograms: %w", err)
	}
	for _, h := range []struct{ metric, name string }{{firstResponse, behaviour.HistogramFirstResponse}, {firstMember, behaviour.HistogramFirstMemberAnswer}} {
		for _, channel := range f.declared() {
			f.out.histogram(h.metric, counts[h.name][channel], channel)
		}
	}
	return nil
}

// histogram adds up stored buckets. The sum is not a number: the ledger keeps none, since a mean says nothing here.
func (s *series) histogram(name string, stored map[int64]uint64, more ...string) {
	if !s.take(len(behaviour.Bounds) + 3) {
		return
	}
	buckets, count := map[float64]uint64{}, uint64(0)
	for _, le := range behaviour.Bounds {
		count += stored[le.Milliseconds()]
		buckets[le.Seconds()] = count
	}
	count += stored[-1]
	s.list = append(s.list, prometheus.MustNewConstHistogram(descs[name], count, math.NaN(), buckets, s.labels(more)...))
}

// cell is one series of a behaviour on a channel.
type cell struct{ channel, behaviour, level, segment string }

// behaviours shows the stored totals of behaviours of value. Each series that can come is there from the start: what is
// first seen at some number has no rise up to that number for Prometheus. Those by level and segment stay 0 until enough
// people stand behind them, which the ledger decides when it counts.
func (f *figures) behaviours() error {
	done, undone := map[cell]uint64{}, map[cell]uint64{}
	shown := f.shownBehaviours()
	counted := map[cell]bool{}
	for _, k := range f.possible() {
		done[k] = 0
		counted[k] = k.level == other && k.segment == other
	}
	err := each(f.ctx, f.tx, func(rs *sql.Rows) error {
		var name string
		var n int64
		var k cell
		var v uint64
		if err := rs.Scan(&name, &n, &k.behaviour, &k.level, &k.segment, &v); err != nil {
			return err
		}
		c := f.known[n]
		if c == nil || !slices.Contains(shown, k.behaviour) || !f.label(&k) {
			return nil // no longer declared: series go with their resource
		}
		k.channel = c.Name
		counted[k] = true
		switch name {
		case behaviour.CounterBehaviours:
			done[k] += v
		case behaviour.CounterUndone:
			done[k] += 0
			undone[k] += v
		}
		return nil
	}, "SELECT name, channel, behaviour, level, segment, value FROM counters")
	if err != nil {
		return fmt.Errorf("read the behaviours' totals: %w", err)
	}
	cells := make([]cell, 0, len(done))
	for k := range done {
		cells = append(cells, k)
	}
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(btoi(counted[b]), btoi(counted[a])), compareCells(a, b))
	})
	for _, k := range cells {
		if !counted[k] && f.out.left < 2 {
			break // a detail that is 0 is not missed
		}
		f.out.counter(behaviours, float64(done[k]), k.channel, k.behaviour, k.level, k.segment)
		f.out.counter(behavioursUndone, float64(undone[k]), k.channel, k.behaviour, k.level, k.segment)
	}
	return nil
}

// possible are the series that may come: of each behaviour of value, where somebody is credited by level and segment.
func (f *figures) possible() (all []cell) {
	segments := []string{other}
	for i := range f.bp.Segments {
		segments = append(segments, f.bp.Segments[i].Name)
	}
	for _, channel := range f.declared() {
		for i := range f.bp.Behaviours {
			b := &f.bp.Behaviours[i]
			if b.Role != blueprint.RoleValue {
				continue
			}
			all = append(all, cell{channel, b.Name, other, other})
			if b.Credit == blueprint.CreditNone {
				continue
			}
			for _, level := range levels() {
				for _, segment := range segments {
					if level != other || segment != other {
						all = append(all, cell{channel, b.Name, level, segment})
					}
				}
			}
		}
	}
	return all
}

// levels are the values of the label level.
func levels() []string { return []string{other, string(event.Newcomer), string(event.RegularL)} }

// compareCells puts the series that say nothing of levels and segments first: they are the last to fall to the budget.
func compareCells(a, b cell) int {
	detail := func(c cell) string {
		return strconv.Itoa(btoi(c.level != other) + btoi(c.segment != other))
	}
	for _, p := range [][2]string{{detail(a), detail(b)}, {a.channel, b.channel}, {a.behaviour, b.behaviour}, {a.level, b.level}, {a.segment, b.segment}} {
		if p[0] != p[1] {
			if p[0] < p[1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// label checks the labels of a stored total: known levels, declared segments.
func (f *figures) label(k *cell) bool {
	return slices.Contains(levels(), k.level) &&
		(k.segment == other || slices.ContainsFunc(f.bp.Segments, func(s blueprint.Segment) bool { return s.Name == k.segment }))
}

// shownBehaviours are those of value: a basis is a denominator, and nothing that anybody did.
func (f *figures) shownBehaviours() []string {
	var out []string
	for i := range f.bp.Behaviours {
		if f.bp.Behaviours[i].Role == blueprint.RoleValue {
			out = append(out, f.bp.Behaviours[i].Name)
		}
	}
	return out
}

func (f *figures) declared() []string {
	out := make([]string, len(f.bp.Channels))
	for i := range f.bp.Channels {
		out[i] = f.bp.Channels[i].Name
	}
	slices.Sort(out)
	return out
}

func (f *figures) channel(name string) *Channel {
	for _, c := range f.known {
		if c.Name == name {
			return c
		}
	}
	return nil
}
