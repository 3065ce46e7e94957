// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/connectors/sdk"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that sleeping moves.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), append(c.slept, d)
	return ctx.Err()
}

func options(c *clock) sdk.HTTPOptions {
	return sdk.HTTPOptions{Now: c.Now, Sleep: c.Sleep, Jitter: func() float64 { return 0 }}
}

// script answers with its steps in turn, the last one for ever.
type script struct {
	mu    sync.Mutex
	steps []http.HandlerFunc
	calls int
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	step := s.steps[min(s.calls, len(s.steps)-1)]
	s.calls++
	s.mu.Unlock()
	step(w, r)
}

func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// broken promises more than it sends.
func broken(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"a":`)
}

func TestDo(t *testing.T) {
	type outcome struct {
		Calls      int
		Body       string
		Reason     sdk.Reason
		RetryAfter time.Duration
		Permanent  bool
		Status     int
		ErrorBody  string
		Slept      []time.Duration
	}
	s := time.Second
	ms := time.Millisecond
	tests := map[string]struct {
		steps   []http.HandlerFunc
		request sdk.Request
		login   bool
		want    outcome
	}{
		"at once":      {steps: []http.HandlerFunc{answer(200, "ok")}, want: outcome{Calls: 1, Body: "ok"}},
		"not modified": {steps: []http.HandlerFunc{answer(304, "")}, want: outcome{Calls: 1}},
		"502, then good": {
			steps: []http.HandlerFunc{answer(502, "bad gateway"), answer(200, "ok")},
			want:  outcome{Calls: 2, Body: "ok", Slept: []time.Duration{250 * ms}},
		},
		"502 for ever": {
			steps: []http.HandlerFunc{answer(502, "bad gateway")},
			want: outcome{Calls: 5, Reason: sdk.PlatformError, Status: 502, ErrorBody: "bad gateway",
				Slept: []time.Duration{250 * ms, 500 * ms, s, 2 * s}},
		},
		"501 is not repeated": {
			steps: []http.HandlerFunc{answer(501, "")},
			want:  outcome{Calls: 1, Reason: sdk.PlatformError, Status: 501},
		},
		"429 with a short pause": {
			steps: []http.HandlerFunc{answer(429, "", "Retry-After", "3"), answer(200, "ok")},
			want:  outcome{Calls: 2, Body: "ok", Slept: []time.Duration{3 * s}},
		},
		"429 with a fraction": {
			steps: []http.HandlerFunc{answer(429, "", "Retry-After", "0.5"), answer(200, "ok")},
			want:  outcome{Calls: 2, Body: "ok", Slept: []time.Duration{500 * ms}},
		},
		"429 as Discourse says it": {
			steps: []http.HandlerFunc{answer(429, `{"extras":{"wait_seconds":4}}`, "Discourse-Rate-Limit-Error-Code", "ip_10_secs_limit"), answer(200, "ok")},
			want:  outcome{Calls: 2, Body: "ok", Slept: []time.Duration{4 * s}},
		},
		"429 with a long pause is the runtime's": {
			steps: []http.HandlerFunc{answer(429, "later", "Retry-After", "60")},
			want:  outcome{Calls: 1, Reason: sdk.RateLimited, RetryAfter: time.Minute, Status: 429, ErrorBody: "later"},
		},
		"429 with an absurd pause is capped": {
			steps: []http.HandlerFunc{answer(429, "", "Retry-After", "Sun, 01 Mar 2026 20:00:00 GMT")},
			want:  outcome{Calls: 1, Reason: sdk.RateLimited, RetryAfter: 5 * time.Minute, Status: 429},
		},
		"429 for ever": {
			steps: []http.HandlerFunc{answer(429, "", "Retry-After", "2")},
			want: outcome{Calls: 5, Reason: sdk.RateLimited, RetryAfter: 2 * s, Status: 429,
				Slept: []time.Duration{2 * s, 2 * s, 2 * s, 2 * s}},
		},
		"403 because nothing is left": {
			steps: []http.HandlerFunc{answer(403, "", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1772366460")},
			login: true, want: outcome{Calls: 1, Reason: sdk.RateLimited, RetryAfter: time.Minute, Status: 403},
		},
		"503 with a pause": {
			steps: []http.HandlerFunc{answer(503, "", "Retry-After", "1"), answer(200, "ok")},
			want:  outcome{Calls: 2, Body: "ok", Slept: []time.Duration{s}},
		},
		"401 with a credential": {
			steps: []http.HandlerFunc{answer(401, "no")}, login: true,
			want: outcome{Calls: 1, Reason: sdk.BadCredentials, Permanent: true, Status: 401, ErrorBody: "no"},
		},
		"403 without one": {
			steps: []http.HandlerFunc{answer(403, "no")},
			want:  outcome{Calls: 1, Reason: sdk.PlatformError, Permanent: true, Status: 403, ErrorBody: "no"},
		},
		"404": {
			steps: []http.HandlerFunc{answer(404, "")},
			want:  outcome{Calls: 1, Reason: sdk.PlatformError, Permanent: true, Status: 404},
		},
		"broken off, then whole": {
			steps: []http.HandlerFunc{broken, answer(200, "ok")},
			want:  outcome{Calls: 2, Body: "ok", Slept: []time.Duration{250 * ms}},
		},
		"broken off for ever": {
			steps: []http.HandlerFunc{broken},
			want: outcome{Calls: 5, Reason: sdk.PlatformError,
				Slept: []time.Duration{250 * ms, 500 * ms, s, 2 * s}},
		},
		"too large is not repeated": {
			steps: []http.HandlerFunc{answer(200, strings.Repeat("x", 9<<20))},
			want:  outcome{Calls: 1, Reason: sdk.PlatformError, Permanent: true},
		},
		"a POST is not repeated": {
			steps: []http.HandlerFunc{answer(502, "")}, request: sdk.Request{Method: http.MethodPost, Body: []byte("x")},
			want: outcome{Calls: 1, Reason: sdk.PlatformError, Status: 502},
		},
		"nor after 429": {
			steps: []http.HandlerFunc{answer(429, "", "Retry-After", "1")}, request: sdk.Request{Method: http.MethodPost},
			want: outcome{Calls: 1, Reason: sdk.RateLimited, RetryAfter: s, Status: 429},
		},
		"unless the caller says so": {
			steps:   []http.HandlerFunc{answer(502, ""), answer(200, "ok")},
			request: sdk.Request{Method: http.MethodPost, Body: []byte("x"), Repeatable: true},
			want:    outcome{Calls: 2, Body: "ok", Slept: []time.Duration{250 * ms}},
		},
		"what is said of a secret is hidden": {
			steps: []http.HandlerFunc{answer(404, `key s3cr3t-value and https://u:pw@h.example/?token=abc and {"api_key":"def"}`)}, login: true,
			want: outcome{Calls: 1, Reason: sdk.PlatformError, Permanent: true, Status: 404,
				ErrorBody: `key [hidden] and https://h.example/?token=[hidden] and {"api_key":"[hidden]"}`},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			sc := &script{steps: tc.steps}
			srv := httptest.NewServer(sc)
			defer srv.Close()
			c := &clock{now: start}
			h := sdk.NewHTTP(options(c))
			if tc.login {
				h = h.WithCredential(srv.URL, func(h http.Header) bool { h.Set("Api-Key", "s3cr3t-value"); return true })
			}
			tc.request.URL = srv.URL + "/x?token=s3cr3t-value"
			resp, err := h.Do(t.Context(), tc.request)
			got := outcome{Calls: sc.calls, Slept: c.slept}
			if resp != nil {
				got.Body = string(resp.Body)
			}
			if err != nil {
				e, ok := errors.AsType[*sdk.Error](err)
				if !ok {
					t.Fatalf("not an sdk.Error: %v", err)
				}
				got.Reason, got.RetryAfter, got.Permanent, got.Status, got.ErrorBody = e.Reason, e.RetryAfter, e.Permanent, e.Status, e.Body
				if all := fmt.Sprintf("%v %v", e, e.Err); strings.Contains(all, "s3cr3t") {
					t.Errorf("the error shows the secret: %s", all)
				}
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("outcome (-want +got):\n%s", d)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	address := srv.URL
	srv.Close()
	c := &clock{now: start}
	var classes []string
	o := options(c)
	o.Hooks.Request = func(class string) { classes = append(classes, class) }
	_, err := sdk.NewHTTP(o).Do(t.Context(), sdk.Request{URL: address + "/?api_key=s3cr3t"})
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok || e.Reason != sdk.Unreachable || e.Permanent || strings.Contains(fmt.Sprint(e, e.Err), "s3cr3t") {
		t.Errorf("got %#v", err)
	}
	if d := cmp.Diff([]string{"error", "error", "error", "error", "error"}, classes); d != "" {
		t.Errorf("attempts counted (-want +got):\n%s", d)
	}
}

func TestCredentialsStayWithTheirHost(t *testing.T) {
	var elsewhere http.Header
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere = r.Header }))
	defer other.Close()
	var home http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		home = r.Header
		http.Redirect(w, r, other.URL+"/there", http.StatusMovedPermanently)
	}))
	defer srv.Close()
	c := &clock{now: start}
	h := sdk.NewHTTP(options(c)).WithCredential(srv.URL, func(h http.Header) bool { h.Set("Api-Key", "s3cr3t"); return true })
	resp, err := h.Do(t.Context(), sdk.Request{URL: srv.URL + "/?token=s3cr3t", Header: http.Header{"X-Own-Token": {"s3cr3t"}, "Accept": {"text/plain"}}})
	if err != nil {
		t.Fatal(err)
	}
	if home.Get("Api-Key") != "s3cr3t" || home.Get("User-Agent") != "kith/dev (+https://kith.dev)" {
		t.Errorf("own host got %v", home)
	}
	if strings.Contains(fmt.Sprint(elsewhere), "s3cr3t") || elsewhere.Get("Accept") != "text/plain" {
		t.Errorf("another host got %v", elsewhere)
	}
	if want := other.URL + "/there"; resp.MovedTo != want {
		t.Errorf("moved to %q, want %q", resp.MovedTo, want)
	}
}

