// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const root = "../.."

func TestFilesAreWhatIsGenerated(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	again, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale, run `make generate-monitoring`: %v", name, err)
		}
		if !bytes.Equal(again[name], want) {
			t.Errorf("%s differs when it is made twice", name)
		}
	}
	if len(files) < 5 {
		t.Errorf("%d files are generated", len(files))
	}
}

func TestWritingTwiceChangesNothing(t *testing.T) {
	dir := t.TempDir()
	read := func() map[string]string {
		t.Helper()
		if err := write(dir); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			got[path] = string(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first, second := read(), read()
	if len(first) != len(second) {
		t.Errorf("%d files, then %d", len(first), len(second))
	}
	for name := range first {
		if first[name] != second[name] {
			t.Errorf("%s changed", name)
		}
	}
}

// TestEveryDashboardIsShipped looks into what people wrote: each page has its ConfigMap, its GrafanaDashboard and its
// line in the documentation.
func TestEveryDashboardIsShipped(t *testing.T) {
	var k struct {
		GeneratorOptions   struct{ Labels, Annotations map[string]string } `json:"generatorOptions"`
		ConfigMapGenerator []struct {
			Name  string
			Files []string
		} `json:"configMapGenerator"`
	}
	if err := yaml.Unmarshal(read(t, "config/grafana/kustomization.yaml"), &k); err != nil {
		t.Fatal(err)
	}
	if k.GeneratorOptions.Labels["grafana_dashboard"] != "1" || k.GeneratorOptions.Annotations["grafana_folder"] != "Kith" {
		t.Errorf("the sidecar does not see the ConfigMaps: %+v", k.GeneratorOptions)
	}
	shipped := map[string]string{}
	for _, c := range k.ConfigMapGenerator {
		for _, f := range c.Files {
			shipped[f] = c.Name
		}
	}
	custom := string(read(t, "config/grafana/operator/dashboards.yaml"))
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	for name := range files {
		file, ok := strings.CutPrefix(name, "config/grafana/")
		if !ok {
			continue
		}
		pages++
		configMap, key := shipped[file], filepath.Base(file)
		if configMap == "" {
			t.Errorf("%s is in no ConfigMap", file)
		}
		if !strings.Contains(custom, "name: "+configMap+"\n    key: "+key+"\n") {
			t.Errorf("no GrafanaDashboard takes %s of ConfigMap %s", key, configMap)
		}
	}
	if pages != len(shipped) {
		t.Errorf("%d dashboards, %d in ConfigMaps", pages, len(shipped))
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	out, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
