// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"
)

// binary is one program to build.
type binary struct {
	name string
	pkg  string
	dir  string // of its module, below hack/cluster
}

var allBinaries = []binary{
	{name: "etcd", pkg: "go.etcd.io/etcd/server/v3"},
	{name: "kube-apiserver", pkg: "k8s.io/kubernetes/cmd/kube-apiserver"},
	{name: "kube-controller-manager", pkg: "k8s.io/kubernetes/cmd/kube-controller-manager"},
	{name: "kube-scheduler", pkg: "k8s.io/kubernetes/cmd/kube-scheduler"},
	{name: "kubelet", pkg: "k8s.io/kubernetes/cmd/kubelet"},
	{name: "kube-proxy", pkg: "k8s.io/kubernetes/cmd/kube-proxy"},
	{name: "kubectl", pkg: "k8s.io/kubernetes/cmd/kubectl"},
	{name: "coredns", pkg: ".", dir: "coredns"},
	{name: "netpol", pkg: ".", dir: "netpol"},
	{name: "pause", pkg: "./pause"},
}

// envtestBinaries are what sigs.k8s.io/controller-runtime/pkg/envtest starts, and what test/resources has clean up after
// deleted objects.
var envtestBinaries = []string{"etcd", "kube-apiserver", "kubectl", "kube-controller-manager"}

// build builds each binary whose module, source or flags changed since.
func build(ctx context.Context, l layout, binaries ...binary) error {
	version, err := kubernetesVersion(l)
	if err != nil {
		return err
	}
	ldflags := "-s -w -X k8s.io/component-base/version.gitVersion=" + version
	unlock, err := lock(l)
	if err != nil {
		return err
	}
	defer unlock()
	for _, b := range binaries {
		stamp, err := b.stamp(l, ldflags)
		if err != nil {
			return err
		}
		stampFile := l.bin("." + b.name + ".built")
		if done, err := os.ReadFile(stampFile); err == nil && string(done) == stamp {
			if _, err := os.Stat(l.bin(b.name)); err == nil {
				continue
			}
		}
		begin := time.Now()
		fmt.Fprintf(os.Stderr, "building %s (the first time takes minutes) …\n", b.name)
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", ldflags, "-o", l.bin(b.name), b.pkg)
		cmd.Dir = filepath.Join(l.source(), b.dir)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("building %s in %s: %w", b.pkg, cmd.Dir, err)
		}
		if err := os.WriteFile(stampFile, []byte(stamp), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "built %s in %s\n", b.name, time.Since(begin).Round(time.Second))
	}
	return nil
}

// lock lets one process build at a time: test binaries run side by side, and each asks for the same files.
func lock(l layout) (func(), error) {
	if err := os.MkdirAll(l.bin(""), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(l.bin(".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", file.Name(), err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

// stamp is what a binary is made of: its module's pins, its source here and the flags.
func (b binary) stamp(l layout, ldflags string) (string, error) {
	dir := filepath.Join(l.source(), b.dir)
	files := []string{filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")}
	if b.pkg[0] == '.' {
		sources, err := filepath.Glob(filepath.Join(dir, b.pkg, "*.go"))
		if err != nil {
			return "", err
		}
		files = append(files, sources...)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, b.pkg, ldflags)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

var versionLine = regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes (v\S+)`)

// kubernetesVersion is the pin in go.mod, which a plain build would not report.
func kubernetesVersion(l layout) (string, error) {
	content, err := os.ReadFile(filepath.Join(l.source(), "go.mod"))
	if err != nil {
		return "", err
	}
	match := versionLine.FindSubmatch(content)
	if match == nil {
		return "", fmt.Errorf("%s/go.mod requires no k8s.io/kubernetes", l.source())
	}
	return string(match[1]), nil
}

// assets prints the folder that KUBEBUILDER_ASSETS should name.
func assets(ctx context.Context, l layout) error {
	wanted := slices.DeleteFunc(slices.Clone(allBinaries), func(b binary) bool {
		return !slices.Contains(envtestBinaries, b.name)
	})
	if err := build(ctx, l, wanted...); err != nil {
		return err
	}
	fmt.Println(l.bin(""))
	return nil
}
