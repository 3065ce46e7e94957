// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kith-dev/kith/internal/delivery"
)

// ledger stops the hub, checks the record on its volume, and compares its totals with how far Prometheus' counters rose.
func (w *world) ledger(t *testing.T) {
	w.must(t, "scale", "-n", operatorNamespace, "deployment/kith-operator", "--replicas=0")
	w.wait(t, time.Minute, "delete", "pods", "-n", operatorNamespace, "-l", operatorPods)
	w.must(t, "scale", "-n", namespace, "deployment/"+delivery.HubName(community), "--replicas=0")
	w.wait(t, 2*time.Minute, "delete", "pods", "-n", namespace, "-l", hubPods)
	volume, err := w.volume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kith := func(args ...string) string {
		out, err := command(t.Context(), w.root, filepath.Join("bin", "kith"), append([]string{"ledger", "--data-dir", volume}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Log(strings.TrimSpace(kith("check")))
	total := map[string]float64{}
	for line := range strings.Lines(kith("copy-out")) {
		text, ok := strings.CutPrefix(line, "counter ")
		if !ok {
			continue
		}
		var c [6]any // channel's address, metric, behaviour, level, segment, value
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		value, _ := c[5].(float64)
		id := fmt.Sprintf("%v %v %v %v %v %v", c[1], community, channel, c[2], c[3], c[4])
		total[id] += value
	}
	if len(total) == 0 {
		t.Fatal("the ledger has no totals")
	}
	for _, id := range sorted(total) {
		if rose, ok := w.rise[id]; !ok || rose != total[id] {
			t.Errorf("%s: the ledger has %v, Prometheus' counter rose by %v", id, total[id], rose)
		}
	}
	for _, id := range sorted(w.rise) {
		if _, ok := total[id]; !ok && w.rise[id] != 0 {
			t.Errorf("%s: Prometheus' counter rose by %v, the ledger has none", id, w.rise[id])
		}
	}
}

// volume is where the claim's volume lies on this machine, which is the node.
func (w *world) volume(ctx context.Context) (string, error) {
	name, err := w.get(ctx, "{.spec.volumeName}", "pvc", "-n", namespace, delivery.LedgerName(community))
	if err != nil {
		return "", err
	}
	path, err := w.get(ctx, "{.spec.hostPath.path}{.spec.local.path}", "pv", name)
	if err == nil && path == "" {
		err = fmt.Errorf("volume %s is not on this machine", name)
	}
	return path, err
}
