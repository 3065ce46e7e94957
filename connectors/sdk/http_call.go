// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// call is the state of one Do: retryablehttp calls back with a request or response only, so it travels in the context.
type call struct {
	o          *HTTPOptions
	pace       *pace
	credential *credential
	request    *Request

	// sent is whether a credential went out; secrets are its values, for scrubbing.
	sent    bool
	secrets []string
	// body is what has been read of the last answer.
	body []byte
	// asked is the pause that the platform asked for with its last answer, uncapped; limited is whether it refused.
	asked    time.Duration
	limited  bool
	attempts int
}

type callKey struct{}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// repeatable: reading may always be repeated; all else only when the caller says so.
func (c *call) repeatable() bool {
	switch c.request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return c.request.Repeatable
}

// waitForTurn waits for the limiter and for the end of a pause that the platform asked this credential for.
func (c *call) waitForTurn(ctx context.Context) error {
	now := c.o.Now()
	c.pace.mu.Lock()
	pause := c.pace.until.Sub(now)
	c.pace.mu.Unlock()
	if pause > c.o.MaxInlineWait {
		c.limited, c.asked = true, pause
		return errPaused
	}
	if pause > 0 {
		if err := c.o.Sleep(ctx, pause); err != nil {
			return err
		}
		now = c.o.Now()
	}
	if d := c.pace.limiter.ReserveN(now, 1).DelayFrom(now); d > 0 {
		return c.o.Sleep(ctx, d)
	}
	return ctx.Err()
}

var errPaused = errors.New("the platform asked for a pause that is not over")

// checkRetry decides whether an attempt is repeated. It reads the body of a refusal, because a platform may say there
// how long to wait.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	c := callOf(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	c.limited, c.asked = false, 0
	if err != nil {
		// A body that broke off comes with the response, whose status has been counted already.
		if resp == nil {
			c.countAttempt("error")
		}
		return c.repeatable() && worthRepeating(err), nil
	}
	c.countAttempt(statusClass(resp.StatusCode))
	c.noteRemaining(resp.Header)
	if resp.StatusCode < 400 {
		return false, nil
	}
	c.keepErrorBody(resp)
	now := c.o.Now()
	asked, ok := RetryAfter(resp.Header, c.body, now)
	c.limited = isLimit(resp)
	if ok {
		c.asked = asked
	}
	if c.limited {
		c.pace.pauseUntil(now.Add(min(c.asked, c.o.MaxRetryAfter)))
	}
	switch {
	case !c.repeatable() || c.asked > c.o.MaxInlineWait:
		return false, nil
	case c.limited, resp.StatusCode == http.StatusRequestTimeout:
		return true, nil
	default:
		return resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented, nil
	}
}

func (c *call) countAttempt(class string) {
	c.attempts++
	if f := c.o.Hooks.Request; f != nil {
		f(class)
	}
}

func (c *call) noteRemaining(h http.Header) {
	f := c.o.Hooks.RateLimitRemaining
	if f == nil {
		return
	}
	for _, k := range []string{"X-Ratelimit-Remaining", "Ratelimit-Remaining"} {
		if n, err := strconv.ParseFloat(h.Get(k), 64); err == nil && n >= 0 {
			f(n)
			return
		}
	}
}

// keepErrorBody reads what the platform says of a refusal (bounded) and leaves the response readable.
func (c *call) keepErrorBody(resp *http.Response) {
	const enough = 64 << 10
	b, err := io.ReadAll(io.LimitReader(resp.Body, enough))
	if err != nil && len(b) == 0 {
		b = nil // The status says enough.
	}
	c.body = b
	resp.Body = readCloser{io.MultiReader(bytes.NewReader(b), resp.Body), resp.Body}
}

type readCloser struct {
	io.Reader
	io.Closer
}

// readBody reads an answer whole and checks it; an error makes the policy think again.
func (c *call) readBody(resp *http.Response) error {
	if resp.StatusCode >= 400 {
		return nil
	}
	b, err := readAll(resp.Body, c.o.MaxBody)
	c.body = b
	if err != nil {
		return err
	}
	if c.request.Check != nil {
		return c.request.Check(c.response(resp))
	}
	return nil
}

func (c *call) response(resp *http.Response) *Response {
	return &Response{
		StatusCode: resp.StatusCode, Header: resp.Header, Body: c.body, URL: resp.Request.URL, MovedTo: movedTo(resp),
	}
}

// movedTo walks back through the redirections that led to an answer.
func movedTo(resp *http.Response) string {
	moved := ""
	for by := resp.Request.Response; by != nil; by = by.Request.Response {
		if by.StatusCode != http.StatusMovedPermanently && by.StatusCode != http.StatusPermanentRedirect {
			return ""
		}
		moved = resp.Request.URL.String()
	}
	return moved
}

