// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/metrics"
	"github.com/kith-dev/kith/internal/reader"
)

// ServerOptions of NewServer and Handler.
type ServerOptions struct {
	// Verifier tells callers of /v1 apart; nil recognises nobody.
	Verifier Verifier
	Log      logr.Logger
	// Problem says what whoever runs the hub cannot do for it, for the status; nil and "" mean nothing.
	Problem func() (reason wire.ProblemReason, message string)
	// Build is shown as kith_build_info.
	Build metrics.Build
	// Connectors gives the states shown in /metrics; nil means those that readers have reported. A hub whose connectors
	// run elsewhere and export their own gives an empty list.
	Connectors func() []reader.State
	// MaxPages bounds the pages in work at the same time (default 8), MaxRequests all other calls of /v1 (default 64).
	MaxPages, MaxRequests int
	// QueueWait is how long a call waits for its place before it is answered with 503. Default 2 s.
	QueueWait time.Duration
	// BusyAfter is how long a page waits for its channel (whose history may be being processed) before it is answered
	// with 503. Default 5 s.
	BusyAfter time.Duration
}

func (o ServerOptions) withDefaults() ServerOptions {
	set := func(v *int, to int) {
		if *v <= 0 {
			*v = to
		}
	}
	set(&o.MaxPages, 8)
	set(&o.MaxRequests, 64)
	if o.QueueWait <= 0 {
		o.QueueWait = 2 * time.Second
	}
	if o.BusyAfter <= 0 {
		o.BusyAfter = 5 * time.Second
	}
	if o.Verifier == nil {
		o.Verifier = sharedToken(func() (string, bool) { return "", false })
	}
	if o.Problem == nil {
		o.Problem = func() (wire.ProblemReason, string) { return "", "" }
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	return o
}

// NewServer makes the server of everything that a hub answers; see Bounded.
func NewServer(h *Hub, o ServerOptions) *http.Server { return Bounded(Handler(h, o), o) }

// Bounded makes a server of handlers of this package with bounded headers and times. Who calls it chooses address and TLS.
func Bounded(handler http.Handler, o ServerOptions) *http.Server {
	o = o.withDefaults()
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30*time.Second + o.QueueWait + 2*o.BusyAfter,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
}

// server answers the calls of one hub.
type server struct {
	hub  *Hub
	o    ServerOptions
	http *metrics.HTTP
	push *pusher
	// forbidden counts calls for channels that are not the caller's.
	forbidden *prometheus.CounterVec
	// refusals keeps callers that are not known from filling the log.
	refusals rate.Sometimes
	// community holds the figures of /metrics/community, for the status too.
	community *metrics.Community

	pages, others chan struct{}
}

// Handler gives everything that a hub answers at one address: Handlers' API and operations together.
func Handler(h *Hub, o ServerOptions) http.Handler {
	api, operations := Handlers(h, o)
	mux := http.NewServeMux()
	mux.Handle("/", api)
	for _, path := range operationsPaths {
		mux.Handle("GET "+path, operations)
	}
	return mux
}

// operationsPaths are for everybody who reaches them.
var operationsPaths = []string{"/healthz", "/readyz", "/metrics", "/metrics/community"}

// Handlers gives the hub's API, /v1, for callers that the Verifier knows, and beside it, for another address, what
// operations ask for: /healthz, /readyz, /metrics and /metrics/community.
func Handlers(h *Hub, o ServerOptions) (api, operations http.Handler) {
	o = o.withDefaults()
	s := &server{hub: h, o: o, pages: make(chan struct{}, o.MaxPages), others: make(chan struct{}, o.MaxRequests)}
	s.push, s.refusals = newPusher(h), rate.Sometimes{First: 10, Interval: refusalsEvery}
	figures, community := s.registries()
	mux := http.NewServeMux()
	handle := func(method, path string, slots chan struct{}, f func(http.ResponseWriter, *http.Request, Caller) (any, error)) {
		mux.Handle(path, s.http.Count(path, s.call(method, slots, f)))
	}
	handle(http.MethodPost, wire.PathLease, s.others, s.lease)
	handle(http.MethodPost, wire.PathPages, s.pages, s.page)
	handle(http.MethodPost, wire.PathState, s.others, s.state)
	handle(http.MethodGet, wire.PathSince, s.others, s.since)
	handle(http.MethodGet, wire.PathStatus, s.others, s.status)
	handle(http.MethodPost, wire.PathEvents, s.pages, s.events)
	mux.Handle("/", s.http.Count("other", s.safe(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, refuse(http.StatusNotFound, "there is nothing here: the API is under /v1"))
	})))
	beside := http.NewServeMux()
	beside.Handle("GET /healthz", plain(func(context.Context) error { return nil }))
	beside.Handle("GET /readyz", plain(h.ready))
	beside.Handle("GET /metrics", metrics.Handler(figures, o.Log))
	beside.Handle("GET /metrics/community", metrics.Handler(community, o.Log))
	return mux, beside
}

// refusalsEvery is how often callers that are not known are logged, beyond the first ones.
const refusalsEvery = 10 * time.Second

