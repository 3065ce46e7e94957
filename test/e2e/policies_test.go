// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kith-dev/kith/internal/delivery"
)

// strangers are pods that have nothing to do with Kith.
const strangers = "app=stranger"

// policies connects from inside of pods, as whoever broke into one would.
func (w *world) policies(t *testing.T) {
	for _, ns := range []string{namespace, "default"} {
		w.apply(t, w.manifest(t, "stranger"), "-n", ns)
		w.wait(t, time.Minute, "condition=Ready", "-n", ns, "pod/stranger")
	}
	t.Cleanup(func() {
		for _, ns := range []string{namespace, "default"} {
			if _, err := w.kubectl(context.Background(), "delete", "pod", "-n", ns, "stranger", "--wait=false"); err != nil {
				t.Error(err)
			}
		}
	})
	forum, err := url.Parse(w.forum.url)
	if err != nil {
		t.Fatal(err)
	}
	hub, connector := place{namespace, hubPods}, place{namespace, connectorPods}
	on := func(p place, port int) string { return fmt.Sprintf("%s:%d", w.address(t, p), port) }
	for _, tc := range []struct {
		from    place
		what    string
		address string
		reaches bool
	}{
		{connector, "the hub", on(hub, delivery.PortAPI), true},
		{place{operatorNamespace, operatorPods}, "the hub", on(hub, delivery.PortAPI), true},
		{place{namespace, strangers}, "the hub", on(hub, delivery.PortAPI), false},
		{place{"default", strangers}, "the hub", on(hub, delivery.PortAPI), false},
		{place{"default", strangers}, "the hub's metrics", on(hub, delivery.PortMetrics), true},
		{place{"default", strangers}, "the connector's metrics", on(connector, delivery.PortMetrics), true},
		{connector, "its platform", forum.Host, true},
		{hub, "a platform", forum.Host, false},
		{hub, "the API server", w.hostPort(t, 6443), false},
		{hub, "a pod", on(connector, delivery.PortMetrics), false},
		{hub, "the cluster's names", w.hostPort(t, 53), true},
		// All that is refused here is there.
		{place{"default", strangers}, "a platform", forum.Host, true},
		{place{"default", strangers}, "the API server", w.hostPort(t, 6443), true},
	} {
		eventually(t, fmt.Sprintf("%s reaches %s: %v", tc.from, tc.what, tc.reaches), 20*time.Second, func(ctx context.Context) error {
			namespaceFile, err := w.networkOf(ctx, tc.from)
			if err != nil {
				return err
			}
			err = dialFrom(namespaceFile, tc.address)
			switch {
			case tc.reaches:
				return err
			case err == nil:
				return fmt.Errorf("%s is reached", tc.address)
			}
			return nil
		})
	}
}

// place is where one pod is.
type place struct{ namespace, selector string }

func (p place) String() string {
	return p.namespace + "'s " + p.selector[strings.LastIndexByte(p.selector, '=')+1:]
}

// address is a pod's.
func (w *world) address(t *testing.T, p place) string {
	t.Helper()
	found, err := w.onlyPod(t.Context(), p.namespace, p.selector)
	if err != nil {
		t.Fatal(err)
	}
	return found.ip
}

// hostPort is a port of this machine, as pods reach it.
func (w *world) hostPort(t *testing.T, port int) string {
	t.Helper()
	address, err := w.host()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s:%d", address, port)
}

// networkOf is the file that stands for a pod's network namespace: of any process in the pod's cgroup.
func (w *world) networkOf(ctx context.Context, p place) (string, error) {
	uid, err := w.get(ctx, "{.items[*].metadata.uid}", "pods", "-n", p.namespace, "-l", p.selector, "--field-selector=status.phase=Running")
	if err != nil {
		return "", err
	}
	if uid == "" || strings.Contains(uid, " ") {
		return "", fmt.Errorf("the pods of %s are %q, want one", p, uid)
	}
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if groups, err := os.ReadFile(file); err == nil && strings.Contains(string(groups), "/pod"+uid+"/") {
			return filepath.Join(filepath.Dir(file), "ns", "net"), nil
		}
	}
	return "", fmt.Errorf("no process is in pod %s", uid)
}

// dialFrom connects as a process in a network namespace would.
func dialFrom(namespaceFile, address string) error {
	file, err := os.Open(namespaceFile)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	result := make(chan error, 1)
	go func() {
		// The thread belongs to that namespace from here on: as it is not given back, it ends with this function.
		runtime.LockOSThread()
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("enter %s: %w", namespaceFile, err)
			return
		}
		connection, err := net.DialTimeout("tcp", address, 3*time.Second)
		if err == nil {
			err = connection.Close()
		}
		result <- err
	}()
	return <-result
}
