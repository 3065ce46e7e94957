// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command smoke runs a built kith as a user would: from a folder of manifests to metrics, then again on the same
// ledger.
// What a binary must do on the quickstart may enter; finer questions belong into tests.
// It never looks inside: only the command line, the exit code and HTTP.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// wanted are the series that must have a value above zero, by the beginning of their line.
var wanted = map[string][]string{
	"/metrics/community": {"kith_objective_cases{", "kith_objective_share_ratio{", "kith_questions{"},
	"/metrics":           {"kith_connector_state{", "go_goroutines"},
}

func main() {
	kith := flag.String("kith", "bin/kith", "the binary")
	manifests := flag.String("manifests", "config/samples/quickstart", "the folder that it reads")
	timeout := flag.Duration("timeout", 3*time.Minute, "for everything together")
	flag.Parse()
	if err := smoke(*kith, *manifests, *timeout); err != nil {
		fmt.Fprintln(os.Stderr, "smoke:", err)
		os.Exit(1)
	}
	fmt.Println("smoke: ok")
}

func smoke(kith, manifests string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	data, err := os.MkdirTemp("", "kith-smoke-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(data) }()
	if err := serve(ctx, kith, manifests, data); err != nil {
		return fmt.Errorf("first run: %w", err)
	}
	again := command(ctx, kith, manifests, data, "--exit-when-read", "--listen", "127.0.0.1:0")
	if err := again.Run(); err != nil {
		return fmt.Errorf("second run on the same ledger, which ends when everything has been read: %w", err)
	}
	return nil
}

// serve starts kith, waits for its metrics and asks it to stop.
func serve(ctx context.Context, kith, manifests, data string) error {
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	run := command(ctx, kith, manifests, data, "--listen", address)
	if err := run.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()

	for path, prefixes := range wanted {
		if err := await(ctx, "http://"+address+path, prefixes, ended); err != nil {
			_ = run.Process.Kill()
			return err
		}
	}
	fmt.Printf("smoke: all metrics were there after %s\n", time.Since(begin).Round(10*time.Millisecond))
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("after SIGTERM: %w", err)
	}
	return nil
}

func command(ctx context.Context, kith, manifests, data string, more ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, kith, append([]string{"run", "-f", manifests, "--data-dir", data}, more...)...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	return c
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// await asks until every prefix begins a line with a value above zero, or kith ends, or time is over.
func await(ctx context.Context, url string, prefixes []string, ended <-chan error) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		missing, err := lacks(ctx, url, prefixes)
		if err == nil && len(missing) == 0 {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("kith ended before %s was there: %w", url, errors.Join(err, errEnded))
		case <-ctx.Done():
			return fmt.Errorf("%s: still without %s: %w", url, strings.Join(missing, ", "), errors.Join(err, ctx.Err()))
		case <-tick.C:
		}
	}
}

var errEnded = errors.New("it was to go on until told to stop")

// lacks returns the prefixes that no line with a value above zero has.
func lacks(ctx context.Context, url string, prefixes []string) ([]string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return prefixes, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return prefixes, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return prefixes, fmt.Errorf("%s: %s", url, response.Status)
	}
	found := map[string]bool{}
	lines := bufio.NewScanner(io.LimitReader(response.Body, 16<<20))
	for lines.Scan() {
		for _, prefix := range prefixes {
			if strings.HasPrefix(lines.Text(), prefix) && value(lines.Text()) > 0 {
				found[prefix] = true
			}
		}
	}
	var missing []string
	for _, prefix := range prefixes {
		if !found[prefix] {
			missing = append(missing, prefix)
		}
	}
	return missing, lines.Err()
}

// value is the number at the end of a line of the exposition format; 0 where there is none.
func value(line string) float64 {
	v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
	if err != nil {
		return 0
	}
	return v
}
