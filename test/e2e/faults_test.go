// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
)

// fault is something that breaks while people go on using the forum. Afterwards everything must be as before.
type fault struct {
	name   string
	always bool // also in the short run
	strike func(*world, *testing.T)
}

func faults() []fault {
	return []fault{
		{name: "connector pods are killed at random", always: true, strike: killing(namespace, connectorPods, 3)},
		{name: "the hub's pod is killed", always: true, strike: killing(namespace, hubPods, 2)},
		{name: "the operator is killed", strike: killing(operatorNamespace, operatorPods, 2)},
		{name: "the Secret is rotated while reading", always: true, strike: (*world).rotateSecret},
		{name: "the API server is stopped for 30 s", strike: stopping("apiserver", 30*time.Second)},
		{name: "the kubelet is restarted", strike: stopping("kubelet", 5*time.Second)},
		{name: "containerd is restarted", strike: stopping("containerd", 5*time.Second)},
		{name: "the platform answers 401", strike: answering(discoursetest.Status(http.StatusUnauthorized), "BadCredentials")},
		{name: "the platform answers 429", strike: answering(discoursetest.TooManyRequests(20*time.Second), "RateLimited")},
		{name: "the platform answers 500", strike: answering(discoursetest.Status(http.StatusInternalServerError), "PlatformError")},
		{name: "connectors move into one pod and back", strike: (*world).movePlacement},
		{name: "Kith is upgraded", strike: (*world).upgrade},
	}
}

// suffer lets a fault strike and waits until nothing shows of it.
func (w *world) suffer(t *testing.T, f fault) {
	f.strike(w, t)
	w.allReady(t, 3*time.Minute)
	w.wait(t, 5*time.Minute, "condition=Connected", "-n", namespace, "channel/"+channel)
	w.caughtUp(t, 5*time.Minute)
}

// killing ends pods without a chance to say goodbye, at moments that nobody chose.
func killing(ns, selector string, times int) func(*world, *testing.T) {
	return func(w *world, t *testing.T) {
		for range times {
			sleep(t, time.Duration(rand.Int64N(int64(15*time.Second))))
			before, err := w.onlyPod(t.Context(), ns, selector)
			if err != nil {
				t.Fatal(err)
			}
			w.must(t, "delete", "pod", "-n", ns, before.name, "--grace-period=0", "--force")
			eventually(t, before.name+" is replaced", 2*time.Minute, func(ctx context.Context) error {
				now, err := w.onlyPod(ctx, ns, selector)
				if err == nil && now.name == before.name {
					err = fmt.Errorf("%s is still there", now.name)
				}
				return err
			})
			w.wait(t, 2*time.Minute, "condition=Ready", "pods", "-n", ns, "-l", selector)
		}
	}
}

// stopping stops a part of Kubernetes for a while.
func stopping(component string, pause time.Duration) func(*world, *testing.T) {
	return func(w *world, t *testing.T) {
		if _, err := w.do(t.Context(), "stop", component); err != nil {
			t.Fatal(err)
		}
		sleep(t, pause)
		if _, err := w.do(t.Context(), "start", component); err != nil {
			t.Fatal(err)
		}
	}
}

// answering lets the platform fail for a while: long enough that people are told why.
func answering(f discoursetest.Fault, reason string) func(*world, *testing.T) {
	return func(w *world, t *testing.T) {
		w.forum.SetFault(func(*http.Request) discoursetest.Fault { return f })
		defer w.forum.SetFault(nil)
		w.connected(t, reason)
		// A platform's outage is no reason to hold a roll-out up.
		if ready, err := w.get(t.Context(), `{.status.conditions[?(@.type=="Ready")].status}`, "channel", "-n", namespace, channel); err != nil || ready != "True" {
			t.Errorf("the channel's Ready is %q (%v)", ready, err)
		}
	}
}

// connected waits for a reason of the channel's condition Connected.
func (w *world) connected(t *testing.T, reason string) {
	t.Helper()
	eventually(t, "Connected says "+reason, 4*time.Minute, func(ctx context.Context) error {
		got, err := w.get(ctx, `{.status.conditions[?(@.type=="Connected")].reason}`, "channel", "-n", namespace, channel)
		if err == nil && got != reason {
			err = fmt.Errorf("it says %s", got)
		}
		return err
	})
}

// rotateSecret lets the forum take a new key only, and then puts it into the Secret: the connector must take it up
// without a new pod.
func (w *world) rotateSecret(t *testing.T) {
	before, err := w.onlyPod(t.Context(), namespace, connectorPods)
	if err != nil {
		t.Fatal(err)
	}
	w.key = fmt.Sprintf("key-%d", time.Now().Unix())
	w.forum.SetAPIKey(w.key)
	w.connected(t, "BadCredentials")
	w.apply(t, w.manifest(t, "secret"))
	w.connected(t, "Connected")
	after, err := w.onlyPod(t.Context(), namespace, connectorPods)
	if err != nil {
		t.Fatal(err)
	}
	if after != before {
		t.Errorf("the pod was %+v and is %+v: a changed Secret needs no restart", before, after)
	}
}

// movePlacement moves the channel into a pod that it shares, and back.
func (w *world) movePlacement(t *testing.T) {
	for _, step := range []struct{ placement, here, gone string }{
		{"Shared", community + "-connectors", channel + "-connector"},
		{"PerChannel", channel + "-connector", community + "-connectors"},
	} {
		w.must(t, "patch", "-n", namespace, "community", community, "--type=merge", "-p", `{"spec":{"connectors":{"placement":"`+step.placement+`"}}}`)
		w.wait(t, 2*time.Minute, "create", "-n", namespace, "deployment/"+step.here)
		w.wait(t, 2*time.Minute, "condition=Available", "-n", namespace, "deployment/"+step.here)
		w.wait(t, 2*time.Minute, "delete", "-n", namespace, "deployment/"+step.gone)
		w.caughtUp(t, 3*time.Minute)
	}
}

// upgrade installs another version: operator, hub and connector all change to it.
func (w *world) upgrade(t *testing.T) {
	next := version(2)
	w.loadImage(t, next)
	w.install(t, next)
	eventually(t, "everything runs "+next.version, 4*time.Minute, func(ctx context.Context) error {
		return w.prom.is(ctx, fmt.Sprintf("count(kith_build_info) == count(kith_build_info{version=%q})", next.version), 3)
	})
}
