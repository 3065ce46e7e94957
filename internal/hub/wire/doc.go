// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package wire holds the shapes of the hub's HTTP API: what a connector sends, what the hub answers, and how errors
// look. Pages themselves are event.Commit, states reader.State.
// Plain data and its strict decoding may live here. It never opens a connection and knows no ledger, so that a
// connector can speak to the hub without carrying it.
package wire
