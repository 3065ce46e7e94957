// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a problem takes its resource out.
type Severity string

// The severities. With an Error the resource, or the part of it that Path names, is not in the blueprint.
const (
	Error   Severity = "Error"
	Warning Severity = "Warning"
)

// Problem is one thing wrong with one resource.
type Problem struct {
	Kind      string   `json:"kind,omitempty"`
	Namespace string   `json:"namespace,omitempty"`
	Name      string   `json:"name,omitempty"`
	Path      string   `json:"path,omitempty"`
	Severity  Severity `json:"severity"`
	// Reason is the condition reason that fits, such as ReferenceMissing.
	Reason string `json:"reason,omitempty"`
	// Message is what is wrong, Remedy what to do.
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
	// File and Line are where, for resources read from files; Line counts from 1.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// String is the problem on one line: "forum.yaml:12: error: Channel forum: spec.url: what is wrong; what to do".
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	b.WriteString(strings.ToLower(string(p.Severity)))
	b.WriteString(": ")
	if p.Kind != "" {
		b.WriteString(strings.TrimSpace(p.Kind+" "+p.Name) + ": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// HasErrors is whether any of the problems is an Error.
func HasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == Error })
}

// sortProblems puts them in the order in which people read: by file, then by resource and path.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			strings.Compare(a.Kind, b.Kind), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Path, b.Path), strings.Compare(a.Message, b.Message),
		)
	})
}
