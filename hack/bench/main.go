// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures Kith on this machine: `make bench`. The last line of each benchmark is its figure.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
)

type benchmark struct {
	name, about string
	run         func(context.Context, options) error
}

type options struct {
	events   int
	channels int
	binary   string
	data     string
}

func main() {
	var o options
	cpu := flag.String("cpuprofile", "", "write a CPU profile to this file")
	flag.IntVar(&o.events, "events", 200_000, "events of the synthetic benchmark; the growth benchmark goes to -grow")
	flag.IntVar(&grow, "grow", 500_000, "events of the growth benchmark (5000000 for the full curve)")
	flag.IntVar(&o.channels, "channels", 1000, "channels of the idle benchmark")
	flag.StringVar(&o.binary, "kith", "bin/kith", "the built program, for the start-up benchmark")
	flag.StringVar(&o.data, "data", "../shared/data/discourse-forum/topics", "a folder of real topics; skipped where missing")
	flag.DurationVar(&settle, "settle", settle, "how long the footprint benchmark leaves processes alone before it measures them")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: bench [flags] [all | NAME…]")
		for _, b := range benchmarks {
			fmt.Fprintf(os.Stderr, "  %-10s %s\n", b.name, b.about)
		}
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(o, *cpu, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options, cpu string, names []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if cpu != "" {
		f, err := os.Create(cpu) // #nosec G304 -- named on the command line
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for _, b := range benchmarks {
		if !wanted(b.name, names) {
			continue
		}
		fmt.Printf("== %s: %s\n", b.name, b.about)
		if err := b.run(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return nil
}

func wanted(name string, names []string) bool {
	for _, n := range names {
		if n == name || n == "all" {
			return true
		}
	}
	return len(names) == 0
}

var benchmarks = []benchmark{
	{"synthetic", "HTTP pages of 500 → conversation → 20 behaviours → durable commit → metrics, invented live traffic", synthetic},
	{"growth", "the same, as the ledger grows", growth},
	{"start", "time from starting kith to its first metrics", start},
	{"footprint", "anonymous memory of connectors with 1 and 200 idle channels, and of their hubs, in processes as in pods", footprint},
	{"idle", "memory for each idle channel, many in one process", idle},
	{"real", "the forum year from its archive, history in its own order, 20 behaviours", realYear},
}
