// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package resources checks what people meet who declare something that cannot be: what kubectl says, and what conditions
// say where no schema can know.
// Manifests in testdata, applied with the real kubectl to a real API server, and the real operator enter; hubs, kubelets
// and Deployments are played by the tests.
// It never judges what is good: that is test/install's, controllers' and test/e2e's.
package resources
