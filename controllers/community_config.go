// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// deliver writes what the hub and the connectors run into ConfigMaps. It is all that editing a Behaviour writes.
func (s *communityScope) deliver(ctx context.Context, _ *Pass) error {
	files, err := s.files(ctx)
	if err != nil {
		return err
	}
	parts, err := files.Encode()
	if errors.Is(err, delivery.ErrTooLarge) {
		return s.reject(v1alpha1.ReasonInvalidSpec, err.Error())
	}
	if err != nil {
		return err
	}
	for i, part := range parts {
		if _, err := Apply(ctx, s.Applier, s.community, s.configMap(i, part)); err != nil {
			return err
		}
	}
	for i := len(parts); i < delivery.MaxParts; i++ {
		stale := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: delivery.ConfigName(s.community.Name, i)}}
		if err := s.Applier.Delete(ctx, s.community, stale); err != nil {
			return err
		}
	}
	s.community.Status.BlueprintDigest = s.compiled.Digest
	return nil
}

func (s *communityScope) configMap(part int, files map[string][]byte) *corev1.ConfigMap {
	out := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: delivery.ConfigName(s.community.Name, part), Labels: labels(s.community.Name, delivery.ComponentHub)},
	}
	for name, content := range files {
		// What can be read stays readable for people.
		if strings.Contains(name, ".gz.") {
			if out.BinaryData == nil {
				out.BinaryData = map[string][]byte{}
			}
			out.BinaryData[name] = content
			continue
		}
		if out.Data == nil {
			out.Data = map[string]string{}
		}
		out.Data[name] = string(content)
	}
	return out
}

func (s *communityScope) files(ctx context.Context) (*delivery.Files, error) {
	authority, err := s.Authority.Get(ctx)
	if err != nil {
		return nil, err
	}
	issuer, keys, err := s.Keys.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("learn whose tokens the hub may trust: %w", err)
	}
	namespace, name := s.community.Namespace, s.community.Name
	out := &delivery.Files{
		Blueprint: s.compiled.Blueprint, CA: authority.Bundle(),
		Channels: delivery.Channels{Namespace: namespace, Community: name},
		Access: delivery.Access{
			Issuer: issuer, Keys: keys, Namespace: namespace, Audience: delivery.Audience(namespace, name),
			Operator: delivery.OperatorAccount{Namespace: s.Namespace, Name: s.ServiceAccount},
		},
	}
	all := delivery.Account{Name: delivery.SharedConnectorsName(name)}
	for _, c := range s.compiled.Blueprint.Channels {
		out.Channels.Channels = append(out.Channels.Channels, delivery.Channel{
			Generation: s.compiled.Generation(v1alpha1.KindChannel, namespace, c.Name), Channel: c,
		})
		all.Channels = append(all.Channels, c.Name)
		if !s.shared() {
			out.Access.Accounts = append(out.Access.Accounts, delivery.Account{Name: delivery.ConnectorName(c.Name), Channels: []string{c.Name}})
		}
	}
	if s.shared() {
		out.Access.Accounts = []delivery.Account{all}
	}
	return out, nil
}

// shared is whether one Deployment reads all channels.
func (s *communityScope) shared() bool {
	return s.community.Spec.Connectors.Placement == v1alpha1.PlacementShared
}
