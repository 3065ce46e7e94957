// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package metrics defines every metric of Kith in one table, and collects them: operations of a process, states of
// connectors, and a community's behaviours from its ledger.
// What may enter: definitions, and collectors that only read. It never puts a member, a text or a secret into a label,
// never exports 0 for what could not be read, and never decides what is counted.
package metrics
