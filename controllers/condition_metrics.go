// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/internal/metrics"
)

// ConditionMetrics shows the conditions of all resources as metrics, one series each: it goes with the condition, and
// all of a resource's go with the resource. It is told by the reconcilers, so that only the operator that leads has any.
type ConditionMetrics struct {
	// Desc is the metric's; its labels are resource_kind, resource_namespace, resource_name, type, status and reason.
	Desc *prometheus.Desc

	mu        sync.Mutex
	resources map[owning][]shown
}

// shown is one condition as far as it is shown. Messages are for people.
type shown struct{ kind, status, reason string }

var _ Observer = (*ConditionMetrics)(nil)

// showConditions has an operator without another observer show the conditions of its resources.
func (op *Operator) showConditions() error {
	if op.Metrics == nil || op.Observer != nil {
		return nil
	}
	m := &ConditionMetrics{Desc: metrics.Desc(metrics.ResourceCondition)}
	op.Observer = m
	if err := op.Metrics.Register(m); err != nil {
		return fmt.Errorf("register the conditions of resources: %w", err)
	}
	return nil
}

// Observe implements Observer.
func (m *ConditionMetrics) Observe(kind string, obj Resource) {
	conditions := *obj.StatusConditions()
	out := make([]shown, 0, len(conditions))
	for _, c := range conditions {
		out = append(out, shown{c.Type, statusOf(c.Status), c.Reason})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.resources == nil {
		m.resources = map[owning][]shown{}
	}
	m.resources[ownerOf(kind, obj)] = out
}

// statusOf is the label's value: nothing but the three that there are.
func statusOf(s metav1.ConditionStatus) string {
	switch s {
	case metav1.ConditionTrue, metav1.ConditionFalse:
		return string(s)
	}
	return string(metav1.ConditionUnknown)
}

// Forget implements Observer.
func (m *ConditionMetrics) Forget(kind, namespace, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.resources, owning{kind, namespace, name})
}

// Describe implements prometheus.Collector.
func (m *ConditionMetrics) Describe(ch chan<- *prometheus.Desc) { ch <- m.Desc }

// Collect implements prometheus.Collector.
func (m *ConditionMetrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for r, conditions := range m.resources {
		for _, c := range conditions {
			ch <- prometheus.MustNewConstMetric(m.Desc, prometheus.GaugeValue, 1, r.kind, r.namespace, r.name, c.kind, c.status, c.reason)
		}
	}
}
