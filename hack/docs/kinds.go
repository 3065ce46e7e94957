// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/config/crd"
)

// builtIn are fields of Kubernetes' own types: their pages are Kubernetes' own.
var builtIn = map[string]string{
	"affinity": "Affinity", "resources": "ResourceRequirements", "tolerations": "Toleration",
	"topologySpreadConstraints": "TopologySpreadConstraint", "conditions": "Condition",
}

// writeKinds writes one page for each resource from its CustomResourceDefinition.
func writeKinds(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		doc, err := crd.Bases.ReadFile(file)
		if err != nil {
			return err
		}
		var d apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(doc, &d); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		name := strings.ToLower(d.Spec.Names.Kind) + ".md"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(kindPage(&d)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// kindPage tells every field of a kind: what it is, its bounds, what it is where it is left out.
func kindPage(d *apiextensionsv1.CustomResourceDefinition) string {
	version := d.Spec.Versions[0]
	schema := version.Schema.OpenAPIV3Schema
	var b strings.Builder
	fmt.Fprintf(&b, "%s from api/%s. Change it there. -->\n# %s\n\n%s\n\n", marker, version.Name, d.Spec.Names.Kind, flow(schema.Description))
	fmt.Fprintf(&b, "`apiVersion: %s/%s`, `kind: %s`; short name `%s`. `kubectl explain %s.spec` says the same.\n", d.Spec.Group, version.Name,
		d.Spec.Names.Kind, strings.Join(d.Spec.Names.ShortNames, "`, `"), d.Spec.Names.Singular)
	b.WriteString("Examples with comments: [config/samples](../../config/samples). What its conditions mean: [conditions](../conditions.md).\n")
	rules(&b, schema)
	for _, part := range []string{"spec", "status"} {
		s := schema.Properties[part]
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", part, flow(s.Description))
		rules(&b, &s)
		b.WriteString("| field | type | meaning |\n| --- | --- | --- |\n")
		fields(&b, "", &s)
	}
	return b.String()
}

// fields writes a row for each field, those of objects behind them.
func fields(b *strings.Builder, prefix string, s *apiextensionsv1.JSONSchemaProps) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		full := prefix + name
		required := ""
		if slices.Contains(s.Required, name) {
			required = " **required**"
		}
		fmt.Fprintf(b, "| `%s`%s | %s | %s |\n", full, required, typeOf(name, &p), meaning(&p))
		if _, known := builtIn[name]; known {
			continue
		}
		switch {
		case p.Items != nil && p.Items.Schema != nil:
			fields(b, full+"[].", p.Items.Schema)
		default:
			fields(b, full+".", &p)
		}
	}
}

func typeOf(name string, p *apiextensionsv1.JSONSchemaProps) string {
	if kind, known := builtIn[name]; known {
		return kind + " of Kubernetes"
	}
	switch {
	case p.Items != nil && p.Items.Schema != nil:
		out := "list of " + typeOf("", p.Items.Schema)
		if p.MaxItems != nil {
			out += fmt.Sprintf(", at most %d", *p.MaxItems)
		}
		return out
	case p.AdditionalProperties != nil && p.AdditionalProperties.Schema != nil:
		return "map of " + typeOf("", p.AdditionalProperties.Schema)
	case p.XIntOrString:
		return "quantity"
	case p.Format == "duration" || p.Format == "date" || p.Format == "date-time":
		return p.Format
	}
	if len(p.Enum) > 0 {
		values := make([]string, len(p.Enum))
		for i, v := range p.Enum {
			values[i] = plain(v)
		}
		return strings.Join(values, ", ")
	}
	return p.Type + bounds(p)
}

func bounds(p *apiextensionsv1.JSONSchemaProps) string {
	var out []string
	if p.Minimum != nil {
		out = append(out, fmt.Sprintf("from %g", *p.Minimum))
	}
	if p.Maximum != nil {
		out = append(out, fmt.Sprintf("to %g", *p.Maximum))
	}
	if p.MaxLength != nil {
		out = append(out, fmt.Sprintf("at most %d characters", *p.MaxLength))
	}
	if len(out) == 0 {
		return ""
	}
	return ", " + strings.Join(out, " ")
}

// meaning is the description, what the field is where it is left out, and what must hold for it.
func meaning(p *apiextensionsv1.JSONSchemaProps) string {
	out := flow(p.Description)
	if p.Default != nil {
		if text := plain(*p.Default); text != "" && !strings.HasPrefix(text, "{") {
			out += " Default: `" + text + "`."
		}
	}
	for _, rule := range p.XValidations {
		if rule.Message != "" {
			out += " Checked: " + escape(rule.Message) + "."
		}
	}
	return strings.TrimSpace(out)
}

// rules tells what is checked of a whole object.
func rules(b *strings.Builder, s *apiextensionsv1.JSONSchemaProps) {
	if len(s.XValidations) == 0 {
		return
	}
	b.WriteString("\nChecked:\n\n")
	for _, rule := range s.XValidations {
		fmt.Fprintf(b, "- %s\n", rule.Message)
	}
	b.WriteString("\n")
}

// plain is a JSON value as a person writes it.
func plain(v apiextensionsv1.JSON) string {
	var s string
	if err := json.Unmarshal(v.Raw, &s); err == nil {
		return s
	}
	return string(v.Raw)
}

// flow puts a description on one line of a table.
func flow(s string) string { return escape(strings.Join(strings.Fields(s), " ")) }

func escape(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
