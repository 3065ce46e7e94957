// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// calls counts what an operator sends, leases and watches aside.
type calls struct {
	mu        sync.Mutex
	byVerb    map[string]int
	conflicts int
	log       []string
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (c *calls) count(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		c.mu.Lock()
		defer c.mu.Unlock()
		if r.Method != http.MethodGet {
			c.byVerb[r.Method+" "+resourceOf(r.URL.Path)]++
			c.log = append(c.log, r.Method+" "+r.URL.Path)
		} else if r.URL.Query().Get("watch") == "" {
			c.byVerb["GET"]++
		}
		if err == nil && resp.StatusCode == http.StatusConflict {
			c.conflicts++
		}
		return resp, err
	})
}

// resourceOf is the resource in a path below a namespace, with its subresource.
func resourceOf(path string) string {
	_, rest, _ := strings.Cut(path, "/namespaces/")
	parts := strings.Split(rest, "/")
	if len(parts) < 2 {
		return path
	}
	if len(parts) > 3 {
		return parts[1] + "/" + parts[3]
	}
	return parts[1]
}

// writes are those so far, by method and resource, without events.
func (c *calls) writes() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for verb, n := range c.byVerb {
		if verb != "GET" && !strings.HasSuffix(verb, " events") {
			out[verb] = n
		}
	}
	return out
}

// all is how many requests were sent, events and watches aside.
func (c *calls) all() int {
	n := 0
	for _, w := range c.writes() {
		n += w
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return n + c.byVerb["GET"]
}

// since are the writes after an earlier state.
func (c *calls) since(before map[string]int) map[string]int {
	out := map[string]int{}
	for verb, n := range c.writes() {
		if d := n - before[verb]; d > 0 {
			out[verb] = d
		}
	}
	return out
}

// settle waits until an operator has sent nothing for a while.
func (o *operator) settle(t *testing.T) {
	t.Helper()
	last, since := o.calls.all(), time.Now()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if n := o.calls.all(); n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > 1500*time.Millisecond {
			return
		}
	}
	t.Fatalf("the operator never comes to rest: %v", o.calls.writes())
}
