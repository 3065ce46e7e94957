// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursetest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

// Fault answers a request instead of the forum; next is the forum.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// SetFault asks f before each request; nil from it, or for it, lets the forum answer.
func (s *Server) SetFault(f func(*http.Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// FailEvery lets every nth request fail, with the given faults in turn.
func (s *Server) FailEvery(n int, faults ...Fault) {
	var mu sync.Mutex
	count := 0
	s.SetFault(func(*http.Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if count++; count%n != 0 || len(faults) == 0 {
			return nil
		}
		return faults[(count/n-1)%len(faults)]
	})
}

// TooManyRequests answers 429 with Discourse's body.
func TooManyRequests(wait time.Duration) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		w.Header().Set("Discourse-Rate-Limit-Error-Code", "ip_10_secs_limit")
		w.WriteHeader(http.StatusTooManyRequests)
		_ = json.NewEncoder(w).Encode(object{
			"errors":     []string{"You’ve performed this action too many times, please try again later."},
			"error_type": "rate_limit",
			"extras":     object{"wait_seconds": seconds, "time_left": fmt.Sprintf("%d seconds", seconds)},
		})
	}
}

// Status answers with a status and a page, as a proxy before the forum does.
func Status(status int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<html><body><h1>%d %s</h1></body></html>", status, http.StatusText(status))
	}
}

// Truncated breaks off in the middle of the forum's answer.
func Truncated(w http.ResponseWriter, r *http.Request, next http.Handler) {
	whole := httptest.NewRecorder()
	next.ServeHTTP(whole, r)
	for k, v := range whole.Header() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
	w.WriteHeader(whole.Code)
	_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
}
