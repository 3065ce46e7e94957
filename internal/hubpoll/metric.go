// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hubpoll

import "github.com/prometheus/client_golang/prometheus"

// Up is the poller as a metric: 1 for each hub whose last call was answered, 0 for the others. A hub that has not been
// asked yet has no series, and a community that is forgotten has none any more.
type Up struct {
	Poller *Poller
	// Desc is the metric's; its labels are namespace and community.
	Desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (u Up) Describe(ch chan<- *prometheus.Desc) { ch <- u.Desc }

// Collect implements prometheus.Collector.
func (u Up) Collect(ch chan<- prometheus.Metric) {
	u.Poller.mu.Lock()
	defer u.Poller.mu.Unlock()
	for key, h := range u.Poller.hubs {
		value := 1.0
		switch {
		case h.report.Err != nil:
			value = 0
		case !h.report.Known:
			continue
		}
		ch <- prometheus.MustNewConstMetric(u.Desc, prometheus.GaugeValue, value, key.Namespace, key.Name)
	}
}
