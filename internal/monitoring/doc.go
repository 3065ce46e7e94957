// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package monitoring holds what Prometheus and Grafana are given: dashboards, recording rules and alerts, as data.
// What may enter: panels and rules over metrics that internal/metrics defines, each with a sentence that says what it
// shows or why it matters, and their encodings as Grafana and Prometheus read them.
// It never collects a metric, never asks a cluster, and puts no raw activity on a dashboard for communities.
package monitoring
