// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is what is remembered of a started component. The start time tells it from a later process with its number.
type process struct {
	PID   int    `json:"pid"`
	Start string `json:"start"`
}

// startTime is when the kernel started a process, in ticks since boot; empty when there is none.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name, in parentheses, may hold spaces. What follows it: state first, start time twentieth.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	// A process whose first thread has ended still holds its sockets until the others have, too.
	if threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)); fields[0] == "Z" && (err != nil || len(threads) < 2) {
		return ""
	}
	return fields[19]
}

func (p process) alive() bool { return p.Start != "" && startTime(p.PID) == p.Start }

func (l layout) pidFile(name string) string { return l.file("pids", name) }

// running reads what was started as name.
func (l layout) running(name string) (process, bool) {
	content, err := os.ReadFile(l.pidFile(name))
	if err != nil {
		return process{}, false
	}
	var p process
	if err := json.Unmarshal(content, &p); err != nil {
		return process{}, false
	}
	return p, p.alive()
}

// spawn starts a program that outlives this one, with its output in logs/NAME.log.
func (l layout) spawn(name string, command []string, env ...string) error {
	if p, ok := l.running(name); ok {
		return fmt.Errorf("%s runs already, as process %d", name, p.PID)
	}
	for _, dir := range []string{"logs", "pids"} {
		if err := os.MkdirAll(l.file(dir), 0o755); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(l.log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = l.run
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	p := process{PID: cmd.Process.Pid, Start: startTime(cmd.Process.Pid)}
	// Reap it if it ends before we do; afterwards that is init's work.
	go func() { _ = cmd.Wait() }()
	return os.WriteFile(l.pidFile(name), mustJSON(p), 0o644)
}

// terminate asks a component to end, and ends it if it does not within the patience.
func (l layout) terminate(name string, patience time.Duration) error {
	p, ok := l.running(name)
	if ok {
		if err := syscall.Kill(p.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stopping %s, process %d: %w", name, p.PID, err)
		}
		if !gone(p, patience) {
			if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("killing %s, process %d: %w", name, p.PID, err)
			}
			if !gone(p, patience) {
				return fmt.Errorf("%s, process %d, does not end even when killed", name, p.PID)
			}
		}
	}
	if err := os.Remove(l.pidFile(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func gone(p process, patience time.Duration) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if !p.alive() {
			return true
		}
	}
	return !p.alive()
}

// tail is the end of a component's log, for messages.
func (l layout) tail(name string) string {
	content, err := os.ReadFile(l.log(name))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return filepath.Base(l.log(name)) + ":\n  " + strings.Join(lines[max(0, len(lines)-8):], "\n  ")
}
