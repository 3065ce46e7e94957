// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kith-dev/kith/internal/reader"
)

// Verifier tells who calls the hub's API. An error means that nobody was recognised; it goes into the hub's log, never
// to the caller, and holds no token.
type Verifier interface {
	Verify(*http.Request) (Caller, error)
}

// Caller is who calls, and for which channels they may speak.
type Caller struct {
	// Name is for the log: a ServiceAccount, "loopback". Never a person.
	Name string
	// All lets the caller speak for every channel; else only for Channels, by resource name.
	All      bool
	Channels []string
	// Status lets the caller read the whole community's status, and speak for no channel.
	Status bool
}

// mayWrite says whether the caller may speak for a channel.
func (c Caller) mayWrite(channel string) bool { return c.All || slices.Contains(c.Channels, channel) }

// ErrUnknownCaller is returned by a Verifier that recognises nobody.
var ErrUnknownCaller = errors.New("the caller is not known")

// minToken keeps out tokens that could be guessed.
const minToken = 16

// SharedToken recognises whoever presents the bearer token in a file as a caller for all channels. The file is read
// again when it changes, so that the token can be rotated in place. A token has at least 16 characters.
func SharedToken(file string) Verifier {
	secret := reader.FileSecrets(filepath.Dir(file))
	return sharedToken(func() (string, bool) { return secret(filepath.Base(file)) })
}

type sharedToken func() (string, bool)

// Verify implements Verifier. It takes the same time whatever the length and content of what is presented.
func (s sharedToken) Verify(r *http.Request) (Caller, error) {
	want, ok := s()
	want = strings.TrimSpace(want)
	if !ok || len(want) < minToken {
		return Caller{}, errors.New("the token file is missing or holds fewer than 16 characters: nobody can call the API")
	}
	scheme, got, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	a, b := sha256.Sum256([]byte(strings.TrimSpace(got))), sha256.Sum256([]byte(want))
	if subtle.ConstantTimeCompare(a[:], b[:]) != 1 || !strings.EqualFold(scheme, "Bearer") {
		return Caller{}, ErrUnknownCaller
	}
	return Caller{Name: "shared token", All: true}, nil
}

// Loopback recognises callers on the same machine, for `kith run`. Pages in a browser are refused, also those that
// have made a name of theirs point at this machine.
type Loopback struct{}

// Verify implements Verifier.
func (Loopback) Verify(r *http.Request) (Caller, error) {
	if !loopbackHost(r.RemoteAddr) || !loopbackHost(r.Host) || r.Header.Get("Origin") != "" {
		return Caller{}, ErrUnknownCaller
	}
	return Caller{Name: "loopback", All: true}, nil
}

func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
