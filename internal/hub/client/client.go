// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hubclient

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/hashicorp/go-cleanhttp"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/reader"
)

// maxAnswer bounds what is read of an answer: a lease may carry three cursors.
const maxAnswer = 4 << 20

// Options of New. The zero value is for a hub close by.
type Options struct {
	// Transport replaces the connection pool, for TLS with a private CA.
	Transport http.RoundTripper
	// Retries is how often a call is repeated here before its error is returned; the reader repeats on, and says so in
	// its state. Default 3, negative none.
	Retries int
	// FirstPause and MaxPause bound the pauses between repetitions, what the hub asks for included. Default 100 ms, 2 s.
	FirstPause, MaxPause time.Duration
	// Compress packs pages with gzip, for a hub far away.
	Compress bool
	// UserAgent names the caller in the hub's logs; default "kith".
	UserAgent string
	Log       logr.Logger
}

// Client implements reader.Hub over HTTP. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	token func() (string, error)
	o     Options
	http  *retryablehttp.Client
}

var _ reader.Hub = (*Client)(nil)

// New makes a client for the hub at an address (http or https, with host). Token gives the bearer token of each
// attempt, so that one rotated in place is used at once; nil means that none is sent.
func New(address string, token func() (string, error), o Options) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("the hub's address has to be http:// or https:// with a host, without user or query")
	}
	o.Retries = cmp.Or(o.Retries, 3)
	o.FirstPause, o.MaxPause = cmp.Or(o.FirstPause, 100*time.Millisecond), cmp.Or(o.MaxPause, 2*time.Second)
	o.UserAgent = cmp.Or(o.UserAgent, "kith")
	if o.Transport == nil {
		o.Transport = cleanhttp.DefaultPooledTransport()
	}
	c := &Client{base: u, token: token, o: o}
	c.http = &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: o.Transport,
			// A hub does not redirect; whoever does must not get token and page.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		RetryMax: max(0, o.Retries), RetryWaitMin: o.FirstPause, RetryWaitMax: o.MaxPause,
		CheckRetry: checkRetry, Backoff: backoff, PrepareRetry: c.authorize, ErrorHandler: retryablehttp.PassthroughErrorHandler,
		Logger: retryLog{o.Log},
	}
	return c, nil
}

// Acquire implements reader.Hub.
func (c *Client) Acquire(ctx context.Context, channel event.ChannelRef, name, holder string) (reader.Lease, error) {
	var answer wire.Lease
	err := c.call(ctx, http.MethodPost, wire.PathLease, wire.LeaseRequest{Channel: channel, Name: name, Holder: holder}, &answer)
	if err != nil {
		return reader.Lease{}, err
	}
	l := reader.Lease{Epoch: answer.Epoch, Cursors: map[event.Lane]json.RawMessage{}, Done: map[event.Lane]bool{}}
	for lane, cursor := range answer.Cursors {
		if cursor = none(cursor); cursor != nil {
			l.Cursors[lane] = cursor
		}
	}
	for lane, done := range answer.Done {
		l.Done[lane] = done
	}
	return l, nil
}

// Commit implements reader.Hub. A page whose answer was lost is sent again; if the ledger holds it already, that is its
// success.
func (c *Client) Commit(ctx context.Context, page event.Commit) error {
	attempts := 0
	page.Previous, page.Next = none(page.Previous), none(page.Next)
	err := c.call(context.WithValue(ctx, attemptsKey{}, &attempts), http.MethodPost, wire.PathPages, page, nil)
	conflict, ok := errors.AsType[*reader.Conflict](err)
	if ok && attempts > 1 && conflict.Epoch == page.Epoch && conflict.Lane == page.Lane &&
		same(conflict.Cursor, page.Next) && !same(page.Previous, page.Next) {
		return nil
	}
	return err
}

// Report implements reader.Hub.
func (c *Client) Report(ctx context.Context, channel string, s reader.State) error {
	return c.call(ctx, http.MethodPost, wire.PathState, wire.StateRequest{Channel: channel, State: s}, nil)
}

// Since gives the horizon of a declared channel's history, as the hub has resolved it; zero means everything.
func (c *Client) Since(ctx context.Context, channel string) (time.Time, error) {
	var answer wire.Since
	err := c.call(ctx, http.MethodGet, wire.PathSince+"?channel="+url.QueryEscape(channel), nil, &answer)
	return answer.Since, err
}

// Status gives how the hub, its channels and its objectives stand, as far as the caller may see.
func (c *Client) Status(ctx context.Context) (wire.Status, error) {
	var answer wire.Status
	err := c.call(ctx, http.MethodGet, wire.PathStatus, nil, &answer)
	return answer, err
}

