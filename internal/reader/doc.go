// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package reader is the connector runtime: it drives one sdk.Connector per channel against a hub, and owns what no
// author of a connector should write twice — which lane is read next, polling, the lease, commits, repeats, states.
// The contract of connectors and the Hub interface may enter. It never knows a platform, a ledger or Kubernetes, and it
// never holds a position of its own: what it reads next follows from the cursors that the hub gives it.
package reader
