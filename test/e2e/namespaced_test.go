// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// alone is the namespace of an operator that looks after nothing else.
const alone = "alone"

// namespaced installs a second operator without any right over the cluster, and declares the same community there. It
// runs when the cluster-wide one has been stopped: two would answer for the same resources.
func (w *world) namespaced(t *testing.T) {
	here := func(manifest []byte) []byte {
		return bytes.ReplaceAll(manifest, []byte("namespace: "+namespace+"\n"), []byte("namespace: "+alone+"\n"))
	}
	w.apply(t, bytes.ReplaceAll(w.manifest(t, "namespace"), []byte("name: "+namespace+"\n"), []byte("name: "+alone+"\n")))
	file := filepath.Join(w.dir, "install-namespaced.yaml")
	if _, err := command(t.Context(), w.root, filepath.Join("hack", "manifests.sh"), "namespaced", file, version(1).name, alone); err != nil {
		t.Fatal(err)
	}
	w.must(t, "apply", "--server-side", "-f", file)
	w.must(t, "rollout", "status", "-n", alone, "deployment/kith-operator", "--timeout=2m")
	for ns, want := range map[string]string{alone: "yes", namespace: "no"} {
		// kubectl says no by its exit code, too.
		got, _ := w.kubectl(t.Context(), "auth", "can-i", "patch", "deployments", "-n", ns, "--as=system:serviceaccount:"+alone+":kith-operator")
		if strings.TrimSpace(got) != want {
			t.Errorf("may the operator of %s change Deployments in %s: %s, want %s", alone, ns, strings.TrimSpace(got), want)
		}
	}
	for _, name := range []string{"secret", "community", "channel", "behaviours", "objectives"} {
		w.apply(t, here(w.manifest(t, name)))
	}
	w.apply(t, here(ready(t)))
	w.wait(t, 5*time.Minute, "condition=Ready", "-n", alone, "--all", kinds)
}
