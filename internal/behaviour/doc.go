// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package behaviour finds the valuable things that members do: it makes occurrences from events (Run), settles and
// undoes them, and works out objectives and worth from them.
// What may enter: events that conversation has applied, and a compiled blueprint. It emits no event, reads no platform
// and no clock; occurrences are a function of the ledger alone.
package behaviour
