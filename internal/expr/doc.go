// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package expr is the language of behaviours, segments and later rules: CEL over the typed variables event, author,
// thread, parent, channel, variables and now.
// What may enter: an expression and the plain structs below. It never reads the ledger; whoever evaluates fills the
// structs, and expensive fields are functions that run only when an expression asks.
package expr
