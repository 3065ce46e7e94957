// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crash kills kith at random moments and shows that no total moves: the real program, a forum served over HTTP,
// SIGKILL.
// What may enter: tests that start processes of their own and stop them by id. It never sends a signal to anything else.
package crash
