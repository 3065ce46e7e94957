// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package kstatus

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Result is what tools make of a status.
type Result string

// The results, as kstatus has them.
const (
	InProgress Result = "InProgress"
	Current    Result = "Current"
	Failed     Result = "Failed"
)

// Of computes what kstatus does for kinds that it does not know
// (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus): a status that is about an older generation, or
// that says Reconciling, is in progress; Stalled has failed; then Ready decides.
func Of(generation, observed int64, conditions []metav1.Condition) Result {
	switch ready := meta.FindStatusCondition(conditions, "Ready"); {
	case observed != generation:
		return InProgress
	case meta.IsStatusConditionTrue(conditions, "Reconciling"):
		return InProgress
	case meta.IsStatusConditionTrue(conditions, "Stalled"):
		return Failed
	case ready != nil && ready.Status != metav1.ConditionTrue:
		return InProgress
	}
	return Current
}

// maxMessage is what our schemas let a message be that people are to read.
const maxMessage = 1100

var reason = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{2,63}$`)

// Check gives all that is wrong with a status that was written.
func Check(generation, observed int64, conditions []metav1.Condition) []string {
	var wrong []string
	problem := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	is := func(kind string) bool { return meta.IsStatusConditionTrue(conditions, kind) }
	seen := map[string]bool{}
	for _, c := range conditions {
		if seen[c.Type] {
			problem("%s is there twice", c.Type)
		}
		seen[c.Type] = true
		if c.Message == "" {
			problem("%s=%s %s has no message", c.Type, c.Status, c.Reason)
		}
		if len(c.Message) > maxMessage {
			problem("%s has a message of %d bytes", c.Type, len(c.Message))
		}
		if !reason.MatchString(c.Reason) {
			problem("%s has the reason %q", c.Type, c.Reason)
		}
		if c.ObservedGeneration > generation {
			problem("%s is of generation %d, the resource of %d", c.Type, c.ObservedGeneration, generation)
		}
		if c.LastTransitionTime.IsZero() {
			problem("%s says not since when", c.Type)
		}
		if (c.Type == "Reconciling" || c.Type == "Stalled") && c.Status != metav1.ConditionTrue {
			problem("%s is %s: it is to be absent unless it is True", c.Type, c.Status)
		}
	}
	ready := meta.FindStatusCondition(conditions, "Ready")
	switch {
	case observed > generation:
		problem("the status is about generation %d, the resource has %d", observed, generation)
	case len(conditions) == 0 && observed > 0:
		problem("the status is about generation %d and says nothing", observed)
	case len(conditions) > 0 && ready == nil:
		problem("there is no Ready")
	}
	if is("Reconciling") && is("Stalled") {
		problem("it is Reconciling and Stalled")
	}
	if is("Ready") && is("Stalled") {
		problem("it is Ready and Stalled")
	}
	if ready == nil {
		return wrong
	}
	if observed == generation && ready.ObservedGeneration != generation {
		problem("the status is about generation %d, Ready about %d", observed, ready.ObservedGeneration)
	}
	// A failed call leaves Ready as it was while it is repeated; everything else that is under way is not ready.
	if c := meta.FindStatusCondition(conditions, "Reconciling"); c != nil && is("Ready") && c.Reason != "Retrying" {
		problem("it is Ready and Reconciling (%s: %s)", c.Reason, c.Message)
	}
	if ready.Status != metav1.ConditionTrue && !is("Reconciling") && !is("Stalled") {
		problem("it is not Ready (%s), and neither Reconciling nor Stalled: nobody knows what it waits for", ready.Reason)
	}
	return wrong
}

// Stands gives the message of a condition that is, at this generation of its resource, as wanted ("True Succeeded") and
// has these words in it; else why it is not.
func Stands(generation int64, conditions []metav1.Condition, kind, want string, words ...string) (message, why string) {
	is := meta.FindStatusCondition(conditions, kind)
	if is == nil || string(is.Status)+" "+is.Reason != want || is.ObservedGeneration != generation {
		return "", fmt.Sprintf("%s is %+v at generation %d, want %s; all: %+v", kind, is, generation, want, conditions)
	}
	for _, w := range words {
		if !strings.Contains(is.Message, w) {
			return "", fmt.Sprintf("%s does not say %q: %s", kind, w, is.Message)
		}
	}
	return is.Message, ""
}
