// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/internal/testing/envtest"
)

const (
	root      = "../.."
	image     = "registry.example:5000/kith@sha256:0000000000000000000000000000000000000000000000000000000000000000"
	namespace = "some-team"
)

// installs are the ways to install Kith.
var installs = []string{"default", "namespaced"}

// TestMain removes what render left.
func TestMain(m *testing.M) {
	code := envtest.Run(m)
	for _, file := range rendered {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// rendered remembers files: each test reads its own objects from them.
var rendered = map[string]string{}

// render gives what `make manifests` writes for one of them.
func render(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	if file, ok := rendered[folder]; ok {
		return read(t, file)
	}
	into := ""
	if folder == "namespaced" {
		into = namespace
	}
	dir, err := os.MkdirTemp("", "kith-install") // outlives the test that asks first
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, folder+".yaml")
	run(t, filepath.Join(root, "hack", "manifests.sh"), folder, file, image, into)
	rendered[folder] = file
	return read(t, file)
}

// kustomize renders a folder of config/ as it is.
func kustomize(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rendered.yaml")
	run(t, "go", "tool", "-modfile="+filepath.Join(root, "hack", "tools", "go.mod"), "kustomize", "build", filepath.Join(root, "config", folder), "-o", file)
	return read(t, file)
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// read gives a file's documents, strictly: a field given twice is an error.
func read(t *testing.T, file string) (all []*unstructured.Unstructured) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		o := &unstructured.Unstructured{}
		if err := sigsyaml.UnmarshalStrict(document, &o.Object); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if o.Object != nil { // not the comment before the first one
			all = append(all, o)
		}
	}
}

// pick gives all objects of a kind, typed.
func pick[T any](t *testing.T, objects []*unstructured.Unstructured, kinds ...string) (out []T) {
	t.Helper()
	for _, o := range objects {
		if !slices.Contains(kinds, o.GetKind()) {
			continue
		}
		var typed T
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, &typed, true); err != nil {
			t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
		out = append(out, typed)
	}
	return out
}
