// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/internal/metrics"
	"github.com/kith-dev/kith/internal/monitoring"
	"github.com/kith-dev/kith/internal/reader"
)

const docs = "../../docs"

// query is one expression of ours, and where it stands.
type query struct {
	where, expr string
	dashboard   string
}

func queries(t *testing.T) []query {
	t.Helper()
	var out []query
	for _, d := range monitoring.Dashboards() {
		for _, p := range d.Panels() {
			for _, x := range p.Targets {
				out = append(out, query{d.Name + "/" + p.Title, x.Expr, d.Name})
			}
		}
		for _, a := range d.Annotations {
			out = append(out, query{d.Name + "/" + a.Name, a.Expr, d.Name})
		}
	}
	for _, g := range monitoring.Rules().Groups {
		for _, r := range g.Rules {
			out = append(out, query{g.Name + "/" + r.Record + r.Alert, r.Expr, ""})
		}
	}
	if len(out) < 100 {
		t.Fatalf("%d queries: too few to be all", len(out))
	}
	return out
}

// foreign are metrics that others define.
var foreign = []string{"ALERTS", "process_resident_memory_bytes"}

// name finds metrics' names outside of strings: what is followed by a selector, or stands alone in an expression.
var (
	quoted = regexp.MustCompile(`"(\\.|[^"\\])*"`)
	name   = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
)

// named gives the metrics of an expression.
func named(expr string) []string {
	var out []string
	for _, n := range name.FindAllString(quoted.ReplaceAllString(expr, `""`), -1) {
		if strings.HasPrefix(n, "kith_") || strings.Contains(n, ":") || slices.Contains(foreign, n) || strings.HasPrefix(n, "process_") {
			out = append(out, n)
		}
	}
	return out
}

func known() map[string]bool {
	out := map[string]bool{}
	for _, d := range metrics.Definitions {
		out[d.Name] = true
		if d.Kind == metrics.Histogram {
			out[d.Name+"_bucket"], out[d.Name+"_count"] = true, true
			delete(out, d.Name) // has no samples of its own
		}
	}
	for _, g := range monitoring.Rules().Groups {
		for _, r := range g.Rules {
			out[r.Record] = true
		}
	}
	for _, n := range foreign {
		out[n] = true
	}
	return out
}

func TestEveryMetricIsKnown(t *testing.T) {
	all := known()
	for _, q := range queries(t) {
		found := named(q.expr)
		if len(found) == 0 {
			t.Errorf("%s asks for nothing: %s", q.where, q.expr)
		}
		for _, n := range found {
			if !all[n] {
				t.Errorf("%s asks for %s, which nobody defines", q.where, n)
			}
		}
	}
}

func TestEveryLabelIsKnown(t *testing.T) {
	// Labels of a scrape, of alerts, and those that only exist within an expression.
	labels := map[string]bool{"namespace": true, "exported_namespace": true, "job": true, "instance": true, "le": true, "alertname": true, "alertstate": true}
	for _, d := range metrics.Definitions {
		for _, l := range d.Labels {
			labels[l] = true
		}
	}
	matcher := regexp.MustCompile(`([a-zA-Z_]+)\s*(?:=~|!~|!=|=)\s*"`)
	grouping := regexp.MustCompile(`(?:by|on|group_left|group_right) \(([a-z_, ]*)\)`)
	for _, q := range queries(t) {
		var used []string
		for _, m := range matcher.FindAllStringSubmatch(q.expr, -1) {
			used = append(used, m[1])
		}
		for _, m := range grouping.FindAllStringSubmatch(q.expr, -1) {
			used = append(used, strings.Fields(strings.ReplaceAll(m[1], ",", " "))...)
		}
		for _, l := range used {
			if !labels[l] {
				t.Errorf("%s uses label %s, which no metric has", q.where, l)
			}
		}
	}
}

func TestCommunitiesOfTheSameNameStayApart(t *testing.T) {
	by := regexp.MustCompile(`by \(([a-z_, ]*)\)`)
	for _, g := range monitoring.Rules().Groups {
		for _, r := range g.Rules {
			for _, m := range by.FindAllStringSubmatch(r.Expr, -1) {
				got := strings.Split(m[1], ", ")
				if !slices.Contains(got, "namespace") && !slices.Contains(got, "resource_namespace") {
					t.Errorf("%s%s aggregates the namespace away: %s", r.Record, r.Alert, m[0])
				}
			}
		}
	}
	for _, d := range monitoring.Dashboards() {
		for _, p := range d.Panels() {
			for _, x := range p.Targets {
				if !strings.Contains(x.Expr, "$namespace") && !strings.HasPrefix(x.Expr, "ALERTS") {
					t.Errorf("%s/%s does not keep to the chosen namespace: %s", d.Name, p.Title, x.Expr)
				}
			}
		}
	}
}

