// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Build says which Kith runs.
type Build struct {
	Version, Revision string
}

// NewRegistry makes the registry of a process: its own figures, Go's, and what was built.
func NewRegistry(b Build) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(BuildInfo(b), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// BuildInfo shows which Kith runs, for processes with a registry of their own.
func BuildInfo(b Build) prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: buildInfo, Help: helpOf(buildInfo)}, []string{"version", "revision", "goversion"})
	info.WithLabelValues(b.Version, b.Revision, runtime.Version()).Set(1)
	return info
}

// Handler serves what a registry gathers. What cannot be collected is left out and logged; the rest is served. At most
// four scrapes run at the same time, each for at most 15 s.
func Handler(g prometheus.Gatherer, log logr.Logger) http.Handler {
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{
		ErrorLog: scrapeLog{log}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4, Timeout: 15 * time.Second,
	})
}

type scrapeLog struct{ log logr.Logger }

// Println implements promhttp.Logger.
func (l scrapeLog) Println(v ...any) {
	for _, x := range v {
		if err, ok := x.(error); ok {
			l.log.Error(err, "Some metrics could not be collected")
		}
	}
}

// HTTP counts and times the calls of an API.
type HTTP struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	now      prometheus.Gauge
}

// NewHTTP registers the metrics of an API.
func NewHTTP(r prometheus.Registerer) *HTTP {
	h := &HTTP{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{Name: hubRequests, Help: helpOf(hubRequests)}, []string{"path", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: hubRequestDuration, Help: helpOf(hubRequestDuration),
			Buckets: []float64{.005, .02, .1, .5, 2, 10}}, []string{"path"}),
		now: prometheus.NewGauge(prometheus.GaugeOpts{Name: hubRequestsNow, Help: helpOf(hubRequestsNow)}),
	}
	r.MustRegister(h.total, h.duration, h.now)
	return h
}

// NewForbidden registers the counter of refused callers. Accounts are those that the operator made: they are few.
func NewForbidden(r prometheus.Registerer) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: hubForbidden, Help: helpOf(hubForbidden)}, []string{"account"})
	r.MustRegister(v)
	return v
}

// Count wraps the handler of one path. Path is the route, never what the caller wrote.
func (h *HTTP) Count(path string, next http.Handler) http.Handler {
	duration := h.duration.WithLabelValues(path)
	h.total.WithLabelValues(path, "200") // there from the start, so that a rate has a beginning
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		h.now.Inc()
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			h.now.Dec()
			duration.Observe(time.Since(start).Seconds())
			h.total.WithLabelValues(path, strconv.Itoa(sw.status)).Inc()
		}()
		next.ServeHTTP(sw, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(code int) {
	w.status = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
