// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/pki"
)

// AuthorityName is the Secret in the operator's namespace that keeps the certificate authority of all hubs.
const AuthorityName = "kith-ca"

// Authority keeps the operator's certificate authority: made once, read once per process, renewed a year before it ends.
type Authority struct {
	// Client writes; Live reads this one Secret, which no cache holds.
	Client client.Client
	Live   client.Reader
	// Namespace is the operator's own.
	Namespace string
	// Now is the clock.
	Now func() time.Time

	mu      sync.Mutex
	current *pki.Authority
}

// Get gives the authority.
func (a *Authority) Get(ctx context.Context) (*pki.Authority, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != nil && !a.current.Ends(a.Now()) {
		return a.current, nil
	}
	key := types.NamespacedName{Namespace: a.Namespace, Name: AuthorityName}
	secret := &corev1.Secret{}
	err := a.Live.Get(ctx, key, secret)
	switch {
	case apierrors.IsNotFound(err):
		return a.save(ctx, nil, func(s *corev1.Secret) error { return a.Client.Create(ctx, s) })
	case err != nil:
		return nil, fmt.Errorf("read the certificate authority in Secret %s: %w", key, err)
	}
	found, err := pki.Decode(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, fmt.Errorf("use the certificate authority in Secret %s: %w; delete the Secret, and the operator makes a new authority and new certificates", key, err)
	}
	if found.Ends(a.Now()) {
		return a.save(ctx, found.Bundle(), func(s *corev1.Secret) error {
			s.ResourceVersion = secret.ResourceVersion
			return a.Client.Update(ctx, s)
		})
	}
	a.current = found
	return found, nil
}

// save makes an authority and writes it. Where another operator was faster, the write fails, and the next try reads.
func (a *Authority) save(ctx context.Context, earlier []byte, write func(*corev1.Secret) error) (*pki.Authority, error) {
	made, err := pki.New(a.Now(), earlier)
	if err != nil {
		return nil, err
	}
	bundle, key, err := made.Encode()
	if err != nil {
		return nil, err
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.Namespace, Name: AuthorityName, Labels: map[string]string{
			delivery.LabelName: delivery.AppName, delivery.LabelComponent: delivery.ComponentOperator, delivery.LabelManagedBy: delivery.ManagedBy,
		}},
		Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: bundle, corev1.TLSPrivateKeyKey: key},
	}
	if err := write(secret); err != nil {
		return nil, fmt.Errorf("write the certificate authority to Secret %s in namespace %s: %w", AuthorityName, a.Namespace, err)
	}
	a.current = made
	return made, nil
}
