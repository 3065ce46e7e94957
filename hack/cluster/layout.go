// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The cluster's addresses. Everything listens on loopback or on hostAddress, which is the bridge's own.
const (
	bridge      = "kith0"
	hostAddress = "10.89.0.1"
	podRange    = "10.89.0.0/24"
	services    = "10.90.0.0/24"
	apiService  = "10.90.0.1" // the first of services is always the API server's
	apiAddress  = hostAddress + ":6443"
	etcdAddress = "127.0.0.1:12379"
	etcdPeers   = "127.0.0.1:12380"
	domain      = "cluster.local"
	nodeName    = "kith"
	pauseImage  = "localhost/kith-pause:1"
)

// maxRun keeps the longest socket below 'run' under the 108 bytes that a Unix socket's address may have.
const maxRun = 70

// layout is where things are.
type layout struct {
	root  string // the checkout
	cache string // .cache/cluster: what outlives the cluster
	run   string // .cache/cluster/run: what goes with it
}

func newLayout() (layout, error) {
	dir, err := os.Getwd()
	if err != nil {
		return layout{}, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "hack", "cluster", "go.mod")); err == nil {
			break
		} else if !errors.Is(err, os.ErrNotExist) {
			return layout{}, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return layout{}, errors.New("run this inside a checkout of Kith: no hack/cluster/go.mod here or above")
		}
		dir = parent
	}
	cache := filepath.Join(dir, ".cache", "cluster")
	return layout{root: dir, cache: cache, run: filepath.Join(cache, "run")}, nil
}

func (l layout) source() string          { return filepath.Join(l.root, "hack", "cluster") }
func (l layout) bin(name string) string  { return filepath.Join(l.cache, "bin", name) }
func (l layout) kubeconfig() string      { return filepath.Join(l.cache, "kubeconfig") }
func (l layout) hostAddressFile() string { return filepath.Join(l.cache, "host-address") }
func (l layout) file(parts ...string) string {
	return filepath.Join(append([]string{l.run}, parts...)...)
}
func (l layout) pki(name string) string    { return l.file("pki", name) }
func (l layout) log(name string) string    { return l.file("logs", name+".log") }
func (l layout) config(user string) string { return l.file("kubeconfig", user) }
func (l layout) containerdSocket() string  { return l.file("containerd.sock") }

// cgroup is a name that no other checkout has: what is in it is killed at the end.
func (l layout) cgroup() string {
	sum := sha256.Sum256([]byte(l.root))
	return "kith-cluster-" + hex.EncodeToString(sum[:4])
}

// checkLength refuses checkouts so deep that sockets cannot be bound.
func (l layout) checkLength() error {
	if len(l.run) > maxRun {
		return fmt.Errorf("%s is longer than %d bytes and sockets below it could not be bound: use a checkout with a shorter path", l.run, maxRun)
	}
	return nil
}

// write puts a file below run, for root only.
func (l layout) write(content []byte, parts ...string) (string, error) {
	path := l.file(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, content, 0o600)
}
