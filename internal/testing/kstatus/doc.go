// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kstatus checks in tests that statuses are clean for the tools that wait for resources (kstatus, and with it
// Flux, Argo CD and kubectl wait), every one that is ever written, not only the last.
// What may enter: conditions and generations. It is for tests only, and knows nothing of what conditions mean.
package kstatus
