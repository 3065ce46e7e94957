// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package delivery holds what the operator hands to the hubs and connectors that it runs: the names of their objects,
// the places where files are mounted, and the files themselves.
// Plain data, its encoding into ConfigMaps and its decoding from a folder may live here.
// It never talks to an API server and knows no ledger, so that operator, hub and connector can all use it.
package delivery
