// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validity is longer than any test and shorter than anything that one could come to rely on.
const validity = 30 * 24 * time.Hour

// authority signs every certificate of one cluster. It is made at `up` and deleted at `down`.
type authority struct {
	l    layout
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority makes the authority: files ca.crt and ca.key.
func newAuthority(l layout) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "kith-cluster"},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	a := &authority{l: l, cert: template, key: key}
	der, err := a.sign(template, &key.PublicKey)
	if err != nil {
		return nil, err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	if err := a.save("ca", der, key); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *authority) sign(template *x509.Certificate, public *ecdsa.PublicKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	// Clocks in pods are ours, but a clock that is being set back must not stop the cluster.
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(validity)
	return x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
}

func (a *authority) save(name string, der []byte, key *ecdsa.PrivateKey) error {
	if err := a.saveKey(name, key); err != nil {
		return err
	}
	_, err := a.l.write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), "pki", name+".crt")
	return err
}

func (a *authority) saveKey(name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	_, err = a.l.write(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), "pki", name+".key")
	return err
}

// issue makes NAME.crt and NAME.key for a user (and its groups) who may also serve under the given names.
func (a *authority) issue(name string, subject pkix.Name, hosts ...string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:     subject,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := a.sign(template, &key.PublicKey)
	if err != nil {
		return err
	}
	return a.save(name, der, key)
}

// makePKI writes every key, certificate and kubeconfig of the cluster.
func makePKI(l layout) error {
	a, err := newAuthority(l)
	if err != nil {
		return err
	}
	// Service accounts' tokens are signed by a key, not a certificate.
	tokens, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if err := a.saveKey("tokens", tokens); err != nil {
		return err
	}
	masters := []string{"system:masters"}
	for name, c := range map[string]struct {
		subject pkix.Name
		hosts   []string
	}{
		"apiserver": {pkix.Name{CommonName: "kube-apiserver"}, []string{
			hostAddress, apiService, "127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc." + domain,
		}},
		"apiserver-kubelet-client": {pkix.Name{CommonName: "kube-apiserver", Organization: masters}, nil},
		"kubelet":                  {pkix.Name{CommonName: "system:node:" + nodeName, Organization: []string{"system:nodes"}}, []string{nodeName, hostAddress}},
	} {
		if err := a.issue(name, c.subject, c.hosts...); err != nil {
			return err
		}
	}
	for user, subject := range map[string]pkix.Name{
		"admin":              {CommonName: "kith-cluster-admin", Organization: masters},
		"provisioner":        {CommonName: "kith-cluster-provisioner", Organization: masters},
		"controller-manager": {CommonName: "system:kube-controller-manager"},
		"scheduler":          {CommonName: "system:kube-scheduler"},
		"kube-proxy":         {CommonName: "system:kube-proxy"},
		"coredns":            {CommonName: corednsUser},
		"netpol":             {CommonName: netpolUser},
	} {
		if err := a.issue(user, subject); err != nil {
			return err
		}
		if err := writeKubeconfig(l, user); err != nil {
			return err
		}
	}
	// The kubelet calls with the certificate that it serves with.
	return errors.Join(writeKubeconfig(l, "kubelet"), embedKubeconfig(l))
}

func writeKubeconfig(l layout, user string) error {
	_, err := l.write(kubeconfig(l, user), "kubeconfig", user)
	return err
}

// kubeconfig names its files, so that components share one copy of each.
func kubeconfig(l layout, user string) []byte {
	return mustJSON(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "kith",
		"clusters": []any{map[string]any{"name": "kith", "cluster": map[string]any{
			"server": "https://" + apiAddress, "certificate-authority": l.pki("ca.crt"),
		}}},
		"users": []any{map[string]any{"name": user, "user": map[string]any{
			"client-certificate": l.pki(user + ".crt"), "client-key": l.pki(user + ".key"),
		}}},
		"contexts": []any{map[string]any{"name": "kith", "context": map[string]any{"cluster": "kith", "user": user}}},
	})
}

// embedKubeconfig writes the one for people: it holds its keys, so that it can be copied.
func embedKubeconfig(l layout) error {
	var content [3][]byte
	for i, name := range []string{"ca.crt", "admin.crt", "admin.key"} {
		var err error
		if content[i], err = os.ReadFile(l.pki(name)); err != nil {
			return err
		}
	}
	config := mustJSON(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "kith",
		"clusters": []any{map[string]any{"name": "kith", "cluster": map[string]any{
			"server": "https://" + apiAddress, "certificate-authority-data": content[0],
		}}},
		"users": []any{map[string]any{"name": "admin", "user": map[string]any{
			"client-certificate-data": content[1], "client-key-data": content[2],
		}}},
		"contexts": []any{map[string]any{"name": "kith", "context": map[string]any{"cluster": "kith", "user": "admin"}}},
	})
	if err := os.MkdirAll(filepath.Dir(l.kubeconfig()), 0o755); err != nil {
		return err
	}
	return os.WriteFile(l.kubeconfig(), config, 0o600)
}
