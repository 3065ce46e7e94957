// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package resources

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// baseline holds the definitions of v1alpha1 as they were when they were first given to others. From then on they only
// grow: whatever was accepted is accepted, and whatever was stored can be read. It is never regenerated.
var baseline = filepath.Join("testdata", "baseline")

func TestTheResourcesOnlyGrow(t *testing.T) {
	was, is := definitions(t, baseline), definitions(t, filepath.Join("..", "..", "config", "crd", "bases"))
	for name, before := range was {
		after, there := is[name]
		if !there {
			t.Errorf("%s has vanished", name)
			continue
		}
		for _, wrong := range stricterDefinition(before, after) {
			t.Errorf("%s: %s", before.Spec.Names.Kind, wrong)
		}
	}
}

// A comparison that finds nothing proves nothing before it has found something.
func TestWhatWouldBreakManifestsIsNoticed(t *testing.T) {
	minimum, maximum, four, five := 3.0, 10.0, int64(4), int64(5)
	type schema = apiextensionsv1.JSONSchemaProps
	value := func(text string) apiextensionsv1.JSON { return apiextensionsv1.JSON{Raw: []byte(text)} }
	object := func(s schema, required ...string) schema {
		return schema{Type: "object", Required: required, Properties: map[string]schema{"a": s}}
	}
	for name, tc := range map[string]struct {
		before, after schema
		want          string // empty: this only grows
	}{
		"nothing":               {object(schema{Type: "string"}), object(schema{Type: "string"}), ""},
		"a field more":          {schema{Type: "object"}, object(schema{Type: "string"}), ""},
		"a field vanishes":      {object(schema{Type: "string"}), schema{Type: "object"}, ".a: it has vanished"},
		"a field is required":   {object(schema{Type: "string"}), object(schema{Type: "string"}, "a"), ".a: it is required"},
		"a new field, required": {schema{Type: "object"}, object(schema{Type: "string"}, "a"), ".a: it is required"},
		"another type":          {object(schema{Type: "string"}), object(schema{Type: "integer"}), ".a: its type"},
		"another default":       {object(schema{Default: &apiextensionsv1.JSON{Raw: []byte("1")}}), object(schema{Default: &apiextensionsv1.JSON{Raw: []byte("2")}}), ".a: its default"},
		"a value more":          {schema{Enum: []apiextensionsv1.JSON{value(`"A"`)}}, schema{Enum: []apiextensionsv1.JSON{value(`"A"`), value(`"B"`)}}, ""},
		"a value vanishes":      {schema{Enum: []apiextensionsv1.JSON{value(`"A"`), value(`"B"`)}}, schema{Enum: []apiextensionsv1.JSON{value(`"A"`)}}, `its value "B" has vanished`},
		"values are numbered":   {schema{}, schema{Enum: []apiextensionsv1.JSON{value(`"A"`)}}, "it takes only some values"},
		"a list takes less":     {schema{MaxItems: &five}, schema{MaxItems: &four}, "maxItems"},
		"a list takes more":     {schema{MaxItems: &four}, schema{MaxItems: &five}, ""},
		"a text is bounded":     {schema{}, schema{MaxLength: &five}, "maxLength"},
		"a text is longer":      {schema{MinLength: &four}, schema{MinLength: &five}, "minLength"},
		"a number is larger":    {schema{}, schema{Minimum: &minimum}, "minimum"},
		"a number is free":      {schema{Maximum: &maximum}, schema{}, ""},
		"a number is smaller":   {schema{Maximum: &maximum}, schema{Maximum: &minimum}, "maximum"},
		"another pattern":       {schema{Pattern: "a"}, schema{Pattern: "b"}, "its pattern"},
		"a rule more":           {schema{}, schema{XValidations: apiextensionsv1.ValidationRules{{Rule: "self > 0"}}}, "the rule self > 0 is new"},
		"in a list": {
			schema{Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &schema{}}},
			schema{Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &schema{MaxLength: &five}}}, "[]: maxLength",
		},
		"in a map": {
			schema{AdditionalProperties: &apiextensionsv1.JSONSchemaPropsOrBool{Schema: &schema{}}},
			schema{AdditionalProperties: &apiextensionsv1.JSONSchemaPropsOrBool{Schema: &schema{MaxLength: &five}}}, ".*: maxLength",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(stricter("", tc.before, tc.after), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Every field that kubectl explain shows has a sentence.
func TestEveryFieldIsExplained(t *testing.T) {
	for _, crd := range definitions(t, filepath.Join("..", "..", "config", "crd", "bases")) {
		schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		for _, part := range []string{"spec", "status"} {
			for _, field := range unexplained(part, schema.Properties[part]) {
				t.Errorf("%s: %s has no sentence", crd.Spec.Names.Kind, field)
			}
		}
	}
}

func unexplained(path string, s apiextensionsv1.JSONSchemaProps) []string {
	var out []string
	if text := strings.TrimSpace(s.Description); text == "" || strings.Contains(text, "TODO") {
		out = append(out, path)
	}
	for name, property := range s.Properties {
		out = append(out, unexplained(path+"."+name, property)...)
	}
	// An item is explained with its list; its own fields are not.
	if s.Items != nil && s.Items.Schema != nil {
		for name, property := range s.Items.Schema.Properties {
			out = append(out, unexplained(path+"[]."+name, property)...)
		}
	}
	return out
}

// definitions reads those of a folder, by name.
func definitions(t *testing.T, dir string) map[string]*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d definitions in %s: %v", len(files), dir, err)
	}
	out := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(document, crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out[crd.Name] = crd
	}
	return out
}

