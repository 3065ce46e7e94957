// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/kith-dev/kith/internal/metrics"
)

// drainTime is how long calls under way may take once kith ends.
const drainTime = 5 * time.Second

// serve answers at an address until stop is called; an empty address means nowhere. Ready, if any, is told the address.
func serve(ctx context.Context, std Stdio, address string, server *http.Server, ready func(string)) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve at %s: %w; choose another address with --listen, or none with --listen ''", address, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			std.Log.Error(err, "serving ended", "address", address)
		}
	}()
	at := l.Addr().String()
	fmt.Fprintf(std.Err, "Metrics: http://%s/metrics/community (behaviours), http://%s/metrics (operations)\n", at, at)
	if ready != nil {
		ready(at)
	}
	return func() {
		// The caller's context has ended by now.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if err := server.Shutdown(last); err != nil {
			_ = server.Close() // they had their time
		}
		<-ended
	}, nil
}

func build(version string) metrics.Build {
	return metrics.Build{Version: BuildVersion(version), Revision: revision()}
}
