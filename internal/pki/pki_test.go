// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/kith-dev/kith/internal/pki"
)

func authority(t *testing.T, now time.Time, earlier []byte) *pki.Authority {
	t.Helper()
	a, err := pki.New(now, earlier)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// trusts is whether who holds the bundle trusts the leaf under a name at a time.
func trusts(t *testing.T, bundle []byte, leaf *pki.Leaf, name string, at time.Time) error {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		t.Fatal("the bundle holds no certificate")
	}
	block, _ := pem.Decode(leaf.Certificate)
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parsed.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err
}

func TestWhoTrustsTheAuthorityTrustsItsLeaves(t *testing.T) {
	now := time.Now()
	a := authority(t, now, nil)
	leaf, err := a.Issue([]string{"acme-hub.here.svc", "acme-hub.here.svc.cluster.local"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tls.X509KeyPair(leaf.Certificate, leaf.Key); err != nil {
		t.Errorf("certificate and key do not fit: %v", err)
	}
	for name, tc := range map[string]struct {
		host string
		at   time.Time
		want bool
	}{
		"its name":               {"acme-hub.here.svc", now, true},
		"its other name":         {"acme-hub.here.svc.cluster.local", now, true},
		"a clock that is behind": {"acme-hub.here.svc", now.Add(-4 * time.Minute), true},
		"another hub":            {"other-hub.here.svc", now, false},
		"a day before its end":   {"acme-hub.here.svc", now.Add(pki.LeafLifetime - 24*time.Hour), true},
		"after its end":          {"acme-hub.here.svc", now.Add(pki.LeafLifetime + time.Hour), false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := trusts(t, a.Bundle(), leaf, tc.host, tc.at); (err == nil) != tc.want {
				t.Errorf("got %v, want trusted: %v", err, tc.want)
			}
		})
	}
	if err := trusts(t, authority(t, now, nil).Bundle(), leaf, "acme-hub.here.svc", now); err == nil {
		t.Error("another authority's leaf is trusted")
	}
}

func TestAuthorityIsReadBack(t *testing.T) {
	now := time.Now()
	a := authority(t, now, nil)
	bundle, key, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := pki.Decode(bundle, key)
	if err != nil {
		t.Fatal(err)
	}
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("another authority was read than was written")
	}
	_, otherKey, err := authority(t, now, nil).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ bundle, key []byte }{
		"nothing":             {},
		"the key of another":  {bundle, otherKey},
		"no certificate":      {key, key},
		"a key that is a lie": {bundle, []byte("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pki.Decode(tc.bundle, tc.key)
			if err == nil {
				t.Fatal("it was taken")
			}
			if strings.Contains(err.Error(), "c2VjcmV0") {
				t.Errorf("the error holds the key: %v", err)
			}
		})
	}
}

func TestNextAuthorityIsTrustedBesidesTheEarlier(t *testing.T) {
	now := time.Now()
	before := authority(t, now, nil)
	if before.Ends(now.Add(8 * 365 * 24 * time.Hour)) {
		t.Error("it ends two years too early")
	}
	late := now.Add(9*365*24*time.Hour + 30*24*time.Hour)
	if !before.Ends(late) {
		t.Error("it does not end a year before its certificate does")
	}
	after := authority(t, late, before.Bundle())
	for name, a := range map[string]*pki.Authority{"earlier": before, "next": after} {
		leaf, err := a.Issue([]string{"hub"}, late)
		if err != nil {
			t.Fatal(err)
		}
		if err := trusts(t, after.Bundle(), leaf, "hub", late); err != nil {
			t.Errorf("a leaf of the %s authority: %v", name, err)
		}
	}
	if got := strings.Count(string(authority(t, late, after.Bundle()).Bundle()), "BEGIN"); got != 2 {
		t.Errorf("the bundle grew to %d certificates; it needs this one and the one before", got)
	}
}
