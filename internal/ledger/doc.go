// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ledger is the durable record of a community: events with their facts in ledger order, the state derived from
// them, cursors, and members whose identities are encrypted.
// What may enter: rows, through one transaction (Tx) at a time that either commits whole or not at all. It never
// decides what an observation means or what counts; conversation and behaviour do.
package ledger
