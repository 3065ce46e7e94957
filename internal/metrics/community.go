// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
)

// DefaultBudget is how many series a community may have.
const DefaultBudget = 5000

// parts of a community's figures, each of which can fail on its own.
const (
	partObjectives = "objectives"
	partQuestions  = "questions"
	partHistograms = "histograms"
	partBehaviours = "behaviours"
)

// Community collects what the members of a community do for each other, from its ledger.
type Community struct {
	// DB reads the ledger.
	DB *sql.DB
	// Blueprint gives the one in force; nil while there is none, and nothing is collected.
	Blueprint func() *blueprint.Blueprint
	// Budget bounds the community's series; 0 means DefaultBudget. Objectives come first, labels by level and segment last.
	Budget int
	Now    func() time.Time
	Log    logr.Logger

	cache  cache[*blueprint.Blueprint, *snapshot]
	recent cache[*blueprint.Blueprint, recentCases]
	// told is how many dropped series the log has spoken of; only read uses it.
	told int
}

// snapshot is what was read at one moment.
type snapshot struct {
	metrics    []prometheus.Metric
	objectives []behaviour.Result
	failed     map[string]error
}

// Describe implements prometheus.Collector.
func (c *Community) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range Definitions {
		if d.Endpoint == Behaviour {
			ch <- descs[d.Name]
		}
	}
}

// Collect implements prometheus.Collector.
func (c *Community) Collect(ch chan<- prometheus.Metric) {
	if s := c.snapshot(); s != nil {
		for _, m := range s.metrics {
			ch <- m
		}
	}
}

// Objectives gives how the objectives stood when the figures were last worked out. The error says that they cannot be
// read now; nil and nil that there is no blueprint.
func (c *Community) Objectives() ([]behaviour.Result, error) {
	s := c.snapshot()
	if s == nil {
		return nil, nil
	}
	return s.objectives, s.failed[partObjectives]
}

type recentCases struct {
	cases map[string]int64
	err   error
}

// Recent gives how many cases of each behaviour counted in the last four weeks; see behaviour.Recent.
func (c *Community) Recent() (map[string]int64, error) {
	bp := c.Blueprint()
	if bp == nil {
		return nil, nil
	}
	r := c.recent.get(bp, clock(c.Now), func(ctx context.Context) recentCases {
		cases, err := behaviour.Recent(ctx, c.DB, bp)
		return recentCases{cases, err}
	})
	return r.cases, r.err
}

func (c *Community) snapshot() *snapshot {
	bp := c.Blueprint()
	if bp == nil {
		return nil
	}
	return c.cache.get(bp, clock(c.Now), func(ctx context.Context) *snapshot { return c.read(ctx, bp) })
}

// read works out all parts. A part that fails is absent, and says so.
func (c *Community) read(ctx context.Context, bp *blueprint.Blueprint) *snapshot {
	budget := c.Budget
	if budget <= 0 {
		budget = DefaultBudget
	}
	s := &snapshot{failed: map[string]error{}}
	out := &series{community: bp.Name, left: budget}
	factors(out, bp)
	s.failed[partObjectives] = out.whole(func() (err error) {
		s.objectives, err = behaviour.Objectives(ctx, c.DB, bp)
		if err == nil {
			objectives(out, s.objectives)
		}
		return err
	})
	definitions(out, bp)
	tx, err := c.DB.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err == nil {
		defer func() { _ = tx.Rollback() }() // nothing was written
	}
	r := &figures{ctx: ctx, tx: tx, bp: bp, out: out}
	if err == nil {
		err = r.channels()
	}
	for _, part := range []struct {
		name string
		read func() error
	}{{partQuestions, r.questions}, {partHistograms, r.histograms}, {partBehaviours, r.behaviours}} {
		if err != nil {
			s.failed[part.name] = err
			continue
		}
		s.failed[part.name] = out.whole(part.read)
	}
	for _, part := range []string{partBehaviours, partHistograms, partQuestions, partObjectives} {
		if err := s.failed[part]; err != nil {
			c.Log.Error(err, "A part of the community's figures cannot be shown", "community", bp.Name, "part", part)
		}
		out.always(communityReadable, one(s.failed[part] == nil), part)
	}
	out.always(seriesDropped, float64(out.dropped))
	if out.dropped > 0 && c.told != out.dropped {
		c.Log.Info("The community has more series than its budget: some are not shown; declare fewer segments, behaviours or channels",
			"community", bp.Name, "budget", budget, "dropped", out.dropped)
	}
	c.told = out.dropped
	s.metrics = out.list
	return s
}

// series collects the metrics of a community up to its budget.
type series struct {
	community     string
	left, dropped int
	list          []prometheus.Metric
}

// whole takes what f sends, or nothing of it where f fails.
func (s *series) whole(f func() error) error {
	before := *s
	err := f()
	if err != nil {
		s.list, s.left, s.dropped = s.list[:len(before.list)], before.left, before.dropped
	}
	return err
}

// take spends a part of the budget.
func (s *series) take(n int) bool {
	if s.left < n {
		s.dropped += n
		return false
	}
	s.left -= n
	return true
}

func (s *series) labels(more []string) []string { return append([]string{s.community}, more...) }

func (s *series) gauge(name string, v float64, more ...string) {
	if s.take(1) {
		s.always(name, v, more...)
	}
}

// always sends a gauge outside of the budget.
func (s *series) always(name string, v float64, more ...string) {
	s.list = append(s.list, prometheus.MustNewConstMetric(descs[name], prometheus.GaugeValue, v, s.labels(more)...))
}

func (s *series) counter(name string, v float64, more ...string) {
	if s.take(1) {
		s.list = append(s.list, prometheus.MustNewConstMetric(descs[name], prometheus.CounterValue, v, s.labels(more)...))
	}
}

// figures reads one snapshot of the ledger.
type figures struct {
	ctx context.Context //nolint:containedctx // lives for one reading
	tx  *sql.Tx
	bp  *blueprint.Blueprint
	out *series
	// known are the declared channels that the ledger knows, by row number.
	known map[int64]*Channel
}

func (f *figures) channels() error {
	f.known = map[int64]*Channel{}
	latest := map[string]*Channel{}
	err := each(f.ctx, f.tx, func(rs *sql.Rows) error {
		c := &Channel{}
		var watermark int64
		if err := rs.Scan(&c.N, &c.Name, &c.History, &watermark); err != nil {
			return err
		}
		c.Watermark = timeOf(watermark)
		latest[c.Name] = c
		return nil
	}, "SELECT n, name, history, watermark FROM channels ORDER BY n")
	if err != nil {
		return fmt.Errorf("read the ledger's channels: %w", err)
	}
	for i := range f.bp.Channels {
		if c := latest[f.bp.Channels[i].Name]; c != nil {
			f.known[c.N] = c
		}
	}
	return nil
}
