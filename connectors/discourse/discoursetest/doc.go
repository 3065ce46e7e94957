// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package discoursetest is an HTTP server that behaves as a Discourse forum does, fed from topic JSON and changed by the
// test while it runs.
// Only what a reader can observe may enter: answers, ids, order, permissions, limits and faults, as real forums give them.
// It never reads a network or a disk by itself, and it is for tests: impossible orders (a reply to a topic that is not
// there) panic.
package discoursetest
