// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"testing"
	"time"
)

func TestAProcessIsOursOnlyWithItsStartTime(t *testing.T) {
	l := layout{run: t.TempDir()}
	if err := l.spawn("sleeper", []string{"sleep", "60"}); err != nil {
		t.Fatal(err)
	}
	p, ok := l.running("sleeper")
	if !ok {
		t.Fatal("it does not run")
	}
	if err := l.spawn("sleeper", []string{"sleep", "60"}); err == nil {
		t.Error("it was started twice")
	}
	if later := (process{PID: p.PID, Start: p.Start + "1"}); later.alive() {
		t.Error("another process with its number counts as it")
	}
	if err := l.terminate("sleeper", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if p.alive() {
		t.Error("it still runs")
	}
	if _, err := os.Stat(l.pidFile("sleeper")); !os.IsNotExist(err) {
		t.Errorf("its pid file is still there: %v", err)
	}
	if err := l.terminate("sleeper", 5*time.Second); err != nil {
		t.Errorf("stopping what has stopped: %v", err)
	}
}
