// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

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
		return deleteConnector(ctx, s.Applier, s.community, name)
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
	live, err := deploymentOf(ctx, s.Client, name, s.community)
	if err != nil {
		return err
	}
	if wait := s.quiet.holdRoll(s.community, live, deployment, s.Now()); wait > 0 {
		pass.After(wait)
		return nil
	}
	_, err = Apply(ctx, s.Applier, s.community, deployment)
	return err
}
