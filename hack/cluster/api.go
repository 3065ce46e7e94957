// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// maxAnswer bounds what is read from the API server.
const maxAnswer = 64 << 20

// api speaks to the API server as one user. It is a few lines of HTTP, because a client library would take longer to
// compile than the cluster takes to start.
type api struct{ client *http.Client }

// statusError is an answer other than 2xx.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return e.text }

func newAPI(l layout, user string) (*api, error) {
	ca, err := os.ReadFile(l.pki("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", l.pki("ca.crt"))
	}
	cert, err := tls.LoadX509KeyPair(l.pki(user+".crt"), l.pki(user+".key"))
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	return &api{client: &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

// do sends in (a value for JSON, or nil) and decodes the answer into out (or drops it).
func (a *api) do(ctx context.Context, method, path, contentType string, in, out any) error {
	var body io.Reader
	if in != nil {
		body = bytes.NewReader(mustJSON(in))
	}
	request, err := http.NewRequestWithContext(ctx, method, "https://"+apiAddress+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= 300 {
		return &statusError{code: response.StatusCode, text: fmt.Sprintf("%s %s: %s: %s", method, path, response.Status, strings.TrimSpace(string(answer)))}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func (a *api) get(ctx context.Context, path string, out any) error {
	return a.do(ctx, http.MethodGet, path, "", nil, out)
}

// apply applies one object on the server's side; path is the object's own.
func (a *api) apply(ctx context.Context, path string, object any) error {
	return a.do(ctx, http.MethodPatch, path+"?fieldManager=kith-cluster&force=true", "application/apply-patch+yaml", object, nil)
}

// patch merges into one object.
func (a *api) patch(ctx context.Context, path string, object any) error {
	return a.do(ctx, http.MethodPatch, path, "application/merge-patch+json", object, nil)
}

// errEnded says that waiting is in vain.
var errEnded = errors.New("it has ended")

// await asks until ready answers nil or errEnded, for at most limit.
func await(ctx context.Context, what string, limit time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		err := ready(ctx)
		if err == nil || errors.Is(err, errEnded) {
			return err
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s was not there after %s: %w", what, limit, last)
		case <-tick.C:
		}
	}
}
