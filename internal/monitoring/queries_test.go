// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring_test

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/internal/monitoring"
)

// The parts of a promtool test.
type (
	input  struct{ Series, Values string }
	sample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
)

// target gives a panel's query by its legend, filled in for acme in namespace a.
func target(t *testing.T, dashboard, panel, legend string) string {
	t.Helper()
	for _, d := range monitoring.Dashboards() {
		for _, p := range d.Panels() {
			for _, x := range p.Targets {
				if d.Name == dashboard && p.Title == panel && x.Legend == legend {
					return monitoring.Query(x.Expr, map[string]string{"namespace": "a", "community": "acme", "channel": ".*", "objective": "in-time"},
						monitoring.Range{Range: "1h", RateInterval: "5m"})
				}
			}
		}
	}
	t.Fatalf("there is no %s/%s with legend %q", dashboard, panel, legend)
	return ""
}

// TestPanelsShowWhatTheySay asks panels' queries of series that are made up, an hour of them, by the minute.
func TestPanelsShowWhatTheySay(t *testing.T) {
	const of = `namespace="a",community="acme"`
	bucket := func(le, values string) input {
		return input{`kith_first_response_seconds_bucket{` + of + `,channel="forum",le="` + le + `"}`, values}
	}
	for name, tc := range map[string]struct {
		dashboard, panel, legend string
		given                    []input
		want                     []sample
	}{
		// Sixty questions are decided, fifteen of them within an hour. The namesake's do not count here.
		"answers within an hour, as Prometheus 2 writes bounds": {"community", "First response in the time range", "within 1 h", []input{
			bucket("3600", "0+0.25x60"), bucket("14400", "0+0.5x60"),
			{`kith_first_response_seconds_count{` + of + `,channel="forum"}`, "0+1x60"},
			{`kith_first_response_seconds_bucket{namespace="b",community="acme",channel="forum",le="3600"}`, "0+1x60"},
		}, []sample{{"{}", 0.25}}},
		"answers within four hours, as Prometheus 3 writes bounds": {"community", "First response in the time range", "within 4 h", []input{
			bucket("3600.0", "0+0.25x60"), bucket("14400.0", "0+0.5x60"),
			{`kith_first_response_seconds_count{` + of + `,channel="forum"}`, "0+1x60"},
		}, []sample{{"{}", 0.5}}},
		"no questions are no share": {"community", "First response in the time range", "within 1 h", []input{
			bucket("3600", "7x60"), {`kith_first_response_seconds_count{` + of + `,channel="forum"}`, "9x60"},
		}, nil},
		"standings are told apart, and from nothing": {"community", "How the objectives stand", "{{objective}}", []input{
			{`kith_objective_info{` + of + `,objective="met",standing="Met"}`, "1x60"},
			{`kith_objective_info{` + of + `,objective="not-met",standing="NotMet"}`, "1x60"},
			{`kith_objective_info{` + of + `,objective="too-few",standing="TooFew"}`, "1x60"},
			{`kith_objective_info{` + of + `,objective="unknown",standing="Unknown"}`, "1x60"},
			{`kith_objective_info{` + of + `,objective="gone",standing="Met"}`, "1x10"},
		}, []sample{{`{objective="met"}`, 3}, {`{objective="not-met"}`, 2}, {`{objective="too-few"}`, 1}, {`{objective="unknown"}`, 0}}},
		"cases less those undone": {"community", "Cases that counted in the time range", "{{behaviour}}", []input{
			{`kith_behaviours_total{` + of + `,channel="forum",behaviour="solved",level="regular"}`, "0+1x60"},
			{`kith_behaviours_total{` + of + `,channel="forum",behaviour="solved",level="other"}`, "0+1x60"},
			{`kith_behaviours_undone_total{` + of + `,channel="forum",behaviour="solved",level="other"}`, "0+0.5x60"},
		}, []sample{{`{behaviour="solved"}`, 90}}},
		"the worse of two words for a state": {"connectors", "State of each channel's reader", "{{community}}/{{channel}}", []input{
			{`kith_connector_state{` + of + `,channel="forum",platform="x",state="Connected",pod="hub"}`, "1x60"},
			{`kith_connector_state{` + of + `,channel="forum",platform="x",state="Connected",pod="connector"}`, "0x60"},
			{`kith_connector_state{` + of + `,channel="forum",platform="x",state="BadCredentials",pod="connector"}`, "1x60"},
			{`kith_connector_state{` + of + `,channel="list",platform="x",state="Connected",pod="connector"}`, "1x60"},
		}, []sample{{`{` + of + `,channel="forum"}`, 5}, {`{` + of + `,channel="list"}`, 0}}},
		"only the cases of the objective's behaviour": {"objective", "Cases of its behaviour, by channel", "{{channel}}", []input{
			{`kith_objective_info{` + of + `,objective="in-time",behaviour="answered",standing="Met"}`, "1x60"},
			{`kith_objective_info{` + of + `,objective="other",behaviour="solved",standing="Met"}`, "1x60"},
			{`kith_behaviours_total{` + of + `,channel="forum",behaviour="answered"}`, "0x60"},
			{`kith_behaviours_total{` + of + `,channel="forum",behaviour="solved"}`, "0+1x60"},
		}, []sample{{`{` + of + `,channel="forum",behaviour="answered"}`, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			series := make([]map[string]string, 0, len(tc.given))
			for _, g := range tc.given {
				series = append(series, map[string]string{"series": g.Series, "values": g.Values})
			}
			expr := "round(" + target(t, tc.dashboard, tc.panel, tc.legend) + ", 0.001)"
			if tc.want == nil {
				tc.want = []sample{}
			}
			raw, err := yaml.Marshal(map[string]any{"evaluation_interval": "1m", "tests": []any{map[string]any{
				"interval": "1m", "input_series": series,
				"promql_expr_test": []any{map[string]any{"expr": expr, "eval_time": "1h", "exp_samples": tc.want}},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "test.yaml")
			if err := os.WriteFile(file, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			promtool(t, "test", "rules", file)
		})
	}
}
