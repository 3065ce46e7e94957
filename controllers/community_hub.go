// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
)

const (
	// lookAtPods is how often the pods of a hub that does not run are looked at: nothing watches them.
	lookAtPods = 30 * time.Second
	// unanswered is how long a hub may leave the operator's calls unanswered before that is a condition.
	unanswered = 3 * time.Minute
)

// runHub applies the hub's account, service, network policies and Deployment.
func (s *communityScope) runHub(ctx context.Context, _ *Pass) error {
	objectLabels := labels(s.community.Name, delivery.ComponentHub)
	if _, err := Apply(ctx, s.Applier, s.community, account(delivery.HubName(s.community.Name), objectLabels)); err != nil {
		return err
	}
	if _, err := Apply(ctx, s.Applier, s.community, hubService(s.community)); err != nil {
		return err
	}
	if _, err := Apply(ctx, s.Applier, s.community, hubPolicy(s.community, s.Settings.Namespace)); err != nil {
		return err
	}
	if _, err := Apply(ctx, s.Applier, s.community, connectorsPolicy(s.community)); err != nil {
		return err
	}
	hub, err := Apply(ctx, s.Applier, s.community, hubDeployment(s.Image, s.community))
	s.hub = hub
	return err
}

// lookAtHub sets HubAvailable from the Deployment, from its pods where it does not run, and from what the hub last said.
func (s *communityScope) lookAtHub(ctx context.Context, pass *Pass) error {
	if !available(s.hub) {
		pass.After(lookAtPods)
		reason, message, err := s.whyNot(ctx)
		if err != nil {
			return err
		}
		SetCondition(s.community, v1alpha1.ConditionHubAvailable, metav1.ConditionFalse, reason, message)
		return nil
	}
	status, at, err := s.Hubs.Status(client.ObjectKeyFromObject(s.community))
	switch {
	case err != nil && s.Now().Sub(at) > unanswered && s.hubUp() > unanswered:
		SetCondition(s.community, v1alpha1.ConditionHubAvailable, metav1.ConditionFalse, v1alpha1.ReasonUnavailable,
			"the hub's pod runs, and does not answer the operator: "+err.Error())
		pass.After(lookAtPods)
	case status.ProblemReason == wire.ConfigurationUnusable:
		SetCondition(s.community, v1alpha1.ConditionHubAvailable, metav1.ConditionFalse, v1alpha1.ReasonConfigurationUnusable, status.Problem)
	default:
		if err != nil {
			pass.After(unanswered)
		}
		SetCondition(s.community, v1alpha1.ConditionHubAvailable, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "the hub runs")
	}
	return nil
}

// hubUp is how long the hub's Deployment has been available.
func (s *communityScope) hubUp() time.Duration {
	for _, c := range s.hub.Status.Conditions {
		if c.Type == appsv1.DeploymentAvailable {
			return s.Now().Sub(c.LastTransitionTime.Time)
		}
	}
	return 0
}

// available is whether a Deployment runs as it is declared now.
func available(d *appsv1.Deployment) bool {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	return d.Status.ObservedGeneration >= d.Generation && d.Generation > 0 &&
		d.Status.UpdatedReplicas >= want && d.Status.AvailableReplicas >= want
}

// whyNot asks the API server for the hub's pods, of which there is one or none, and says what they wait for.
func (s *communityScope) whyNot(ctx context.Context) (reason, message string, err error) {
	for _, c := range s.hub.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return v1alpha1.ReasonUnavailable, "the hub's pod is refused: " + c.Message, nil
		}
	}
	pods := &corev1.PodList{}
	err = s.Live.List(ctx, pods, client.InNamespace(s.community.Namespace), client.Limit(10),
		client.MatchingLabels(selectorLabels(s.community.Name, delivery.ComponentHub)))
	if err != nil {
		return "", "", fmt.Errorf("list the pods of the hub: %w", err)
	}
	reason, message = diagnose(pods.Items, s.Now())
	return reason, message, nil
}
