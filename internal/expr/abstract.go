// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// Answer is what is known of a question.
type Answer int

// The answers.
const (
	Unknown Answer = iota
	Yes
	No
)

// Assumption is a part of what an input might be: some fields are known, all others may have any value.
type Assumption struct {
	// Known tells for a field, such as "thread.author.level", whether the input's value is meant. Ids of persons are never
	// known; Same speaks for them.
	Known func(path string) bool
	// Same tells whether two persons, such as "author" and "thread.author", are one.
	Same func(a, b string) Answer
}

// Abstract evaluates an expression on what is known only. Unlike a Program it asks what can be, not what is.
type Abstract struct {
	program cel.Program
	unknown []*cel.AttributePatternType
}

// Abstract prepares the expression under an assumption.
func (p *Program) Abstract(assume Assumption) (*Abstract, error) {
	types := p.expanded.NativeRep().TypeMap()
	rewritten, err := p.env.rewrite(p.expanded.Source().Content(), func(root ast.Expr, newID ast.IDGenerator) error {
		// The same steps in the same order give the same ids as in p.expanded, and so its types hold.
		if err := p.env.putVariablesIn(root, newID); err != nil {
			return err
		}
		r := rewriter{ast.NewExprFactory(), newID, assume.Same}
		ast.PostOrderVisit(root, ast.NewExprVisitor(func(x ast.Expr) { r.simplify(x, types[x.ID()]) }))
		return nil
	})
	if err != nil {
		return nil, err
	}
	program, err := p.env.cel.Program(rewritten, cel.EvalOptions(cel.OptPartialEval), cel.CostLimit(MaxCost))
	if err != nil {
		return nil, wrong("%v", err)
	}
	return &Abstract{program, unknownPatterns(assume.Known)}, nil
}

// CanHold is whether the expression can be true of an input that agrees with in on everything that is known. Where this
// cannot be told, it can.
func (a *Abstract) CanHold(in *Input) bool {
	vars, err := cel.PartialVars(activation{in}, a.unknown...)
	if err != nil {
		return true
	}
	out, _, err := a.program.Eval(vars)
	if err != nil {
		// It has no answer, which counts as "no". Running out of steps is no such answer.
		return strings.Contains(err.Error(), "cost limit")
	}
	return types.IsUnknown(out) || out == types.True
}

// rewriter brings an expression into a form in which what is known decides as much as it can.
type rewriter struct {
	ast.ExprFactory
	newID ast.IDGenerator
	same  func(a, b string) Answer
}

func (r rewriter) id() int64 { return r.newID(0) }

func (r rewriter) simplify(x ast.Expr, typ *types.Type) {
	if x.Kind() != ast.CallKind {
		return
	}
	call := x.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals:
		answer := r.samePerson(args[0], args[1])
		if answer != Unknown {
			isTrue := (answer == Yes) == (call.FunctionName() == operators.Equals)
			x.SetKindCase(r.NewLiteral(x.ID(), types.Bool(isTrue)))
		}
	case operators.In, operators.OldIn:
		r.inPersons(x, args[0], args[1])
	case operators.Conditional:
		// c ? a : b becomes (c && a) || (!c && b), so that it is false where both arms are, whatever c is.
		if typ != nil && typ.IsExactType(types.BoolType) {
			again := r.CopyExpr(args[0])
			again.RenumberIDs(r.newID)
			x.SetKindCase(r.NewCall(x.ID(), operators.LogicalOr,
				r.NewCall(r.id(), operators.LogicalAnd, args[0], args[1]),
				r.NewCall(r.id(), operators.LogicalAnd, r.NewCall(r.id(), operators.LogicalNot, again), args[2])))
		}
	}
}

// inPersons decides whether somebody is in a list of persons that is written out.
func (r rewriter) inPersons(x, who, list ast.Expr) {
	if list.Kind() != ast.ListKind {
		return
	}
	allNo := true
	for _, element := range list.AsList().Elements() {
		switch r.samePerson(who, element) {
		case Yes:
			x.SetKindCase(r.NewLiteral(x.ID(), types.True))
			return
		case Unknown:
			allNo = false
		}
	}
	if allNo {
		x.SetKindCase(r.NewLiteral(x.ID(), types.False))
	}
}

func (r rewriter) samePerson(a, b ast.Expr) Answer {
	first, isPerson := personOf(a)
	second, both := personOf(b)
	if !isPerson || !both {
		return Unknown
	}
	if first == second {
		return Yes
	}
	return r.same(first, second)
}

// personOf is the path of a person, given as an object or by id.
func personOf(x ast.Expr) (string, bool) {
	path, isPath := pathOf(x)
	if !isPath {
		return "", false
	}
	path = strings.TrimSuffix(path, ".id")
	return path, slices.Contains(Persons(), path)
}

// Persons are the paths of everybody whom an expression can see.
func Persons() []string { return []string{"author", "event.by", "parent.author", "thread.author"} }

func unknownPatterns(known func(path string) bool) []*cel.AttributePatternType {
	var patterns []*cel.AttributePatternType
	for _, path := range Paths() {
		steps := strings.Split(path, ".")
		isPersonID := steps[len(steps)-1] == "id" && slices.Contains(Persons(), strings.TrimSuffix(path, ".id"))
		if known(path) && !isPersonID {
			continue
		}
		pattern := cel.AttributePattern(steps[0])
		for _, step := range steps[1:] {
			pattern = pattern.QualString(step)
		}
		patterns = append(patterns, pattern)
	}
	return patterns
}

// Paths are all fields that an expression can read, such as "event.text" and "thread.author.level", sorted.
func Paths() []string {
	var paths []string
	var walk func(prefix string, t *types.Type)
	walk = func(prefix string, t *types.Type) {
		o, isObject := objects[t.TypeName()]
		if !isObject {
			paths = append(paths, prefix)
			return
		}
		for name, f := range o.fields {
			walk(prefix+"."+name, f.typ)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(roots)) {
		if name != "variables" {
			walk(name, roots[name])
		}
	}
	slices.Sort(paths)
	return paths
}
