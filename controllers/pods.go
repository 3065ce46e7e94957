// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
)

// stuck is how long after its grace period a pod may still be there before its node is taken to be gone.
const stuck = 30 * time.Second

// diagnose says why none of these pods is ready, for people: what the newest waits for, unless an older one is in its
// way. Pods are not named: their names change with each restart, and would change the condition with them.
func diagnose(pods []corev1.Pod, now time.Time) (reason, message string) {
	if len(pods) == 0 {
		return v1alpha1.ReasonProgressing, "the pod is being made"
	}
	pods = slices.Clone(pods)
	slices.SortStableFunc(pods, func(a, b corev1.Pod) int {
		return cmp.Compare(b.CreationTimestamp.UnixNano(), a.CreationTimestamp.UnixNano())
	})
	for i := range pods {
		if nodeLost(&pods[i], now) {
			return v1alpha1.ReasonNodeLost, fmt.Sprintf("node %s under the pod does not answer: if it does not come back, delete the Node "+
				"or taint it node.kubernetes.io/out-of-service, and the pod moves with its volume", pods[i].Spec.NodeName)
		}
	}
	for i := range pods {
		if pods[i].DeletionTimestamp.IsZero() && pods[i].Status.Phase != corev1.PodFailed && pods[i].Status.Phase != corev1.PodSucceeded {
			return waitsFor(&pods[i])
		}
	}
	return v1alpha1.ReasonProgressing, "the pod that was there ends, and the next one follows"
}

// nodeLost is whether the kubelet of a pod's node does not report any more: the pod is evicted for that, does not end in
// its time, or was set not ready by the control plane while its containers are ready as far as anybody knows.
func nodeLost(p *corev1.Pod, now time.Time) bool {
	if p.Spec.NodeName == "" {
		return false
	}
	if !p.DeletionTimestamp.IsZero() && now.After(p.DeletionTimestamp.Add(stuck)) {
		return true
	}
	var ready, containers, disrupted *corev1.PodCondition
	for i, c := range p.Status.Conditions {
		switch c.Type {
		case corev1.PodReady:
			ready = &p.Status.Conditions[i]
		case corev1.ContainersReady:
			containers = &p.Status.Conditions[i]
		case corev1.DisruptionTarget:
			disrupted = &p.Status.Conditions[i]
		}
	}
	if disrupted != nil && disrupted.Status == corev1.ConditionTrue && disrupted.Reason == "DeletionByTaintManager" {
		return true
	}
	return ready != nil && containers != nil && ready.Status != corev1.ConditionTrue && containers.Status == corev1.ConditionTrue
}

// waitsFor says what a pod that is not ready waits for.
func waitsFor(p *corev1.Pod) (reason, message string) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return v1alpha1.ReasonUnavailable, "no node takes the pod: " + c.Message
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Waiting != nil {
			return waiting(p, &c)
		}
		if c.State.Running != nil && !c.Ready {
			return v1alpha1.ReasonProgressing, "the pod runs and is not ready yet; its log says what it is doing"
		}
	}
	return v1alpha1.ReasonProgressing, "the pod starts"
}

func waiting(p *corev1.Pod, c *corev1.ContainerStatus) (reason, message string) {
	switch why := c.State.Waiting.Reason; why {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
		image := c.Image
		for _, declared := range p.Spec.Containers {
			if declared.Name == c.Name {
				image = declared.Image
			}
		}
		return v1alpha1.ReasonUnavailable, fmt.Sprintf("image %s cannot be pulled: check its name, and imagePullSecrets where it needs a login", image)
	case "CrashLoopBackOff":
		message = "the process ends again and again; its log says why"
		if t := c.LastTerminationState.Terminated; t != nil {
			if t.Reason == "OOMKilled" {
				return v1alpha1.ReasonUnavailable, "the process needs more memory than its limit: raise pod.resources.limits.memory"
			}
			message = fmt.Sprintf("the process ends again and again with exit code %d; its log says why", t.ExitCode)
		}
		return v1alpha1.ReasonUnavailable, message
	case "ContainerCreating", "PodInitializing", "":
		return v1alpha1.ReasonProgressing, "the pod waits for its volumes and its image"
	default:
		return v1alpha1.ReasonUnavailable, fmt.Sprintf("the pod cannot start (%s): %s", why, c.State.Waiting.Message)
	}
}