func TestRedirects(t *testing.T) {
	c := &clock{now: start}
	t.Run("endless", func(t *testing.T) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }))
		defer srv.Close()
		_, err := sdk.NewHTTP(options(c)).Do(t.Context(), sdk.Request{URL: srv.URL})
		if err == nil || !strings.Contains(err.Error(), "redirects more than 5 times") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("temporary", func(t *testing.T) {
		srv := httptest.NewServer(&script{steps: []http.HandlerFunc{
			func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/b", http.StatusFound) }, answer(200, "ok"),
		}})
		defer srv.Close()
		resp, err := sdk.NewHTTP(options(c)).Do(t.Context(), sdk.Request{URL: srv.URL})
		if err != nil || resp.MovedTo != "" || resp.URL.Path != "/b" {
			t.Errorf("got %+v, %v", resp, err)
		}
	})
}

func TestPauseHoldsForAllOfTheCredential(t *testing.T) {
	sc := &script{steps: []http.HandlerFunc{answer(429, "", "Retry-After", "60"), answer(200, "ok")}}
	srv := httptest.NewServer(sc)
	defer srv.Close()
	c := &clock{now: start}
	h := sdk.NewHTTP(options(c))
	for range 2 {
		if _, err := h.Do(t.Context(), sdk.Request{URL: srv.URL}); sdk.ReasonOf(err) != sdk.RateLimited {
			t.Fatalf("want RateLimited, got %v", err)
		}
	}
	if sc.calls != 1 {
		t.Errorf("asked %d times during the pause, want once", sc.calls)
	}
	c.now = c.now.Add(time.Minute)
	if _, err := h.Do(t.Context(), sdk.Request{URL: srv.URL}); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

func TestLimit(t *testing.T) {
	srv := httptest.NewServer(answer(200, "ok"))
	defer srv.Close()
	c := &clock{now: start}
	h := sdk.NewHTTP(options(c))
	h.Limit(600)
	h.Limit(60)
	h.Limit(6000) // The lowest holds.
	for range 65 {
		if _, err := h.WithCredential(srv.URL, func(http.Header) bool { return false }).Do(t.Context(), sdk.Request{URL: srv.URL}); err != nil {
			t.Fatal(err)
		}
	}
	if took := c.now.Sub(start); took < 59*time.Second || took > 65*time.Second {
		t.Errorf("65 requests at 60 a minute took %s", took)
	}
}

func TestGetJSON(t *testing.T) {
	tests := map[string]struct {
		steps []http.HandlerFunc
		want  int
		calls int
		fails string
	}{
		"good":           {steps: []http.HandlerFunc{answer(200, `{"a":3}`)}, want: 3, calls: 1},
		"cut, then good": {steps: []http.HandlerFunc{answer(200, `{"a":`), answer(200, `{"a":3}`)}, want: 3, calls: 2},
		"a page":         {steps: []http.HandlerFunc{answer(200, `<html>`)}, calls: 1, fails: "not the expected JSON"},
		"not modified":   {steps: []http.HandlerFunc{answer(304, ``)}, calls: 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			sc := &script{steps: tc.steps}
			srv := httptest.NewServer(sc)
			defer srv.Close()
			var v struct{ A int }
			_, err := sdk.NewHTTP(options(&clock{now: start})).GetJSON(t.Context(), srv.URL, http.Header{"if-none-match": {"x"}}, &v)
			if (err != nil) != (tc.fails != "") || (err != nil && !strings.Contains(err.Error(), tc.fails)) {
				t.Fatalf("error %v, want %q", err, tc.fails)
			}
			if v.A != tc.want || sc.calls != tc.calls {
				t.Errorf("got %d after %d calls, want %d after %d", v.A, sc.calls, tc.want, tc.calls)
			}
		})
	}
}

