// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// runConnectors runs one Deployment for all channels with placement Shared, and none with PerChannel, where each Channel
// has its own. While the one comes and the others go both may read: the later lease wins, and nothing counts twice.
func (s *communityScope) runConnectors(ctx context.Context, pass *Pass) error {
	name := delivery.SharedConnectorsName(s.community.Name)
	if !s.shared() || len(s.compiled.Blueprint.Channels) == 0 {
		s.quiet.settled(client.ObjectKeyFromObject(s.community))
		meta := metav1.ObjectMeta{Name: name}
		for _, stale := range []client.Object{&appsv1.Deployment{ObjectMeta: meta}, &corev1.ServiceAccount{ObjectMeta: meta}} {
			if err := s.Applier.Delete(ctx, s.community, stale); err != nil {
				return err
			}
		}
		return nil
	}
	channels := make([]*v1alpha1.Channel, 0, len(s.compiled.Blueprint.Channels))
	for _, c := range s.compiled.Blueprint.Channels {
		channel := &v1alpha1.Channel{}
		err := s.Client.Get(ctx, types.NamespacedName{Namespace: s.community.Namespace, Name: c.Name}, channel)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("read Channel %s: %w", c.Name, err)
		}
		if err == nil {
			channels = append(channels, channel)
		}
	}
	account, deployment := SharedConnectors(s.Image, s.community, channels)
	if _, err := Apply(ctx, s.Applier, s.community, account); err != nil {
		return err
	}
	if wait, err := s.holdRoll(ctx, deployment); err != nil || wait {
		pass.After(secretsQuiet)
		return err
	}
	_, err := Apply(ctx, s.Applier, s.community, deployment)
	return err
}

// holdRoll is whether a Deployment is to be left as it is for now, because only a moment ago its set of Secrets became
// another one. A new one is never held.
func (s *communityScope) holdRoll(ctx context.Context, desired *appsv1.Deployment) (bool, error) {
	key := client.ObjectKeyFromObject(s.community)
	live := &appsv1.Deployment{}
	err := s.Client.Get(ctx, types.NamespacedName{Namespace: s.community.Namespace, Name: desired.Name}, live)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("read Deployment %s: %w", desired.Name, err)
	}
	wants := mountedSecrets(desired)
	if err != nil || mountedSecrets(live) == wants {
		s.quiet.settled(key)
		return false, nil
	}
	return s.quiet.hold(key, wants, secretsQuiet, s.Now()) > 0, nil
}
