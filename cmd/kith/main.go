// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command kith shows what the members of a community do for each other.
// One file for each subcommand may enter, which says what it is called, what it takes and how it is used.
// It decides nothing: internal/app does what the commands say.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones, for images without any

	_ "golang.org/x/crypto/x509roots/fallback" // root certificates, for images without any

	"github.com/kith-dev/kith/internal/app"
)

func main() {
	os.Exit(run())
}

func run() int {
	// The first signal ends what is under way in good order. After it signals do what they do by themselves, so that the
	// second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	err := newRoot().ExecuteContext(ctx)
	if err != nil && err != app.ErrReported { //nolint:errorlint // wrapped, it has something to add
		fmt.Fprintln(os.Stderr, "kith:", app.OneLine(err))
	}
	return app.ExitCode(err)
}
