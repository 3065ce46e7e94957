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

// cgroups are our cgroup in every hierarchy: one with cgroup v2, one for each controller with v1.
func cgroups() []string {
	points, err := mountPoints(func(_, kind string) bool { return kind == "cgroup" })
	if err != nil || len(points) == 0 {
		points = []string{"/sys/fs/cgroup"}
	}
	for i := range points {
		points[i] = filepath.Join(points[i], cgroup)
	}
	return points
}

// killCgroups kills every process of every pod, and nothing else: pods' processes cannot leave their cgroup.
func killCgroups() {
	for _, dir := range cgroups() {
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

func removeCgroups(ctx context.Context) error {
	return await(ctx, "an end of all pods' processes", 10*time.Second, func(context.Context) error {
		killCgroups()
		var problems []error
		for _, dir := range cgroups() {
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
