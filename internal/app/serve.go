// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"

	"github.com/kith-dev/kith/internal/metrics"
)

// drainTime is how long calls under way may take once kith ends.
const drainTime = 5 * time.Second

// serve answers at an address until stop is called; an empty address means nowhere. Ready, if any, is told the address.
func serve(ctx context.Context, std Stdio, address string, server *http.Server, ready func(string)) (stop func(), err error) {
	return listen(ctx, std, listener{flag: "--listen", address: address}, server, func(at string) {
		if address == "" {
			return
		}
		fmt.Fprintf(std.Err, "Metrics: http://%s/metrics/community (behaviours), http://%s/metrics (operations)\n", at, at)
		if ready != nil {
			ready(at)
		}
	})
}

// listener is where a server listens.
type listener struct {
	// flag is the one that names the address.
	flag, address string
	// tlsDir holds the certificate; empty: plain HTTP.
	tlsDir string
}

// listen answers at an address until stop is called; an empty address means nowhere.
func listen(ctx context.Context, std Stdio, at listener, server *http.Server, ready func(string)) (stop func(), err error) {
	if at.address == "" {
		return func() {}, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at.address)
	if err != nil {
		return nil, fmt.Errorf("serve at %s: %w; choose another address with %s, or none with %s ''", at.address, err, at.flag, at.flag)
	}
	serve := server.Serve
	if at.tlsDir != "" {
		server.TLSConfig = serverTLS(at.tlsDir)
		server.ErrorLog = tlsLog(std.Log)
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			std.Log.Error(err, "serving ended", "address", at.address)
		}
	}()
	if ready != nil {
		ready(l.Addr().String())
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

// tlsLog takes what the server says of connections that did not come about: a probe, a caller with an older certificate.
func tlsLog(log logr.Logger) *stdlog.Logger {
	return stdlog.New(writerFunc(func(p []byte) (int, error) {
		log.V(1).Info("Connection refused", "error", strings.TrimSpace(string(p)))
		return len(p), nil
	}), "", 0)
}

type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func build(version string) metrics.Build {
	return metrics.Build{Version: BuildVersion(version), Revision: revision()}
}
