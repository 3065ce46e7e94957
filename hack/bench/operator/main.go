// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	communities, channels int
	idle                  time.Duration
	keep                  string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) == 3 && os.Args[1] == childArgument {
		if err := operate(ctx, os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "operator:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.communities, "communities", 20, "how many Communities")
	flag.IntVar(&o.channels, "channels", 1000, "how many Channels, shared out among them")
	flag.DurationVar(&o.idle, "idle", 10*time.Minute, "how long to count what an idle operator writes")
	flag.StringVar(&o.keep, "log", "", "a file for the operator's log; thrown away where left out")
	flag.Parse()
	if err := bench(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
