// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package crdcheck

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kith-dev/kith/internal/suggest"
)

// fromErrors puts the server's errors into our words where they are known to puzzle people.
func fromErrors(errs field.ErrorList) []Problem {
	problems := make([]Problem, 0, len(errs))
	for _, err := range errs {
		p := Problem{Path: strings.TrimPrefix(err.Field, "."), Message: err.Detail}
		if p.Path == "<nil>" {
			p.Path = ""
		}
		switch err.Type {
		case field.ErrorTypeRequired:
			p.Message = "is required"
		case field.ErrorTypeNotSupported:
			allowed := allowedValues(err.Detail)
			p.Message = fmt.Sprintf("%v is not one of its values", quoted(err.BadValue))
			p.Remedy = suggest.For(fmt.Sprint(err.BadValue), allowed)
		case field.ErrorTypeDuplicate:
			p.Message = fmt.Sprintf("%v is there twice", quoted(err.BadValue))
			p.Remedy = "leave one of them"
		case field.ErrorTypeForbidden, field.ErrorTypeTooMany, field.ErrorTypeTooLong:
			p.Message = err.ErrorBody()
		default:
			p.Message = invalidMessage(p.Path, err)
		}
		problems = append(problems, p)
	}
	return problems
}

// invalidMessage drops what the path already says: "spec.x in body should match …" becomes "should match …".
func invalidMessage(path string, err *field.Error) string {
	message := strings.TrimPrefix(err.Detail, path+" in body ")
	message = strings.TrimPrefix(message, "Invalid value: ")
	if message == "" {
		return err.ErrorBody()
	}
	value, isText := err.BadValue.(string)
	// An address with an @ may hold a password, and a problem is printed and logged.
	secret := strings.Contains(value, "@")
	if isText && value != "" && len(value) <= 60 && !secret && !strings.Contains(message, value) {
		message = fmt.Sprintf("%q: %s", value, message)
	}
	return message
}

func quoted(value any) string {
	text := fmt.Sprint(value)
	if len(text) > 60 {
		text = text[:60] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// allowedValues reads back the list in `supported values: "A", "B"`, the only place where the server's error keeps it.
func allowedValues(detail string) []string {
	_, list, _ := strings.Cut(detail, ": ")
	var values []string
	for value := range strings.SplitSeq(list, ", ") {
		if value = strings.Trim(value, `"`); value != "" {
			values = append(values, value)
		}
	}
	return values
}
