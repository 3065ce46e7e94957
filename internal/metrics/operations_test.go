// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/metrics"
	"github.com/kith-dev/kith/internal/reader"
)

func logger(t *testing.T) logr.Logger { return testr.New(t) }

func TestConnectorStates(t *testing.T) {
	remaining := int64(42)
	states := []reader.State{
		{Channel: "forum", Platform: "discourse", Phase: reader.RateLimited, Heartbeat: start, LastProgress: start.Add(-time.Minute), CompleteThrough: start.Add(-90 * time.Second),
			Errors: map[sdk.Reason]int64{sdk.RateLimited: 3}, Observations: map[event.Lane]int64{event.Live: 7}, Quarantined: 1, RateLimitRemaining: &remaining,
			Progress: map[event.Lane]sdk.Progress{event.Backfill: {Done: 3, Total: 10, Unit: "topics"}}},
		{Channel: "silent", Platform: "feed", Phase: reader.Connected, Heartbeat: start.Add(-time.Hour)},
	}
	got := scrape(t, &metrics.Connectors{Community: func() string { return "acme" }, States: func() []reader.State { return states }, Now: func() time.Time { return start }})
	golden(t, "testdata/connectors.prom", got)
	if strings.Contains(got, `kith_connector_state{channel="silent"`) {
		t.Error("nobody has heard of the reader for an hour, and its state is shown")
	}
	states[0].CompleteThrough, states[0].RateLimitRemaining = time.Time{}, nil
	got = scrape(t, &metrics.Connectors{Community: func() string { return "acme" }, States: func() []reader.State { return states }, Now: func() time.Time { return start }})
	if strings.Contains(got, "lag_seconds") || strings.Contains(got, "remaining") {
		t.Error("what is not known is shown")
	}
}

func TestOperationsOfALedger(t *testing.T) {
	w := fill(t)
	c := &metrics.Ledger{DB: w.db, Path: w.hub.Ledger().Path(), Blueprint: w.hub.Blueprint, Drained: func(int64) (int64, int64, bool) { return 1, 4, true }}
	size := regexp.MustCompile(`(kith_ledger_(?:size|free)_bytes\{.*\}) [0-9.e+]+`)
	got := scrape(t, c)
	if !size.MatchString(got) {
		t.Error("the ledger has no size")
	}
	golden(t, "testdata/ledger.prom", size.ReplaceAllString(got, "$1 SIZE"))
	c = &metrics.Ledger{DB: without(t, w, "setaside"), Path: c.Path, Blueprint: w.hub.Blueprint, Drained: c.Drained}
	if got := scrape(t, c); !strings.Contains(got, `kith_ledger_readable{community="acme"} 0`) || strings.Contains(got, "kith_ledger_set_aside{") {
		t.Errorf("a ledger that cannot be read shows figures:\n%s", got)
	}
}

func TestOperationsAreClean(t *testing.T) {
	w := fill(t)
	r := metrics.NewRegistry(metrics.Build{Version: "v0.1.0", Revision: "abc"})
	metrics.NewHTTP(r)
	r.MustRegister(
		&metrics.Ledger{DB: w.db, Path: w.hub.Ledger().Path(), Blueprint: w.hub.Blueprint, Drained: func(int64) (int64, int64, bool) { return 0, 0, false }},
		&metrics.Connectors{Community: func() string { return "acme" }, States: func() []reader.State { return []reader.State{{Channel: "forum", Heartbeat: time.Now()}} }},
	)
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	problems = slices.DeleteFunc(problems, func(p promlint.Problem) bool { return !strings.HasPrefix(p.Metric, "kith_") })
	if len(problems) > 0 {
		t.Errorf("the linter says: %v", problems)
	}
	if n, err := testutil.GatherAndCount(r, "kith_build_info"); n != 1 || err != nil {
		t.Errorf("%d series of kith_build_info, %v", n, err)
	}
}

// TestEveryDefinitionIsCollected compares the table with what collectors say that they send.
func TestEveryDefinitionIsCollected(t *testing.T) {
	ch := make(chan *prometheus.Desc, 1000)
	for _, c := range []prometheus.Collector{&metrics.Community{}, &metrics.Ledger{}, &metrics.Connectors{}} {
		c.Describe(ch)
	}
	close(ch)
	described := map[string]bool{"kith_build_info": true, "kith_hub_requests_total": true, "kith_hub_request_duration_seconds": true, "kith_hub_requests_in_flight": true,
		"kith_hub_forbidden_total": true,
		// The operator's, collected in controllers.
		metrics.HubUp: true, metrics.ResourceCondition: true}
	name := regexp.MustCompile(`fqName: "([a-z_]+)"`)
	for d := range ch {
		described[name.FindStringSubmatch(d.String())[1]] = true
	}
	defined := map[string]bool{}
	for _, d := range metrics.Definitions {
		if defined[d.Name] {
			t.Errorf("%s is defined twice", d.Name)
		}
		defined[d.Name] = true
	}
	if diff := cmp.Diff(defined, described); diff != "" {
		t.Errorf("defined and collected differ (-defined +collected):\n%s", diff)
	}
}

func TestTheDocumentationIsTheTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Metrics\n\nGenerated from `internal/metrics`; write it anew with `go test ./internal/metrics -update`.\n\n")
	b.WriteString("No label names a person. What cannot be read is absent, never 0. Times are seconds since 1970 (UTC).\n")
	for _, e := range []struct {
		endpoint metrics.Endpoint
		about    string
	}{
		{metrics.Behaviour, "What members do for each other. Scrape it on the hub only, with a constant instance and without the pod label, so that a restart continues the same series."},
		{metrics.Operations, "Is Kith itself well? For operators; none of these is an objective."},
	} {
		fmt.Fprintf(&b, "\n## `%s`\n\n%s\n\n| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n", e.endpoint, e.about)
		for _, d := range metrics.Definitions {
			if d.Endpoint == e.endpoint {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, d.Kind, strings.Join(d.Labels, ", "), d.Help)
			}
		}
	}
	golden(t, filepath.Join(root(t), "docs", "metrics.md"), b.String())
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
