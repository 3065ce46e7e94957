// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"

	"github.com/kith-dev/kith/internal/suggest"
)

// Error is one thing wrong with an expression.
type Error struct {
	// Line and Column are where, both from 1; 0 where the whole expression is meant.
	Line, Column int
	// Message says what is wrong.
	Message string
	// Suggestion says what was probably meant; it may be empty.
	Suggestion string
}

// Error is "line 1, column 8: what is wrong; what was meant".
func (e *Error) Error() string {
	s := e.Message
	if e.Line > 0 {
		s = fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, s)
	}
	if e.Suggestion != "" {
		s += "; " + e.Suggestion
	}
	return s
}

// Errors are all things wrong with an expression, in the order of their position.
type Errors []*Error

// Error has each on a line of its own.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

func wrong(format string, args ...any) Errors { return Errors{{Message: fmt.Sprintf(format, args...)}} }

var (
	undefinedField = regexp.MustCompile(`^undefined field '([^']*)'`)
	undeclared     = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	noOverload     = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '([^']*)'`)
)

// written are CEL's internal names of what people write.
var written = map[string]string{
	"_==_": "==", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=", "_&&_": "&&", "_||_": "||",
	"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "!_": "!", "-_": "-", "_?_:_": "?:", "@in": "in",
	"_[_]": "[]",
}

// fromIssues puts CEL's messages into our words and adds what was probably meant.
func (e *Env) fromIssues(issues *cel.Issues, parsed *cel.Ast) Errors {
	var errs Errors
	for _, issue := range issues.Errors() {
		err := &Error{Message: issue.Message}
		if issue.Location.Line() > 0 {
			err.Line, err.Column = issue.Location.Line(), issue.Location.Column()+1
		}
		switch {
		case undefinedField.MatchString(issue.Message):
			name := undefinedField.FindStringSubmatch(issue.Message)[1]
			owner, known := e.fieldsAround(parsed, issue.ExprID, name)
			err.Message = fmt.Sprintf("%s has no field %q", owner, name)
			err.Suggestion = suggest.For(name, known)
		case undeclared.MatchString(issue.Message):
			name := undeclared.FindStringSubmatch(issue.Message)[1]
			err.Message = fmt.Sprintf("%q is not known", name)
			err.Suggestion = suggest.For(name, append(slices.Sorted(maps.Keys(roots)), functions...))
		case noOverload.MatchString(issue.Message):
			match := noOverload.FindStringSubmatch(issue.Message)
			name, isOperator := written[match[1]]
			if !isOperator {
				name = match[1] + "()"
			}
			err.Message = fmt.Sprintf("%s cannot be used with %s", name, match[2])
		}
		errs = append(errs, err)
	}
	return errs
}

// functions are the names that are suggested where a name is not known.
var functions = []string{
	"size", "duration", "timestamp", "string", "int", "double", "matches", "contains", "startsWith", "endsWith", "has",
	"exists", "all", "filter", "map", "true", "false",
}

// fieldsAround finds the select expression with this id, and what its operand is called and has.
func (e *Env) fieldsAround(parsed *cel.Ast, id int64, name string) (string, []string) {
	owner, known := "it", []string(nil)
	if parsed == nil {
		return owner, known
	}
	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() != ast.SelectKind || x.AsSelect().FieldName() != name || (known != nil && x.ID() != id) {
			return
		}
		operand := x.AsSelect().Operand()
		if path, typ := e.typeOf(operand); typ != "" {
			owner = path
			known, _ = e.cel.CELTypeProvider().FindStructFieldNames(typ)
		}
	}))
	return owner, known
}

// typeOf follows a chain of selects from one of the root variables, without the checker's help.
func (e *Env) typeOf(x ast.Expr) (path, typ string) {
	switch x.Kind() {
	case ast.IdentKind:
		if t, known := roots[x.AsIdent()]; known {
			return x.AsIdent(), t.TypeName()
		}
	case ast.SelectKind:
		operandPath, operandType := e.typeOf(x.AsSelect().Operand())
		f, known := e.cel.CELTypeProvider().FindStructFieldType(operandType, x.AsSelect().FieldName())
		if operandType != "" && known {
			return operandPath + "." + x.AsSelect().FieldName(), f.Type.TypeName()
		}
	}
	return "", ""
}
