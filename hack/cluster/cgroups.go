// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cgroups are our cgroup in every hierarchy: one with cgroup v2, one for each controller with v1, and both on hybrids.
func cgroups(l layout) []string {
	points, err := mountPoints(func(_, kind string) bool { return kind == "cgroup" || kind == "cgroup2" })
	if err != nil || len(points) == 0 {
		points = []string{"/sys/fs/cgroup"}
	}
	for i := range points {
		points[i] = filepath.Join(points[i], l.cgroup())
	}
	return points
}

// makeCgroups makes them. With cgroup v2, controllers have to be handed down first, which systemd usually has done.
func makeCgroups(l layout) error {
	for _, dir := range cgroups(l) {
		parent := filepath.Dir(dir)
		if controllers, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers")); err == nil {
			for _, controller := range strings.Fields(string(controllers)) {
				if err := os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil {
					return fmt.Errorf("handing the cgroup controller %s down: %w", controller, err)
				}
			}
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// killCgroups kills every process of every pod, and nothing else: pods' processes cannot leave their cgroup.
func killCgroups(l layout) {
	for _, dir := range cgroups(l) {
		_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() != "cgroup.procs" {
				return nil //nolint:nilerr // a cgroup that has gone is what we want
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return nil //nolint:nilerr // as above
			}
			for _, field := range strings.Fields(string(content)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
			return nil
		})
	}
}

func removeCgroups(ctx context.Context, l layout) error {
	return await(ctx, "an end of all pods' processes", 10*time.Second, func(context.Context) error {
		killCgroups(l)
		var problems []error
		for _, dir := range cgroups(l) {
			var found []string
			_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					found = append(found, path)
				}
				return nil
			})
			for _, path := range slices.Backward(found) {
				if err := syscall.Rmdir(path); err != nil && !errors.Is(err, syscall.ENOENT) {
					problems = append(problems, fmt.Errorf("removing cgroup %s: %w", path, err))
				}
			}
		}
		return errors.Join(problems...)
	})
}
