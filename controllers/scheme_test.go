// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/controllers"
)

func TestEveryKindGoesThroughAClient(t *testing.T) {
	scheme, err := controllers.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).Build()
	for name, object := range map[string]client.Object{
		"Community": &v1alpha1.Community{}, "Channel": &v1alpha1.Channel{}, "Behaviour": &v1alpha1.Behaviour{},
		"Objective": &v1alpha1.Objective{}, "Deployment": &appsv1.Deployment{},
	} {
		t.Run(name, func(t *testing.T) {
			object.SetName("one")
			object.SetNamespace("here")
			if err := c.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			if err := c.Get(t.Context(), types.NamespacedName{Namespace: "here", Name: "one"}, object); err != nil {
				t.Fatal(err)
			}
			if object.GetResourceVersion() == "" {
				t.Error("the object came back without a version")
			}
		})
	}
}
