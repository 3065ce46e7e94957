// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
)

// retryTime is how often what cannot begin is tried again where nothing tells that it could.
const retryTime = 10 * time.Second

// handler is an http.Handler that can be exchanged.
type handler struct {
	mu   sync.RWMutex
	next http.Handler
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	h.next.ServeHTTP(w, r)
}

// use exchanges the handler once no call is in work any more.
func (h *handler) use(next http.Handler) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next = next
}

// trouble is what a process cannot do now. It is logged when it begins, when it becomes another one and when it is over.
type trouble struct {
	log logr.Logger

	mu      sync.Mutex
	reason  wire.ProblemReason
	message string
}

// set tells what is wrong; an empty reason means that all is well.
func (t *trouble) set(reason wire.ProblemReason, message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reason == reason && t.message == message {
		return
	}
	switch {
	case reason == "":
		t.log.Info("All is well again", "before", t.reason)
	case reason == wire.ConfigurationIncomplete:
		t.log.Info("Waiting for the configuration", "reason", reason, "message", message)
	default:
		t.log.Error(errors.New(message), "Something keeps this process from doing all of its work; it goes on by itself once that is corrected", "reason", reason)
	}
	t.reason, t.message = reason, message
}

func (t *trouble) get() (wire.ProblemReason, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reason, t.message
}

// configuration says what an error of delivered files comes to. What is not there yet comes, in parts, with the kubelet's
// next syncs.
func configuration(err error) (wire.ProblemReason, string) {
	switch {
	case err == nil:
		return "", ""
	case errors.Is(err, delivery.ErrIncomplete), errors.Is(err, fs.ErrNotExist):
		return wire.ConfigurationIncomplete, OneLine(err)
	}
	return wire.ConfigurationUnusable, OneLine(err)
}

// waitFor waits until a channel is told, a time has passed or ctx ends.
func waitFor(ctx context.Context, c <-chan struct{}, most time.Duration) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-c:
	case <-t.C:
	}
}
