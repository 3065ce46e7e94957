// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"bytes"
	"fmt"

	"sigs.k8s.io/yaml"
)

// Groups are rules as Prometheus reads them from a file, and as a PrometheusRule has them in its spec.
type Groups struct {
	Groups []Group `json:"groups"`
}

// Group is evaluated in its order, at once.
type Group struct {
	Name string `json:"name"`
	// Interval is a Prometheus duration; Prometheus' own where empty.
	Interval string `json:"interval,omitempty"`
	Rules    []Rule `json:"rules"`
}

// Rule records a series (Record) or raises an alert (Alert); exactly one of the two is set.
type Rule struct {
	Record string `json:"record,omitempty"`
	Alert  string `json:"alert,omitempty"`
	Expr   string `json:"expr"`
	// For is how long an alert's expression must hold, a Prometheus duration.
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`

	// About says in a sentence what a recorded series is, for the documentation.
	About string `json:"-"`
}

// Severities of alerts. A Ticket is for whoever answers for the community, and can wait for a working day.
const (
	Critical = "critical" // figures are being lost or cannot be had: now
	Warning  = "warning"  // something does not work as it should: today
	Ticket   = "ticket"   // somebody should decide something: this week
)

// Docs is where the documentation lies that dashboards and alerts link to.
const Docs = "https://github.com/kith-dev/kith/blob/main/docs/"

// Rules gives all recording rules and alerts. They keep namespace and community apart, so that one set serves all
// communities that a Prometheus sees: load it once.
func Rules() Groups {
	return Groups{Groups: []Group{
		{Name: "kith.channels", Rules: channelRecords()},
		{Name: "kith.objectives", Rules: objectiveRecords()},
		// Four weeks of counters are read each time: twice as seldom as the rest, and still within the five minutes in
		// which Prometheus takes a sample for current.
		{Name: "kith.value", Interval: "2m", Rules: valueRecords()},
		{Name: "kith.alerts.operations", Rules: operationsAlerts()},
		{Name: "kith.alerts.community", Rules: communityAlerts()},
	}}
}

// YAML gives the rules as a file that Prometheus reads.
func (g Groups) YAML() ([]byte, error) { return encode(g) }

// PrometheusRule gives the rules as the Prometheus operator's resource. Its labels, by which a Prometheus selects it, are
// the caller's to add.
func (g Groups) PrometheusRule(name string) map[string]any {
	groups := make([]any, 0, len(g.Groups))
	for _, group := range g.Groups {
		rules := make([]any, 0, len(group.Rules))
		for _, r := range group.Rules {
			rules = append(rules, r.object())
		}
		o := map[string]any{"name": group.Name, "rules": rules}
		if group.Interval != "" {
			o["interval"] = group.Interval
		}
		groups = append(groups, o)
	}
	return map[string]any{
		"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
		"metadata": map[string]any{"name": name, "labels": map[string]any{"app.kubernetes.io/name": "kith"}},
		"spec":     map[string]any{"groups": groups},
	}
}

// object is the rule as an unstructured object, which Kubernetes' libraries can copy.
func (r Rule) object() map[string]any {
	o := map[string]any{"expr": r.Expr}
	for key, value := range map[string]string{"record": r.Record, "alert": r.Alert, "for": r.For} {
		if value != "" {
			o[key] = value
		}
	}
	for key, values := range map[string]map[string]string{"labels": r.Labels, "annotations": r.Annotations} {
		if len(values) == 0 {
			continue
		}
		m := make(map[string]any, len(values))
		for k, v := range values {
			m[k] = v
		}
		o[key] = m
	}
	return o
}

// PrometheusRuleYAML gives the resource as a manifest.
func (g Groups) PrometheusRuleYAML(name string) ([]byte, error) {
	return encode(g.PrometheusRule(name))
}

const written = "# Written by `make generate` from internal/monitoring. Change it there.\n"

func encode(v any) ([]byte, error) {
	out, err := yaml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode the rules: %w", err)
	}
	return bytes.Join([][]byte{[]byte(written), out}, nil), nil
}

// alert builds an alert with the page that goes with it.
func alert(name, severity, after, expr, summary, description string) Rule {
	return Rule{
		Alert: name, Expr: expr, For: after,
		Labels:      map[string]string{"severity": severity},
		Annotations: map[string]string{"summary": summary, "description": description, "runbook_url": Docs + "runbooks/" + name + ".md"},
	}
}
