// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package hub is the one writer of a community's ledger: it takes pages from readers, turns them into events, state and
// occurrences in one transaction, and shows what came of it as metrics and status.
// What may enter: pages under a valid lease, blueprints, and requests of bounded size over HTTP. It never talks to a
// platform and holds no channel's credentials.
package hub
