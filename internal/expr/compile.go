// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"

	"github.com/kith-dev/kith/internal/duration"
	"github.com/kith-dev/kith/internal/suggest"
)

// Program is a compiled expression that is true or false of an input. Several goroutines may evaluate it.
type Program struct {
	source    string
	env       *Env
	expanded  *cel.Ast
	program   cel.Program
	reads     []string
	readsText bool
}

// shared is the environment without variables, made when first needed.
var shared = sync.OnceValues(NewEnv)

// Compile checks an expression that may use the variables, and prepares it. The error is of type Errors and holds
// everything that is wrong, with positions. Who compiles several expressions with the same variables uses an Env.
func Compile(expression string, variables ...Variable) (*Program, error) {
	env, err := shared()
	if err != nil {
		return nil, err
	}
	env, problems := env.WithVariables(variables)
	if len(problems) > 0 {
		return nil, fmt.Errorf("variable %q: %w", variables[problems[0].Index].Name, problems[0].Err)
	}
	return env.Compile(expression)
}

// Compile checks an expression and prepares it. The error is of type Errors and holds everything that is wrong, with
// positions. An empty expression is always true.
func (e *Env) Compile(expression string) (*Program, error) {
	source := expression
	if strings.TrimSpace(expression) == "" {
		source = "true"
	}
	checked, err := e.check(source)
	if err != nil {
		return nil, err
	}
	if got := checked.OutputType(); !got.IsExactType(types.BoolType) {
		return nil, wrong("the expression gives %s, where true or false is needed", got)
	}
	expanded, err := e.expand(checked)
	if err != nil {
		return nil, err
	}
	p := &Program{source: expression, env: e, expanded: expanded}
	p.reads, p.readsText = reads(expanded)
	if p.program, err = e.program(expanded); err != nil {
		return nil, err
	}
	return p, nil
}

// Eval evaluates the expression. An error means that it has no answer for this input (a division by zero, say); who
// asks takes that for "no", and counts it.
func (p *Program) Eval(in *Input) (bool, error) {
	out, _, err := p.program.Eval(activation{in})
	if err != nil {
		return false, fmt.Errorf("evaluate %q: %w", p.source, err)
	}
	return out == types.True, nil
}

// String is the expression as it was written.
func (p *Program) String() string { return p.source }

// Reads are the fields that the expression reads, variables put in, such as "event.text" or "thread.author.level",
// sorted.
func (p *Program) Reads() []string { return slices.Clone(p.reads) }

// ReadsText is whether the answer depends on texts, which are kept for a while only.
func (p *Program) ReadsText() bool { return p.readsText }

// check parses and type-checks, and looks for what can never be meant.
func (e *Env) check(source string) (*cel.Ast, error) {
	if len(source) > MaxLength {
		return nil, wrong("the expression has %d bytes; at most %d can be used", len(source), MaxLength)
	}
	parsed, issues := e.cel.Parse(source)
	if issues.Err() != nil {
		return nil, e.fromIssues(issues, nil)
	}
	if errs := e.namesTaken(parsed); errs != nil {
		return nil, errs
	}
	checked, issues := e.cel.Check(parsed)
	if issues.Err() != nil {
		return nil, e.fromIssues(issues, parsed)
	}
	if errs := e.neverMeant(checked); errs != nil {
		return nil, errs
	}
	return checked, nil
}

// program plans an expanded expression. Only what could become costly is metered: metering costs more than most
// expressions.
func (e *Env) program(expanded *cel.Ast) (cel.Program, error) {
	estimate, err := e.cel.EstimateCost(expanded, sizes{})
	if err != nil {
		return nil, wrong("cannot estimate what the expression costs: %v", err)
	}
	if estimate.Max > MaxCost {
		return nil, wrong("the expression may cost %d steps on large input; at most %d are allowed: "+
			"use fewer nested lists and fewer searches in texts", estimate.Max, MaxCost)
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if estimate.Max > unmeteredCost {
		options = append(options, cel.CostLimit(MaxCost))
	}
	program, err := e.cel.Program(expanded, options...)
	if err != nil {
		return nil, wrong("%v", err)
	}
	return program, nil
}

// expand puts the variables' expressions in the place of variables.NAME, and checks the result again.
func (e *Env) expand(checked *cel.Ast) (*cel.Ast, error) {
	if len(e.variables) == 0 {
		return checked, nil
	}
	return e.rewrite(checked.Source().Content(), e.putVariablesIn)
}

// rewrite changes a freshly parsed expression in place and checks the result. Positions in it mean nothing any more.
func (e *Env) rewrite(source string, change func(root ast.Expr, newID ast.IDGenerator) error) (*cel.Ast, error) {
	parsed, issues := e.cel.Parse(source)
	if issues.Err() != nil {
		return nil, e.fromIssues(issues, nil)
	}
	next := ast.MaxID(parsed.NativeRep())
	if err := change(parsed.NativeRep().Expr(), func(int64) int64 { next++; return next }); err != nil {
		return nil, err
	}
	checked, issues := e.cel.Check(parsed)
	if issues.Err() != nil {
		return nil, wrong("%q with its variables put in: %v", source, issues.Err())
	}
	return checked, nil
}

func (e *Env) putVariablesIn(root ast.Expr, newID ast.IDGenerator) error {
	var uses []ast.Expr
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() == ast.SelectKind && isIdent(x.AsSelect().Operand(), "variables") {
			uses = append(uses, x)
		}
	}))
	factory, total := ast.NewExprFactory(), countNodes(root)
	for _, use := range uses {
		v := e.variables[use.AsSelect().FieldName()]
		if use.AsSelect().IsTestOnly() {
			return wrong("has(variables.%s): a variable is always there", use.AsSelect().FieldName())
		}
		if total += v.nodes; total > MaxNodes {
			return wrong("with its variables put in, the expression has more than %d parts: use fewer variables", MaxNodes)
		}
		definition := factory.CopyExpr(v.expanded)
		definition.RenumberIDs(newID)
		use.SetKindCase(definition)
	}
	return nil
}

