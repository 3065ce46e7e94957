// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kith-dev/kith/internal/blueprint"
)

// Validate judges the manifests of a folder or file (- is standard input) as a cluster and kith run would. It writes all
// problems; with an error among them it returns ErrReported.
func Validate(std Stdio, folder, output string) error {
	if err := checkOutput(output, OutputText, OutputJSON, OutputGitHub); err != nil {
		return err
	}
	loaded, err := loadManifests(std.In, folder)
	if err != nil {
		return err
	}
	_, problems := blueprint.CompileAll(loaded.Resources, platforms{})
	problems = append(loaded.Problems, problems...)
	r := loaded.Resources
	found := len(r.Communities) + len(r.Channels) + len(r.Behaviours) + len(r.Objectives)
	if found == 0 && len(problems) == 0 {
		return fmt.Errorf("%s holds no resources of Kith: kith try ADDRESS ends with some to begin with", folder)
	}
	switch output {
	case OutputJSON:
		err = writeValidateJSON(std.Out, problems, loaded.Notes, found)
	case OutputGitHub:
		err = writeAnnotations(std.Out, problems)
	default:
		err = writeProblems(std, problems, loaded.Notes, found)
	}
	if err == nil && blueprint.HasErrors(problems) {
		return ErrReported
	}
	return err
}

func loadManifests(in io.Reader, folder string) (*blueprint.Loaded, error) {
	if folder != "-" {
		return blueprint.LoadDir(folder)
	}
	content, err := io.ReadAll(io.LimitReader(in, blueprint.MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read manifests from standard input: %w", err)
	}
	if len(content) > blueprint.MaxFileBytes {
		return nil, fmt.Errorf("there are more than %d MiB on standard input: give a folder", blueprint.MaxFileBytes>>20)
	}
	return blueprint.LoadBytes("stdin", content)
}

func writeProblems(std Stdio, problems []blueprint.Problem, notes []blueprint.Note, found int) error {
	for _, n := range notes {
		fmt.Fprintln(std.Err, n)
	}
	errs := 0
	for _, p := range problems {
		if p.Severity == blueprint.Error {
			errs++
		}
		if _, err := fmt.Fprintln(std.Out, p); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(std.Out, "%s read: %s, %s\n", count(found, "resource", "resources"),
		count(errs, "error", "errors"), count(len(problems)-errs, "warning", "warnings"))
	return err
}

type noteJSON struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
}

func writeValidateJSON(w io.Writer, problems []blueprint.Problem, notes []blueprint.Note, found int) error {
	out := struct {
		Valid     bool                `json:"valid"`
		Resources int                 `json:"resources"`
		Problems  []blueprint.Problem `json:"problems"`
		Notes     []noteJSON          `json:"notes"`
	}{!blueprint.HasErrors(problems), found, problems, []noteJSON{}}
	if out.Problems == nil {
		out.Problems = []blueprint.Problem{}
	}
	for _, n := range notes {
		out.Notes = append(out.Notes, noteJSON(n))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// Workflow commands of GitHub Actions escape what would end a value.
// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
var (
	escapeMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	escapeProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// writeAnnotations writes problems so that they show beside the lines that they are about.
func writeAnnotations(w io.Writer, problems []blueprint.Problem) error {
	for _, p := range problems {
		var properties []string
		add := func(name, value string) {
			if value != "" {
				properties = append(properties, name+"="+escapeProperty.Replace(value))
			}
		}
		add("file", p.File)
		if p.Line > 0 {
			add("line", fmt.Sprint(p.Line))
		}
		add("title", strings.TrimSpace(p.Kind+" "+p.Name))
		text := p.Message
		if p.Path != "" {
			text = p.Path + ": " + text
		}
		if p.Remedy != "" {
			text += "; " + p.Remedy
		}
		if _, err := fmt.Fprintf(w, "::%s %s::%s\n", strings.ToLower(string(p.Severity)), strings.Join(properties, ","), escapeMessage.Replace(text)); err != nil {
			return err
		}
	}
	return nil
}
