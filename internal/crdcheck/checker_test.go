// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package crdcheck

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/config/crd"
)

// manifests are the smallest accepted ones; rows change them.
var manifests = map[string]string{
	"Community": `{metadata: {name: acme}, spec: {title: Acme}}`,
	"Channel":   `{metadata: {name: forum}, spec: {communityRef: {name: acme}, platform: discourse, url: "https://forum.acme.example"}}`,
	"Behaviour": `{metadata: {name: solved}, spec: {communityRef: {name: acme}, title: {en: Solved}, family: PeerSupport, "on": [AnswerAccepted]}}`,
	"Objective": `{metadata: {name: quick}, spec: {communityRef: {name: acme}, statement: Be quick, indicator: {share: answered}, target: {atLeast: "0.80"}, window: {rolling: 28d}}}`,
}

func manifest(t *testing.T, kind, change string) *unstructured.Unstructured {
	t.Helper()
	obj, patch := parse(t, manifests[kind]), parse(t, change)
	obj["apiVersion"], obj["kind"] = v1alpha1.GroupVersion.String(), kind
	merge(obj, patch)
	return &unstructured.Unstructured{Object: obj}
}

// parse reads numbers as the server does: whole ones as int64.
func parse(t *testing.T, document string) map[string]any {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		t.Fatalf("parse %q: %v", document, err)
	}
	var obj map[string]any
	if err := json.Unmarshal(raw, &obj); err != nil {
		t.Fatalf("parse %q: %v", document, err)
	}
	return obj
}

// merge is a JSON merge patch: null removes.
func merge(into, patch map[string]any) {
	for key, value := range patch {
		inner, isMap := value.(map[string]any)
		existing, exists := into[key].(map[string]any)
		switch {
		case value == nil:
			delete(into, key)
		case isMap && exists:
			merge(existing, inner)
		default:
			into[key] = value
		}
	}
}

