// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what a process costs.
type usage struct {
	// rss is resident memory, anonymous what of it is no file's, peak the most there was; bytes.
	rss, anonymous, peak int64
	cpu                  time.Duration
}

// ticks per second of /proc/PID/stat on Linux.
const ticks = 100

func usageOf(pid int) (usage, error) {
	var u usage
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmRSS": &u.rss, "RssAnon": &u.anonymous, "VmHWM": &u.peak}[name]
		if into == nil {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return u, fmt.Errorf("%s of process %d: %w", name, pid, err)
		}
		*into = kib << 10
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// What follows the name in parentheses: utime and stime are the 12th and 13th.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return u, fmt.Errorf("times of process %d: %w", pid, err)
		}
		u.cpu += time.Duration(n) * time.Second / ticks
	}
	return u, nil
}

func (u usage) String() string {
	return fmt.Sprintf("%d MiB resident (%d MiB anonymous, peak %d MiB), %.1f s CPU", u.rss>>20, u.anonymous>>20, u.peak>>20, u.cpu.Seconds())
}
