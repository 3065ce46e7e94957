// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"errors"
	"net/http"

	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/metrics"
)

// Starting gives the handlers of a hub that cannot begin yet (see Handlers): callers that may read the status are told
// why (ServerOptions.Problem), all others are asked to come again.
func Starting(community func() string, o ServerOptions) (api, operations http.Handler) {
	o = o.withDefaults()
	s := &server{o: o}
	figures := metrics.NewRegistry(o.Build)
	api = s.safe(func(w http.ResponseWriter, r *http.Request) {
		caller, err := o.Verifier.Verify(r)
		if err == nil && r.Method == http.MethodGet && r.URL.Path == wire.PathStatus && (caller.All || caller.Status) {
			reason, problem := o.Problem()
			if reason == "" {
				reason, problem = wire.Starting, "the hub is starting"
			}
			s.answer(w, http.StatusOK, wire.Status{Community: community(), Engine: EngineVersion, ProblemReason: reason, Problem: problem})
			return
		}
		s.fail(w, r, &apiError{status: http.StatusServiceUnavailable, retryAfter: 5, message: "the hub is starting or stopping; where that takes long, its log says what it waits for"})
	})
	beside := http.NewServeMux()
	beside.Handle("GET /healthz", plain(func(context.Context) error { return nil }))
	beside.Handle("GET /readyz", plain(func(context.Context) error {
		if _, problem := o.Problem(); problem != "" {
			return errors.New(problem)
		}
		return errors.New("the hub is starting")
	}))
	beside.Handle("GET /metrics", metrics.Handler(figures, o.Log))
	return api, beside
}