// stricterDefinition tells what of a definition others could rely on and cannot any more.
func stricterDefinition(before, after *apiextensionsv1.CustomResourceDefinition) []string {
	var wrong []string
	for _, name := range before.Spec.Names.ShortNames {
		if !slices.Contains(after.Spec.Names.ShortNames, name) {
			wrong = append(wrong, fmt.Sprintf("the short name %s has vanished", name))
		}
	}
	for _, version := range before.Spec.Versions {
		i := slices.IndexFunc(after.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == version.Name })
		if i < 0 || !after.Spec.Versions[i].Served {
			wrong = append(wrong, fmt.Sprintf("version %s is not served any more", version.Name))
			continue
		}
		wrong = append(wrong, stricter("", *version.Schema.OpenAPIV3Schema, *after.Spec.Versions[i].Schema.OpenAPIV3Schema)...)
	}
	return wrong
}

// stricter tells where a schema takes less than before, or means something else.
func stricter(path string, before, after apiextensionsv1.JSONSchemaProps) []string {
	var wrong []string
	problem := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s: %s", path, fmt.Sprintf(format, args...)))
	}
	if before.Type != after.Type {
		problem("its type was %q and is %q", before.Type, after.Type)
	}
	for what, values := range map[string][2]string{
		"pattern": {before.Pattern, after.Pattern}, "format": {before.Format, after.Format},
	} {
		if values[0] != values[1] && values[1] != "" {
			problem("its %s was %q and is %q", what, values[0], values[1])
		}
	}
	if before.Default != nil && (after.Default == nil || !bytes.Equal(compact(before.Default.Raw), compact(after.Default.Raw))) {
		problem("its default has changed")
	}
	wrong = append(wrong, stricterBounds(path, before, after)...)
	wrong = append(wrong, stricterValues(path, before.Enum, after.Enum)...)
	for _, rule := range after.XValidations {
		if !slices.ContainsFunc(before.XValidations, func(r apiextensionsv1.ValidationRule) bool { return r.Rule == rule.Rule }) {
			problem("the rule %s is new", rule.Rule)
		}
	}
	for _, name := range after.Required {
		if !slices.Contains(before.Required, name) {
			wrong = append(wrong, path+"."+name+": it is required now")
		}
	}
	for name, property := range before.Properties {
		if now, there := after.Properties[name]; there {
			wrong = append(wrong, stricter(path+"."+name, property, now)...)
		} else {
			wrong = append(wrong, path+"."+name+": it has vanished")
		}
	}
	if before.Items != nil && after.Items != nil {
		wrong = append(wrong, stricter(path+"[]", *before.Items.Schema, *after.Items.Schema)...)
	}
	if before.AdditionalProperties != nil && after.AdditionalProperties != nil &&
		before.AdditionalProperties.Schema != nil && after.AdditionalProperties.Schema != nil {
		wrong = append(wrong, stricter(path+".*", *before.AdditionalProperties.Schema, *after.AdditionalProperties.Schema)...)
	}
	slices.Sort(wrong)
	return wrong
}

// stricterBounds compares numbers: a lower bound may fall or go, an upper one rise or go.
func stricterBounds(path string, before, after apiextensionsv1.JSONSchemaProps) []string {
	whole := func(p *int64) *float64 {
		if p == nil {
			return nil
		}
		return new(float64(*p))
	}
	var wrong []string
	for name, b := range map[string]struct {
		before, after *float64
		upper         bool
	}{
		"minimum": {before.Minimum, after.Minimum, false}, "maximum": {before.Maximum, after.Maximum, true},
		"minLength": {whole(before.MinLength), whole(after.MinLength), false}, "maxLength": {whole(before.MaxLength), whole(after.MaxLength), true},
		"minItems": {whole(before.MinItems), whole(after.MinItems), false}, "maxItems": {whole(before.MaxItems), whole(after.MaxItems), true},
		"minProperties": {whole(before.MinProperties), whole(after.MinProperties), false},
		"maxProperties": {whole(before.MaxProperties), whole(after.MaxProperties), true},
	} {
		switch {
		case b.after == nil || (b.before != nil && *b.before == *b.after):
		case b.before == nil, b.upper && *b.after < *b.before, !b.upper && *b.after > *b.before:
			wrong = append(wrong, fmt.Sprintf("%s: %s takes less: %v", path, name, *b.after))
		}
	}
	return wrong
}

func stricterValues(path string, before, after []apiextensionsv1.JSON) []string {
	if len(after) == 0 {
		return nil
	}
	if len(before) == 0 {
		return []string{path + ": it takes only some values now"}
	}
	var wrong []string
	for _, value := range before {
		if !slices.ContainsFunc(after, func(v apiextensionsv1.JSON) bool { return bytes.Equal(compact(v.Raw), compact(value.Raw)) }) {
			wrong = append(wrong, fmt.Sprintf("%s: its value %s has vanished", path, value.Raw))
		}
	}
	return wrong
}

func compact(document []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, document) != nil {
		return document
	}
	return out.Bytes()
}
