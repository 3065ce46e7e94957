// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/testing/builders"
)

func TestCertificatesAreRenewedInTime(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	op.settle(t)
	op.stop()
	secret := get(c, "acme-hub-tls", &corev1.Secret{})
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(get(c, "acme-blueprint", &corev1.ConfigMap{}).Data[delivery.FileCA]))
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: delivery.HubHost(c.namespace, "acme")}); err != nil {
		t.Errorf("connectors do not trust their hub: %v", err)
	}
	later := func(d time.Duration) func(*controllers.Options) {
		return func(o *controllers.Options) { o.Now = func() time.Time { return time.Now().Add(d) } }
	}
	for _, tc := range []struct {
		name  string
		after time.Duration
		want  map[string]int
	}{
		{"after 59 days", 59 * 24 * time.Hour, map[string]int{}},
		{"after 61 days", 61 * 24 * time.Hour, map[string]int{"PATCH secrets": 1}},
		{"after 62 days", 62 * 24 * time.Hour, map[string]int{}},
		// Who renews an authority gives out the certificates of both.
		{"after nine years", 9*365*24*time.Hour + 30*24*time.Hour, map[string]int{"PATCH secrets": 1, "PUT secrets": 1, "PATCH configmaps": 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			op := c.operate(later(tc.after))
			c.eventually(func() string {
				if op.calls.all() == 0 {
					return "it has not begun"
				}
				return ""
			})
			op.settle(t)
			op.stop()
			if diff := cmp.Diff(tc.want, op.calls.writes()); diff != "" {
				t.Error(diff)
			}
		})
	}
	if n := bytes.Count(get(c, controllers.AuthorityName, &corev1.Secret{}).Data[corev1.TLSCertKey], []byte("BEGIN CERT")); n != 2 {
		t.Errorf("the authority comes with %d certificates, want its own and the one before", n)
	}
}

func TestAnAuthorityThatWasDeletedIsReplaced(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	op.stop()
	before := get(c, "acme-hub-tls", &corev1.Secret{})
	c.delete(get(c, controllers.AuthorityName, &corev1.Secret{}))
	c.operate()
	c.eventually(func() string {
		now := get(c, "acme-hub-tls", &corev1.Secret{})
		if bytes.Equal(now.Data[delivery.FileCA], before.Data[delivery.FileCA]) {
			return "the hub has its old certificate"
		}
		if get(c, "acme-blueprint", &corev1.ConfigMap{}).Data[delivery.FileCA] != string(now.Data[delivery.FileCA]) {
			return "connectors trust another authority than the hub's"
		}
		return ""
	})
}

func TestHubsLearnWhoSignsTokens(t *testing.T) {
	c := newCluster(t)
	c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	config := exists(c, "acme-blueprint", &corev1.ConfigMap{})
	var access delivery.Access
	if err := json.Unmarshal([]byte(config.Data[delivery.FileAccess]), &access); err != nil {
		t.Fatal(err)
	}
	var keys struct{ Keys []map[string]any }
	if err := json.Unmarshal(access.Keys, &keys); err != nil || len(keys.Keys) == 0 || keys.Keys[0]["kid"] == nil {
		t.Errorf("no keys: %s (%v)", access.Keys, err)
	}
	access.Keys = nil
	if access.Issuer == "" {
		t.Error("no issuer")
	}
	if diff := cmp.Diff(delivery.Access{
		Issuer: access.Issuer, Namespace: c.namespace, Audience: delivery.Audience(c.namespace, "acme"),
		Operator: delivery.OperatorAccount{Namespace: c.namespace, Name: "kith-operator"},
	}, access); diff != "" {
		t.Error(diff)
	}
}