func newChecker(t testing.TB) *Checker {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMinimalManifestsPass(t *testing.T) {
	c := newChecker(t)
	for kind := range manifests {
		t.Run(kind, func(t *testing.T) {
			obj := manifest(t, kind, "{}")
			c.Default(obj)
			if got := c.Validate(obj, nil); len(got) != 0 {
				t.Errorf("problems: %v", got)
			}
		})
	}
}

// TestDefinitionsAreAccepted asks the API server's own validation of CustomResourceDefinitions: structure, defaults, and
// the estimated cost of every rule.
func TestDefinitionsAreAccepted(t *testing.T) {
	for _, name := range []string{"behaviours", "channels", "communities", "objectives"} {
		t.Run(name, func(t *testing.T) {
			definition, err := readDefinition(crd.Bases, "bases/kith.dev_"+name+".yaml")
			if err != nil {
				t.Fatal(err)
			}
			definition.Status.StoredVersions = []string{"v1alpha1"}
			if errs := crdvalidation.ValidateCustomResourceDefinition(context.Background(), definition); len(errs) > 0 {
				t.Error(errs.ToAggregate())
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	c := newChecker(t)
	tests := map[string]struct {
		kind, change string
		want         map[string]any
	}{
		"a community": {kind: "Community", change: "{}", want: map[string]any{
			"title": "Acme", "timeZone": "UTC",
			"levels":     map[string]any{"regular": map[string]any{"contributions": int64(5), "distinctDays": int64(3), "within": "365d"}},
			"ledger":     map[string]any{"sqlite": map[string]any{"size": "10Gi"}, "reclaim": "Retain"},
			"hub":        map[string]any{"replicas": int64(1)},
			"connectors": map[string]any{"placement": "PerChannel"},
			"privacy": map[string]any{
				"textRetention": "90d", "activityRetention": "750d", "caseRetention": "240d", "minimumGroupSize": int64(5), "linking": "None",
			},
		}},
		"a channel": {kind: "Channel", change: "{}", want: map[string]any{
			"communityRef": map[string]any{"name": "acme"}, "platform": "discourse", "url": "https://forum.acme.example",
			"hosting": "Own", "since": "90d", "pollInterval": "1m",
		}},
		"a behaviour": {kind: "Behaviour", change: "{}", want: map[string]any{
			"communityRef": map[string]any{"name": "acme"}, "title": map[string]any{"en": "Solved"}, "family": "PeerSupport",
			"on": []any{"AnswerAccepted"}, "role": "Value", "per": map[string]any{"scope": "Thread"},
		}},
		"an objective with an audience": {kind: "Objective", change: "{spec: {audience: {levels: [regular]}}}", want: map[string]any{
			"communityRef": map[string]any{"name": "acme"}, "statement": "Be quick",
			"indicator": map[string]any{"share": "answered"}, "target": map[string]any{"atLeast": "0.80"},
			"window": map[string]any{"rolling": "28d"}, "minimumCases": int64(20),
			"audience": map[string]any{"who": "Credit", "levels": []any{"regular"}},
		}},
		"a value that is there stays": {kind: "Channel", change: "{spec: {since: all, hosting: Platform, pollInterval: 5m}}", want: map[string]any{
			"communityRef": map[string]any{"name": "acme"}, "platform": "discourse", "url": "https://forum.acme.example",
			"hosting": "Platform", "since": "all", "pollInterval": "5m",
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			obj := manifest(t, tc.kind, tc.change)
			c.Default(obj)
			if diff := cmp.Diff(tc.want, obj.Object["spec"]); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnknownFieldsAndKinds(t *testing.T) {
	c := newChecker(t)
	tests := map[string]struct {
		kind, change string
		want         []Problem
	}{
		"a misspelt field": {
			kind: "Channel", change: "{spec: {plattform: x}}",
			want: []Problem{{Path: "spec.plattform", Message: "unknown field", Remedy: `did you mean "platform"?`}},
		},
		"inside a list": {
			kind: "Behaviour", change: "{spec: {worth: [{factor: f, amount: {low: '1', mid: '1', high: '1', hihg: '2'}}]}}",
			want: []Problem{{Path: "spec.worth[0].amount.hihg", Message: "unknown field", Remedy: `did you mean "high"?`}},
		},
		"outside of spec": {
			kind: "Channel", change: "{spce: {}}",
			want: []Problem{{Path: "spce", Message: "unknown field", Remedy: `did you mean "spec"?`}},
		},
		"a bare on": {
			kind: "Behaviour", change: "{spec: {of: basis, \"on\": null, on: [MessagePosted]}}",
			want: []Problem{{Path: "spec.true", Message: "unknown field", Remedy: `write "on" in quotes: YAML takes a bare on for true`}},
		},
		"settings are the platform's": {kind: "Channel", change: "{spec: {settings: {any: {thing: 1}}}}"},
		"a misspelt kind": {
			kind: "Channel", change: "{kind: Behavior}",
			want: []Problem{{Path: "kind", Message: `"Behavior" is not a kind of kith.dev`, Remedy: `did you mean "Behaviour"?`}},
		},
		"a reserved kind": {
			kind: "Channel", change: "{kind: Campaign}",
			want: []Problem{{Path: "kind", Message: "Campaign is reserved for a later version", Remedy: "leave it out for now"}},
		},
		"another version": {
			kind: "Channel", change: "{apiVersion: kith.dev/v1}",
			want: []Problem{{Path: "apiVersion", Message: `"kith.dev/v1" is not known here`, Remedy: "write kith.dev/v1alpha1"}},
		},
		"no name": {
			kind: "Objective", change: "{metadata: {name: null, labels: {'a b': c}}}",
			want: []Problem{
				{Path: "metadata.labels", Message: `"a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`},
				{Path: "metadata.name", Message: "is required"},
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			obj := manifest(t, tc.kind, tc.change)
			c.Default(obj)
			if diff := cmp.Diff(tc.want, c.Validate(obj, nil), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// rule identifies a CEL rule by where it points and what it says.
type rule struct{ Kind, Path, Message string }

var indexes = regexp.MustCompile(`\[[^]]*\]`)

// declaredRules are all rules of all kinds, as the definitions hold them.
func declaredRules(t *testing.T) map[rule]string {
	t.Helper()
	c := newChecker(t)
	rules := map[rule]string{}
	for name, k := range c.kinds {
		var walk func(path string, s *structuralschema.Structural)
		walk = func(path string, s *structuralschema.Structural) {
			for _, r := range s.XValidations {
				rules[rule{name, strings.TrimPrefix(path+r.FieldPath, "."), message(r)}] = r.Rule
			}
			for property, inner := range s.Properties {
				walk(path+"."+property, &inner)
			}
			if s.Items != nil {
				walk(path, s.Items)
			}
			if s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil {
				walk(path, s.AdditionalProperties.Structural)
			}
		}
		walk("", k.structural)
	}
	return rules
}

func message(r apiextensionsv1.ValidationRule) string {
	if r.Message != "" {
		return r.Message
	}
	return "failed rule: " + r.Rule
}
