// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/go-logr/logr"
)

// Stdio is where a command reads, writes and logs.
type Stdio struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// Terminal is whether Err is a terminal that a person looks at: then progress is drawn, else told in lines.
	Terminal bool
	Log      logr.Logger
}

// Formats of logs.
const (
	LogText = "text"
	LogJSON = "json"
)

// NewLog makes a logger that writes to w. Verbosity 0 tells errors in text, whose readers see the command's own words
// beside it, and all events in JSON; 1 adds requests and pages, 2 is everything.
func NewLog(w io.Writer, format string, verbosity int) (logr.Logger, error) {
	level := slog.LevelWarn
	switch {
	case verbosity >= 2:
		level = slog.LevelDebug * 4
	case verbosity == 1:
		level = slog.LevelInfo - 1 // logr's V(1)
	case format == LogJSON:
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	switch format {
	case LogText:
		return logr.FromSlogHandler(slog.NewTextHandler(w, o)), nil
	case LogJSON:
		return logr.FromSlogHandler(slog.NewJSONHandler(w, o)), nil
	}
	return logr.Discard(), Usagef("--log-format %q is not known: write text or json", format)
}

// Exit codes.
const (
	ExitOK       = 0
	ExitProblems = 1
	ExitUsage    = 2
)

// UsageError is a command called in a way that cannot work.
type UsageError struct{ Err error }

// Error implements error.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// ErrReported means that what is wrong has been told already: there is nothing to add but the exit code.
var ErrReported = errors.New("problems were found")

// ExitCode is what a process ends with after err.
func ExitCode(err error) int {
	if err == nil {
		return ExitOK
	}
	if _, ok := errors.AsType[*UsageError](err); ok {
		return ExitUsage
	}
	return ExitProblems
}

// OneLine is an error as a person reads it: on one line.
func OneLine(err error) string {
	var parts []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// Outputs of commands.
const (
	OutputText     = "text"
	OutputJSON     = "json"
	OutputGitHub   = "github"
	OutputMarkdown = "markdown"
)

func checkOutput(got string, known ...string) error {
	for _, k := range known {
		if got == k {
			return nil
		}
	}
	return Usagef("-o %q is not known here: write %s", got, strings.Join(known, " or "))
}
