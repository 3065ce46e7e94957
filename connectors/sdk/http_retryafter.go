// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter finds the pause that a platform asks for with a refusal: in Retry-After (seconds, fractions, HTTP and ISO
// dates), in the body (Discourse's extras.wait_seconds, Telegram's parameters.retry_after, Discord's retry_after), or
// in headers that say when a limit is reset (delta, epoch in seconds or milliseconds, ISO). It is never negative and
// not capped; false where nothing is said.
func RetryAfter(h http.Header, body []byte, now time.Time) (time.Duration, bool) {
	if d, ok := parseDelay(h.Get("Retry-After"), now); ok {
		return d, true
	}
	if d, ok := bodyDelay(body); ok {
		return d, true
	}
	for _, k := range []string{"X-Ratelimit-Reset-After", "X-Ratelimit-Reset", "Ratelimit-Reset", "X-Rate-Limit-Reset"} {
		if d, ok := parseDelay(h.Get(k), now); ok && exhausted(h) {
			return d, true
		}
	}
	return 0, false
}

// exhausted: a reset time means a pause only where nothing is left, or the platform does not say what is.
func exhausted(h http.Header) bool {
	for _, k := range []string{"X-Ratelimit-Remaining", "Ratelimit-Remaining", "X-Rate-Limit-Remaining"} {
		if n, err := strconv.ParseFloat(h.Get(k), 64); err == nil && n > 0 {
			return false
		}
	}
	return true
}

func bodyDelay(body []byte) (time.Duration, bool) {
	var b struct {
		Extras struct {
			WaitSeconds *float64 `json:"wait_seconds"`
		} `json:"extras"`
		Parameters struct {
			RetryAfter *float64 `json:"retry_after"`
		} `json:"parameters"`
		RetryAfter *float64 `json:"retry_after"`
	}
	if len(body) == 0 || json.Unmarshal(body, &b) != nil {
		return 0, false
	}
	for _, s := range []*float64{b.Extras.WaitSeconds, b.Parameters.RetryAfter, b.RetryAfter} {
		if s != nil {
			return seconds(*s)
		}
	}
	return 0, false
}

// What a number means is told by its size: nobody asks for a pause of thirty years.
const (
	leastEpoch      = 1e9
	leastEpochMilli = 1e12
	leastEpochMicro = 1e15
)

var delayLayouts = []string{
	time.RFC1123Z, time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
}

func parseDelay(s string, now time.Time) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return 0, false
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		switch {
		case n >= leastEpochMicro:
			return 0, false
		case n >= leastEpochMilli:
			return until(time.UnixMilli(int64(n)), now)
		case n >= leastEpoch:
			return until(time.UnixMilli(int64(n*1000)), now)
		}
		return seconds(n)
	}
	if t, err := http.ParseTime(s); err == nil {
		return until(t, now)
	}
	for _, layout := range delayLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return until(t, now)
		}
	}
	return 0, false
}

func seconds(n float64) (time.Duration, bool) {
	if math.IsNaN(n) || n < 0 || n >= leastEpoch {
		return 0, false
	}
	return time.Duration(n * float64(time.Second)), true
}

// until is zero for times that have passed.
func until(t, now time.Time) (time.Duration, bool) {
	return max(t.Sub(now), 0), true
}
