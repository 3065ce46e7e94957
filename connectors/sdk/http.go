// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"
)

// HTTPOptions are how a client behaves. The zero value is a polite anonymous client.
type HTTPOptions struct {
	// Version is Kith's, for the User-Agent.
	Version string
	// RequestsPerMinute bounds all requests of the credential; 0 means unlimited (see also HTTP.Limit).
	RequestsPerMinute float64
	// MaxRetries is how often a request is repeated; 0 means 4, negative never.
	MaxRetries int
	// FirstBackoff is the pause before the first repetition where the platform asks for none, doubled each time; 0 means
	// 500 ms.
	FirstBackoff time.Duration
	// MaxInlineWait is the longest pause that is slept through inside of a call; a longer one is returned as RateLimited.
	// 0 means 10 s.
	MaxInlineWait time.Duration
	// MaxRetryAfter caps what a platform may ask for; 0 means 5 min.
	MaxRetryAfter time.Duration
	// MaxBody bounds an answer after decompression, in bytes; 0 means 8 MiB.
	MaxBody int64
	// AttemptTimeout bounds one attempt with its body (0: 30 s), Timeout a call with all of its repetitions (0: 3 min).
	AttemptTimeout, Timeout time.Duration
	// MaxRedirects bounds redirections; 0 means 5.
	MaxRedirects int
	// ProxyURL overrides the environment's proxy; CA holds PEM certificates trusted beside the system's.
	ProxyURL string
	CA       []byte
	// Log gets requests at V(1); the zero Logger discards.
	Log logr.Logger
	// Hooks feed metrics.
	Hooks HTTPHooks
	// Now, Sleep and Jitter (a number in [0,1)) are replaced by tests.
	Now    func() time.Time
	Sleep  func(context.Context, time.Duration) error
	Jitter func() float64
}

// HTTPHooks are called while requests run; each may be nil, and none may block.
type HTTPHooks struct {
	// Request is told the status class ("2xx", "4xx", "429", "error") of each attempt.
	Request func(class string)
	// RateLimitRemaining is told what the platform says is left.
	RateLimitRemaining func(remaining float64)
}

// HTTP is the one client for one credential: limiter, retries, scrubbing. It is safe for concurrent use.
type HTTP struct {
	o      HTTPOptions
	client *retryablehttp.Client
	pace   *pace
	// credential is nil for a client that sends none.
	credential *credential
	// bad is what is wrong with the options; every call returns it.
	bad error
}

// pace is shared by all clients derived for one credential.
type pace struct {
	mu      sync.Mutex
	limiter *rate.Limiter
	// until is when the platform will answer again, after it said "too many".
	until time.Time
}

// credential is added to requests to its own origin only.
type credential struct {
	origin string
	add    func(http.Header) bool
}

// NewHTTP makes a client. What is wrong with the options (proxy, CA) is returned by each call as BadSettings.
func NewHTTP(o HTTPOptions) *HTTP {
	o = o.withDefaults()
	h := &HTTP{o: o, pace: &pace{limiter: rate.NewLimiter(rate.Inf, 1)}}
	transport, err := newTransport(o)
	if err != nil {
		h.bad = &Error{Reason: BadSettings, Permanent: true, Message: err.Error(), Err: err}
	}
	h.client = &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport:     &credentialTransport{next: transport},
			CheckRedirect: redirectPolicy(o.MaxRedirects),
			Timeout:       o.AttemptTimeout,
		},
		Logger:       leveledLogger{o.Log},
		RetryMax:     max(o.MaxRetries, 0),
		CheckRetry:   checkRetry,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return 0 },
		PrepareRetry: sleepBeforeRetry,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	h.Limit(o.RequestsPerMinute)
	return h
}

