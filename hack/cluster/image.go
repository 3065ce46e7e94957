// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// pauseArchive writes the sandbox image: an OCI layout with one static program and no base.
func pauseArchive(l layout) (string, error) {
	program, err := os.ReadFile(l.bin("pause"))
	if err != nil {
		return "", err
	}
	layer, err := tarball(map[string][]byte{"pause": program}, 0o755)
	if err != nil {
		return "", err
	}
	files := map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)}
	blob := func(mediaType string, content []byte) map[string]any {
		sum := sha256.Sum256(content)
		digest := hex.EncodeToString(sum[:])
		files["blobs/sha256/"+digest] = content
		return map[string]any{"mediaType": mediaType, "digest": "sha256:" + digest, "size": len(content)}
	}
	layerBlob := blob("application/vnd.oci.image.layer.v1.tar", layer)
	config := blob("application/vnd.oci.image.config.v1+json", mustJSON(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"Entrypoint": []string{"/pause"}, "User": "65535:65535"},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []any{layerBlob["digest"]}},
	}))
	manifest := blob("application/vnd.oci.image.manifest.v1+json", mustJSON(map[string]any{
		"schemaVersion": 2, "config": config, "layers": []any{layerBlob},
	}))
	manifest["annotations"] = map[string]string{"io.containerd.image.name": pauseImage}
	files["index.json"] = mustJSON(map[string]any{"schemaVersion": 2, "manifests": []any{manifest}})
	archive, err := tarball(files, 0o644)
	if err != nil {
		return "", err
	}
	return l.write(archive, "pause.tar")
}

func tarball(files map[string][]byte, mode int64) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

// mustJSON marshals values that are made of strings, numbers, maps and slices only.
func mustJSON(v any) []byte {
	content, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return content
}

// load imports an archive into the node and gives its image a name that pods can use.
func load(ctx context.Context, l layout, archive string, name ...string) error {
	names, err := imageNames(archive)
	if err != nil {
		return fmt.Errorf("reading %s: %w", archive, err)
	}
	if len(names) == 0 && len(name) == 0 {
		return fmt.Errorf("%s names no image: give the name as a second argument, e.g. localhost/kith:dev", archive)
	}
	imported, err := ctr(ctx, l, "images", "import", "--base-name", "localhost/imported", "--digests", archive)
	if err != nil {
		return err
	}
	// With --digests every image is also known as localhost/imported@sha256:…, whatever the archive called it.
	_, rest, found := strings.Cut(imported, "localhost/imported@sha256:")
	if !found {
		return fmt.Errorf("ctr imported no image from %s:\n%s", archive, imported)
	}
	digest := "localhost/imported@sha256:" + rest[:64]
	for _, n := range append(names, name...) {
		if _, err := ctr(ctx, l, "images", "tag", "--force", digest, n); err != nil {
			return err
		}
		fmt.Println(n)
	}
	return nil
}

// imageNames are the full names in an archive: docker's RepoTags, or the reference annotations of an OCI layout.
func imageNames(archive string) ([]string, error) {
	file, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var names []string
	for r := tar.NewReader(file); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
		switch strings.TrimPrefix(header.Name, "./") {
		case "manifest.json":
			var manifest []struct{ RepoTags []string }
			if err := json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(&manifest); err != nil {
				return nil, err
			}
			for _, m := range manifest {
				names = append(names, m.RepoTags...)
			}
		case "index.json":
			var index struct {
				Manifests []struct{ Annotations map[string]string }
			}
			if err := json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(&index); err != nil {
				return nil, err
			}
			for _, m := range index.Manifests {
				for _, key := range []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"} {
					// A bare tag is no name.
					if n := m.Annotations[key]; strings.Contains(n, "/") {
						names = append(names, n)
						break
					}
				}
			}
		}
	}
}

// ctr runs containerd's client against our own containerd.
func ctr(ctx context.Context, l layout, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "ctr", append([]string{"--address", l.containerdSocket(), "--namespace", "k8s.io"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ctr %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
