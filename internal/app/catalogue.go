// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"strings"

	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/internal/blueprint"
)

// platforms lets the compiler ask the catalogue.
type platforms struct{}

// Catalogue is what the compiler is told of platforms everywhere.
func Catalogue() blueprint.Catalogue { return platforms{} }

// Known implements blueprint.Catalogue.
func (platforms) Known() []string { return catalogue.Known() }

// Check implements blueprint.Catalogue.
func (platforms) Check(platform string, settings map[string]any) []blueprint.FieldProblem {
	var out []blueprint.FieldProblem
	for _, err := range catalogue.Check(platform, settings) {
		if err == nil || errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		out = append(out, fieldProblem(err.Error()))
	}
	return out
}

// fieldProblem takes the setting's name from the front of a message such as "settings.path: …" or "settings.path is …".
func fieldProblem(message string) blueprint.FieldProblem {
	rest, named := strings.CutPrefix(message, "settings.")
	end := strings.IndexAny(rest, ": ")
	if !named || end <= 0 {
		return blueprint.FieldProblem{Message: message}
	}
	return blueprint.FieldProblem{Path: rest[:end], Message: strings.TrimLeft(rest[end:], ": ")}
}