func (o HTTPOptions) withDefaults() HTTPOptions {
	setDefault(&o.Version, "dev")
	setDefault(&o.MaxRetries, 4)
	setDefault(&o.FirstBackoff, 500*time.Millisecond)
	setDefault(&o.MaxInlineWait, 10*time.Second)
	setDefault(&o.MaxRetryAfter, 5*time.Minute)
	setDefault(&o.MaxBody, 8<<20)
	setDefault(&o.AttemptTimeout, 30*time.Second)
	setDefault(&o.Timeout, 3*time.Minute)
	setDefault(&o.MaxRedirects, 5)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Jitter == nil {
		o.Jitter = jitter
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	return o
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Limit lowers the number of requests per minute for everybody who shares this client's credential. 0 changes nothing;
// the lowest number asked for holds, so that two channels of one account cannot exceed it together.
func (h *HTTP) Limit(perMinute float64) {
	if perMinute <= 0 {
		return
	}
	limit := rate.Limit(perMinute / 60)
	h.pace.mu.Lock()
	defer h.pace.mu.Unlock()
	if limit < h.pace.limiter.Limit() {
		h.pace.limiter.SetLimitAt(h.o.Now(), limit)
		h.pace.limiter.SetBurstAt(h.o.Now(), max(1, int(perMinute/12)))
	}
}

// WithCredential gives a client that shares limits and connections with h and lets add set credential headers on
// requests to base's scheme, host and port, and nowhere else, redirections included. Add is asked for each request, so
// that a secret reloaded in place is used at once; it returns false where it has nothing to add.
func (h *HTTP) WithCredential(base string, add func(http.Header) bool) *HTTP {
	c := *h
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		c.bad = &Error{Reason: BadSettings, Permanent: true, Message: "the address is not a URL with a host: " + ScrubURL(base)}
		return &c
	}
	c.credential = &credential{origin: originOf(u), add: add}
	return &c
}

// Request is one call.
type Request struct {
	// Method defaults to GET.
	Method string
	URL    string
	Header http.Header
	Body   []byte
	// Repeatable lets a POST (or another method that is not idempotent) be repeated after a failure.
	Repeatable bool
	// Check looks at a successful answer; an error means that it arrived broken and the call is repeated if it may be.
	Check func(*Response) error
}

// Response is an answer, read whole.
type Response struct {
	StatusCode int
	Header     http.Header
	Body       []byte
	// URL is where the answer came from, after redirections.
	URL *url.URL
	// MovedTo is where the address leads for good: set where every redirection on the way was permanent (301, 308).
	MovedTo string
}

// Do makes a call. Answers below 400 are returned, 304 included; all else is an *Error:
//
//   - RateLimited with the pause, capped, where it is longer than MaxInlineWait or repetitions did not help;
//   - BadCredentials (permanent) for 401 and 403 where a credential was sent;
//   - Unreachable where no answer came (network, DNS, TLS);
//   - PlatformError for all other statuses and for answers that are broken or too large.
//
// The context's own error is returned as it is.
func (h *HTTP) Do(ctx context.Context, r Request) (*Response, error) {
	if h.bad != nil {
		return nil, h.bad
	}
	setDefault(&r.Method, http.MethodGet)
	call := &call{o: &h.o, pace: h.pace, credential: h.credential, request: &r}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, h.o.Timeout)
	defer cancel()
	if err := call.waitForTurn(ctx); err != nil {
		return nil, call.failure(outer, nil, err)
	}
	req, err := h.build(withCall(ctx, call), call)
	if err != nil {
		return nil, err
	}
	resp, err := h.client.Do(req)
	if resp != nil && resp.Body != nil {
		// What matters has been read by the policy; closing can no longer fail in a way that would change the answer.
		_ = resp.Body.Close()
	}
	if err != nil || resp == nil || resp.StatusCode >= 400 {
		return nil, call.failure(outer, resp, err)
	}
	return call.response(resp), nil
}

func (h *HTTP) build(ctx context.Context, c *call) (*retryablehttp.Request, error) {
	r := c.request
	var body any
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil {
		return nil, &Error{Reason: BadSettings, Permanent: true, Message: "not an address: " + ScrubURL(r.URL)}
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, &Error{Reason: BadSettings, Permanent: true, Message: "only http and https can be read: " + ScrubURL(r.URL)}
	}
	for k, v := range r.Header {
		req.Header[k] = append([]string(nil), v...)
	}
	req.Header.Set("User-Agent", "kith/"+h.o.Version+" (+https://kith.dev)")
	req.SetResponseHandler(c.readBody)
	return req, nil
}

// GetJSON reads a JSON document into a value. The answer's metadata is returned too (nil with an error); an answer that
// is cut off is fetched again.
func (h *HTTP) GetJSON(ctx context.Context, address string, header http.Header, into any) (*Response, error) {
	head := http.Header{"Accept": {"application/json"}}
	for k, v := range header {
		head[http.CanonicalHeaderKey(k)] = v
	}
	resp, err := h.Do(ctx, Request{URL: address, Header: head, Check: wholeJSON})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotModified || resp.StatusCode == http.StatusNoContent {
		return resp, nil
	}
	if err := json.Unmarshal(resp.Body, into); err != nil {
		return nil, &Error{
			Reason: PlatformError, Status: resp.StatusCode, Body: h.scrubbedBody(resp.Body),
			Message: fmt.Sprintf("GET %s answered something that is not the expected JSON; is this the platform's address?", ScrubURL(address)),
		}
	}
	return resp, nil
}

// wholeJSON complains of a document that starts as JSON and does not end as such.
func wholeJSON(r *Response) error {
	b := bytes.TrimSpace(r.Body)
	if len(b) > 0 && (b[0] == '{' || b[0] == '[') && !json.Valid(b) {
		return errTruncated
	}
	return nil
}

func (h *HTTP) scrubbedBody(b []byte) string {
	var secrets []string
	if h.credential != nil {
		head := http.Header{}
		if h.credential.add(head) {
			secrets = valuesOf(head)
		}
	}
	return scrubBody(b, secrets)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

var (
	errTruncated = errors.New("the answer is cut off")
	// ErrTooLarge is the cause of an answer beyond HTTPOptions.MaxBody: asking for less may help.
	ErrTooLarge = errors.New("the answer is larger than allowed")
)

// readAll reads at most limit bytes, and says whether the body was cut or larger.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case int64(len(b)) > limit:
		return nil, ErrTooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return b, fmt.Errorf("%w: %w", errTruncated, err)
	default:
		return b, err
	}
}
