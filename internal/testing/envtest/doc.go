// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package envtest gives tests a real API server and etcd with Kith's CustomResourceDefinitions, one for each test binary.
// Only what every such test needs may enter: the binaries, the server, a client, a namespace for each test.
// It never fakes a kubelet or a controller: where objects must become ready, the test says so itself.
package envtest
