// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// monitoringGroup is the API of the Prometheus operator.
var monitoringGroup = schema.GroupVersion{Group: "monitoring.coreos.com", Version: "v1"}

// monitor tells the Prometheus operator what to scrape, where a cluster has it. Pods carry scrape annotations as well,
// for a Prometheus that finds them by those: they cannot follow what is installed without rolling every pod.
func (s *communityScope) monitor(ctx context.Context, _ *Pass) error {
	key, now := client.ObjectKeyFromObject(s.community), s.Now()
	there, err := s.monitors.there(s.Client.RESTMapper(), now)
	if err != nil || !there || s.monitors.applied.done(key, "", now) {
		return err
	}
	for _, m := range []*unstructured.Unstructured{hubMonitor(s.community), connectorsMonitor(s.community)} {
		if _, err := Apply(ctx, s.Applier, s.community, m); err != nil {
			return err
		}
	}
	s.monitors.applied.note(key, "", now.Add(lookAgain))
	return nil
}

// hubMonitor scrapes a hub's operations, and its community's figures under a constant instance and without the pod's
// label, so that a restarted hub goes on with the same series.
func hubMonitor(community *v1alpha1.Community) *unstructured.Unstructured {
	return monitorObject("ServiceMonitor", delivery.HubName(community.Name), community.Name, delivery.ComponentHub, map[string]any{
		"endpoints": []any{
			operationsEndpoint(),
			map[string]any{
				"port": delivery.PortNameMetrics, "path": "/metrics/community", "honorLabels": true,
				"relabelings": []any{
					map[string]any{"action": "replace", "targetLabel": "instance", "replacement": community.Namespace + "/" + community.Name},
					map[string]any{"action": "labeldrop", "regex": "pod|node"},
				},
			},
		},
	})
}

// connectorsMonitor scrapes all connectors of a community, in whichever pods they are.
func connectorsMonitor(community *v1alpha1.Community) *unstructured.Unstructured {
	return monitorObject("PodMonitor", delivery.SharedConnectorsName(community.Name), community.Name, delivery.ComponentConnector, map[string]any{
		"podMetricsEndpoints": []any{operationsEndpoint()},
	})
}

// operationsEndpoint adds the community to metrics that do not name one, as the pods' label has it; those that do keep
// theirs.
func operationsEndpoint() map[string]any {
	return map[string]any{
		"port": delivery.PortNameMetrics, "path": "/metrics", "honorLabels": true,
		"relabelings": []any{map[string]any{
			"action": "replace", "sourceLabels": []any{"__meta_kubernetes_pod_label_kith_dev_community"}, "targetLabel": "community",
		}},
	}
}

func monitorObject(kind, name, community, component string, spec map[string]any) *unstructured.Unstructured {
	match := map[string]any{}
	for k, v := range selectorLabels(community, component) {
		match[k] = v
	}
	spec["selector"] = map[string]any{"matchLabels": match}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(monitoringGroup.WithKind(kind))
	u.SetName(name)
	u.SetLabels(labels(community, component))
	return u
}

// monitorKinds remembers whether the cluster has the Prometheus operator's kinds, and which Communities' monitors were
// looked at: nothing watches either.
type monitorKinds struct {
	applied timetable

	mu    sync.Mutex
	known bool
	until time.Time
}

// there asks now and then; a cluster gets a Prometheus operator once.
func (m *monitorKinds) there(mapper meta.RESTMapper, now time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Before(m.until) {
		return m.known, nil
	}
	for _, kind := range []string{"ServiceMonitor", "PodMonitor"} {
		_, err := mapper.RESTMapping(monitoringGroup.WithKind(kind).GroupKind(), monitoringGroup.Version)
		if meta.IsNoMatchError(err) {
			m.known, m.until = false, now.Add(lookAgain)
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("ask whether there is a %s: %w", kind, err)
		}
	}
	m.known, m.until = true, now.Add(lookAgain)
	return true, nil
}

func (m *monitorKinds) forget(community types.NamespacedName) { m.applied.forget(community) }