// activity are metrics of operations that only say that something happens.
var activity = []string{"kith_connector_observations_total", "kith_connector_lane_done", "kith_connector_lane_size"}

func TestNoRawActivityForCommunities(t *testing.T) {
	behaviour := map[string]bool{}
	for _, d := range metrics.Definitions {
		if d.Endpoint == metrics.Behaviour {
			behaviour[d.Name] = true
			behaviour[d.Name+"_bucket"], behaviour[d.Name+"_count"] = true, true
		}
	}
	for _, q := range queries(t) {
		if q.dashboard != "community" && q.dashboard != "objective" {
			continue
		}
		for _, n := range named(q.expr) {
			if slices.Contains(activity, n) || !behaviour[n] && !strings.Contains(n, ":") && n != "kith_build_info" {
				t.Errorf("%s shows %s to a community: that is Kith's own business", q.where, n)
			}
		}
	}
	for _, g := range monitoring.Rules().Groups {
		for _, r := range g.Rules {
			for _, n := range named(r.Expr) {
				if slices.Contains(activity, n) {
					t.Errorf("%s%s is about activity: %s", r.Record, r.Alert, n)
				}
			}
		}
	}
}

func TestObjectivesComeFirst(t *testing.T) {
	if first := monitoring.Dashboards()[0].Rows[0]; first.Title != "Objectives" {
		t.Errorf("the first row for a community is %q", first.Title)
	}
}

func TestEveryPanelSaysWhatItShows(t *testing.T) {
	for _, d := range monitoring.Dashboards() {
		if d.Description == "" || d.UID != "kith-"+d.Name {
			t.Errorf("%s: uid %q, description %q", d.Name, d.UID, d.Description)
		}
		titles := map[string]bool{}
		for _, p := range d.Panels() {
			if titles[p.Title] {
				t.Errorf("%s has two panels %q", d.Name, p.Title)
			}
			titles[p.Title] = true
			if len(p.Description) < 30 || !strings.Contains(p.Description, ".") || p.Unit == "" || len(p.Targets) == 0 || p.Width < 1 || p.Width > 24 || p.Height < 3 {
				t.Errorf("%s/%s lacks a description, a unit, a target or a place: %+v", d.Name, p.Title, p)
			}
			if (p.Kind == monitoring.Table) != (len(p.Columns) > 0) {
				t.Errorf("%s/%s: tables, and only they, have columns", d.Name, p.Title)
			}
			for _, x := range p.Targets {
				if p.Kind != monitoring.Table && x.Legend == "" {
					t.Errorf("%s/%s has a series without a name", d.Name, p.Title)
				}
			}
		}
		for _, v := range d.Variables {
			if v.Label == "" || v.Description == "" {
				t.Errorf("%s: variable %s lacks a label or a description", d.Name, v.Name)
			}
		}
	}
}

func TestMeansOfTimesAreNotShown(t *testing.T) {
	for _, q := range queries(t) {
		if strings.Contains(q.expr, "_sum{") || strings.Contains(q.expr, "histogram_quantile") && q.dashboard == "community" {
			t.Errorf("%s asks for a mean or an invented quantile: %s", q.where, q.expr)
		}
	}
}

func TestChartsKnowEveryStateOfAReader(t *testing.T) {
	var code string
	for _, q := range queries(t) {
		if q.where == "connectors/States over time" {
			code = q.expr
		}
	}
	for _, p := range reader.Phases() {
		if !strings.Contains(code, `state="`+string(p)+`"`) {
			t.Errorf("no chart knows state %s", p)
		}
	}
	if got := strings.Count(code, "state="); got != len(reader.Phases()) {
		t.Errorf("charts know %d states, readers %d", got, len(reader.Phases()))
	}
}

