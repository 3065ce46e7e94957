// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package discoursejson holds Discourse's JSON shapes and the one mapping from a topic to observations, shared by
// everything that reads Discourse topics, whether over HTTP or from an export.
// Only pure functions of a topic's JSON may enter, so that the same topic gives the same observations everywhere.
// It never makes a request, reads a file or looks at a clock.
package discoursejson
