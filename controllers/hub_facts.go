// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hubpoll"
)

// within says how long what was declared takes to reach a pod: the kubelet's sync and a little more.
const within = "its configuration reaches the pod within two minutes"

// verdict is a condition as it follows from facts: without type, time and generation.
type verdict struct {
	status          metav1.ConditionStatus
	reason, message string
}

func yes(reason, message string) verdict { return verdict{metav1.ConditionTrue, reason, message} }
func no(reason, message string) verdict  { return verdict{metav1.ConditionFalse, reason, message} }
func unknown(reason, message string) verdict {
	return verdict{metav1.ConditionUnknown, reason, message}
}

// set makes it the condition of a type.
func (v verdict) set(obj Resource, kind string) {
	SetCondition(obj, kind, v.status, v.reason, v.message)
}

func (v verdict) condition() metav1.Condition {
	return metav1.Condition{Status: v.status, Reason: v.reason, Message: v.message}
}

// notAccepted is what every other condition says of a resource that is not accepted.
func notAccepted(what string) verdict {
	return unknown(v1alpha1.ReasonDependencyNotAccepted, what+" as soon as Accepted is True")
}

// silent is what a report says by itself: that the hub is down, or has not been heard yet. The second result is false
// where it has answered.
func silent(r hubpoll.Report) (verdict, bool) {
	switch {
	case r.Down:
		return unknown(v1alpha1.ReasonHubUnavailable, r.Err.Message), true
	case !r.Known:
		return unknown(v1alpha1.ReasonProgressing, "the community's hub has not been heard of yet"), true
	}
	return verdict{}, false
}

// sayLast sets what a silent hub leaves to say: what was known stays so for as long as a restart of hub or operator takes.
func sayLast(obj Resource, kind string, v verdict) {
	for _, c := range *obj.StatusConditions() {
		if c.Type == kind && v.reason == v1alpha1.ReasonProgressing && c.Reason != v1alpha1.ReasonDependencyNotAccepted {
			SetCondition(obj, kind, c.Status, c.Reason, c.Message)
			return
		}
	}
	v.set(obj, kind)
}

// acceptWithin is Accept for a resource of a community: one that is good by itself is not in force where its Community
// cannot be used.
func acceptWithin(obj Resource, kind string, compiled *Compiled) error {
	problems := compiled.Problems(kind, obj.GetNamespace(), obj.GetName())
	if compiled.Blueprint == nil && !blueprint.HasErrors(problems) {
		problems = append(problems[:len(problems):len(problems)], blueprint.Problem{
			Path: "spec.communityRef.name", Severity: blueprint.Error, Reason: v1alpha1.ReasonDependencyNotAccepted,
			Message: "the Community is not accepted", Remedy: "its own Accepted condition says what to change",
		})
	}
	return Accept(obj, problems)
}

// inForce says whether the hub runs what was compiled, so that a definition that nobody has changed since is in force.
// It is asked once per generation: an edit of another resource does not put this one out of force.
func inForce(obj Resource, compiled *Compiled, r hubpoll.Report) verdict {
	if c := Condition(obj, v1alpha1.ConditionReady); c != nil && c.Status == metav1.ConditionTrue {
		return yes(v1alpha1.ReasonSucceeded, "is in force")
	}
	if v, is := silent(r); is {
		return no(v.reason, v.message)
	}
	if r.Status.Blueprint == compiled.Digest {
		return yes(v1alpha1.ReasonSucceeded, "is in force")
	}
	message := "the hub does not run this definition yet: " + within
	if r.Status.Problem != "" {
		message = "the hub does not run this definition: " + r.Status.Problem
	}
	return no(v1alpha1.ReasonProgressing, message)
}
