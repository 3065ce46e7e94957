// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/testing/builders"
)

func TestConditionsAreShownAndGoWithTheirResource(t *testing.T) {
	m := &ConditionMetrics{Desc: prometheus.NewDesc("kith_resource_condition", "Help.",
		[]string{"resource_kind", "resource_namespace", "resource_name", "type", "status", "reason"}, nil)}
	forum := builders.MakeChannel("forum").Obj()
	SetCondition(forum, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonProgressing, "words for people")
	m.Observe(v1alpha1.KindChannel, forum)
	SetCondition(forum, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSucceeded, "other words")
	m.Observe(v1alpha1.KindChannel, forum)
	want := `# HELP kith_resource_condition Help.
# TYPE kith_resource_condition gauge
kith_resource_condition{reason="Succeeded",resource_kind="Channel",resource_name="forum",resource_namespace="default",status="True",type="Ready"} 1
`
	if err := testutil.CollectAndCompare(m, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	m.Forget(v1alpha1.KindChannel, "default", "forum")
	if n := testutil.CollectAndCount(m); n != 0 {
		t.Errorf("%d series of no resource", n)
	}
}