type attemptsKey struct{}

// call makes a call and reads its answer.
func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	what := method + " " + strings.SplitN(path, "?", 2)[0]
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	resp, err := c.http.Do(req)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }() // what matters has been read
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s at the hub: %w", what, ctx.Err())
	case resp == nil:
		return fmt.Errorf("%s: the hub at %s does not answer: %w", what, c.base.Host, withoutURL(err))
	}
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil || len(doc) > maxAnswer {
		return fmt.Errorf("%s: the answer of the hub at %s is cut off or too long", what, c.base.Host)
	}
	if resp.StatusCode != http.StatusOK {
		return failure(what, resp.StatusCode, doc)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(doc, into); err != nil {
		return fmt.Errorf("%s: what answers at %s is not a Kith hub of this version", what, c.base.Host)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, body any) (*retryablehttp.Request, error) {
	var doc []byte
	packed := false
	if body != nil {
		var err error
		if doc, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("%w: it cannot be encoded: %w", reader.ErrRefused, err)
		}
		if packed = c.o.Compress && len(doc) > 4<<10; packed {
			if doc, err = pack(doc); err != nil {
				return nil, err
			}
		}
	}
	var raw any
	if doc != nil {
		raw = doc
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base.String(), "/")+path, raw)
	if err != nil {
		return nil, err
	}
	if doc != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if packed {
		req.Header.Set("Content-Encoding", "gzip")
	}
	req.Header.Set("User-Agent", c.o.UserAgent)
	return req, c.authorize(req.Request)
}

func pack(doc []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(doc); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// authorize counts an attempt and gives it the token of now.
func (c *Client) authorize(r *http.Request) error {
	if n, ok := r.Context().Value(attemptsKey{}).(*int); ok {
		*n++
	}
	r.Header = r.Header.Clone() // the attempt before may still be reading it
	if c.token == nil {
		return nil
	}
	token, err := c.token()
	if err != nil {
		return fmt.Errorf("read the token for the hub: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// failure turns an answer into the runtime's errors.
func failure(what string, status int, doc []byte) error {
	var e wire.Error
	if json.Unmarshal(doc, &e) != nil || e.Error == "" {
		e.Error = "it says nothing that a Kith hub would say"
	}
	switch status {
	case http.StatusConflict:
		if e.Conflict != nil {
			return &reader.Conflict{Epoch: e.Conflict.Epoch, Holder: e.Conflict.Holder, Lane: e.Conflict.Lane, Cursor: none(e.Conflict.Cursor)}
		}
	case http.StatusUnprocessableEntity:
		return refused(e.Error)
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return refused(fmt.Sprintf("%s: %s", what, e.Error))
	}
	return fmt.Errorf("%s: the hub answers %d: %s", what, status, e.Error)
}

// refused says the hub's words once.
func refused(message string) error {
	return fmt.Errorf("%w: %s", reader.ErrRefused, strings.TrimPrefix(message, reader.ErrRefused.Error()+": "))
}

// checkRetry repeats what got no answer, and what the hub cannot do now. Every call may be repeated: a lease taken twice
// is a newer epoch, a page is compared with the ledger's cursor, the rest only reads or replaces.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return true, nil
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, nil
	}
	return false, nil
}

// backoff doubles the pause, waits as long as the hub asks, and never longer than the longest pause.
func backoff(first, most time.Duration, attempt int, resp *http.Response) time.Duration {
	pause := first << min(attempt, 20)
	if resp != nil {
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
			pause = max(pause, time.Duration(min(s, 3600))*time.Second)
		}
	}
	return min(pause, most)
}

// withoutURL drops the address from an error: it stands before it.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// none makes the JSON null of an absent cursor nil again.
func none(cursor json.RawMessage) json.RawMessage {
	if c := bytes.TrimSpace(cursor); len(c) == 0 || string(c) == "null" {
		return nil
	}
	return cursor
}

func same(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	a, b = none(a), none(b)
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// retryLog gives retryablehttp a logr.Logger. All is at V(1): the outcome is returned.
type retryLog struct{ log logr.Logger }

func (l retryLog) Error(msg string, kv ...any) { l.log.V(1).Info(msg, kv...) }
func (l retryLog) Warn(msg string, kv ...any)  { l.log.V(1).Info(msg, kv...) }
func (l retryLog) Info(msg string, kv ...any)  { l.log.V(1).Info(msg, kv...) }
func (l retryLog) Debug(msg string, kv ...any) { l.log.V(1).Info(msg, kv...) }
