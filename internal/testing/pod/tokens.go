// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Issuer signs ServiceAccount tokens.
type Issuer struct {
	// URL is what it calls itself; KeyID names its key.
	URL, KeyID string
	// Key signs: an *ecdsa.PrivateKey, or whatever a test puts in its place together with Algorithm.
	Key       any
	Algorithm jose.SignatureAlgorithm

	public *ecdsa.PublicKey
	t      testing.TB
}

// NewIssuer makes an issuer with a key of its own.
func NewIssuer(t testing.TB, keyID string) *Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &Issuer{URL: "https://kubernetes.default.svc", KeyID: keyID, Key: key, Algorithm: jose.ES256, public: &key.PublicKey, t: t}
}

// Keys is the JSON Web Key Set that an API server publishes for some issuers.
func Keys(t testing.TB, issuers ...*Issuer) json.RawMessage {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, i := range issuers {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: i.public, KeyID: i.KeyID, Algorithm: string(jose.ES256), Use: "sig"})
	}
	doc, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Public is the issuer's public key.
func (i *Issuer) Public() *ecdsa.PublicKey { return i.public }

// Token is what a token claims.
type Token struct {
	Namespace, Account, Audience string
	// Pod is the one that the token is bound to; empty: none.
	Pod string
	// Issued and Expires bound it; Expires zero means never.
	Issued, Expires time.Time
	// Issuer replaces the issuer's own name.
	Issuer string
}

// Sign makes the token.
func (i *Issuer) Sign(c Token) string {
	i.t.Helper()
	options := (&jose.SignerOptions{}).WithHeader("kid", i.KeyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: i.Algorithm, Key: i.Key}, options)
	if err != nil {
		i.t.Fatal(err)
	}
	issuer := i.URL
	if c.Issuer != "" {
		issuer = c.Issuer
	}
	claims := jwt.Claims{Issuer: issuer, Subject: "system:serviceaccount:" + c.Namespace + ":" + c.Account, Audience: jwt.Audience{c.Audience},
		IssuedAt: jwt.NewNumericDate(c.Issued), NotBefore: jwt.NewNumericDate(c.Issued)}
	if !c.Expires.IsZero() {
		claims.Expiry = jwt.NewNumericDate(c.Expires)
	}
	bound := map[string]any{"namespace": c.Namespace, "serviceaccount": map[string]any{"name": c.Account, "uid": "1"}}
	if c.Pod != "" {
		bound["pod"] = map[string]any{"name": c.Pod, "uid": "2"}
	}
	token, err := jwt.Signed(signer).Claims(claims).Claims(map[string]any{"kubernetes.io": bound}).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}
