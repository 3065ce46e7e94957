// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestImageNamesAreWhatTheArchiveSays(t *testing.T) {
	for name, tc := range map[string]struct {
		file, content string
		want          []string
	}{
		"docker":           {"manifest.json", `[{"RepoTags":["localhost/kith:a","localhost/kith:b"]}]`, []string{"localhost/kith:a", "localhost/kith:b"}},
		"docker, unnamed":  {"manifest.json", `[{"RepoTags":null}]`, nil},
		"oci":              {"index.json", `{"manifests":[{"annotations":{"org.opencontainers.image.ref.name":"localhost/kith:a"}}]}`, []string{"localhost/kith:a"}},
		"oci, full first":  {"./index.json", `{"manifests":[{"annotations":{"io.containerd.image.name":"localhost/kith:a","org.opencontainers.image.ref.name":"a"}}]}`, []string{"localhost/kith:a"}},
		"oci, a bare tag":  {"index.json", `{"manifests":[{"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}`, nil},
		"oci, unannotated": {"index.json", `{"manifests":[{}]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			archive, err := tarball(map[string][]byte{tc.file: []byte(tc.content)}, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "image.tar")
			if err := os.WriteFile(path, archive, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := imageNames(path)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("imageNames = %q, want %q", got, tc.want)
			}
		})
	}
}
