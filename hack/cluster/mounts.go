// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// mountPoints below a folder, deepest first, and the cgroup hierarchies.
func mountPoints(keep func(point, kind string) bool) ([]string, error) {
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var points []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 2 && keep(unescape(fields[1]), fields[2]) {
			points = append(points, unescape(fields[1]))
		}
	}
	slices.Reverse(points)
	return points, nil
}

// unescape undoes the octal escapes of /proc/mounts.
func unescape(path string) string {
	for _, c := range []string{" ", "\t", "\n", "\\"} {
		path = strings.ReplaceAll(path, fmt.Sprintf("\\%03o", c[0]), c)
	}
	return path
}

// unmountBelow unmounts a folder, if it is one, and everything below it.
func unmountBelow(dir string) error {
	points, err := mountPoints(func(point, _ string) bool { return strings.HasPrefix(point+"/", dir+"/") })
	if err != nil {
		return err
	}
	var problems []error
	for _, point := range points {
		if syscall.Unmount(point, 0) != nil {
			if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil {
				problems = append(problems, fmt.Errorf("unmounting %s: %w", point, err))
			}
		}
	}
	return errors.Join(problems...)
}