// call is what all calls of /v1 have in common: a caller, a place, a JSON answer.
func (s *server) call(method string, slots chan struct{}, f func(http.ResponseWriter, *http.Request, Caller) (any, error)) http.Handler {
	return s.safe(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			s.fail(w, r, refuse(http.StatusMethodNotAllowed, "%s takes %s", r.URL.Path, method))
			return
		}
		caller, err := s.o.Verifier.Verify(r)
		if err != nil {
			s.refusals.Do(func() { s.o.Log.Info("Caller refused", "path", r.URL.Path, "reason", err.Error()) })
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.fail(w, r, refuse(http.StatusUnauthorized, "the caller is not known: present the hub's token as Authorization: Bearer"))
			return
		}
		leave, err := s.enter(r.Context(), slots)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		defer leave()
		answer, err := f(w, r, caller)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.answer(w, http.StatusOK, answer)
	})
}

// enter waits a little for a place among the calls in work.
func (s *server) enter(ctx context.Context, slots chan struct{}) (leave func(), err error) {
	leave = func() { <-slots }
	select {
	case slots <- struct{}{}:
		return leave, nil
	default:
	}
	wait := time.NewTimer(s.o.QueueWait)
	defer wait.Stop()
	select {
	case slots <- struct{}{}:
		return leave, nil
	case <-wait.C:
		return nil, &apiError{status: http.StatusServiceUnavailable, retryAfter: 1, message: "the hub has too many calls in work: repeat it a little later"}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// safe turns a panic into a 500 that says nothing of it. The log gets where it happened, and no value, for it may be
// somebody's.
func (s *server) safe(f http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { //nolint:errorlint // recovered as it was thrown
				panic(v)
			}
			what := fmt.Sprintf("%T", v)
			if e, ok := v.(runtime.Error); ok {
				what = e.Error()
			}
			s.o.Log.Error(errors.New(what), "A call of the API panicked", "path", r.URL.Path, "stack", string(debug.Stack()))
			s.answer(w, http.StatusInternalServerError, wire.Error{Error: "the hub failed: its log says where"})
		}()
		f(w, r)
	})
}

// fail answers with an error, and hides those that are the hub's own.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*apiError](err)
	if !ok {
		e = s.translate(r, err)
	}
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	s.answer(w, e.status, wire.Error{Error: e.message, Conflict: e.conflict})
}

// translate gives the hub's errors their status.
func (s *server) translate(r *http.Request, err error) *apiError {
	conflict, isConflict := errors.AsType[*reader.Conflict](err)
	switch {
	case isConflict:
		return &apiError{status: http.StatusConflict, message: conflict.Error(), conflict: &wire.Conflict{
			Epoch: conflict.Epoch, Holder: conflict.Holder, Lane: conflict.Lane, Cursor: conflict.Cursor}}
	case errors.Is(err, reader.ErrRefused):
		return &apiError{status: http.StatusUnprocessableEntity, message: err.Error()}
	case errors.Is(err, ErrNoBlueprint):
		return &apiError{status: http.StatusServiceUnavailable, retryAfter: 5, message: ErrNoBlueprint.Error()}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &apiError{status: http.StatusServiceUnavailable, retryAfter: 5,
			message: "the channel is busy: its history is being processed, or another page of it is being written; send the page again"}
	case errors.Is(err, errFull), ledger.IsFull(err):
		return &apiError{status: http.StatusServiceUnavailable, retryAfter: 30, message: errFull.Error()}
	case errors.Is(err, ledger.ErrStorage):
		s.o.Log.Error(err, "The ledger cannot be read or written", "path", r.URL.Path)
		return &apiError{status: http.StatusServiceUnavailable, retryAfter: 10, message: "the hub's ledger cannot be read or written now: its log says why"}
	}
	s.o.Log.Error(err, "A call of the API failed", "path", r.URL.Path)
	return &apiError{status: http.StatusInternalServerError, message: "the hub failed: its log says why"}
}

func (s *server) answer(w http.ResponseWriter, status int, v any) {
	doc, err := json.Marshal(v)
	if err != nil {
		s.o.Log.Error(err, "An answer could not be encoded")
		status, doc = http.StatusInternalServerError, []byte(`{"error":"the hub failed: its log says why"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(doc, '\n')) // the caller has gone: there is nobody to tell
}

// plain answers a probe.
func plain(check func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := check(r.Context()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprintln(w, err) // the caller has gone: there is nobody to tell
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
}

// ready says whether the hub can take pages.
func (h *Hub) ready(ctx context.Context) error {
	if h.engine.Load() == nil {
		return ErrNoBlueprint
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var one int
	if err := h.ledger.Reader().QueryRowContext(ctx, "SELECT 1 FROM channels UNION SELECT 1 LIMIT 1").Scan(&one); err != nil {
		h.o.Log.Error(err, "The ledger cannot be read")
		return errors.New("the ledger cannot be read")
	}
	return nil
}

// ledgerName gives the resource that holds a channel of the ledger now; empty where the ledger does not know it.
func (h *Hub) ledgerName(ctx context.Context, ref event.ChannelRef) (string, error) {
	rs, err := h.ledger.Reader().QueryContext(ctx, "SELECT name FROM channels WHERE platform = ? AND instance = ? AND account = ?",
		ref.Platform, ref.Instance, ref.Account)
	if err != nil {
		return "", fmt.Errorf("read the %w: %w", ledger.ErrStorage, err)
	}
	defer func() { _ = rs.Close() }() // its error shows in rs.Err
	var name string
	for rs.Next() {
		if err := rs.Scan(&name); err != nil {
			return "", fmt.Errorf("read the %w: %w", ledger.ErrStorage, err)
		}
	}
	if err := rs.Err(); err != nil {
		return "", fmt.Errorf("read the %w: %w", ledger.ErrStorage, err)
	}
	return name, nil
}
