// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package kstatus_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/internal/testing/kstatus"
)

func condition(kind, status, reason string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionStatus(status), Reason: reason, Message: "words", ObservedGeneration: 2, LastTransitionTime: metav1.Now()}
}

func TestCheckFindsWhatMisleadsTools(t *testing.T) {
	ready, notReady := condition("Ready", "True", "Succeeded"), condition("Ready", "False", "Progressing")
	reconciling, stalled := condition("Reconciling", "True", "Progressing"), condition("Stalled", "True", "InvalidSpec")
	with := func(c metav1.Condition, change func(*metav1.Condition)) metav1.Condition {
		change(&c)
		return c
	}
	for name, tc := range map[string]struct {
		observed   int64
		conditions []metav1.Condition
		result     kstatus.Result
		wrong      string
	}{
		"nothing yet":        {observed: -1, result: kstatus.InProgress},
		"ready":              {observed: 2, conditions: []metav1.Condition{ready}, result: kstatus.Current},
		"under way":          {observed: 2, conditions: []metav1.Condition{notReady, reconciling}, result: kstatus.InProgress},
		"stalled":            {observed: 2, conditions: []metav1.Condition{notReady, stalled}, result: kstatus.Failed},
		"about before":       {observed: 1, conditions: []metav1.Condition{with(ready, func(c *metav1.Condition) { c.ObservedGeneration = 1 })}, result: kstatus.InProgress},
		"a call is repeated": {observed: 2, conditions: []metav1.Condition{ready, with(reconciling, func(c *metav1.Condition) { c.Reason = "Retrying" })}, result: kstatus.InProgress},

		"no Ready":              {observed: 2, conditions: []metav1.Condition{reconciling}, result: kstatus.InProgress, wrong: "no Ready"},
		"nothing said":          {observed: 2, result: kstatus.Current, wrong: "says nothing"},
		"both":                  {observed: 2, conditions: []metav1.Condition{notReady, reconciling, stalled}, result: kstatus.InProgress, wrong: "Reconciling and Stalled"},
		"ready and stalled":     {observed: 2, conditions: []metav1.Condition{ready, stalled}, result: kstatus.Failed, wrong: "Ready and Stalled"},
		"ready and under way":   {observed: 2, conditions: []metav1.Condition{ready, reconciling}, result: kstatus.InProgress, wrong: "Ready and Reconciling"},
		"waits for nothing":     {observed: 2, conditions: []metav1.Condition{notReady}, result: kstatus.InProgress, wrong: "nobody knows"},
		"an abnormal False":     {observed: 2, conditions: []metav1.Condition{ready, with(stalled, func(c *metav1.Condition) { c.Status = "False" })}, result: kstatus.Current, wrong: "absent unless"},
		"no message":            {observed: 2, conditions: []metav1.Condition{with(ready, func(c *metav1.Condition) { c.Message = "" })}, result: kstatus.Current, wrong: "no message"},
		"an endless message":    {observed: 2, conditions: []metav1.Condition{with(ready, func(c *metav1.Condition) { c.Message = strings.Repeat("x", 2000) })}, result: kstatus.Current, wrong: "2000 bytes"},
		"no reason":             {observed: 2, conditions: []metav1.Condition{with(ready, func(c *metav1.Condition) { c.Reason = "" })}, result: kstatus.Current, wrong: "the reason"},
		"no time":               {observed: 2, conditions: []metav1.Condition{with(ready, func(c *metav1.Condition) { c.LastTransitionTime = metav1.Time{} })}, result: kstatus.Current, wrong: "since when"},
		"of the future":         {observed: 3, conditions: []metav1.Condition{ready}, result: kstatus.InProgress, wrong: "about generation 3"},
		"Ready is about before": {observed: 2, conditions: []metav1.Condition{with(ready, func(c *metav1.Condition) { c.ObservedGeneration = 1 })}, result: kstatus.Current, wrong: "Ready about 1"},
		"twice":                 {observed: 2, conditions: []metav1.Condition{ready, ready}, result: kstatus.Current, wrong: "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := kstatus.Of(2, tc.observed, tc.conditions); got != tc.result {
				t.Errorf("%s, want %s", got, tc.result)
			}
			got := strings.Join(kstatus.Check(2, tc.observed, tc.conditions), "; ")
			if tc.wrong == "" {
				if diff := cmp.Diff("", got); diff != "" {
					t.Error(diff)
				}
			} else if !strings.Contains(got, tc.wrong) {
				t.Errorf("found %q, want %q", got, tc.wrong)
			}
		})
	}
}
