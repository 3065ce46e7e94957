// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package hubclient speaks to a hub over HTTP as the connectors' runtime expects it: leases, pages and states.
// What may enter: an address, and a token that may change at any time. It keeps no state between calls, never follows
// a redirection, and repeats a page only because the ledger compares cursors: a page cannot be written twice.
package hubclient
