// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conversation understands what happens in threads: it concludes events from observations (Observe), derives
// their facts, and keeps the state of threads, messages and members as a function of events alone (Apply).
// What may enter: observations of one channel, within one ledger transaction. It never decides what is valuable, and
// never looks at a clock: time is what observations and watermarks say.
package conversation
