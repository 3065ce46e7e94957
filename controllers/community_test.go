// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/testing/builders"
)

// platforms lets the compiler ask the catalogue.
type platforms struct{}

// Known implements blueprint.Catalogue.
func (platforms) Known() []string { return catalogue.Known() }

// Check implements blueprint.Catalogue.
func (platforms) Check(platform string, settings map[string]any) []blueprint.FieldProblem {
	var out []blueprint.FieldProblem
	for _, err := range catalogue.Check(platform, settings) {
		out = append(out, blueprint.FieldProblem{Message: err.Error()})
	}
	return out
}

func forum(name string) *builders.ChannelBuilder {
	return builders.MakeChannel(name).Platform("discourse").URL("https://" + name + ".example.org")
}

func TestCommunityGetsItsHub(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").Obj(), forum("forum").Obj(),
		builders.MakeBehaviour("solved").On(v1alpha1.AnswerAccepted).Obj())
	c.run("acme")

	community := get(c, "acme", &v1alpha1.Community{})
	for name, obj := range map[string]client.Object{
		"acme-hub": &appsv1.Deployment{}, "acme-blueprint": &corev1.ConfigMap{}, "acme-hub-tls": &corev1.Secret{},
	} {
		get(c, name, obj)
		if !metav1.IsControlledBy(obj, community) {
			t.Errorf("%T %s is not the Community's: %v", obj, name, obj.GetOwnerReferences())
		}
	}
	get(c, "acme-hub", &corev1.Service{})
	get(c, "acme-hub", &corev1.ServiceAccount{})
	get(c, "acme-hub", &networkingv1.NetworkPolicy{})
	get(c, "acme-connectors", &networkingv1.NetworkPolicy{})
	if claim := get(c, "acme-ledger", &corev1.PersistentVolumeClaim{}); len(claim.OwnerReferences) != 0 {
		t.Errorf("the ledger goes with the Community: %v", claim.OwnerReferences)
	}
	if diff := cmp.Diff([]int32{1, 1, 0}, []int32{community.Status.Channels, community.Status.Behaviours, community.Status.Objectives}); diff != "" {
		t.Error(diff)
	}
	if op.calls.conflicts != 0 {
		t.Errorf("%d conflicts", op.calls.conflicts)
	}
	op.settle(t)
	t.Log(op.calls.writes())
}
