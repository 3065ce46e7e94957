// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command dashboards writes what Prometheus and Grafana are given, as files: config/prometheus,
// config/grafana, and the page that lists it all.
// What internal/monitoring holds may enter. It decides nothing, and writes nothing that a person has written.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/kith-dev/kith/internal/monitoring"
)

func main() {
	root := flag.String("root", ".", "the project's folder")
	flag.Parse()
	if err := write(*root); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

// write writes all files below a folder.
func write(root string) error {
	files, err := generate()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate gives the files by their path from the project's folder.
func generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	rules := monitoring.Rules()
	var err error
	if files["config/prometheus/rules/kith.yaml"], err = rules.YAML(); err != nil {
		return nil, err
	}
	if files["config/prometheus/prometheusrule.yaml"], err = rules.PrometheusRuleYAML("kith"); err != nil {
		return nil, err
	}
	for _, d := range monitoring.Dashboards() {
		if files["config/grafana/dashboards/"+d.Name+".json"], err = d.JSON(); err != nil {
			return nil, err
		}
	}
	files["docs/panels.md"] = []byte(monitoring.Documentation())
	return files, nil
}
