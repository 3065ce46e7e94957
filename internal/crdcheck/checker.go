// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package crdcheck

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	schemavalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/config/crd"
	"github.com/kith-dev/kith/internal/suggest"
)

// Problem is one thing wrong with one manifest.
type Problem struct {
	// Path of the field, such as spec.on[0]; empty where the whole object is meant.
	Path string
	// Message says what is wrong.
	Message string
	// Remedy says what to do; empty where the message already does.
	Remedy string
}

// String is the problem on one line.
func (p Problem) String() string {
	s := p.Message
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Remedy != "" {
		s += "; " + p.Remedy
	}
	return s
}

// Checker judges manifests of the kinds in config/crd. It may be used by several goroutines.
type Checker struct {
	kinds map[string]*kind
}

// kind is what one CustomResourceDefinition says, prepared for use.
type kind struct {
	structural *structuralschema.Structural
	openAPI    schemavalidation.SchemaValidator
	rules      *cel.Validator
}

// New reads the embedded CustomResourceDefinitions. It fails only if those are broken.
func New() (*Checker, error) { return newFrom(crd.Bases) }

func newFrom(files fs.FS) (*Checker, error) {
	names, err := fs.Glob(files, "bases/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the embedded CustomResourceDefinitions: %w", err)
	}
	c := &Checker{kinds: make(map[string]*kind, len(names))}
	for _, name := range names {
		definition, err := readDefinition(files, name)
		if err != nil {
			return nil, fmt.Errorf("read CustomResourceDefinition %s: %w", name, err)
		}
		k, err := newKind(definition)
		if err != nil {
			return nil, fmt.Errorf("prepare CustomResourceDefinition %s: %w", name, err)
		}
		c.kinds[definition.Spec.Names.Kind] = k
	}
	if len(c.kinds) == 0 {
		return nil, fmt.Errorf("no CustomResourceDefinition is embedded: generate config/crd/bases first")
	}
	return c, nil
}

func readDefinition(files fs.FS, name string) (*apiextensions.CustomResourceDefinition, error) {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var external apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &external); err != nil {
		return nil, err
	}
	apiextensionsv1.SetDefaults_CustomResourceDefinition(&external)
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&external.Spec)
	var internal apiextensions.CustomResourceDefinition
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(
		&external, &internal, nil); err != nil {
		return nil, err
	}
	return &internal, nil
}

func newKind(definition *apiextensions.CustomResourceDefinition) (*kind, error) {
	schema, err := apiextensions.GetSchemaForVersion(definition, v1alpha1.GroupVersion.Version)
	if err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(schema.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	openAPI, _, err := schemavalidation.NewSchemaValidator(schema.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	return &kind{
		structural: structural,
		openAPI:    openAPI,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
}

// Kinds are the names of the kinds that can be judged, sorted.
func (c *Checker) Kinds() []string {
	names := make([]string, 0, len(c.kinds))
	for name := range c.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Default sets what the manifest leaves out, as the server does before it judges. An unknown kind is left as it is.
func (c *Checker) Default(obj *unstructured.Unstructured) {
	if k, known := c.kinds[obj.GetKind()]; known {
		defaulting.PruneNonNullableNullsWithoutDefaults(obj.Object, k.structural)
		defaulting.Default(obj.Object, k.structural)
	}
}

// Validate judges a manifest, after Default. With old it also judges the change from old to obj (immutable fields).
// It changes neither, and returns all problems, ordered by path.
func (c *Checker) Validate(obj, old *unstructured.Unstructured) []Problem {
	k, problem := c.kindOf(obj)
	if problem != nil {
		return []Problem{*problem}
	}
	problems := unknownFields(obj.Object, k.structural)
	problems = append(problems, fromErrors(metadataErrors(obj))...)

	errs := k.openAPIErrors(obj, old)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.structural, obj.Object)...)
	// Like the server: rules are only asked about objects whose types are right, since they would fail on others.
	if !blocksRules(errs) {
		var oldObject any
		if old != nil {
			oldObject = old.Object
		}
		ruleErrs, _ := k.rules.Validate(context.Background(), nil, k.structural, obj.Object, oldObject,
			celconfig.RuntimeCELCostBudget)
		errs = append(errs, ruleErrs...)
	}
	problems = append(problems, fromErrors(errs)...)
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return strings.Compare(a.Path+"\x00"+a.Message, b.Path+"\x00"+b.Message)
	})
	return slices.Compact(problems)
}

