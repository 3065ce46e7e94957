// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package blueprint compiles resources into the form that hub and connectors run.
// What may enter: typed resources and a catalogue of platforms. It is pure: no clock, no network, no ledger; the same
// resources in any order give the same bytes, and all problems at once.
package blueprint
