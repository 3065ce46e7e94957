// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cluster drives hack/cluster, and the cluster that it made by kubectl.
type cluster struct {
	root    string // of the checkout
	program string // hack/cluster, built
}

func newCluster(ctx context.Context, root, into string) (*cluster, error) {
	c := &cluster{root: root, program: filepath.Join(into, "cluster")}
	_, err := command(ctx, filepath.Join(root, "hack", "cluster"), "go", "build", "-buildvcs=false", "-o", c.program, ".")
	return c, err
}

// do runs a command of hack/cluster.
func (c *cluster) do(ctx context.Context, args ...string) (string, error) {
	return command(ctx, c.root, c.program, args...)
}

func (c *cluster) isUp(ctx context.Context) bool {
	_, err := c.do(ctx, "status")
	return err == nil
}

func (c *cluster) file(name ...string) string {
	return filepath.Join(append([]string{c.root, ".cache", "cluster"}, name...)...)
}

func (c *cluster) kubeconfig() string { return c.file("kubeconfig") }

// host is the address under which pods reach this machine.
func (c *cluster) host() (string, error) {
	address, err := os.ReadFile(c.file("host-address"))
	return strings.TrimSpace(string(address)), err
}

// load imports an image's archive into the node.
func (c *cluster) load(ctx context.Context, archive string) error {
	_, err := c.do(ctx, "load", archive)
	return err
}

// kubectl is the one that belongs to the cluster's version.
func (c *cluster) kubectl(ctx context.Context, args ...string) (string, error) {
	return c.kubectlIn(ctx, nil, args...)
}

func (c *cluster) kubectlIn(ctx context.Context, in []byte, args ...string) (string, error) {
	args = append([]string{"--kubeconfig", c.kubeconfig()}, args...)
	return pipe(ctx, c.root, in, c.file("bin", "kubectl"), args...)
}

// must runs kubectl, and ends the test where it fails.
func (c *cluster) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// apply is `kubectl apply --server-side -f -`, with more arguments where there are any.
func (c *cluster) apply(t *testing.T, manifest []byte, args ...string) {
	t.Helper()
	if _, err := c.kubectlIn(t.Context(), manifest, append([]string{"apply", "--server-side", "-f", "-"}, args...)...); err != nil {
		t.Fatal(err)
	}
}

// wait is `kubectl wait`.
func (c *cluster) wait(t *testing.T, patience time.Duration, condition string, args ...string) {
	t.Helper()
	begin := time.Now()
	c.must(t, append([]string{"wait", "--for=" + condition, "--timeout=" + patience.String()}, args...)...)
	t.Logf("%s of %s: after %s", condition, strings.Join(args, " "), time.Since(begin).Round(100*time.Millisecond))
}

// get reads one field of one or several objects.
func (c *cluster) get(ctx context.Context, jsonpath string, args ...string) (string, error) {
	return c.kubectl(ctx, append(append([]string{"get"}, args...), "-o", "jsonpath="+jsonpath)...)
}

// Selectors of what the operator runs, and where.
const (
	operatorPods  = "app.kubernetes.io/name=kith,app.kubernetes.io/component=operator"
	hubPods       = "app.kubernetes.io/name=kith,app.kubernetes.io/component=hub"
	connectorPods = "app.kubernetes.io/name=kith,app.kubernetes.io/component=connector"

	operatorNamespace = "kith-system"
	namespace         = "acme"
	community         = "acme"
	channel           = "forum"
)

// pods gives name, address and restarts of the pods that a selector finds and that are not about to go.
func (c *cluster) pods(ctx context.Context, ns, selector string) ([]pod, error) {
	out, err := c.get(ctx, `{range .items[*]}{.metadata.deletionTimestamp}|{.metadata.name}|{.status.podIP}|{.status.containerStatuses[0].restartCount}{"\n"}{end}`,
		"pods", "-n", ns, "-l", selector)
	if err != nil {
		return nil, err
	}
	var all []pod
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if len(f) == 4 && f[0] == "" {
			all = append(all, pod{name: f[1], ip: f[2], restarts: f[3]})
		}
	}
	return all, nil
}

type pod struct{ name, ip, restarts string }

// onlyPod is for selectors that must find one.
func (c *cluster) onlyPod(ctx context.Context, ns, selector string) (pod, error) {
	all, err := c.pods(ctx, ns, selector)
	if err != nil {
		return pod{}, err
	}
	if len(all) != 1 {
		return pod{}, fmt.Errorf("%d pods with %s in %s, want one", len(all), selector, ns)
	}
	return all[0], nil
}
