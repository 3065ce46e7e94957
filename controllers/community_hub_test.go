// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/testing/builders"
)

func TestHubThatDoesNotRunSaysWhy(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	d := get(c, "acme-hub", &appsv1.Deployment{})
	pod := &corev1.Pod{ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
	pod.Name = "acme-hub-1"
	c.create(pod)
	c.patchStatus(pod, `{"status": {"phase": "Pending", "containerStatuses": [{"name": "hub", "image": "", "imageID": "", "ready": false, "restartCount": 0,
		"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}}`)
	c.patchStatus(d, `{"status": {"readyReplicas": 0, "availableReplicas": 0}}`)
	message := c.condition("acme", v1alpha1.ConditionHubAvailable, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
	if !strings.Contains(message, "image kith:test cannot be pulled") {
		t.Errorf("it says %q", message)
	}
	c.condition("acme", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
	c.available("acme-hub")
	c.condition("acme", v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSucceeded)

	say := func(err error, s wire.Status) {
		c.hubs.say(c.key("acme"), s)
		c.hubs.mu.Lock()
		c.hubs.err = err
		c.hubs.mu.Unlock()
		op.Triggers[v1alpha1.KindCommunity].Add(c.key("acme"))
	}
	say(nil, wire.Status{LedgerID: "first", ProblemReason: wire.ConfigurationUnusable, Problem: "a newer form"})
	if message := c.condition("acme", v1alpha1.ConditionHubAvailable, metav1.ConditionFalse, v1alpha1.ReasonConfigurationUnusable); message != "a newer form" {
		t.Errorf("it says %q", message)
	}
	// It has run for an hour and does not answer.
	c.patchStatus(get(c, "acme-hub", &appsv1.Deployment{}), fmt.Sprintf(
		`{"status": {"conditions": [{"type": "Available", "status": "True", "lastTransitionTime": %q}]}}`, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)))
	say(errors.New("no route to host"), wire.Status{LedgerID: "first"})
	message = c.condition("acme", v1alpha1.ConditionHubAvailable, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
	if !strings.Contains(message, "no route to host") {
		t.Errorf("it says %q", message)
	}
	say(nil, wire.Status{LedgerID: "first"})
	c.condition("acme", v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSucceeded)
}
