// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"regexp"
	"testing"
	"time"
)

// TestKithInACluster is one story: each step needs those before it.
func TestKithInACluster(t *testing.T) {
	mode := os.Getenv("KITH_E2E")
	if mode == "" {
		t.Skip("this brings up a cluster, as root: `make e2e`, or `make e2e-faults` for every fault; KITH_E2E=WORDS|… chooses some")
	}
	w := newWorld(t)
	step := func(name string, do func(*testing.T)) {
		t.Helper()
		begin := time.Now()
		if !t.Run(name, do) {
			t.FailNow()
		}
		t.Logf("%s: %s", name, time.Since(begin).Round(time.Second))
	}

	step("a cluster comes up from nothing", w.bringUp)
	step("the image is built and loaded", func(t *testing.T) { w.loadImage(t, version(1)) })
	step("install.yaml installs it", func(t *testing.T) { w.install(t, version(1)) })

	address, err := w.host()
	if err != nil {
		t.Fatal(err)
	}
	w.forum = openForum(t, w.root, address, w.key)
	w.prom = startPrometheus(t, w.cluster, w.dir, shippedConfig(t, w.cluster))
	step("a community is declared", w.declare)
	step("everything becomes ready", func(t *testing.T) { w.allReady(t, 5*time.Minute) })
	step("Prometheus knows the figures of the year", w.theYear)
	step("no query of a dashboard is empty", w.dashboards)

	step("NetworkPolicies let through what is needed, and nothing else", w.policies)

	w.life = startLife(t, w.forum)
	for _, f := range faults() {
		if chosen(f, mode) {
			step(f.name, func(t *testing.T) { w.suffer(t, f) })
		}
	}
	step("nothing was lost or doubled", w.totals)
	step("dashboards show all of it", w.dashboards)
	step("a Prometheus operator finds all of it by itself", w.underPrometheusOperator)
	step("the ledger says so too", w.ledger)
	if mode != "short" {
		step("an operator of one namespace does the same there", w.namespaced)
	}
}

// chosen says whether a fault is to strike: in the short run a few, in the long one all, else those that are named.
func chosen(f fault, mode string) bool {
	switch mode {
	case "short":
		return f.always
	case "faults":
		return true
	}
	return regexp.MustCompile(mode).MatchString(f.name)
}