// Decode turns a manifest that has been judged into its type.
func Decode(obj *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, into); err != nil {
		return fmt.Errorf("decode %s %q: %w", obj.GetKind(), obj.GetName(), err)
	}
	return nil
}

func (k *kind) openAPIErrors(obj, old *unstructured.Unstructured) field.ErrorList {
	if old == nil {
		return schemavalidation.ValidateCustomResource(nil, obj.Object, k.openAPI)
	}
	return schemavalidation.ValidateCustomResourceUpdate(nil, obj.Object, old.Object, k.openAPI)
}

// kindOf finds the definition, or says why there is none.
func (c *Checker) kindOf(obj *unstructured.Unstructured) (*kind, *Problem) {
	if want := v1alpha1.GroupVersion.String(); obj.GetAPIVersion() != want {
		return nil, &Problem{
			Path: "apiVersion", Message: fmt.Sprintf("%q is not known here", obj.GetAPIVersion()), Remedy: "write " + want,
		}
	}
	name := obj.GetKind()
	if k, known := c.kinds[name]; known {
		return k, nil
	}
	if slices.Contains(v1alpha1.ReservedKinds(), name) {
		return nil, &Problem{
			Path: "kind", Message: name + " is reserved for a later version", Remedy: "leave it out for now",
		}
	}
	return nil, &Problem{
		Path:    "kind",
		Message: fmt.Sprintf("%q is not a kind of %s", name, v1alpha1.GroupVersion.Group),
		Remedy:  suggest.For(name, c.Kinds()),
	}
}

// metadataErrors judges name, labels and annotations as the server does; a manifest may leave its namespace open.
func metadataErrors(obj *unstructured.Unstructured) field.ErrorList {
	named := obj.DeepCopy()
	if named.GetNamespace() == "" {
		named.SetNamespace("default")
	}
	return apimachineryvalidation.ValidateObjectMetaAccessor(named, true, apimachineryvalidation.NameIsDNSSubdomain,
		field.NewPath("metadata"))
}

func blocksRules(errs field.ErrorList) bool {
	return slices.ContainsFunc(errs, func(err *field.Error) bool {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany,
			field.ErrorTypeTypeInvalid:
			return true
		}
		return false
	})
}

// unknownFields are those that the server would drop.
func unknownFields(obj map[string]any, s *structuralschema.Structural) []Problem {
	paths := pruning.PruneWithOptions(runtime.DeepCopyJSON(obj), s, true,
		structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	problems := make([]Problem, 0, len(paths))
	for _, path := range paths {
		parent, name := "", path
		if at := strings.LastIndexByte(path, '.'); at >= 0 {
			parent, name = path[:at], path[at+1:]
		}
		problems = append(problems, Problem{
			Path: path, Message: "unknown field", Remedy: remedyForUnknown(name, fieldsAt(s, parent)),
		})
	}
	return problems
}

// fieldsAt are the names that the schema knows under a path such as spec.worth[0].
func fieldsAt(s *structuralschema.Structural, path string) []string {
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' }) {
		switch {
		case s == nil:
			return nil
		case strings.HasSuffix(step, "]"):
			s = s.Items
		default:
			s = child(s, step)
		}
	}
	if s == nil {
		return nil
	}
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func child(s *structuralschema.Structural, name string) *structuralschema.Structural {
	if property, known := s.Properties[name]; known {
		return &property
	}
	if s.AdditionalProperties != nil {
		return s.AdditionalProperties.Structural
	}
	return nil
}

func remedyForUnknown(name string, known []string) string {
	if name == "true" && slices.Contains(known, "on") {
		return `write "on" in quotes: YAML takes a bare on for true`
	}
	return suggest.For(name, known)
}
