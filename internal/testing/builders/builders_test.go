// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package builders

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/crdcheck"
)

// TestBuildersMakeAcceptedResources keeps tests elsewhere from standing on resources that no server would take.
func TestBuildersMakeAcceptedResources(t *testing.T) {
	checker, err := crdcheck.New()
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	tests := map[string]runtime.Object{
		"community": MakeCommunity("acme").TimeZone("Europe/Berlin").Team("support", v1alpha1.PartyCompany).Goal("tickets").
			Stakeholder("head").Segment("partner", "true").Factor("contact", "6", "9", "14").Obj(),
		"channel":         MakeChannel("forum").Platform("discourse").URL("https://f.example").Team("support").Since("all").Obj(),
		"behaviour":       MakeBehaviour("solved").On(v1alpha1.AnswerAccepted).When("true").Settle("7d").Worth("contact", "0.3", "0.5", "0.8").Obj(),
		"basis":           MakeBehaviour("due").Basis().On(v1alpha1.ThreadAged).After("24h").Variable("q", "thread.question").Obj(),
		"share":           MakeBehaviour("answered").Of("due").Among("true").Confirm("true").Obj(),
		"objective share": MakeObjective("quick").Share("answered").Rolling("90d").Obj(),
		"objective count": MakeObjective("many").Count("solved").ActivityBecause("asked for").Obj(),
	}
	for name, object := range tests {
		t.Run(name, func(t *testing.T) {
			if _, _, err := scheme.ObjectKinds(object); err != nil {
				t.Fatal(err)
			}
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
			if err != nil {
				t.Fatal(err)
			}
			obj := &unstructured.Unstructured{Object: content}
			before := obj.DeepCopy()
			checker.Default(obj)
			if problems := checker.Validate(obj, nil); len(problems) > 0 {
				t.Errorf("refused: %v", problems)
			}
			for _, m := range []map[string]any{before.Object, obj.Object} {
				unstructured.RemoveNestedField(m, "status")
				unstructured.RemoveNestedField(m, "spec", "ledger", "sqlite")
			}
			if diff := cmp.Diff(before.Object, obj.Object); diff != "" {
				t.Errorf("defaults that the builder leaves out (-builder +server):\n%s", diff)
			}
		})
	}
}
