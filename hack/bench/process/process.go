// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package process says what a running process costs, for measurements on Linux.
// Figures of /proc may enter; it never starts or stops anything.
package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process costs.
type Usage struct {
	// Resident memory, what of it no file backs (Anonymous), and the most that there was (Peak), in bytes.
	Resident, Anonymous, Peak int64
	// CPU time since it started.
	CPU time.Duration
}

// ticks per second of /proc/PID/stat on Linux.
const ticks = 100

// Of is what a process costs now.
func Of(pid int) (Usage, error) {
	var u Usage
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmRSS": &u.Resident, "RssAnon": &u.Anonymous, "VmHWM": &u.Peak}[name]
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
		u.CPU += time.Duration(n) * time.Second / ticks
	}
	return u, nil
}

// String is for people.
func (u Usage) String() string {
	return fmt.Sprintf("%d MiB resident (%d MiB anonymous, peak %d MiB), %.1f s CPU", u.Resident>>20, u.Anonymous>>20, u.Peak>>20, u.CPU.Seconds())
}
