// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Command pause holds a pod's namespaces and reaps what is orphaned in them.
// Nothing else may enter: it is the only process of the sandbox image.
// It never opens a file or a socket.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if pid <= 0 || err != nil {
				break
			}
		}
	}
}
