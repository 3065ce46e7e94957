// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package discourse reads Discourse forums: what is new (live), what was (backfill) and what has changed since (sweep).
// It holds requests, cursors and their order; what a topic's JSON means is said in discoursejson, and how a request is
// repeated, slowed and scrubbed in the SDK's client.
// It keeps no state between calls, never reads private messages, and reads private categories only when named.
package discourse