func countNodes(x ast.Expr) int {
	count := 0
	ast.PostOrderVisit(x, ast.NewExprVisitor(func(ast.Expr) { count++ }))
	return count
}

func isIdent(x ast.Expr, name string) bool { return x.Kind() == ast.IdentKind && x.AsIdent() == name }

// namesTaken refuses list macros whose own variable hides one of ours: a reader would mistake it, and so would expand.
func (e *Env) namesTaken(parsed *cel.Ast) error {
	var errs Errors
	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() != ast.ComprehensionKind {
			return
		}
		for _, name := range []string{x.AsComprehension().IterVar(), x.AsComprehension().IterVar2()} {
			if _, taken := roots[name]; taken {
				errs = append(errs, e.at(parsed, x, "%q is taken: name the list's element differently", name))
			}
		}
	}))
	return errs.orNil()
}

func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

func (e *Env) at(parsed *cel.Ast, x ast.Expr, format string, args ...any) *Error {
	location := parsed.NativeRep().SourceInfo().GetStartLocation(x.ID())
	err := &Error{Message: fmt.Sprintf(format, args...)}
	if location.Line() > 0 {
		err.Line, err.Column = location.Line(), location.Column()+1
	}
	return err
}

// neverMeant finds constants that can only be mistakes: a value that a field never has, a duration or a pattern that
// does not parse. They would fail, or never match, only when the expression is evaluated.
func (e *Env) neverMeant(checked *cel.Ast) error {
	var errs Errors
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() != ast.CallKind {
			return
		}
		call := x.AsCall()
		args := call.Args()
		switch call.FunctionName() {
		case operators.Equals, operators.NotEquals:
			errs = append(errs, e.unknownValues(checked, args[0], args[1])...)
			errs = append(errs, e.unknownValues(checked, args[1], args[0])...)
		case operators.In, operators.OldIn:
			if args[1].Kind() == ast.ListKind {
				errs = append(errs, e.unknownValues(checked, args[0], args[1].AsList().Elements()...)...)
			}
		case overloads.TypeConvertDuration:
			if text, isText := literal(args[0]); isText {
				if _, err := duration.Parse(text); err != nil {
					errs = append(errs, e.at(checked, args[0], "%v", err))
				}
			}
		case overloads.Matches:
			pattern := args[len(args)-1]
			if text, isText := literal(pattern); isText {
				if _, err := regexp.Compile(text); err != nil {
					errs = append(errs, e.at(checked, pattern, "%q is not a pattern: %v", text, err))
				}
			}
		}
	}))
	return errs.orNil()
}

func literal(x ast.Expr) (string, bool) {
	if x.Kind() != ast.LiteralKind {
		return "", false
	}
	text, isText := x.AsLiteral().(types.String)
	return string(text), isText
}

// unknownValues compares literals with the closed set of values of the field that they are compared with.
func (e *Env) unknownValues(checked *cel.Ast, x ast.Expr, literals ...ast.Expr) Errors {
	if x.Kind() != ast.SelectKind {
		return nil
	}
	owner := checked.NativeRep().GetType(x.AsSelect().Operand().ID()).TypeName()
	f := objects[owner].fields[x.AsSelect().FieldName()]
	if f.values == nil {
		return nil
	}
	var errs Errors
	for _, l := range literals {
		if text, isText := literal(l); isText && !slices.Contains(f.values, text) {
			err := e.at(checked, l, "%s is never %q", x.AsSelect().FieldName(), text)
			err.Suggestion = suggest.For(text, f.values)
			errs = append(errs, err)
		}
	}
	return errs
}

// reads collects the fields of our variables that an expression reads.
func reads(expanded *cel.Ast) (paths []string, readsText bool) {
	native := expanded.NativeRep()
	seen := map[string]bool{}
	inner := map[int64]bool{}
	ast.PreOrderVisit(native.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if inner[x.ID()] {
			return
		}
		path, isPath := pathOf(x)
		if !isPath {
			return
		}
		for o := x; o.Kind() == ast.SelectKind; o = o.AsSelect().Operand() {
			inner[o.AsSelect().Operand().ID()] = true
			owner := native.GetType(o.AsSelect().Operand().ID()).TypeName()
			readsText = readsText || objects[owner].fields[o.AsSelect().FieldName()].text
		}
		seen[path] = true
	}))
	for path := range seen {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths, readsText
}

// pathOf is the path of a chain of selects from one of our variables.
func pathOf(x ast.Expr) (string, bool) {
	switch x.Kind() {
	case ast.IdentKind:
		_, isRoot := roots[x.AsIdent()]
		return x.AsIdent(), isRoot
	case ast.SelectKind:
		if operand, isPath := pathOf(x.AsSelect().Operand()); isPath {
			return operand + "." + x.AsSelect().FieldName(), true
		}
	}
	return "", false
}
