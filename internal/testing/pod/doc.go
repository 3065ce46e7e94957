// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pod gives tests what a cluster gives its pods: projected volumes that are exchanged in place, ServiceAccount
// tokens, and certificates.
// Only what a kubelet or an API server makes may enter, in the form in which they make it.
// It is never part of the binary.
package pod
