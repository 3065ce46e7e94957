// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	eventsv1 "k8s.io/api/events/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlenvtest "sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/monitoring"
	"github.com/kith-dev/kith/internal/testing/builders"
	"github.com/kith-dev/kith/internal/testing/envtest"
)

func TestTheNextOperatorTakesOverAtOnce(t *testing.T) {
	c := newCluster(t)
	elect := func(o *controllers.Options) { o.LeaderElect = true }
	first := c.operate(elect)
	holder := func() string {
		lease := &coordinationv1.Lease{}
		if err := c.client.Get(t.Context(), c.key(controllers.LeaseName), lease); err != nil || lease.Spec.HolderIdentity == nil {
			return ""
		}
		return *lease.Spec.HolderIdentity
	}
	c.eventually(func() string {
		if holder() == "" {
			return "nobody leads"
		}
		return ""
	})
	leader := holder()
	c.operate(elect)
	first.stop()
	// Its lease would hold for much longer than the test waits: it was given back.
	c.eventually(func() string {
		if now := holder(); now == "" || now == leader {
			return "the second operator does not lead"
		}
		return ""
	})
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
}

func TestPeopleAreToldByEvents(t *testing.T) {
	c := newCluster(t)
	c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	c.eventually(func() string {
		var events eventsv1.EventList
		if err := c.client.List(t.Context(), &events, client.InNamespace(c.namespace)); err != nil {
			return err.Error()
		}
		for _, e := range events.Items {
			if e.Regarding.Kind == v1alpha1.KindCommunity && e.Reason == v1alpha1.ReasonSucceeded && e.Type == "Normal" {
				return ""
			}
		}
		return "no event tells that the Community is ready"
	})
}

// prometheusOperator installs the kinds of the Prometheus operator, without their schemas, for one test.
func prometheusOperator(t *testing.T) {
	t.Helper()
	open := &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
		Type: "object", XPreserveUnknownFields: new(true),
	}}
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, kind := range []string{"ServiceMonitor", "PodMonitor", "PrometheusRule"} {
		plural := strings.ToLower(kind) + "s"
		crds = append(crds, &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{Name: plural + ".monitoring.coreos.com"},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: "monitoring.coreos.com", Scope: apiextensionsv1.NamespaceScoped,
				Names:    apiextensionsv1.CustomResourceDefinitionNames{Kind: kind, Plural: plural, Singular: strings.ToLower(kind), ListKind: kind + "List"},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1", Served: true, Storage: true, Schema: open}},
			},
		})
	}
	options := ctrlenvtest.CRDInstallOptions{CRDs: crds}
	if _, err := ctrlenvtest.InstallCRDs(envtest.Start(t), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ctrlenvtest.UninstallCRDs(envtest.Start(t), options); err != nil {
			t.Error(err)
		}
	})
}

func TestPrometheusOperatorIsTold(t *testing.T) {
	c := newCluster(t)
	prometheusOperator(t)
	op := c.operate(func(o *controllers.Options) {
		o.Rules = monitoring.Rules().PrometheusRule
		o.RuleLabels = map[string]string{"release": "prometheus"}
	})
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	object := func(kind, name string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: kind})
		return exists(c, name, u)
	}
	hub := object("ServiceMonitor", "acme-hub")
	endpoints, _, err := unstructured.NestedSlice(hub.Object, "spec", "endpoints")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{
		map[string]any{"port": "metrics", "path": "/metrics", "honorLabels": true, "relabelings": []any{map[string]any{
			"action": "replace", "sourceLabels": []any{"__meta_kubernetes_pod_label_kith_dev_community"}, "targetLabel": "community",
		}}},
		map[string]any{"port": "metrics", "path": "/metrics/community", "honorLabels": true, "relabelings": []any{
			map[string]any{"action": "replace", "targetLabel": "instance", "replacement": c.namespace + "/acme"},
			map[string]any{"action": "labeldrop", "regex": "pod|node"},
		}},
	}, endpoints); diff != "" {
		t.Error(diff)
	}
	object("PodMonitor", "acme-connectors")
	if rule := object("PrometheusRule", controllers.RulesName); rule.GetLabels()["release"] != "prometheus" {
		t.Errorf("the rule has the labels %v", rule.GetLabels())
	}
	op.settle(t)
	op.stop()
	again := c.operate(func(o *controllers.Options) {
		o.Rules = monitoring.Rules().PrometheusRule
		o.RuleLabels = map[string]string{"release": "prometheus"}
	})
	c.eventually(func() string {
		if again.calls.all() == 0 {
			return "it has not begun"
		}
		return ""
	})
	again.settle(t)
	if diff := cmp.Diff(map[string]int{}, again.calls.writes()); diff != "" {
		t.Error(diff)
	}
}
