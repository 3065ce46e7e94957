// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hostName is the host's address as a name that pods can look up.
const hostName = "host.kith.internal"

// Users of components that Kubernetes has no roles for.
const (
	corednsUser = "system:coredns"
	netpolUser  = "system:netpol"
)

// up brings a cluster up from nothing.
func up(ctx context.Context, l layout) error {
	if !isRoot() {
		return errors.New("a node needs root: containers, a bridge and nftables are made; run this with sudo")
	}
	if err := l.checkLength(); err != nil {
		return err
	}
	if _, err := os.Stat(l.run); err == nil {
		return fmt.Errorf("%s exists: a cluster is up, or was not taken down; look with `status`, remove it with `down`", l.run)
	}
	if err := ensurePackages(ctx); err != nil {
		return err
	}
	if err := build(ctx, l, allBinaries...); err != nil {
		return err
	}
	begin := time.Now()
	since := func() time.Duration { return time.Since(begin).Round(100 * time.Millisecond) }
	if err := bringUp(ctx, l, since); err != nil {
		return fmt.Errorf("%w\nlogs are in %s; `down` removes what has been made", err, l.file("logs"))
	}
	fmt.Printf("cluster ready after %s\n\n  export KUBECONFIG=%s\n\nPods reach this machine as %s (%s).\n",
		since(), l.kubeconfig(), hostName, hostAddress)
	return nil
}

func bringUp(ctx context.Context, l layout, since func() time.Duration) error {
	if err := prepareHost(ctx, l); err != nil {
		return err
	}
	if err := makePKI(l); err != nil {
		return err
	}
	if err := writeConfigs(l); err != nil {
		return err
	}
	if err := os.WriteFile(l.hostAddressFile(), []byte(hostAddress+"\n"), 0o644); err != nil {
		return err
	}
	// The node's side starts while the control plane does; only the pause image must be there before the kubelet.
	for _, c := range components {
		if err := c.start(l); err != nil {
			return err
		}
		switch c.name {
		case "apiserver":
			if err := c.await(ctx, l); err != nil {
				return err
			}
			fmt.Printf("control plane ready after %s\n", since())
			if err := applyObjects(ctx, l); err != nil {
				return err
			}
		case "containerd":
			if err := c.await(ctx, l); err != nil {
				return err
			}
			archive, err := pauseArchive(l)
			if err != nil {
				return err
			}
			if _, err := ctr(ctx, l, "images", "import", archive); err != nil {
				return err
			}
		}
	}
	for _, c := range components {
		if err := c.await(ctx, l); err != nil {
			return err
		}
		if c.name == "kubelet" {
			fmt.Printf("node ready after %s\n", since())
		}
	}
	return await(ctx, "the service account of namespace default", time.Minute, func(ctx context.Context) error {
		a, err := newAPI(l, "admin")
		if err != nil {
			return err
		}
		return a.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default", nil)
	})
}

// applyObjects makes what the components of this cluster need that Kubernetes does not make by itself.
func applyObjects(ctx context.Context, l layout) error {
	a, err := newAPI(l, "admin")
	if err != nil {
		return err
	}
	const rbac = "rbac.authorization.k8s.io"
	may := func(user string, rules map[string][]string, verbs ...string) error {
		meta := map[string]any{"name": user}
		var all []any
		for group, resources := range rules {
			all = append(all, map[string]any{"apiGroups": []string{group}, "resources": resources, "verbs": verbs})
		}
		return errors.Join(
			a.apply(ctx, "/apis/"+rbac+"/v1/clusterroles/"+user, map[string]any{
				"apiVersion": rbac + "/v1", "kind": "ClusterRole", "metadata": meta, "rules": all,
			}),
			a.apply(ctx, "/apis/"+rbac+"/v1/clusterrolebindings/"+user, map[string]any{
				"apiVersion": rbac + "/v1", "kind": "ClusterRoleBinding", "metadata": meta,
				"roleRef":  map[string]any{"apiGroup": rbac, "kind": "ClusterRole", "name": user},
				"subjects": []any{map[string]any{"apiGroup": rbac, "kind": "User", "name": user}},
			}),
		)
	}
	class := func(name string, standard bool) error {
		return a.apply(ctx, "/apis/storage.k8s.io/v1/storageclasses/"+name, map[string]any{
			"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
			"metadata": map[string]any{"name": name, "annotations": map[string]string{
				"storageclass.kubernetes.io/is-default-class": strconv.FormatBool(standard),
			}},
			"provisioner": provisionerName, "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer",
			"allowVolumeExpansion": true,
		})
	}
	return errors.Join(
		may(corednsUser, map[string][]string{"": {"services", "pods", "namespaces"}, "discovery.k8s.io": {"endpointslices"}}, "list", "watch"),
		may(netpolUser, map[string][]string{"": {"pods", "namespaces", "nodes"}, "networking.k8s.io": {"networkpolicies"}}, "get", "list", "watch"),
		class("standard", true), class(boundedClass, false),
	)
}

