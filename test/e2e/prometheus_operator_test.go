// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// monitoringNamespace is where somebody else's Prometheus is declared.
const monitoringNamespace = "monitoring"

// underPrometheusOperator brings a real Prometheus operator, with its real kinds, into the cluster, and runs a Prometheus
// with nothing but the configuration that it writes: out of what Kith's operator declares to it, and config/prometheus.
func (w *world) underPrometheusOperator(t *testing.T) {
	dir := filepath.Join(w.dir, "prometheus-operator")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o750)); err != nil {
		t.Fatal(err)
	}
	w.startPrometheusOperator(t, dir)
	// Kith's operator looks for those kinds when it starts, and every ten minutes.
	w.must(t, "rollout", "restart", "-n", operatorNamespace, "deployment/kith-operator")
	w.must(t, "rollout", "status", "-n", operatorNamespace, "deployment/kith-operator", "--timeout=2m")
	eventually(t, "Kith's rules are in the cluster", time.Minute, func(ctx context.Context) error {
		_, err := w.kubectl(ctx, "get", "prometheusrule", "kith", "-n", operatorNamespace)
		return err
	})
	w.must(t, "apply", "--server-side", "-n", operatorNamespace, "-f", filepath.Join(w.root, "config", "prometheus", "podmonitor.yaml"))

	var config map[string]any
	eventually(t, "the Prometheus operator has written a configuration of it", 2*time.Minute, func(ctx context.Context) (err error) {
		if config, err = w.generatedConfig(ctx); err == nil {
			config["rule_files"], err = w.generatedRules(ctx, dir)
		}
		return err
	})
	before := w.prom
	w.prom = startPrometheus(t, w.cluster, dir, config)
	defer func() { w.prom = before }()

	eventually(t, "every pod of Kith is scraped", time.Minute, func(ctx context.Context) error {
		up, err := w.prom.number(ctx, `count(up == 1) - (count(up == 0) or vector(0))`)
		if err == nil && up != 4 { // operator, hub twice, connector
			err = fmt.Errorf("%v targets are up more than down, want 4", up)
		}
		return err
	})
	w.past(t)
	hub, err := w.onlyPod(t.Context(), namespace, hubPods)
	if err != nil {
		t.Fatal(err)
	}
	w.must(t, "delete", "pod", "-n", namespace, hub.name, "--wait")
	w.caughtUp(t, 3*time.Minute)
	w.counters(t)
	w.dashboards(t)
	w.sameSeries(t, before)
}

// startPrometheusOperator installs its kinds and a Prometheus of no pods, and runs it on this machine.
func (w *world) startPrometheusOperator(t *testing.T, dir string) {
	t.Helper()
	program := w.monitoring(t, "operator")
	kinds, err := command(t.Context(), w.root, program, "crds")
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, []byte(kinds))
	// Its API is there a moment after its kinds are.
	eventually(t, "the kinds of the Prometheus operator are served", time.Minute, func(ctx context.Context) error {
		_, err := w.kubectl(ctx, "get", "-A", "prometheuses,servicemonitors,podmonitors,prometheusrules")
		return err
	})
	w.apply(t, w.manifest(t, "prometheus"))
	background(t, filepath.Join(dir, "operator.log"), []string{"KUBECONFIG=" + w.kubeconfig()}, program,
		"--web.listen-address="+freePort(t), "--prometheus-config-reloader=localhost/none:0")
}

// generatedConfig is what the Prometheus operator has made of all monitors, once it has seen every one of them.
func (w *world) generatedConfig(ctx context.Context) (map[string]any, error) {
	encoded, err := w.get(ctx, `{.data.prometheus\.yaml\.gz}`, "secret", "-n", monitoringNamespace, "prometheus-all")
	if err != nil {
		return nil, err
	}
	packed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	for _, monitor := range []string{
		"serviceMonitor/" + namespace + "/" + community + "-hub/0", "serviceMonitor/" + namespace + "/" + community + "-hub/1",
		"podMonitor/" + namespace + "/" + community + "-connectors/0", "podMonitor/" + operatorNamespace + "/kith-operator/0",
	} {
		if !bytes.Contains(text, []byte("job_name: "+monitor+"\n")) {
			return nil, fmt.Errorf("there is no job %s", monitor)
		}
	}
	// Its pods would fill in who they are.
	text = []byte(strings.NewReplacer("$(SHARD)", "0", "$(POD_NAME)", "prometheus-all-0").Replace(string(text)))
	var config map[string]any
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, err
	}
	return config, nil
}

// generatedRules are the files of rules that the Prometheus operator gives its Prometheus.
func (w *world) generatedRules(ctx context.Context, dir string) ([]any, error) {
	out, err := w.kubectl(ctx, "get", "configmap", "-n", monitoringNamespace, "prometheus-all-rulefiles-0", "-o", "json")
	if err != nil {
		return nil, err
	}
	var rules struct{ Data map[string]string }
	if err := json.Unmarshal([]byte(out), &rules); err != nil {
		return nil, err
	}
	var files []any
	for name, text := range rules.Data {
		if !strings.HasPrefix(name, operatorNamespace+"-kith-") {
			return nil, fmt.Errorf("rules of %s, want Kith's alone", name)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("%d files of rules, want one", len(files))
	}
	return files, nil
}

// sameSeries compares what is counted with another Prometheus: the same identities, with the same figures.
func (w *world) sameSeries(t *testing.T, other *prometheus) {
	t.Helper()
	counted := func(p *prometheus) map[string]float64 {
		all, err := p.query(t.Context(), fmt.Sprintf("kith_behaviours_total{namespace=%q}", namespace))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]float64{}
		for _, s := range all {
			found[identity("", s.labels)] = s.points[0]
		}
		return found
	}
	here, there := counted(w.prom), counted(other)
	if !slices.Equal(sorted(here), sorted(there)) {
		t.Errorf("other series are counted here (%d) than there (%d)", len(here), len(there))
	}
	for id, value := range here {
		if value != there[id] {
			t.Errorf("%s is %v here and %v there", id, value, there[id])
		}
	}
}
