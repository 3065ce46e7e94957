// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/testing/builders"
)

func TestWhatIsAsDeclaredIsNotWrittenAgain(t *testing.T) {
	c := newCluster(t)
	first := c.operate()
	behaviour := builders.MakeBehaviour("solved").On(v1alpha1.AnswerAccepted).Obj()
	c.create(builders.MakeCommunity("acme").With(func(s *v1alpha1.CommunitySpec) { s.Connectors.Placement = v1alpha1.PlacementShared }).Obj(),
		forum("forum").Obj(), behaviour, builders.MakeObjective("solve").Count("solved").Obj())
	c.run("acme")
	exists(c, "acme-connectors", &appsv1.Deployment{})
	first.settle(t)

	t.Run("idle", func(t *testing.T) {
		before := first.calls.all()
		time.Sleep(3 * time.Second)
		if n := first.calls.all() - before; n != 0 {
			t.Errorf("an idle operator sent %d requests", n)
		}
	})
	t.Run("asked to look again", func(t *testing.T) {
		before, sent := first.calls.writes(), first.calls.all()
		c.patch(get(c, "acme", &v1alpha1.Community{}), `{"metadata": {"annotations": {"`+delivery.AnnotationReconcile+`": "now"}}}`)
		time.Sleep(time.Second)
		first.settle(t)
		if diff := cmp.Diff(map[string]int{}, first.calls.since(before)); diff != "" {
			t.Error(diff)
		}
		if n := first.calls.all() - sent; n != 0 {
			t.Errorf("a look at what is as declared sent %d requests", n)
		}
	})
	t.Run("one behaviour edited", func(t *testing.T) {
		before := first.calls.writes()
		c.patch(get(c, "solved", &v1alpha1.Behaviour{}), `{"spec": {"settle": "7d"}}`)
		digest := get(c, "acme", &v1alpha1.Community{}).Status.BlueprintDigest
		c.eventually(func() string {
			if now := get(c, "acme", &v1alpha1.Community{}).Status.BlueprintDigest; now == digest {
				return "the blueprint is still " + now
			}
			return ""
		})
		first.settle(t)
		since := first.calls.since(before)
		for _, own := range []string{"PATCH behaviours/status", "PATCH objectives/status"} {
			delete(since, own)
		}
		if diff := cmp.Diff(map[string]int{"PATCH configmaps": 1, "PATCH communities/status": 1}, since); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("restarted", func(t *testing.T) {
		first.stop()
		second := c.operate()
		c.eventually(func() string {
			if second.calls.all() == 0 {
				return "the operator has not begun"
			}
			return ""
		})
		second.settle(t)
		if diff := cmp.Diff(map[string]int{}, second.calls.writes()); diff != "" {
			t.Error(diff)
		}
		if first.calls.conflicts+second.calls.conflicts != 0 {
			t.Errorf("%d conflicts", first.calls.conflicts+second.calls.conflicts)
		}
	})
}

func TestWhatSomebodyChangedComesBack(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	op.settle(t)

	t.Run("an edited Deployment", func(t *testing.T) {
		d := get(c, "acme-hub", &appsv1.Deployment{})
		c.patch(d, `{"spec": {"replicas": 3, "strategy": {"type": "RollingUpdate"}}}`)
		c.eventually(func() string {
			d := get(c, "acme-hub", &appsv1.Deployment{})
			if *d.Spec.Replicas != 1 || d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
				return "it is as it was edited"
			}
			return ""
		})
	})
	t.Run("a label taken off", func(t *testing.T) {
		c.patch(get(c, "acme-hub", &corev1.Service{}), `{"metadata": {"labels": {"`+delivery.LabelManagedBy+`": null}}}`)
		c.eventually(func() string {
			if get(c, "acme-hub", &corev1.Service{}).Labels[delivery.LabelManagedBy] == "" {
				return "the Service has no label"
			}
			return ""
		})
	})
	t.Run("a deleted ConfigMap", func(t *testing.T) {
		old := get(c, "acme-blueprint", &corev1.ConfigMap{})
		c.delete(old)
		c.eventually(func() string {
			now := &corev1.ConfigMap{}
			if err := c.client.Get(t.Context(), c.key("acme-blueprint"), now); err != nil || now.UID == old.UID {
				return "it is not back"
			}
			return ""
		})
	})
	c.available("acme-hub")
	c.condition("acme", v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSucceeded)
}
