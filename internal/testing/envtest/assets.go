// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package envtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// AssetsVariable names the folder with kube-apiserver, etcd and kubectl, as everywhere with envtest.
const AssetsVariable = "KUBEBUILDER_ASSETS"

// Assets is that folder: the one that the environment names, else hack/cluster's, which builds what is missing. Several
// test binaries may ask at once: hack/cluster lets one build and the others wait.
func Assets(ctx context.Context) (string, error) {
	if dir := os.Getenv(AssetsVariable); dir != "" {
		return dir, nil
	}
	root, err := checkout()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "run", ".", "assets")
	cmd.Dir = filepath.Join(root, "hack", "cluster")
	// The flags of the tests (race, a workspace, modules to ignore) are not those of that module.
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build kube-apiserver and etcd in %s, as %s is not set: %w\n%s", cmd.Dir, AssetsVariable, err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// checkout is the folder of the main module: tests run in their package's.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "hack", "cluster", "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no hack/cluster here or above: run the tests inside a checkout of Kith")
		}
		dir = filepath.Dir(dir)
	}
}
