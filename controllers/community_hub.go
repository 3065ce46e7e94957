// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
)

const (
	// lookAtPods is how often the pods of a hub that does not run are looked at: nothing watches them.
	lookAtPods = 30 * time.Second
	// unanswered is how long a hub may run and leave the operator's calls unanswered before that is a condition.
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
	report, _ := s.Hubs.Report(client.ObjectKeyFromObject(s.community))
	up := s.hubUp()
	switch {
	case report.Down && report.Err != nil && up > unanswered:
		SetCondition(s.community, v1alpha1.ConditionHubAvailable, metav1.ConditionFalse, v1alpha1.ReasonUnavailable,
			"the hub's pod runs, and does not answer the operator: "+report.Err.Error())
	case !report.Down && report.Status.ProblemReason == wire.ConfigurationUnusable:
		SetCondition(s.community, v1alpha1.ConditionHubAvailable, metav1.ConditionFalse, v1alpha1.ReasonConfigurationUnusable, report.Status.Problem)
	default:
		if report.Down {
			pass.After(unanswered - up + time.Second)
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

// whyNot says what the hub's pod waits for.
func (s *communityScope) whyNot(ctx context.Context) (reason, message string, err error) {
	if why, refused := podRefused(s.hub); refused {
		return v1alpha1.ReasonUnavailable, "the hub's pod is refused: " + why, nil
	}
	return diagnosePods(ctx, s.Live, s.hub, s.Now())
}
