// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package envtest_test

import (
	"os"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/internal/testing/envtest"
)

func TestMain(m *testing.M) { os.Exit(envtest.Run(m)) }

func TestTheServerKnowsKithsKinds(t *testing.T) {
	c := envtest.Client(t)
	namespace := envtest.Namespace(t, c)
	sample, err := os.ReadFile("../../../config/samples/community.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(spec map[string]any)
		want   string // in the error; empty where the server accepts it
	}{
		"the sample":         {change: func(map[string]any) {}},
		"an unknown stage":   {change: func(spec map[string]any) { spec["stage"] = "Sleepy" }, want: "spec.stage"},
		"sqlite on two pods": {change: func(spec map[string]any) { spec["hub"] = map[string]any{"replicas": 2} }, want: "spec.hub"},
	} {
		t.Run(name, func(t *testing.T) {
			community := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(sample, &community.Object); err != nil {
				t.Fatal(err)
			}
			community.SetNamespace(namespace)
			tc.change(community.Object["spec"].(map[string]any))
			err := c.Create(t.Context(), community, client.FieldValidation("Strict"))
			switch {
			case tc.want == "" && err != nil:
				t.Fatal(err)
			case tc.want != "" && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want one about %s", err, tc.want)
			}
		})
	}
}
