// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hubpoll

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/kith-dev/kith/internal/hub/wire"
)

// Bounds of what is read.
const (
	maxAnswer = 4 << 20
	maxToken  = 64 << 10
	maxQuoted = 300
)

// Reason says in one word why a hub gives no status.
type Reason string

// The reasons.
const (
	// NotReady: it answers, and has no configuration yet, or is starting.
	NotReady Reason = "NotReady"
	// Unreachable: nothing answers at its address.
	Unreachable Reason = "Unreachable"
	// Untrusted: what answers has no certificate of ours.
	Untrusted Reason = "Untrusted"
	// Refused: it does not take the operator's token.
	Refused Reason = "Refused"
	// NoToken: the operator has no token, or no root certificate, to ask with.
	NoToken Reason = "NoToken"
	// Broken: it answers something else.
	Broken Reason = "Broken"
)

// Failure is why a hub gives no status.
type Failure struct {
	Reason Reason
	// Message says what was tried, on what, and what to do. It holds nothing that changes from call to call.
	Message string
}

// Error implements error.
func (f *Failure) Error() string { return f.Message }

func failed(reason Reason, format string, args ...any) error {
	return &Failure{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// FileToken gives the token in a file, as the kubelet rotates it.
func FileToken(path string) func() (string, error) {
	return func() (string, error) {
		if path == "" {
			return "", errors.New("the operator was given no token for hubs")
		}
		f, err := os.Open(path) //nolint:gosec // The path is the operator's own flag.
		if err != nil {
			return "", fmt.Errorf("read the operator's token: %w", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		b, err := io.ReadAll(io.LimitReader(f, maxToken+1))
		if err != nil {
			return "", fmt.Errorf("read the operator's token: %w", err)
		}
		token := strings.TrimSpace(string(b))
		if token == "" || len(b) > maxToken {
			return "", fmt.Errorf("read the operator's token: %s holds none", path)
		}
		return token, nil
	}
}

// caller makes the calls. Connections are kept until the root certificates change.
type caller struct {
	token func() (string, error)
	roots func() ([]byte, error)
	dial  func(ctx context.Context, network, address string) (net.Conn, error)

	mu     sync.Mutex
	pem    string
	client *http.Client
}

func (c *caller) status(ctx context.Context, base, community string) (wire.Status, error) {
	var status wire.Status
	client, err := c.trusting()
	if err != nil {
		return status, failed(NoToken, "the operator's root certificate cannot be used: %v", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+wire.PathStatus, http.NoBody)
	if err != nil {
		return status, failed(Broken, "the hub's address %s cannot be used", base)
	}
	if c.token != nil {
		token, err := c.token()
		if err != nil {
			return status, failed(NoToken, "%v; the operator's Deployment mounts it (--token-file)", err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("User-Agent", "kith-operator")
	resp, err := client.Do(req)
	if err != nil {
		return status, unanswered(ctx, req.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }() // what matters has been read
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil || len(doc) > maxAnswer {
		return status, failed(Broken, "the answer of the hub at %s is cut off, or longer than %d bytes", req.URL.Host, maxAnswer)
	}
	if resp.StatusCode != http.StatusOK {
		return status, refused(req.URL.Host, resp.StatusCode, doc)
	}
	if err := json.Unmarshal(doc, &status); err != nil {
		return wire.Status{}, failed(Broken, "what answers at %s is not a Kith hub of this version", req.URL.Host)
	}
	if status.Community != community {
		return wire.Status{}, failed(Broken, "the hub at %s answers for another community than %s", req.URL.Host, community)
	}
	return status, nil
}

// trusting gives a client that takes hubs with a certificate of today's roots only.
func (c *caller) trusting() (*http.Client, error) {
	var pem []byte
	if c.roots != nil {
		var err error
		if pem, err = c.roots(); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil && c.pem == string(pem) {
		return c.client, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("there is none yet")
	}
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
	c.pem = string(pem)
	c.client = &http.Client{
		// A hub does not redirect; whoever does must not get the token.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            c.dial,
			TLSClientConfig:        &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13},
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
	return c.client, nil
}

// unanswered tells a certificate that is not ours from a hub that is not there.
func unanswered(ctx context.Context, host string, err error) error {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return failed(Untrusted, "the certificate of the hub at %s is not one that this operator issued, or has expired; deleting the hub's TLS Secret has a new one issued", host)
	}
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return failed(Unreachable, "the hub at %s does not answer in time; see the hub's pod, and the NetworkPolicies between the operator and it", host)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if _, ok := errors.AsType[*tls.RecordHeaderError](err); ok {
		return failed(Untrusted, "what answers at %s speaks no TLS: it is no hub of this operator", host)
	}
	return failed(Unreachable, "the hub at %s does not answer (%s); see the hub's pod", host, steady(err))
}

// steady is an error's last words, without the ports and addresses that differ from call to call.
func steady(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return quoted(text)
}

func quoted(text string) string {
	if len(text) > maxQuoted {
		return strings.ToValidUTF8(text[:maxQuoted], "") + "…"
	}
	return text
}

func refused(host string, code int, doc []byte) error {
	var e wire.Error
	if json.Unmarshal(doc, &e) != nil || e.Error == "" {
		e.Error = "it says nothing that a Kith hub would say"
	}
	said := quoted(e.Error)
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return failed(Refused, "the hub at %s does not take the operator's token (%d: %s); its access.json names the account that may ask, and follows the operator within two minutes", host, code, said)
	case http.StatusServiceUnavailable:
		return failed(NotReady, "the hub at %s is not ready: %s", host, said)
	}
	return failed(Broken, "the hub at %s answers %d: %s", host, code, said)
}
