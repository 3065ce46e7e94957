// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

const usage = `usage:
  pictures dashboard -prometheus URL -dashboard FILE [-var NAME=VALUE …] [-range 30d] [-end TIME] [-rows 28] -o FILE.svg
  pictures terminal -script FILE [-cast FILE.cast] -o FILE.svg
  pictures forum [-listen ADDRESS] [-archive FILE] [-every 3s]`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(args) == 0 {
		return errors.New(usage)
	}
	switch args[0] {
	case "dashboard":
		return runDashboard(ctx, args[1:])
	case "terminal":
		return runTerminal(ctx, args[1:])
	case "forum":
		return runForum(ctx, args[1:])
	}
	return fmt.Errorf("%q is not known\n%s", args[0], usage)
}

func runDashboard(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("dashboard", flag.ContinueOnError)
	o := dashboardOptions{variables: variables{}}
	f.StringVar(&o.prometheus, "prometheus", "http://127.0.0.1:9090", "address of Prometheus")
	f.StringVar(&o.file, "dashboard", "", "the dashboard's JSON")
	f.Var(o.variables, "var", "a variable of the dashboard, NAME=VALUE; may be repeated")
	f.DurationVar(&o.span, "range", 6*time.Hour, "how far back")
	f.IntVar(&o.rows, "rows", 0, "only what begins within so many rows of the grid; 0: all")
	end := f.String("end", "", "until when, RFC 3339; now where left out")
	out := f.String("o", "", "the picture to write")
	if err := f.Parse(args); err != nil {
		return err
	}
	if o.file == "" || *out == "" {
		return errors.New(usage)
	}
	o.end = time.Now()
	if *end != "" {
		t, err := time.Parse(time.RFC3339, *end)
		if err != nil {
			return fmt.Errorf("-end: %w", err)
		}
		o.end = t
	}
	svg, err := drawDashboard(ctx, o)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, svg, 0o644)
}

func runTerminal(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("terminal", flag.ContinueOnError)
	script := f.String("script", "", "commands, one a line; lines that begin with # are shown as they are")
	cast := f.String("cast", "", "an asciicast to write beside the picture")
	out := f.String("o", "", "the picture to write")
	title := f.String("title", "", "what the picture shows")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *script == "" || *out == "" {
		return errors.New(usage)
	}
	lines, err := os.ReadFile(*script)
	if err != nil {
		return err
	}
	rec, err := record(ctx, strings.Split(strings.TrimSpace(string(lines)), "\n"))
	if err != nil {
		return err
	}
	if *cast != "" {
		doc, err := rec.cast(*title)
		if err != nil {
			return err
		}
		if err := os.WriteFile(*cast, doc, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(*out, rec.svg(*title), 0o644)
}

// variables are a dashboard's, by name.
type variables map[string]string

// String implements flag.Value.
func (v variables) String() string { return "" }

// Set implements flag.Value.
func (v variables) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return errors.New("NAME=VALUE is expected")
	}
	v[name] = value
	return nil
}
