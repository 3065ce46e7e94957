// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command coredns is CoreDNS with the few plug-ins that answer for a local cluster.
// Plug-ins may enter that the Corefile of hack/cluster names.
// It never forwards: pods of the local cluster see the cluster and the host, and nothing beyond.
package main

import (
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() { coremain.Run() }
