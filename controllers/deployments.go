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
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// available is whether a Deployment runs as it is declared now.
func available(d *appsv1.Deployment) bool {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	return d.Status.ObservedGeneration >= d.Generation && d.Generation > 0 &&
		d.Status.UpdatedReplicas >= want && d.Status.AvailableReplicas >= want
}

// deploymentOf reads a Deployment from the cache; nil where there is none, or none of this owner's.
func deploymentOf(ctx context.Context, c client.Reader, name string, owner client.Object) (*appsv1.Deployment, error) {
	d := &appsv1.Deployment{}
	err := c.Get(ctx, types.NamespacedName{Namespace: owner.GetNamespace(), Name: name}, d)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Deployment %s: %w", name, err)
	}
	if err != nil || !metav1.IsControlledBy(d, owner) {
		return nil, nil // no Deployment is an answer
	}
	return d, nil
}

// deleteConnector removes a connector of this name, if it is the owner's: of a Channel its own, of a Community the shared.
func deleteConnector(ctx context.Context, a *Applier, owner Resource, name string) error {
	for _, obj := range []client.Object{&appsv1.Deployment{}, &corev1.ServiceAccount{}} {
		obj.SetName(name)
		if err := a.Delete(ctx, owner, obj); err != nil {
			return err
		}
	}
	return nil
}

// podRefused is whether the API server refuses a Deployment's pod, and why.
func podRefused(d *appsv1.Deployment) (why string, refused bool) {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return c.Message, true
		}
	}
	return "", false
}

// diagnosePods asks the API server for a Deployment's pods, of which there are one or two, and says what they wait for.
func diagnosePods(ctx context.Context, live client.Reader, d *appsv1.Deployment, now time.Time) (reason, message string, err error) {
	pods := &corev1.PodList{}
	err = live.List(ctx, pods, client.InNamespace(d.Namespace), client.Limit(10), client.MatchingLabels(d.Spec.Selector.MatchLabels))
	if err != nil {
		return "", "", fmt.Errorf("list the pods of Deployment %s: %w", d.Name, err)
	}
	reason, message = diagnose(pods.Items, now)
	return reason, message, nil
}
