// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command cluster is a real Kubernetes of one node on this machine, from Go modules and Debian packages.
// What it takes to build, start, break on purpose, stop and remove it may enter.
// It never touches the system's containerd, a cluster that somebody else made, or anything that it cannot restore.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `usage: go run . COMMAND

  build              build the binaries into .cache/cluster/bin, where they are stale
  assets             build what envtest needs and print its folder (KUBEBUILDER_ASSETS)
  up                 bring the cluster up (root; installs Debian packages that are missing)
  down               take it down and leave nothing behind but what was built
  status             what runs, and where
  load FILE [NAME]   import an oci-archive or docker-archive into the node, under NAME if the archive has none
  stop COMPONENT     stop a component, as a fault
  start COMPONENT    start it again
  restart COMPONENT  stop and start it

components: `

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(usage + strings.Join(componentNames(), ", "))
	}
	l, err := newLayout()
	if err != nil {
		return err
	}
	command, args := args[0], args[1:]
	switch {
	case command == "build" && len(args) == 0:
		return build(ctx, l, allBinaries...)
	case command == "assets" && len(args) == 0:
		return assets(ctx, l)
	case command == "up" && len(args) == 0:
		return up(ctx, l)
	case command == "down" && len(args) == 0:
		return down(ctx, l)
	case command == "status" && len(args) == 0:
		return status(ctx, l)
	case command == "load" && (len(args) == 1 || len(args) == 2):
		return load(ctx, l, args[0], args[1:]...)
	case command == "stop" && len(args) == 1:
		return stopComponent(l, args[0])
	case command == "start" && len(args) == 1:
		return startComponent(ctx, l, args[0])
	case command == "restart" && len(args) == 1:
		if err := stopComponent(l, args[0]); err != nil {
			return err
		}
		return startComponent(ctx, l, args[0])
	case command == "provision" && len(args) == 0: // what `up` starts as the component "provisioner"
		return provision(ctx, l)
	}
	return fmt.Errorf("unknown command %q\n%s%s", strings.Join(append([]string{command}, args...), " "), usage,
		strings.Join(componentNames(), ", "))
}
