// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package samples_test holds the manifests that people copy to what a cluster accepts.
package samples_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/internal/crdcheck"
)

func TestEveryManifestIsAccepted(t *testing.T) {
	checker, err := crdcheck.New()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, dir := range []string{".", "../library"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "testdata":
				return filepath.SkipDir
			case d.IsDir() || filepath.Ext(path) != ".yaml" || d.Name() == "kustomization.yaml":
				return nil
			}
			t.Run(path, func(t *testing.T) {
				for _, obj := range manifests(t, path) {
					kinds[obj.GetKind()]++
					checker.Default(obj)
					for _, p := range checker.Validate(obj, nil) {
						t.Errorf("%s %s: %s", obj.GetKind(), obj.GetName(), p)
					}
				}
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range checker.Kinds() {
		if kinds[kind] == 0 {
			t.Errorf("there is no sample of a %s", kind)
		}
	}
}

// manifests reads a file's documents, strictly: a field given twice is an error.
func manifests(t *testing.T, path string) (all []*unstructured.Unstructured) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		obj := &unstructured.Unstructured{}
		if err := sigsyaml.UnmarshalStrict(document, &obj.Object); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if obj.Object != nil {
			all = append(all, obj)
		}
	}
}
