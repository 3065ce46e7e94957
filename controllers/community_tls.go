// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/pki"
)

// What a hub's Secret says about its certificate, so that the operator need not read it.
const (
	annotationNotAfter = "kith.dev/not-after"
	annotationIssuer   = "kith.dev/issuer"
)

// lookAgain is for how long a hub that runs is taken to still have its certificate, and monitors to be still there:
// nothing watches them.
const lookAgain = 10 * time.Minute

// certify keeps a certificate for the hub in its Secret. Of the Secret it reads the metadata only, and never lists or
// watches any.
func (s *communityScope) certify(ctx context.Context, pass *Pass) error {
	authority, err := s.Authority.Get(ctx)
	if err != nil {
		return err
	}
	key, now := client.ObjectKeyFromObject(s.community), s.Now()
	running := Condition(s.community, v1alpha1.ConditionHubAvailable)
	if running != nil && running.Status == metav1.ConditionTrue && s.issued.done(key, authority.Fingerprint(), now) {
		return nil
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: key.Namespace, Name: delivery.HubTLSName(key.Name), Labels: labels(key.Name, delivery.ComponentHub),
		},
		Type: corev1.SecretTypeTLS,
	}
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err = s.Live.Get(ctx, client.ObjectKeyFromObject(secret), live)
	exists := err == nil
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return fmt.Errorf("look at Secret %s: %w", secret.Name, err)
	default:
		if err := s.Applier.mine(s.community, &intent{kind: live.GroupVersionKind(), key: client.ObjectKeyFromObject(live)}, live); err != nil {
			return err
		}
		if renew := renewal(live, authority.Fingerprint()); now.Before(renew) {
			s.note(pass, authority, renew)
			return nil
		}
	}
	return s.issue(ctx, pass, authority, secret, exists)
}

// renewal is when the certificate in a Secret is to be replaced; the zero time where it is not this authority's.
func renewal(secret *metav1.PartialObjectMetadata, issuer string) time.Time {
	ends, err := time.Parse(time.RFC3339, secret.GetAnnotations()[annotationNotAfter])
	if err != nil || secret.GetAnnotations()[annotationIssuer] != issuer {
		return time.Time{}
	}
	return ends.Add(-pki.LeafRenewal)
}

func (s *communityScope) issue(ctx context.Context, pass *Pass, authority *pki.Authority, secret *corev1.Secret, exists bool) error {
	host := delivery.HubHost(s.community.Namespace, s.community.Name)
	leaf, err := authority.Issue([]string{host, host + ".cluster.local"}, s.Now())
	if err != nil {
		return err
	}
	secret.Annotations = map[string]string{
		annotationNotAfter: leaf.NotAfter.UTC().Format(time.RFC3339), annotationIssuer: authority.Fingerprint(),
	}
	secret.Data = map[string][]byte{
		corev1.TLSCertKey: leaf.Certificate, corev1.TLSPrivateKeyKey: leaf.Key, delivery.FileCA: authority.Bundle(),
	}
	secret.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(s.community, kindOf(s.Applier, s.community))}
	want, err := newIntent(s.Client.Scheme(), secret)
	if err != nil {
		return err
	}
	var options []client.ApplyOption
	if exists {
		options = append(options, client.ForceOwnership)
	}
	if err := s.Applier.put(ctx, want, &unstructured.Unstructured{Object: want.document()}, options...); err != nil {
		return err
	}
	s.note(pass, authority, leaf.NotAfter.Add(-pki.LeafRenewal))
	return nil
}

func (s *communityScope) note(pass *Pass, authority *pki.Authority, renew time.Time) {
	now := s.Now()
	until := now.Add(lookAgain)
	if renew.Before(until) {
		until = renew
	}
	s.issued.note(client.ObjectKeyFromObject(s.community), authority.Fingerprint(), until)
	pass.After(renew.Sub(now))
}