func TestContextEndsACall(t *testing.T) {
	srv := httptest.NewServer(answer(502, ""))
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	o := options(&clock{now: start})
	o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	if _, err := sdk.NewHTTP(o).Do(ctx, sdk.Request{URL: srv.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBadOptions(t *testing.T) {
	for name, h := range map[string]*sdk.HTTP{
		"proxy":  sdk.NewHTTP(sdk.HTTPOptions{ProxyURL: "::"}),
		"ca":     sdk.NewHTTP(sdk.HTTPOptions{CA: []byte("no certificate")}),
		"origin": sdk.NewHTTP(sdk.HTTPOptions{}).WithCredential("nowhere", nil),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := h.Do(t.Context(), sdk.Request{URL: "http://127.0.0.1:1"}); sdk.ReasonOf(err) != sdk.BadSettings {
				t.Errorf("want BadSettings, got %v", err)
			}
		})
	}
	t.Run("scheme", func(t *testing.T) {
		if _, err := sdk.NewHTTP(sdk.HTTPOptions{}).Do(t.Context(), sdk.Request{URL: "file:///etc/hosts"}); sdk.ReasonOf(err) != sdk.BadSettings {
			t.Errorf("want BadSettings, got %v", err)
		}
	})
}

func TestLogIsScrubbed(t *testing.T) {
	srv := httptest.NewServer(answer(404, ""))
	defer srv.Close()
	var out bytes.Buffer
	o := options(&clock{now: start})
	o.Log = funcr.New(func(_, args string) { out.WriteString(args + "\n") }, funcr.Options{Verbosity: 1})
	_, _ = sdk.NewHTTP(o).Do(t.Context(), sdk.Request{URL: srv.URL + "/?access_token=s3cr3t"})
	if out.Len() == 0 || strings.Contains(out.String(), "s3cr3t") {
		t.Errorf("log: %s", out.String())
	}
}

func TestHooksSeeWhatIsLeft(t *testing.T) {
	srv := httptest.NewServer(answer(200, "", "X-RateLimit-Remaining", "17"))
	defer srv.Close()
	var left float64
	o := options(&clock{now: start})
	o.Hooks.RateLimitRemaining = func(n float64) { left = n }
	if _, err := sdk.NewHTTP(o).Do(t.Context(), sdk.Request{URL: srv.URL}); err != nil || left != 17 {
		t.Errorf("left %v, error %v", left, err)
	}
}

func TestRetryAfter(t *testing.T) {
	s := time.Second
	tests := map[string]struct {
		header, value, body string
		want                time.Duration
		none                bool
	}{
		"seconds":           {header: "Retry-After", value: "30", want: 30 * s},
		"fraction":          {header: "Retry-After", value: "1.25", want: 1250 * time.Millisecond},
		"http date":         {header: "Retry-After", value: "Sun, 01 Mar 2026 12:00:30 GMT", want: 30 * s},
		"date with a zone":  {header: "Retry-After", value: "Sun, 01 Mar 2026 13:00:30 +0100", want: 30 * s},
		"iso":               {header: "Retry-After", value: "2026-03-01T12:00:30Z", want: 30 * s},
		"iso with fraction": {header: "X-RateLimit-Reset", value: "2026-03-01T12:00:30.500000Z", want: 30500 * time.Millisecond},
		"past":              {header: "Retry-After", value: "Sun, 01 Mar 2020 12:00:00 GMT", want: 0},
		"epoch":             {header: "X-RateLimit-Reset", value: "1772366430", want: 30 * s},
		"epoch in millis":   {header: "X-RateLimit-Reset", value: "1772366430000", want: 30 * s},
		"delta":             {header: "RateLimit-Reset", value: "12", want: 12 * s},
		"reset after":       {header: "X-RateLimit-Reset-After", value: "0.3", want: 300 * time.Millisecond},
		"discourse body":    {body: `{"errors":["…"],"error_type":"rate_limit","extras":{"wait_seconds":9}}`, want: 9 * s},
		"telegram body":     {body: `{"ok":false,"parameters":{"retry_after":7}}`, want: 7 * s},
		"discord body":      {body: `{"retry_after":0.65}`, want: 650 * time.Millisecond},
		"negative":          {header: "Retry-After", value: "-1", none: true},
		"not a number":      {header: "Retry-After", value: "NaN", none: true},
		"infinite":          {header: "Retry-After", value: "inf", none: true},
		"words":             {header: "Retry-After", value: "soon", none: true},
		"nothing":           {none: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			if tc.header != "" {
				h.Set(tc.header, tc.value)
			}
			got, ok := sdk.RetryAfter(h, []byte(tc.body), start)
			if got != tc.want || ok == tc.none {
				t.Errorf("got %s, %v; want %s, %v", got, ok, tc.want, !tc.none)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"30", "1e300", "-5", "Sun, 01 Mar 2026 12:00:30 GMT", "2026-03-01T12:00:30Z", "9999999999999999", "0x10", ""} {
		f.Add(s, `{"extras":{"wait_seconds":`+s+`}}`)
	}
	f.Fuzz(func(t *testing.T, value, body string) {
		h := http.Header{"Retry-After": {value}, "X-Ratelimit-Reset": {value}}
		d, ok := sdk.RetryAfter(h, []byte(body), start)
		if d < 0 || (!ok && d != 0) {
			t.Errorf("%q, %q: %s, %v", value, body, d, ok)
		}
	})
}

func TestScrubURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/x?page=2":                        "https://a.example/x?page=2",
		"https://u:p@a.example/x":                           "https://a.example/x",
		"https://a.example/?api_key=1&b=2&access_token=3":   "https://a.example/?api_key=[hidden]&b=2&access_token=[hidden]",
		"https://a.example/?X-Amz-Signature=1&Key=2":        "https://a.example/?X-Amz-Signature=[hidden]&Key=[hidden]",
		"https://api.telegram.example/bot12:AbC/getUpdates": "https://api.telegram.example/bot[hidden]/getUpdates",
		"::token=abc": "::token=[hidden]",
	} {
		if got := sdk.ScrubURL(in); got != want {
			t.Errorf("ScrubURL(%q) = %q, want %q", in, got, want)
		}
	}
}
