// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e brings up a real Kubernetes, installs Kith as people do, lets it read a forum that lives outside of the
// cluster, and holds what a real Prometheus then knows against a count that none of Kith's code has made.
// Steps, faults and the independent count enter. It takes nothing from a hub or an operator by any way that a user does
// not have, and leaves nothing behind on the machine.
package e2e
