// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package install checks what people apply to a cluster: the manifests of config/ as kustomize renders them, and the
// image. Only what can be told without running Kith enters; a real API server judges the manifests where there is one.
// It never changes a cluster that somebody uses: that is test/e2e's.
package install
