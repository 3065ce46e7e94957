// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command netpol enforces NetworkPolicies on the node of a local cluster, by the part of kube-router that does this.
// What it needs of the machine is iptables and ipset. `netpol cleanup` removes all that it made.
// It never routes, and translates no Service: the bridge and kube-proxy do.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "a `file` that says where the API server is")
	node := flag.String("node", "", "the `name` of this node")
	services := flag.String("services", "", "the `range` of addresses of Services")
	flag.Parse()
	if flag.Arg(0) == "cleanup" {
		new(netpol.NetworkPolicyController).Cleanup()
		return
	}
	if err := run(*kubeconfig, *node, *services); err != nil {
		fmt.Fprintln(os.Stderr, "netpol:", err)
		os.Exit(1)
	}
}

// run enforces until the process is told to end. What it made stays, as the pods do.
func run(kubeconfig, node, services string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rest, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return err
	}
	// The kubelet, which starts at the same time, makes the node and its addresses.
	if err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		found, err := client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
		return err == nil && len(found.Status.Addresses) > 0, nil
	}); err != nil {
		return fmt.Errorf("wait for node %s: %w", node, err)
	}
	config := options.NewKubeRouterConfig()
	config.HostnameOverride, config.ClusterIPCIDRs, config.EnableIPv4 = node, []string{services}, true
	config.IPTablesSyncPeriod = time.Minute

	shared := informers.NewSharedInformerFactory(client, 0)
	pods, namespaces := shared.Core().V1().Pods().Informer(), shared.Core().V1().Namespaces().Informer()
	policies := shared.Networking().V1().NetworkPolicies().Informer()
	shared.Start(ctx.Done())
	shared.WaitForCacheSync(ctx.Done())

	tables, sets, err := netpol.NewIPTablesHandlers(config)
	if err != nil {
		return err
	}
	controller, err := netpol.NewNetworkPolicyController(client, config, pods, policies, namespaces, &sync.Mutex{}, tables, sets)
	if err != nil {
		return err
	}
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods: controller.PodEventHandler, namespaces: controller.NamespaceEventHandler, policies: controller.NetworkPolicyEventHandler,
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	beats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for range beats { // nobody asks: hack/cluster looks at the rules themselves
		}
	}()
	var all sync.WaitGroup
	all.Add(1)
	controller.Run(beats, ctx.Done(), &all)
	all.Wait()
	return nil
}
