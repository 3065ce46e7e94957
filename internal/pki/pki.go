// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// How long certificates hold, and how long before their end they are replaced. An authority holds for ten years.
const (
	LeafLifetime  = 90 * 24 * time.Hour
	LeafRenewal   = 30 * 24 * time.Hour
	AuthorityLast = 365 * 24 * time.Hour

	// skew is by how much clocks may differ.
	skew = 5 * time.Minute
)

// Authority issues certificates.
type Authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	bundle      []byte
}

// Leaf is a certificate with its key, in PEM.
type Leaf struct {
	Certificate, Key []byte
	NotAfter         time.Time
}

// New makes an authority. Those who trusted an earlier one go on trusting it until it ends, if its Bundle is given.
func New(now time.Time, earlier []byte) (*Authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	certificate, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "kith", NotBefore: now.Add(-skew).UTC()}, key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	own, err := cert.EncodeCertificates(certificate)
	if err != nil {
		return nil, fmt.Errorf("encode a certificate authority: %w", err)
	}
	bundle := own
	if before, err := cert.ParseCertsPEM(earlier); err == nil && now.Before(before[0].NotAfter) {
		kept, err := cert.EncodeCertificates(before[0])
		if err != nil {
			return nil, fmt.Errorf("encode the earlier certificate authority: %w", err)
		}
		bundle = append(bundle, kept...)
	}
	return &Authority{certificate, key, bundle}, nil
}

// Decode reads what Encode wrote.
func Decode(bundle, key []byte) (*Authority, error) {
	certificates, err := cert.ParseCertsPEM(bundle)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the authority: %w", err)
	}
	parsed, err := keyutil.ParsePrivateKeyPEM(key)
	if err != nil {
		return nil, errors.New("read the key of the authority: it is no private key in PEM")
	}
	signer, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("read the key of the authority: it is no ECDSA key")
	}
	if public, ok := certificates[0].PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(signer.Public()) || !certificates[0].IsCA {
		return nil, errors.New("read the authority: the first certificate is no authority of this key")
	}
	return &Authority{certificates[0], signer, bytes.Clone(bundle)}, nil
}

// Encode gives the certificates, this authority's first, and its key, in PEM.
func (a *Authority) Encode() (bundle, key []byte, err error) {
	key, err = keyutil.MarshalPrivateKeyToPEM(a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the key of the authority: %w", err)
	}
	return a.Bundle(), key, nil
}

// Bundle are the certificates to be trusted, in PEM.
func (a *Authority) Bundle() []byte { return bytes.Clone(a.bundle) }

// Fingerprint tells authorities apart.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.certificate.Raw)
	return hex.EncodeToString(sum[:16])
}

// Ends is whether it is time for the next authority: a leaf must never outlive the one that issued it.
func (a *Authority) Ends(now time.Time) bool {
	return now.After(a.certificate.NotAfter.Add(-AuthorityLast))
}

// Issue makes a certificate for a server of these names.
func (a *Authority) Issue(names []string, now time.Time) (*Leaf, error) {
	if len(names) == 0 {
		return nil, errors.New("issue a certificate: it needs a name")
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %s: %w", names[0], err)
	}
	template := &x509.Certificate{
		// A common name has at most 64 characters, and nobody reads it: names are in the alternative ones.
		Subject: pkix.Name{CommonName: "kith-hub"}, DNSNames: names,
		SerialNumber: serial.Add(serial, big.NewInt(1)), NotBefore: now.Add(-skew).UTC(), NotAfter: now.Add(LeafLifetime).UTC(),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %s: %w", names[0], err)
	}
	issued, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("read the certificate that was issued for %s: %w", names[0], err)
	}
	certificate, err := cert.EncodeCertificates(issued)
	if err != nil {
		return nil, fmt.Errorf("encode the certificate for %s: %w", names[0], err)
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key for %s: %w", names[0], err)
	}
	return &Leaf{Certificate: certificate, Key: keyPEM, NotAfter: issued.NotAfter}, nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}
