// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-dev/kith/internal/monitoring"
)

// theYear compares what Prometheus knows of the forum's past with the independent count, and that with the README.
func (w *world) theYear(t *testing.T) {
	want := count(w.forum.known, time.Time{})
	if w.forum.year != "" {
		told, err := readmeFigures(w.forum.year)
		if err != nil {
			t.Fatal(err)
		}
		told.Helped = want.Helped // of which it says nothing
		if told != want {
			t.Fatalf("the count of this test comes to %+v, the README says %+v", want, told)
		}
	}
	t.Logf("%d questions, %d answered, %d not, %d within a day; %d solved, %d by the asker, %d by others; %d answers", want.Questions,
		want.Answered, want.Questions-want.Answered, want.WithinDay, want.Solved, want.SolvedByAsker, want.SolvedByOthers, want.Helped)
	w.objectives(t, want)
}

// objectives waits until Prometheus shows figures as the values of objectives.
func (w *world) objectives(t *testing.T, want figures) {
	t.Helper()
	of := func(metric, objective string) string {
		return fmt.Sprintf("kith_objective_%s{namespace=%q,community=%q,objective=%q}", metric, namespace, community, objective)
	}
	answered := float64(want.WithinDay) / float64(want.Questions)
	met := 0.0
	if answered >= 0.8 {
		met = 1
	}
	exprs := map[string]float64{
		of("share_ratio", "answers-within-a-day"): answered,
		of("cases", "answers-within-a-day"):       float64(want.Questions),
		of("met", "answers-within-a-day"):         met,
		of("target", "answers-within-a-day"):      0.8,
		of("count", "answered"):                   float64(want.Answered),
		of("cases", "answers-within-a-day") + " - ignoring (objective) " + of("count", "answered"): float64(want.Questions - want.Answered),
		of("count", "helped"):           float64(want.Helped),
		of("count", "solved"):           float64(want.Solved),
		of("count", "solved-by-asker"):  float64(want.SolvedByAsker),
		of("count", "solved-by-others"): float64(want.SolvedByOthers),
	}
	eventually(t, "objectives in Prometheus", 5*time.Minute, func(ctx context.Context) error {
		var wrong []error
		for expr, value := range exprs {
			if err := w.prom.is(ctx, expr, value); err != nil {
				wrong = append(wrong, err)
			}
		}
		return errors.Join(wrong...)
	})
}

// dashboards asks every query as Grafana does, and wants an answer where there must be one.
func (w *world) dashboards(t *testing.T) {
	asked, empty := 0, 0
	for _, d := range monitoring.Dashboards() {
		for _, a := range d.Annotations {
			for _, objective := range objectivesIn(a.Expr) {
				w.panel(t, d.Name+" / "+a.Name, monitoring.Target{Expr: a.Expr, MayBeEmpty: "nothing was changed"}, objective)
			}
		}
		for _, p := range d.Panels() {
			for i, target := range p.Targets {
				name := fmt.Sprintf("%s / %s / %c", d.Name, p.Title, 'A'+i)
				for _, objective := range objectivesIn(target.Expr) {
					asked++
					if w.panel(t, name, target, objective) == 0 {
						empty++
					}
				}
			}
		}
	}
	t.Logf("%d queries asked, %d of those that may be empty are", asked, empty)
}

// objectivesIn are those that a query with the variable $objective is asked for: a share and a count.
func objectivesIn(expr string) []string {
	if strings.Contains(expr, "$objective") || strings.Contains(expr, "${objective}") {
		return []string{"answers-within-a-day", "solved"}
	}
	return []string{""}
}

