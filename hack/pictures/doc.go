// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command pictures draws what the documentation shows: dashboards' panels with the data of a running Prometheus, and
// recordings of commands that were really run.
// Whatever it draws comes from what was asked just then; it holds no figure and no output of its own.
// It is no Grafana: it draws the panel types that Kith's dashboards use, plainly.
package main
