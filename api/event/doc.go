// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package event holds what travels between connectors, hub and ledger: observations (what a connector saw), events
// (what the hub concludes from them) and facts (what is derived from an event when it is first processed).
// Plain data with its wire form and its bounds may live here. It never reads a platform, a database or a clock, and it
// is public so that anybody can write a connector.
package event