func (p *pace) pauseUntil(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.After(p.until) {
		p.until = t
	}
}

// isLimit: 429 everywhere; 403 and 503 where headers say that it is a matter of pace.
func isLimit(resp *http.Response) bool {
	h := resp.Header
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return h.Get("Retry-After") != "" || h.Get("X-Ratelimit-Remaining") == "0"
	case http.StatusServiceUnavailable:
		return h.Get("Retry-After") != ""
	}
	return h.Get("Discourse-Rate-Limit-Error-Code") != ""
}

// worthRepeating: a broken answer and a broken connection may be better next time; a bad certificate, an endless
// redirection and an answer that is too large will not.
func worthRepeating(err error) bool {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
	)
	return !errors.Is(err, ErrTooLarge) && !errors.Is(err, errRedirects) &&
		!errors.As(err, &unknown) && !errors.As(err, &hostname) && !errors.As(err, &invalid)
}

// backoff: what the platform asked for plus up to a tenth, or half a second doubling to ten, of which at least half.
func (c *call) backoff(attempt int) time.Duration {
	if c.asked > 0 {
		return c.asked + time.Duration(c.o.Jitter()*float64(c.asked)/10)
	}
	const most = 10 * time.Second
	d := most
	if attempt < 5 {
		d = min(c.o.FirstBackoff<<attempt, most)
	}
	return d/2 + time.Duration(c.o.Jitter()*float64(d)/2)
}

// sleepBeforeRetry does the waiting that retryablehttp's own timer would do, through the clock that tests replace.
func sleepBeforeRetry(req *http.Request) error {
	c := callOf(req.Context())
	if err := c.o.Sleep(req.Context(), c.backoff(max(c.attempts-1, 0))); err != nil {
		return err
	}
	return c.waitForTurn(req.Context())
}

func jitter() float64 {
	return rand.Float64() //nolint:gosec // Spreads load; nothing secret depends on it.
}

// failure makes the error that the caller sees. Outer is the caller's context, without the call's own timeout.
func (c *call) failure(outer context.Context, resp *http.Response, err error) error {
	if outer.Err() != nil {
		return outer.Err()
	}
	what := c.request.Method + " " + ScrubURL(c.request.URL)
	e := &Error{Reason: PlatformError, Body: scrubBody(c.body, c.secrets)}
	if err != nil {
		e.Err = scrubError(err, c.secrets)
	}
	if c.limited {
		e.Reason, e.RetryAfter = RateLimited, min(c.asked, c.o.MaxRetryAfter)
		if resp != nil {
			e.Status = resp.StatusCode
		}
		e.Message = what + " was refused: too many requests; the reader waits and goes on"
		return e
	}
	switch {
	case err != nil && errors.Is(err, ErrTooLarge):
		e.Body, e.Permanent = "", true
		e.Message = fmt.Sprintf("%s answered more than %d bytes", what, c.o.MaxBody)
		e.Err = ErrTooLarge
	case err != nil && errors.Is(err, errTruncated):
		e.Body = ""
		e.Message = fmt.Sprintf("%s broke off in the middle of its answer, %d times", what, c.attempts)
	case err != nil && errors.Is(err, errRedirects):
		e.Message = fmt.Sprintf("%s redirects more than %d times; use the address that it leads to", what, c.o.MaxRedirects)
	case err != nil || resp == nil:
		e.Reason = Unreachable
		e.Message = fmt.Sprintf("%s: no answer (%v); check address, network and proxy", what, e.Err)
	default:
		c.statusFailure(e, what, resp)
	}
	return e
}

func (c *call) statusFailure(e *Error, what string, resp *http.Response) {
	e.Status, e.RetryAfter = resp.StatusCode, min(c.asked, c.o.MaxRetryAfter)
	status := fmt.Sprintf("%s answered %d", what, resp.StatusCode)
	switch s := resp.StatusCode; {
	case (s == http.StatusUnauthorized || s == http.StatusForbidden) && c.sent:
		e.Reason, e.Permanent = BadCredentials, true
		e.Message = status + ": the credentials are wrong, expired or lack the permission; renew them"
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		e.Permanent = true
		e.Message = status + ": this needs a login; give the channel credentials, or read a public place"
	case s == http.StatusNotFound || s == http.StatusGone:
		e.Permanent = true
		e.Message = status + ": nothing is there; check the address"
	case s >= 500:
		e.Message = fmt.Sprintf("%s, %d times; the platform has a problem of its own", status, c.attempts)
	default:
		e.Permanent = true
		e.Message = status
	}
}

func statusClass(status int) string {
	if status == http.StatusTooManyRequests {
		return "429"
	}
	return strconv.Itoa(status/100) + "xx"
}