func TestEveryAlertHasItsPage(t *testing.T) {
	// Pages of conditions that are no alert of ours.
	want := map[string]bool{"README": true, "LostNode": true, "LedgerVolumeFull": true, "LedgerReplaced": true}
	for _, g := range monitoring.Rules().Groups {
		for _, r := range g.Rules {
			if (r.Record == "") == (r.Alert == "") {
				t.Errorf("%+v neither records nor alerts, or both", r)
			}
			if r.Alert == "" {
				if r.About == "" || strings.Count(r.Record, ":") != 2 {
					t.Errorf("%s is not level:metric:operations, or says nothing of itself", r.Record)
				}
				continue
			}
			want[r.Alert] = true
			a := r.Annotations
			if a["summary"] == "" || a["description"] == "" || a["runbook_url"] != monitoring.Docs+"runbooks/"+r.Alert+".md" || r.For == "" {
				t.Errorf("%s lacks a summary, a description, its page or a time: %+v", r.Alert, r)
			}
			if s := r.Labels["severity"]; !slices.Contains([]string{monitoring.Critical, monitoring.Warning, monitoring.Ticket}, s) {
				t.Errorf("%s has severity %q", r.Alert, s)
			}
		}
	}
	pages, err := filepath.Glob(filepath.Join(docs, "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	index, err := os.ReadFile(filepath.Join(docs, "runbooks", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		page := strings.TrimSuffix(filepath.Base(p), ".md")
		got[page] = true
		content, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if page == "README" {
			continue
		}
		if !strings.HasPrefix(string(content), "# "+page+"\n") {
			t.Errorf("%s does not begin with its name", p)
		}
		for _, part := range []string{"## Meaning", "## Look", "## Do"} {
			if !strings.Contains(string(content), "\n"+part+"\n") {
				t.Errorf("%s lacks %q", p, part)
			}
		}
		if !strings.Contains(string(index), "("+page+".md)") {
			t.Errorf("the list of runbooks lacks %s", page)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts and pages differ (-wanted +there):\n%s", diff)
	}
}

func TestJSONIsWhatGrafanaReads(t *testing.T) {
	uids := map[string]bool{}
	for _, d := range monitoring.Dashboards() {
		raw, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := d.JSON()
		if err != nil || !bytes.Equal(raw, again) {
			t.Errorf("%s: the same page gives other bytes, %v", d.Name, err)
		}
		var got struct {
			UID    string
			Panels []struct {
				ID      int
				Title   string
				Type    string
				GridPos struct{ X, Y, W, H int }
				Targets []struct{ RefID, Expr string }
			}
			Templating struct{ List []struct{ Name string } }
		}
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if uids[got.UID] || got.UID == "" || len(got.UID) > 40 {
			t.Errorf("uid %q is not unique, or not one", got.UID)
		}
		uids[got.UID] = true
		ids, taken := map[int]string{}, map[[2]int]string{}
		for _, p := range got.Panels {
			if other, ok := ids[p.ID]; ok {
				t.Errorf("%s: panels %q and %q have the same id", d.Name, other, p.Title)
			}
			ids[p.ID] = p.Title
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other, ok := taken[[2]int{x, y}]; ok {
						t.Fatalf("%s: panels %q and %q overlap", d.Name, other, p.Title)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
		declared := map[string]bool{"__range": true, "__rate_interval": true}
		for _, v := range got.Templating.List {
			declared[v.Name] = true
		}
		for _, m := range regexp.MustCompile(`\$([a-zA-Z_]+)`).FindAllStringSubmatch(strings.Join(exprs(d), "\n"), -1) {
			if !declared[m[1]] && m[1] != "1" {
				t.Errorf("%s uses $%s, which is no variable of it", d.Name, m[1])
			}
		}
	}
}

func exprs(d monitoring.Dashboard) []string {
	var out []string
	for _, p := range d.Panels() {
		for _, x := range p.Targets {
			out = append(out, x.Expr)
		}
	}
	for _, a := range d.Annotations {
		out = append(out, a.Expr)
	}
	return out
}

func TestQueryFillsVariablesIn(t *testing.T) {
	got := monitoring.Query(`rate(x{namespace="$namespace",community=~"${community}"}[$__rate_interval]) + y[$__range] + $other`,
		map[string]string{"namespace": "ns", "community": ".*"}, monitoring.Range{Range: "6h", RateInterval: "2m"})
	if want := `rate(x{namespace="ns",community=~".*"}[2m]) + y[6h] + $other`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
