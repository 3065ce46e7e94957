// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// command runs a program in dir and gives what it wrote; errors hold that too.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	return pipe(ctx, dir, nil, name, args...)
}

// pipe is command with an input.
func pipe(ctx context.Context, dir string, in []byte, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(in)
	var out, both bytes.Buffer
	cmd.Stdout = &tee{&out, &both}
	cmd.Stderr = &both
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, both.String())
	}
	return out.String(), nil
}

// background runs a program until the test ends, or it is stopped, and keeps what it says in a file.
func background(t *testing.T, log string, env []string, name string, args ...string) (stop func()) {
	t.Helper()
	says, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = says, says
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = says.Close() // it has its own
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// tee writes to both.
type tee struct{ a, b *bytes.Buffer }

func (t *tee) Write(p []byte) (int, error) {
	t.a.Write(p)
	return t.b.Write(p)
}

// eventually waits until check has no more to complain about, and says what it waits for when that takes long.
func eventually(t *testing.T, what string, patience time.Duration, check func(context.Context) error) {
	t.Helper()
	begin := time.Now()
	said := begin
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := check(ctx)
		cancel()
		switch {
		case err == nil:
			t.Logf("%s: after %s", what, time.Since(begin).Round(100*time.Millisecond))
			return
		case t.Context().Err() != nil:
			t.Fatalf("%s: the test ended: %v", what, err)
		case time.Since(begin) > patience:
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		case time.Since(said) > 30*time.Second:
			said = time.Now()
			t.Logf("%s: waiting: %v", what, err)
		}
		sleep(t, time.Second)
	}
}

// sleep ends early with the test.
func sleep(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}
