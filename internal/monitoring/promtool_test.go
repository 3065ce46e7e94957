// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/internal/monitoring"
)

const config = "../../config"

// promtool is Prometheus' own judge: the pinned one, since others may lack the discovery of pods. `make test-rules` builds
// it and says where it is.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path := os.Getenv("PROMTOOL")
	if path == "" {
		path = "../../.cache/prometheus/promtool"
		if _, err := os.Stat(path); err != nil {
			t.Skip("there is no promtool in .cache/prometheus, and PROMTOOL is not set: `make test-rules` builds one and runs this test")
		}
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPrometheusTakesTheRules(t *testing.T) {
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(config, "prometheus", "rules", "kith.yaml"))
}

func TestPrometheusTakesTheExampleConfiguration(t *testing.T) {
	promtool(t, "check", "config", filepath.Join(config, "prometheus", "prometheus.yml"))
}

func TestRulesDoWhatTheyShould(t *testing.T) {
	files := testFiles(t)
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) { promtool(t, "test", "rules", f) })
	}
}

func testFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(config, "prometheus", "tests", "*.yaml"))
	if err != nil || len(files) < 4 {
		t.Fatalf("tests of rules: %v, %v", files, err)
	}
	return files
}

// TestQueriesParse has Prometheus read every query of the dashboards, with their variables filled in.
func TestQueriesParse(t *testing.T) {
	var rules []monitoring.Rule
	values := map[string]string{"namespace": "a", "community": "acme", "channel": ".*", "objective": "in-time"}
	for _, d := range monitoring.Dashboards() {
		for _, expr := range exprs(d) {
			filled := monitoring.Query(expr, values, monitoring.Range{Range: "6h", RateInterval: "2m"})
			if strings.Contains(filled, "$") {
				t.Errorf("%s: a variable is left in %s", d.Name, filled)
			}
			rules = append(rules, monitoring.Rule{Record: fmt.Sprintf("query:%d", len(rules)), Expr: filled})
		}
	}
	out, err := monitoring.Groups{Groups: []monitoring.Group{{Name: "queries", Rules: rules}}}.YAML()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "queries.yaml")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=none", file)
}

// TestEveryRuleIsTried reads the tests of rules: each recorded series and each alert is asked for, and where an alert is
// to fire, others of its kind are there that must not.
func TestEveryRuleIsTried(t *testing.T) {
	var asked, firing strings.Builder
	for _, f := range testFiles(t) {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Tests []struct {
				PromqlExprTest []struct {
					Expr       string
					ExpSamples []struct{ Labels string } `json:"exp_samples"`
				} `json:"promql_expr_test"`
			}
		}
		if err := yaml.Unmarshal(raw, &doc); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for _, x := range doc.Tests {
			for _, p := range x.PromqlExprTest {
				asked.WriteString(p.Expr + "\n")
				if len(p.ExpSamples) > 0 {
					firing.WriteString(p.Expr + "\n")
				}
				for _, s := range p.ExpSamples {
					firing.WriteString(s.Labels + "\n")
				}
			}
		}
	}
	for _, g := range monitoring.Rules().Groups {
		for _, r := range g.Rules {
			if r.Record != "" && !strings.Contains(asked.String(), r.Record) && !slices.Contains(throughOthers, r.Record) {
				t.Errorf("no test asks for %s", r.Record)
			}
			if r.Alert != "" && !strings.Contains(firing.String(), `alertname="`+r.Alert+`"`) {
				t.Errorf("no test sees %s fire", r.Alert)
			}
		}
	}
}

// throughOthers are recorded series on which alerts stand that are tested.
var throughOthers = []string{
	"channel:kith_connector_last_heartbeat_timestamp_seconds:max", "channel:kith_connector_last_progress_timestamp_seconds:max",
	"channel:kith_resource_condition:accepted",
}

// TestOperatorGetsTheSameRules compares the PrometheusRule with the file.
func TestOperatorGetsTheSameRules(t *testing.T) {
	rules := monitoring.Rules()
	file, err := rules.YAML()
	if err != nil {
		t.Fatal(err)
	}
	var groups, spec any
	if err := yaml.Unmarshal(file, &groups); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(rules.PrometheusRule("kith")["spec"])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &spec); err != nil {
		t.Fatal(err)
	}
	if a, b := fmt.Sprint(groups), fmt.Sprint(spec); a != b {
		t.Errorf("the file and the resource differ:\n%s\n%s", a, b)
	}
}