// panel asks for one of a panel's queries, and says how many series there are.
func (w *world) panel(t *testing.T, name string, target monitoring.Target, objective string) (found int) {
	t.Helper()
	window := time.Since(w.began).Round(time.Second) + time.Minute
	expr := monitoring.Query(target.Expr, map[string]string{
		"namespace": namespace, "community": community, "channel": channel, "objective": objective, "behaviour": "helped",
	}, monitoring.Range{Range: window.String(), RateInterval: "1m"})
	ask := func(ctx context.Context) ([]series, error) { return w.prom.query(ctx, expr) }
	if !target.Instant {
		ask = func(ctx context.Context) ([]series, error) {
			return w.prom.queryRange(ctx, expr, w.began, time.Now(), 15*time.Second)
		}
	}
	if target.MayBeEmpty != "" {
		all, err := ask(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return len(all)
	}
	// Some build on recording rules, which take a moment.
	var err error
	for range 20 {
		var all []series
		if all, err = ask(t.Context()); err == nil && len(all) > 0 {
			return len(all)
		}
		if err == nil {
			err = errors.New("nothing")
		}
		sleep(t, time.Second)
	}
	t.Errorf("%s %s: %v\n%s", name, objective, err, expr)
	return 0
}

// totals lets life calm down and holds what Prometheus has seen all along against an independent count of the forum.
func (w *world) totals(t *testing.T) {
	w.life.calm()
	t.Logf("since %s: %v", w.life.began.Format(time.TimeOnly), w.life.deeds)
	topics, err := w.forum.read()
	if err != nil {
		t.Fatal(err)
	}
	want := count(topics, w.life.began)
	if want.Helped == 0 || want.Solved == 0 {
		t.Fatalf("the forum did not live: %+v", want)
	}
	standing := func(behaviour string) string {
		of := fmt.Sprintf("{namespace=%q,community=%q,behaviour=%q}", namespace, community, behaviour)
		return "sum(kith_behaviours_total" + of + ") - (sum(kith_behaviours_undone_total" + of + ") or vector(0))"
	}
	right := func(ctx context.Context) error {
		return errors.Join(w.prom.is(ctx, standing("helped"), float64(want.Helped)), w.prom.is(ctx, standing("solved"), float64(want.Solved)))
	}
	// What was taken back is found by looking again, and what a listing lacks counts as removed after two minutes. Until then
	// the figures may pass through the right ones by chance.
	w.caughtUp(t, 2*time.Minute)
	sleep(t, 2*time.Minute)
	eventually(t, "the forum's present state in Prometheus", 10*time.Minute, right)
	w.caughtUp(t, 2*time.Minute)
	if err := right(t.Context()); err != nil {
		t.Errorf("after another reading: %v", err)
	}
	w.past(t)
	w.rise = w.counters(t)
	// increase() extrapolates to the ends of its range, which lies within them here: both ends are quiet.
	total, err := w.prom.number(t.Context(), fmt.Sprintf("sum(kith_behaviours_total{namespace=%q,behaviour=%q})", namespace, "helped"))
	if err != nil {
		t.Fatal(err)
	}
	rise, err := w.prom.number(t.Context(), fmt.Sprintf("sum(increase(kith_behaviours_total{namespace=%q,behaviour=%q}[%ds]))",
		namespace, "helped", int(time.Since(w.life.began).Seconds())))
	if err != nil || math.Abs(rise-total) > 1+total/50 {
		t.Errorf("increase() since life began is %v of %v (%v)", rise, total, err)
	}
}

// past checks that what was read as history stands as it did; objectives cover what has happened since, too.
func (w *world) past(t *testing.T) {
	t.Helper()
	want := count(w.forum.known, time.Time{})
	for metric, value := range map[string]float64{
		"share_ratio": float64(want.WithinDay) / float64(want.Questions), "cases": float64(want.Questions),
	} {
		expr := fmt.Sprintf(`kith_objective_%s{namespace=%q,objective="answers-within-a-day"}`, metric, namespace)
		if err := w.prom.is(t.Context(), expr, value); err != nil {
			t.Error(err)
		}
	}
}

// counters looks at each point that was ever scraped: one series each, which never falls. It gives by how much each rose.
func (w *world) counters(t *testing.T) map[string]float64 {
	t.Helper()
	rise := map[string]float64{}
	for _, metric := range []string{"kith_behaviours_total", "kith_behaviours_undone_total"} {
		all, err := w.prom.query(t.Context(), fmt.Sprintf("%s{namespace=%q}[1d]", metric, namespace))
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			t.Errorf("%s: no series", metric)
		}
		for _, s := range all {
			if s.labels["pod"] != "" {
				t.Errorf("%s: a label pod would begin a new series with each pod", metric)
			}
			id := identity(metric, s.labels)
			if _, twice := rise[id]; twice {
				t.Errorf("%s: more than one series", id)
			}
			for i := 1; i < len(s.points); i++ {
				if s.points[i] < s.points[i-1] {
					t.Errorf("%s fell from %v to %v", id, s.points[i-1], s.points[i])
				}
			}
			rise[id] = s.points[len(s.points)-1] - s.points[0]
		}
	}
	return rise
}

// identity is what makes a counter one: who and what is counted, wherever the hub runs.
func identity(metric string, labels map[string]string) string {
	var parts []string
	for _, l := range []string{"community", "channel", "behaviour", "level", "segment"} {
		parts = append(parts, labels[l])
	}
	return metric + " " + strings.Join(parts, " ")
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
