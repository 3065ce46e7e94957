// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sdk is what a connector is written against: the contract (Connector, Page, Descriptor), typed settings, and
// one HTTP client with its edges blunted.
// It may know api/event and the standard library's world. It never knows the hub, the ledger or Kubernetes: a connector
// is a function of the platform and a cursor.
package sdk
