// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/blueprint"
)

// maxMessage is how many bytes of a message are shown; the schema takes 32,768, and nobody reads that.
const maxMessage = 1024

// SetCondition is the only way in which conditions are set: it keeps the time of the last transition where the status
// stays the same, and notes the generation.
func SetCondition(obj Resource, kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(obj.StatusConditions(), metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: shorten(message), ObservedGeneration: obj.GetGeneration(),
	})
}

// RemoveCondition takes a condition away: those of kstatus are there only while they hold.
func RemoveCondition(obj Resource, kind string) {
	meta.RemoveStatusCondition(obj.StatusConditions(), kind)
}

// Condition finds a condition of the resource's present generation; nil where there is none.
func Condition(obj Resource, kind string) *metav1.Condition {
	c := meta.FindStatusCondition(*obj.StatusConditions(), kind)
	if c == nil || c.ObservedGeneration != obj.GetGeneration() {
		return nil
	}
	return c
}

// Summarise gives a Ready condition: the first of these conditions that is not True at this generation says why not.
// One that has not been set at this generation is Progressing.
func Summarise(obj Resource, kinds ...string) metav1.Condition {
	for _, kind := range kinds {
		c := Condition(obj, kind)
		switch {
		case c == nil:
			return metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonProgressing, Message: kind + " is not known yet"}
		case c.Status != metav1.ConditionTrue:
			return metav1.Condition{Status: metav1.ConditionFalse, Reason: c.Reason, Message: c.Message}
		}
	}
	return metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSucceeded, Message: "does what is declared"}
}

// Accept sets Accepted from what the compiler says about a resource, and gives the outcome of the pass: nil where it is
// accepted, Waiting where it only lacks something that may be declared any time, Terminal where it must be changed.
// Warnings are told in the message and take nothing out.
func Accept(obj Resource, problems []blueprint.Problem) error {
	var bad, warnings []blueprint.Problem
	for _, p := range problems {
		if p.Severity == blueprint.Error {
			bad = append(bad, p)
		} else {
			warnings = append(warnings, p)
		}
	}
	if len(bad) == 0 {
		reason, message := v1alpha1.ReasonAccepted, "can be used as it is"
		if len(warnings) > 0 {
			message = describe(warnings)
		}
		for _, w := range warnings {
			if w.Reason == v1alpha1.ReasonActivityStated {
				reason = w.Reason
			}
		}
		SetCondition(obj, v1alpha1.ConditionAccepted, metav1.ConditionTrue, reason, message)
		return nil
	}
	// What must be changed comes before what may yet be declared.
	first, waiting := bad[0], true
	for _, p := range bad {
		if p.Reason != v1alpha1.ReasonReferenceMissing && p.Reason != v1alpha1.ReasonDependencyNotAccepted {
			first, waiting = p, false
			break
		}
	}
	reason, message := first.Reason, describe(bad)
	if reason == "" {
		reason = v1alpha1.ReasonInvalidSpec
	}
	SetCondition(obj, v1alpha1.ConditionAccepted, metav1.ConditionFalse, reason, message)
	if waiting {
		return Waiting(reason, message)
	}
	return Terminal(reason, message)
}

// describe tells problems of one resource on one line: the first in full, and how many more there are.
func describe(problems []blueprint.Problem) string {
	p := problems[0]
	text := p.Message
	if p.Path != "" {
		text = p.Path + ": " + text
	}
	if p.Remedy != "" {
		text += "; " + p.Remedy
	}
	if more := len(problems) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// conclude sets Ready and the conditions of kstatus at the end of a pass; see Reconciler.
func conclude(obj Resource, ready metav1.Condition, err error) {
	var end *outcome
	switch {
	case err != nil && !errors.As(err, &end):
		reconciling(obj, v1alpha1.ReasonRetrying, err.Error())
		// One failed call does not take back what was found before. Unless the spec has changed since.
		if c := Condition(obj, v1alpha1.ConditionReady); c == nil || c.Status != metav1.ConditionTrue {
			SetCondition(obj, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRetrying, err.Error())
		}
		return
	case end != nil && end.terminal:
		SetCondition(obj, v1alpha1.ConditionReady, metav1.ConditionFalse, end.reason, end.message)
		RemoveCondition(obj, v1alpha1.ConditionReconciling)
		SetCondition(obj, v1alpha1.ConditionStalled, metav1.ConditionTrue, end.reason, end.message)
	case end != nil:
		SetCondition(obj, v1alpha1.ConditionReady, metav1.ConditionFalse, end.reason, end.message)
		reconciling(obj, end.reason, end.message)
	default:
		SetCondition(obj, v1alpha1.ConditionReady, ready.Status, ready.Reason, ready.Message)
		if ready.Status == metav1.ConditionTrue {
			RemoveCondition(obj, v1alpha1.ConditionReconciling)
			RemoveCondition(obj, v1alpha1.ConditionStalled)
		} else {
			reconciling(obj, ready.Reason, ready.Message)
		}
	}
	*obj.StatusGeneration() = obj.GetGeneration()
}

func reconciling(obj Resource, reason, message string) {
	RemoveCondition(obj, v1alpha1.ConditionStalled)
	SetCondition(obj, v1alpha1.ConditionReconciling, metav1.ConditionTrue, reason, message)
}

// shorten cuts a message between two characters.
func shorten(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	cut := maxMessage
	for cut > 0 && message[cut]&0xC0 == 0x80 {
		cut--
	}
	return message[:cut] + "…"
}
