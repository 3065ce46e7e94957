// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/testing/builders"
	"github.com/kith-dev/kith/internal/testing/envtest"
)

// judge is a kind whose only phase sets a condition; before runs in the middle of the pass.
type judge struct{ before func() }

func (judge) New() *v1alpha1.Behaviour { return &v1alpha1.Behaviour{} }

func (j judge) Plan(_ context.Context, b *v1alpha1.Behaviour) ([]Phase, error) {
	return []Phase{{"judge", func(context.Context, *Pass) error {
		SetCondition(b, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, "")
		j.before()
		return nil
	}}}, nil
}

func (judge) Ready(b *v1alpha1.Behaviour) metav1.Condition {
	return Summarise(b, v1alpha1.ConditionAccepted)
}

func (judge) Deleted(context.Context, *v1alpha1.Behaviour) error { return nil }

func TestStatusNeverLandsOnAnotherObjectOfTheName(t *testing.T) {
	c := envtest.Client(t)
	namespace := envtest.Namespace(t, c)
	declare := func() *v1alpha1.Behaviour {
		b := builders.MakeBehaviour("solved").Namespace(namespace).On(v1alpha1.AnswerAccepted).Obj()
		if err := c.Create(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := declare()
	key := types.NamespacedName{Namespace: namespace, Name: "solved"}
	run := func(before func()) int {
		r := &Reconciler[*v1alpha1.Behaviour]{Name: v1alpha1.KindBehaviour, Kind: judge{before}, Client: c}
		if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err != nil {
			t.Fatal(err)
		}
		now := &v1alpha1.Behaviour{}
		if err := c.Get(t.Context(), key, now); err != nil {
			t.Fatal(err)
		}
		return len(now.Status.Conditions)
	}
	if n := run(func() { mustDelete(t, c, first); declare() }); n != 0 {
		t.Errorf("the next object of the name has %d conditions of the one before", n)
	}
	if n := run(func() {}); n != 2 {
		t.Errorf("the object has %d conditions, want Accepted and Ready", n)
	}
}

func mustDelete(t *testing.T, c client.Client, obj client.Object) {
	t.Helper()
	if err := c.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
}
