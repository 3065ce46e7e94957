// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
)

// Resources are what is compiled, in any order. They are read only, and have been defaulted and judged one by one (see
// internal/crdcheck); compiling judges them together.
type Resources struct {
	Communities []*v1alpha1.Community
	Channels    []*v1alpha1.Channel
	Behaviours  []*v1alpha1.Behaviour
	Objectives  []*v1alpha1.Objective
	// Origins say where resources were read from; nil for those that come from a cluster.
	Origins map[Key]Origin
}

// Key names a resource.
type Key struct{ Kind, Namespace, Name string }

// Origin is where a resource was read from.
type Origin struct {
	// File is its path, as it was given.
	File string
	// Line finds the line of a field, such as spec.on[0], or of the nearest thing around it.
	Line func(path string) int
}

// Catalogue knows the platforms.
type Catalogue interface {
	// Known are the names of the platforms.
	Known() []string
	// Check judges the settings of a known platform.
	Check(platform string, settings map[string]any) []FieldProblem
}

// FieldProblem is one thing wrong with a channel's settings.
type FieldProblem struct {
	// Path below spec.settings.
	Path string
	// Message is what is wrong, Remedy what to do.
	Message, Remedy string
}

// named is what all kinds have.
type named interface{ metav1.Object }

// sorted returns the resources ordered by namespace and name, without those whose name is taken twice: which of them is
// meant cannot be told from their order.
func sorted[T named](c *compiler, kind string, list []T) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int {
		return cmp.Or(strings.Compare(a.GetNamespace(), b.GetNamespace()), strings.Compare(a.GetName(), b.GetName()))
	})
	same := func(a, b T) bool { return a.GetNamespace() == b.GetNamespace() && a.GetName() == b.GetName() }
	var once []T
	for i := 0; i < len(list); {
		end := i + 1
		for end < len(list) && same(list[i], list[end]) {
			end++
		}
		if end-i == 1 {
			once = append(once, list[i])
		} else {
			c.report(kind, list[i], Problem{
				Path: "metadata.name", Severity: Error, Reason: v1alpha1.ReasonInvalidSpec,
				Message: fmt.Sprintf("there are %d of this name", end-i), Remedy: "rename or remove the others",
			})
		}
		i = end
	}
	return once
}
