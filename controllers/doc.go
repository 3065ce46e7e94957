// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers holds the operator's reconcilers, one per kind on one shared skeleton, and what they share.
// What may enter: the API server's objects. It never talks to a platform and never reads a ledger.
package controllers
