// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-cleanhttp"
)

// Names in a folder with a certificate, as Kubernetes names them.
const (
	certFile = "tls.crt"
	keyPEM   = "tls.key"
)

// rotated gives what was made of some files, made anew whenever one of them has changed. While they cannot be used, what
// was made last still is: files are replaced one after the other.
type rotated[T any] struct {
	files []string
	make  func() (T, error)

	mu   sync.Mutex
	seen []os.FileInfo
	last T
	made bool
}

func (r *rotated[T]) get() (T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := make([]os.FileInfo, len(r.files))
	for i, f := range r.files {
		info, err := os.Stat(f)
		if err != nil {
			return r.keep(err)
		}
		seen[i] = info
	}
	if r.made && same(r.seen, seen) {
		return r.last, nil
	}
	v, err := r.make()
	if err != nil {
		return r.keep(err)
	}
	r.last, r.seen, r.made = v, seen, true
	return v, nil
}

func (r *rotated[T]) keep(err error) (T, error) {
	if r.made {
		return r.last, nil
	}
	return r.last, err
}

func same(a, b []os.FileInfo) bool {
	for i := range a {
		if !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()) {
			return false
		}
	}
	return len(a) == len(b)
}

// serverTLS serves with the certificate of a folder, which may be replaced in place. Both ends are ours: TLS 1.3 it is.
func serverTLS(dir string) *tls.Config {
	cert, key := filepath.Join(dir, certFile), filepath.Join(dir, keyPEM)
	pair := &rotated[*tls.Certificate]{files: []string{cert, key}, make: func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cert, key)
		return &c, err
	}}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, err := pair.get()
			if err != nil {
				return nil, fmt.Errorf("there is no certificate in %s yet: %w", dir, err)
			}
			return c, nil
		},
	}
}

// hubTransport trusts the certificate authorities in a file alone, which may be replaced in place.
type hubTransport struct{ current *rotated[*http.Transport] }

func newHubTransport(caFile string) *hubTransport {
	var before *http.Transport
	return &hubTransport{current: &rotated[*http.Transport]{files: []string{caFile}, make: func() (*http.Transport, error) {
		pem, err := os.ReadFile(caFile) //nolint:gosec // the operator of this process names it
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errors.New("it holds no certificate in PEM")
		}
		t := cleanhttp.DefaultPooledTransport()
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool}
		// A hub answers or refuses within seconds; a shorter wait would give up calls that it still has in work.
		t.ResponseHeaderTimeout = time.Minute
		// There is one host, and many channels may share this process.
		t.MaxIdleConnsPerHost = 4
		t.Proxy = nil // the hub is in the same cluster; proxies are for platforms
		if before != nil {
			before.CloseIdleConnections()
		}
		before = t
		return t, nil
	}}}
}

// RoundTrip implements http.RoundTripper.
func (t *hubTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	current, err := t.current.get()
	if err != nil {
		return nil, fmt.Errorf("trust the hub by %s: %w", t.current.files[0], err)
	}
	return current.RoundTrip(r)
}
