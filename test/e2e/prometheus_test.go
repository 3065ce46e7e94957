// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// prometheus is a real one, on this machine, that finds the pods through the API server.
type prometheus struct {
	url  string
	stop func() // its data stay
}

// scrapeEvery is how often it asks the pods: often, so that what a fault does is seen.
const scrapeEvery = "3s"

// startPrometheus runs one with a configuration until the test ends, or it is stopped, with what it keeps and says in dir.
func startPrometheus(t *testing.T, c *cluster, dir string, config map[string]any) *prometheus {
	t.Helper()
	program := c.monitoring(t, "prometheus")
	if err := fromOutside(c, config); err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	address := freePort(t)
	p := &prometheus{url: "http://" + address}
	p.stop = background(t, filepath.Join(dir, "prometheus.log"), nil, program, "--config.file="+file,
		"--storage.tsdb.path="+filepath.Join(dir, "prometheus"), "--web.listen-address="+address, "--storage.tsdb.retention.time=1d")
	eventually(t, "Prometheus answers", time.Minute, func(ctx context.Context) error {
		_, err := p.query(ctx, "vector(1)")
		return err
	})
	return p
}

// monitoring builds a pinned program of those around Prometheus, where that was not done, and gives its path.
func (c *cluster) monitoring(t *testing.T, program string) string {
	t.Helper()
	file := filepath.Join(".cache", "prometheus", program)
	if _, err := command(t.Context(), c.root, "make", file); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(c.root, file)
}

// shippedConfig is config/prometheus/prometheus.yml, which asks more often here.
func shippedConfig(t *testing.T, c *cluster) map[string]any {
	t.Helper()
	folder := filepath.Join(c.root, "config", "prometheus")
	text, err := os.ReadFile(filepath.Join(folder, "prometheus.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	config["global"] = map[string]any{"scrape_interval": scrapeEvery, "scrape_timeout": scrapeEvery, "evaluation_interval": scrapeEvery}
	rules, _ := config["rule_files"].([]any)
	for i, file := range rules {
		rules[i] = filepath.Join(folder, fmt.Sprint(file))
	}
	return config
}

// fromOutside lets a configuration that was written for the inside of a cluster find the pods from this machine.
func fromOutside(c *cluster, config map[string]any) error {
	rules, _ := config["rule_files"].([]any)
	jobs, _ := config["scrape_configs"].([]any)
	if len(rules) == 0 || len(jobs) == 0 {
		return errors.New("the configuration of Prometheus has no rules or no jobs")
	}
	for _, job := range jobs {
		fields, _ := job.(map[string]any)
		discovered, _ := fields["kubernetes_sd_configs"].([]any)
		for _, d := range discovered {
			if d, ok := d.(map[string]any); ok {
				d["kubeconfig_file"] = c.kubeconfig()
			}
		}
	}
	return nil
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// series is one of an answer: its labels, and its points in time.
type series struct {
	labels map[string]string
	points []float64
}

// query asks for an instant vector, or for the raw points of a range selector.
func (p *prometheus) query(ctx context.Context, expr string) ([]series, error) {
	return p.ask(ctx, "/api/v1/query", url.Values{"query": {expr}})
}

// queryRange asks as a dashboard does.
func (p *prometheus) queryRange(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]series, error) {
	return p.ask(ctx, "/api/v1/query_range", url.Values{
		"query": {expr}, "start": {strconv.FormatInt(from.Unix(), 10)}, "end": {strconv.FormatInt(to.Unix(), 10)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

func (p *prometheus) ask(ctx context.Context, path string, form url.Values) ([]series, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path+"?"+form.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", form.Get("query"), err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", form.Get("query"), answer.Error)
	}
	if answer.Data.ResultType == "scalar" {
		return []series{{}}, nil
	}
	var results []struct {
		Metric map[string]string
		Value  [2]any
		Values [][2]any
	}
	if err := json.Unmarshal(answer.Data.Result, &results); err != nil {
		return nil, fmt.Errorf("%s: %w", form.Get("query"), err)
	}
	var all []series
	for _, r := range results {
		s := series{labels: r.Metric}
		if r.Values == nil {
			r.Values = [][2]any{r.Value}
		}
		for _, v := range r.Values {
			text, _ := v[1].(string)
			number, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: a point is %v", form.Get("query"), v)
			}
			s.points = append(s.points, number)
		}
		all = append(all, s)
	}
	return all, nil
}

// number is the answer of a query that must have exactly one.
func (p *prometheus) number(ctx context.Context, expr string) (float64, error) {
	all, err := p.query(ctx, expr)
	if err != nil {
		return 0, err
	}
	if len(all) != 1 {
		return 0, fmt.Errorf("%s: %d series, want one", expr, len(all))
	}
	return all[0].points[0], nil
}

// is says whether a query comes to a number.
func (p *prometheus) is(ctx context.Context, expr string, want float64) error {
	got, err := p.number(ctx, expr)
	if err == nil && math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		err = fmt.Errorf("%s: %v, want %v", expr, got, want)
	}
	return err
}