// down stops everything and leaves the machine as it was, but for what was built.
func down(ctx context.Context, l layout) error {
	if _, err := os.Stat(l.run); errors.Is(err, os.ErrNotExist) {
		fmt.Println("no cluster is up here")
		return nil
	}
	if !isRoot() {
		return errors.New("the cluster was made by root; run this with sudo")
	}
	h, err := readHost(l)
	if errors.Is(err, os.ErrNotExist) {
		// It came to nothing before anything outside of the folder was changed; what there is may be another checkout's.
		return os.RemoveAll(l.run)
	}
	if err != nil {
		return fmt.Errorf("what has to be restored on this machine is in %s: %w", l.file(hostFile), err)
	}
	var problems []error
	stop := func(names ...string) {
		for _, name := range names {
			c, err := findComponent(name)
			if err == nil {
				err = l.terminate(name, c.patience)
			}
			if err != nil {
				problems = append(problems, err)
			}
		}
	}
	// First who would start pods again, then the pods, then who watches over them, then the control plane.
	stop("kubelet", "kube-proxy", "netpol", "coredns", "provisioner")
	killCgroups(l)
	stop("containerd")
	killShims(l)
	names := componentNames()
	slices.Reverse(names)
	stop(names...)
	if err := errors.Join(append(problems, restoreHost(ctx, l, h))...); err != nil {
		return fmt.Errorf("%w\nnot everything is gone; %s stays, so that this can be repeated", err, l.run)
	}
	// What is still mounted must not be deleted through.
	if left, err := mountPoints(func(point, _ string) bool { return strings.HasPrefix(point, l.run+"/") }); err != nil {
		return err
	} else if len(left) > 0 {
		return fmt.Errorf("still mounted: %v", left)
	}
	for _, path := range []string{l.run, l.kubeconfig(), l.hostAddressFile()} {
		problems = append(problems, os.RemoveAll(path))
	}
	return errors.Join(problems...)
}

// status prints what runs, and fails when something does not.
func status(ctx context.Context, l layout) error {
	if _, err := os.Stat(l.run); errors.Is(err, os.ErrNotExist) {
		return errors.New("no cluster is up here: make cluster-up")
	}
	var dead []error
	for _, c := range components {
		state := "stopped"
		if p, ok := l.running(c.name); ok {
			state = fmt.Sprintf("process %d", p.PID)
		} else {
			dead = append(dead, fmt.Errorf("%s does not run; its log is %s", c.name, l.log(c.name)))
		}
		fmt.Printf("%-20s %s\n", c.name, state)
	}
	fmt.Printf("\n%-20s %s\n%-20s %s\n%-20s %s (%s)\n%-20s %s\n", "kubeconfig", l.kubeconfig(), "API server", "https://"+apiAddress,
		"this host, for pods", hostAddress, hostName, "logs", l.file("logs"))
	if len(dead) == 0 {
		return nodeReady(ctx, l)
	}
	return errors.Join(dead...)
}
