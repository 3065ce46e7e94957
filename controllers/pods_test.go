// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
)

func TestDiagnose(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }
	pod := func(change func(*corev1.Pod)) corev1.Pod {
		p := corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "acme-hub-7d9f-x2x4z", CreationTimestamp: ago(time.Hour)},
			Spec:       corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "hub", Image: "registry.example/kith:1"}}},
			Status:     corev1.PodStatus{Phase: corev1.PodRunning},
		}
		change(&p)
		return p
	}
	condition := func(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) corev1.PodCondition {
		return corev1.PodCondition{Type: kind, Status: status, Reason: reason, Message: message}
	}
	waits := func(reason string) corev1.Pod {
		return pod(func(p *corev1.Pod) {
			p.Status.Phase = corev1.PodPending
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "hub", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}}
		})
	}
	crashes := func(why corev1.ContainerStateTerminated) corev1.Pod {
		p := waits("CrashLoopBackOff")
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &why
		return p
	}
	for name, tc := range map[string]struct {
		pods   []corev1.Pod
		reason string
		says   string
	}{
		"none yet": {nil, v1alpha1.ReasonProgressing, "being made"},
		"no node takes it": {[]corev1.Pod{pod(func(p *corev1.Pod) {
			p.Spec.NodeName, p.Status.Phase = "", corev1.PodPending
			p.Status.Conditions = []corev1.PodCondition{condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "0/3 nodes are available: 3 Insufficient memory.")}
		})}, v1alpha1.ReasonUnavailable, "Insufficient memory"},
		"image":            {[]corev1.Pod{waits("ImagePullBackOff")}, v1alpha1.ReasonUnavailable, "image registry.example/kith:1 cannot be pulled"},
		"image, first try": {[]corev1.Pod{waits("ErrImagePull")}, v1alpha1.ReasonUnavailable, "image registry.example/kith:1 cannot be pulled"},
		"volumes":          {[]corev1.Pod{waits("ContainerCreating")}, v1alpha1.ReasonProgressing, "volumes"},
		"configuration":    {[]corev1.Pod{waits("CreateContainerConfigError")}, v1alpha1.ReasonUnavailable, "CreateContainerConfigError"},
		"crashes":          {[]corev1.Pod{crashes(corev1.ContainerStateTerminated{ExitCode: 3})}, v1alpha1.ReasonUnavailable, "exit code 3"},
		"too little memory": {[]corev1.Pod{crashes(corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"})},
			v1alpha1.ReasonUnavailable, "limits.memory"},
		"not ready": {[]corev1.Pod{pod(func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "hub", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
		})}, v1alpha1.ReasonProgressing, "its log"},
		"node unreachable": {[]corev1.Pod{pod(func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{
				condition(corev1.ContainersReady, corev1.ConditionTrue, "", ""), condition(corev1.PodReady, corev1.ConditionFalse, "", ""),
			}
		})}, v1alpha1.ReasonNodeLost, "node-1"},
		"evicted from a lost node": {[]corev1.Pod{pod(func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{condition(corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByTaintManager", "")}
		})}, v1alpha1.ReasonNodeLost, "out-of-service"},
		"does not end, and the next waits for its volume": {[]corev1.Pod{
			pod(func(p *corev1.Pod) { p.DeletionTimestamp = new(ago(time.Minute)) }),
			pod(func(p *corev1.Pod) {
				p.CreationTimestamp = ago(0)
				p.Spec.NodeName = "node-2"
				p.Status.Conditions = []corev1.PodCondition{condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "volume in use")}
			}),
		}, v1alpha1.ReasonNodeLost, "node-1"},
		"ends in its time": {[]corev1.Pod{pod(func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.NewTime(now.Add(time.Minute))) })},
			v1alpha1.ReasonProgressing, "ends"},
		"a failed one before": {[]corev1.Pod{
			pod(func(p *corev1.Pod) { p.Status.Phase, p.CreationTimestamp = corev1.PodFailed, ago(time.Minute) }), waits("ContainerCreating"),
		}, v1alpha1.ReasonProgressing, "volumes"},
	} {
		t.Run(name, func(t *testing.T) {
			reason, message := diagnose(tc.pods, now)
			if reason != tc.reason || !strings.Contains(message, tc.says) {
				t.Errorf("got %s, %q; want %s, …%s…", reason, message, tc.reason, tc.says)
			}
			if strings.Contains(message, "x2x4z") {
				t.Errorf("the message holds a name that changes with each restart: %s", message)
			}
		})
	}
}
