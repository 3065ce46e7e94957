// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/env"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/kith-dev/kith/internal/duration"
)

// Bounds of one expression. Costs are CEL's own units, roughly one per step.
const (
	// MaxLength of an expression in bytes, MaxNodes of it with its variables put in, and MaxDepth of nesting.
	MaxLength = 4096
	MaxNodes  = 5000
	MaxDepth  = 60
	// MaxCost is the highest estimate for the largest possible input, and the limit while evaluating.
	MaxCost = 2_000_000
	// unmeteredCost is an estimate up to which evaluating is not metered, since it cannot run away.
	unmeteredCost = 2_000
)

// Env is what an expression may use. It may be shared by several goroutines.
type Env struct {
	cel       *cel.Env
	variables map[string]*variable
}

// variable is a named expression, checked and with the variables before it put in.
type variable struct {
	typ      *types.Type
	expanded ast.Expr
	nodes    int
}

// Variable is a named part of other expressions, which use it as variables.NAME.
type Variable struct {
	Name       string
	Expression string
}

// NewEnv returns the environment without variables. Make it once: it takes about a millisecond.
func NewEnv() (*Env, error) {
	p, err := newProvider(nil)
	if err != nil {
		return nil, err
	}
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{
			// CEL's own duration() knows no days; ours reads what manifests hold.
			ExcludeFunctions: []*env.Function{
				{Name: overloads.TypeConvertDuration, Overloads: []*env.Overload{{ID: overloads.StringToDuration}}},
			},
		})),
		cel.Function(overloads.TypeConvertDuration, cel.Overload("kith_string_to_duration",
			[]*cel.Type{cel.StringType}, cel.DurationType, cel.UnaryBinding(toDuration))),
		cel.CustomTypeProvider(p), cel.CustomTypeAdapter(p),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(MaxLength), cel.ParserRecursionLimit(MaxDepth),
	}
	for _, name := range slices.Sorted(maps.Keys(roots)) {
		options = append(options, cel.Variable(name, roots[name]))
	}
	celEnv, err := cel.NewCustomEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("set up expressions: %w", err)
	}
	return &Env{cel: celEnv}, nil
}

func toDuration(value ref.Val) ref.Val {
	text, isText := value.(types.String)
	if !isText {
		return types.MaybeNoSuchOverloadErr(value)
	}
	d, err := duration.Parse(string(text))
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Duration{Duration: d}
}

// VariableError is what is wrong with one variable.
type VariableError struct {
	// Index in the list of variables.
	Index int
	Err   error
}

// WithVariables returns an environment in which the variables can be used, each also by those after it. A variable that
// does not compile is left out, and reported; what uses it then reports that it is unknown.
func (e *Env) WithVariables(variables []Variable) (*Env, []VariableError) {
	if len(variables) == 0 {
		return e, nil
	}
	current := e
	var problems []VariableError
	for i, v := range variables {
		next, err := current.with(v)
		if err != nil {
			problems = append(problems, VariableError{i, err})
			continue
		}
		current = next
	}
	return current, problems
}

func (e *Env) with(v Variable) (*Env, error) {
	if _, twice := e.variables[v.Name]; twice {
		return nil, fmt.Errorf("variable %q is there twice: leave one of them", v.Name)
	}
	checked, err := e.check(v.Expression)
	if err != nil {
		return nil, err
	}
	if usesObject(checked.OutputType()) {
		return nil, fmt.Errorf("variable %q is a whole %s: name one of its fields", v.Name, checked.OutputType())
	}
	expanded, err := e.expand(checked)
	if err != nil {
		return nil, err
	}
	next := &Env{variables: maps.Clone(e.variables)}
	if next.variables == nil {
		next.variables = map[string]*variable{}
	}
	definition := expanded.NativeRep().Expr()
	next.variables[v.Name] = &variable{typ: checked.OutputType(), expanded: definition, nodes: countNodes(definition)}
	fieldTypes := make(map[string]*types.Type, len(next.variables))
	for name, known := range next.variables {
		fieldTypes[name] = known.typ
	}
	p, err := newProvider(fieldTypes)
	if err != nil {
		return nil, err
	}
	if next.cel, err = e.cel.Extend(cel.CustomTypeProvider(p), cel.CustomTypeAdapter(p)); err != nil {
		return nil, fmt.Errorf("set up variable %q: %w", v.Name, err)
	}
	return next, nil
}

func usesObject(t *types.Type) bool {
	return t.Kind() == types.StructKind || slices.ContainsFunc(t.Parameters(), usesObject)
}
