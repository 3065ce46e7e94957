// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command operator measures Kith's operator on a real API server: how long many channels take until they run, what that
// writes, what it writes afterwards, and what it costs.
// What stands for kubelets and hubs may enter: Deployments are marked available, claims bound, and hubs answer that they
// run what was delivered to them.
// The operator runs in a process of its own, so that its memory and time are its own; it is the one of `kith operator`,
// told where the hubs are.
package main
