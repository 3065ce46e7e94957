// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

type dashboardOptions struct {
	prometheus, file string
	variables        variables
	span             time.Duration
	end              time.Time
	rows             int
}

// dashboard is what is drawn of Grafana's JSON.
type dashboard struct {
	Title       string  `json:"title"`
	Description string  `json:"description"`
	Panels      []panel `json:"panels"`
	Templating  struct {
		List []struct {
			Name    string `json:"name"`
			Current struct {
				Value any `json:"value"`
			} `json:"current"`
			AllValue string `json:"allValue"`
		} `json:"list"`
	} `json:"templating"`
}

type panel struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	GridPos     struct{ H, W, X, Y int }
	Targets     []target `json:"targets"`
	FieldConfig struct {
		Defaults  field      `json:"defaults"`
		Overrides []override `json:"overrides"`
	} `json:"fieldConfig"`
	Options struct {
		Content string `json:"content"`
	} `json:"options"`
	Transformations []struct {
		ID      string `json:"id"`
		Options struct {
			ExcludeByName map[string]bool   `json:"excludeByName"`
			RenameByName  map[string]string `json:"renameByName"`
			IndexByName   map[string]int    `json:"indexByName"`
			// Include are the only fields that are shown, where there are any.
			Include struct {
				Names []string `json:"names"`
			} `json:"include"`
		} `json:"options"`
	} `json:"transformations"`
	// Panels are those of a row that is folded.
	Panels []panel `json:"panels"`
}

type target struct {
	RefID        string `json:"refId"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat"`
	Instant      bool   `json:"instant"`
}

type field struct {
	Unit       string    `json:"unit"`
	Decimals   *int      `json:"decimals"`
	Min        *float64  `json:"min"`
	Max        *float64  `json:"max"`
	Mappings   []mapping `json:"mappings"`
	NoValue    string    `json:"noValue"`
	Thresholds struct {
		Steps []struct {
			Color string   `json:"color"`
			Value *float64 `json:"value"`
		} `json:"steps"`
	} `json:"thresholds"`
}

// mapping gives texts to values. Options are of another form for each type; those of "value" are mapped.
type mapping struct {
	Type    string          `json:"type"`
	Options json.RawMessage `json:"options"`
}

type mapped struct {
	Text  string `json:"text"`
	Color string `json:"color"`
}

type override struct {
	Matcher struct {
		ID      string `json:"id"`
		Options any    `json:"options"`
	} `json:"matcher"`
	Properties []struct {
		ID    string          `json:"id"`
		Value json.RawMessage `json:"value"`
	} `json:"properties"`
}

// answer is what a panel's queries came to.
type answer struct {
	target target
	values model.Vector
	series model.Matrix
}

func drawDashboard(ctx context.Context, o dashboardOptions) ([]byte, error) {
	doc, err := os.ReadFile(o.file)
	if err != nil {
		return nil, err
	}
	var d dashboard
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, fmt.Errorf("read the dashboard %s: %w", o.file, err)
	}
	client, err := api.NewClient(api.Config{Address: o.prometheus})
	if err != nil {
		return nil, err
	}
	q := &querier{api: promv1.NewAPI(client), end: o.end, span: o.span, variables: d.defaults(o.variables)}
	canvas := newCanvas(d, q.variables)
	for _, p := range d.all() {
		if o.rows > 0 && p.GridPos.Y >= o.rows {
			continue
		}
		answers, err := q.ask(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("panel %q: %w", p.Title, err)
		}
		canvas.draw(p, answers, q)
	}
	return canvas.svg(), nil
}

// all gives the panels in the order of their places, those of folded rows left out.
func (d *dashboard) all() []panel {
	out := slices.Clone(d.Panels)
	slices.SortStableFunc(out, func(a, b panel) int {
		if a.GridPos.Y != b.GridPos.Y {
			return a.GridPos.Y - b.GridPos.Y
		}
		return a.GridPos.X - b.GridPos.X
	})
	return out
}

// defaults gives every variable a value: what was named, else all.
func (d *dashboard) defaults(named variables) variables {
	out := variables{}
	for _, v := range d.Templating.List {
		out[v.Name] = ".*"
		if v.AllValue != "" {
			out[v.Name] = v.AllValue
		}
	}
	maps.Copy(out, named)
	return out
}

type querier struct {
	api       promv1.API
	end       time.Time
	span      time.Duration
	variables variables
}

// points is how many steps a line has at most.
const points = 240

func (q *querier) step() time.Duration {
	return max(15*time.Second, (q.span / points).Truncate(time.Second))
}

func (q *querier) ask(ctx context.Context, p panel) ([]answer, error) {
	var out []answer
	for _, t := range p.Targets {
		a := answer{target: t}
		expr := q.expand(t.Expr)
		if p.Type == "timeseries" || p.Type == "state-timeline" {
			v, _, _, err := q.api.QueryRange(ctx, expr, promv1.Range{Start: q.end.Add(-q.span), End: q.end, Step: q.step()})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", expr, err)
			}
			a.series, _ = v.(model.Matrix)
		} else {
			v, _, _, err := q.api.Query(ctx, expr, q.end)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", expr, err)
			}
			switch v := v.(type) {
			case model.Vector:
				a.values = v
			case *model.Scalar:
				a.values = model.Vector{{Metric: model.Metric{}, Value: v.Value, Timestamp: v.Timestamp}}
			}
		}
		out = append(out, a)
	}
	return out, nil
}

var variable = regexp.MustCompile(`\$\{(\w+)(?::\w+)?\}|\$(\w+)`)

// expand puts values in the place of variables, Grafana's own among them.
func (q *querier) expand(expr string) string {
	rate := max(4*q.step(), time.Minute)
	return variable.ReplaceAllStringFunc(expr, func(found string) string {
		m := variable.FindStringSubmatch(found)
		name := m[1] + m[2]
		switch name {
		case "__range":
			return promDuration(q.span)
		case "__rate_interval":
			return promDuration(rate)
		case "__interval":
			return promDuration(q.step())
		}
		if value, ok := q.variables[name]; ok {
			return value
		}
		return found
	})
}

func promDuration(d time.Duration) string { return fmt.Sprintf("%ds", int64(d.Seconds())) }

// legend names a series as Grafana would.
func legend(t target, m model.Metric) string {
	if t.LegendFormat != "" && t.LegendFormat != "__auto" {
		return legendLabel.ReplaceAllStringFunc(t.LegendFormat, func(found string) string {
			return string(m[model.LabelName(strings.TrimSpace(strings.Trim(found, "{} ")))])
		})
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if name != model.MetricNameLabel {
			parts = append(parts, string(name)+"="+string(m[name]))
		}
	}
	return strings.Join(parts, " ")
}

var legendLabel = regexp.MustCompile(`\{\{[^}]*\}\}`)
