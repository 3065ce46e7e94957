// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-logr/logr"
	"github.com/hashicorp/go-cleanhttp"
)

func newTransport(o HTTPOptions) (http.RoundTripper, error) {
	t := cleanhttp.DefaultPooledTransport()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	t.ResponseHeaderTimeout = o.AttemptTimeout
	if o.ProxyURL != "" {
		u, err := url.Parse(o.ProxyURL)
		if err != nil || u.Host == "" {
			return t, errors.New("network.proxyURL is not a URL with a host: " + ScrubURL(o.ProxyURL))
		}
		t.Proxy = http.ProxyURL(u)
	}
	if len(o.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(o.CA) {
			return t, errors.New("network.caRef holds no certificate in PEM form")
		}
		t.TLSClientConfig.RootCAs = pool
	}
	return t, nil
}

// credentialTransport adds the call's credential on the way out, to its own origin only. Being below the redirections,
// it leaves nothing in the headers that they copy.
type credentialTransport struct{ next http.RoundTripper }

func (t *credentialTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	c := callOf(req.Context())
	if c == nil || c.credential == nil || originOf(req.URL) != c.credential.origin {
		return t.next.RoundTrip(req)
	}
	head := http.Header{}
	if !c.credential.add(head) {
		return t.next.RoundTrip(req)
	}
	c.sent, c.secrets = true, valuesOf(head)
	out := req.Clone(req.Context())
	for k, v := range head {
		out.Header[http.CanonicalHeaderKey(k)] = v
	}
	return t.next.RoundTrip(out)
}

// CloseIdleConnections lets the client drop connections after a failure.
func (t *credentialTransport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func valuesOf(h http.Header) []string {
	var out []string
	for _, vs := range h {
		for _, v := range vs {
			out = append(out, v)
			if _, secret, ok := strings.Cut(v, " "); ok {
				out = append(out, secret)
			}
		}
	}
	return out
}

// originOf is scheme, host and port, with the default ports left out.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return strings.ToLower(u.Scheme) + "://" + host
}

var errRedirects = errors.New("too many redirections")

// harmless are the headers that may follow a redirection to another host.
var harmless = []string{"Accept", "Accept-Language", "If-None-Match", "If-Modified-Since", "User-Agent"}

// redirectPolicy bounds redirections, and keeps from other hosts what callers put into headers
// (and the Referer, whose query may hold a token).
func redirectPolicy(most int) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		if len(via) > most {
			return errRedirects
		}
		if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
			return fmt.Errorf("redirected to a %s address", req.URL.Scheme)
		}
		if originOf(req.URL) != originOf(via[0].URL) {
			kept := http.Header{}
			for _, k := range harmless {
				if v := req.Header.Values(k); len(v) > 0 {
					kept[k] = v
				}
			}
			req.Header = kept //nolint:gosec // Drops all but the harmless headers instead of carrying any over.
		}
		return nil
	}
}

// leveledLogger gives retryablehttp a logr.Logger. All is at V(1): the final outcome is returned, not logged.
type leveledLogger struct{ log logr.Logger }

func (l leveledLogger) Error(msg string, kv ...any) { l.log.V(1).Info(msg, scrubPairs(kv)...) }
func (l leveledLogger) Warn(msg string, kv ...any)  { l.log.V(1).Info(msg, scrubPairs(kv)...) }
func (l leveledLogger) Info(msg string, kv ...any)  { l.log.V(1).Info(msg, scrubPairs(kv)...) }
func (l leveledLogger) Debug(msg string, kv ...any) { l.log.V(1).Info(msg, scrubPairs(kv)...) }

func scrubPairs(kv []any) []any {
	out := make([]any, len(kv))
	for i, v := range kv {
		switch v := v.(type) {
		case string:
			out[i] = ScrubText(v)
		case error:
			out[i] = ScrubText(v.Error())
		case fmt.Stringer:
			out[i] = ScrubText(v.String())
		default:
			out[i] = v
		}
	}
	return out
}
