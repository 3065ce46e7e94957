// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command quickstart writes what `make run` reads: the invented forum of a maker of heating controllers, a year in
// German and English, as Discourse shows its topics, and the ready-made behaviours for it.
// Sentences, handles and habits may enter, all invented; the same program gives the same forum on every machine.
// It never takes anything from a real community, and nothing else depends on it.
package main
