// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func TestEveryCommandTeaches(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			if c.Short == "" || c.Args == nil {
				t.Error("a command needs a short description, and says what arguments it takes")
			}
			if !c.HasSubCommands() && !strings.Contains(c.Example, c.CommandPath()) {
				t.Errorf("a command needs an example of itself, not %q", c.Example)
			}
			if _, found := c.GetFlagCompletionFunc("output"); !found && c.Flags().Lookup("output") != nil {
				t.Error("nothing completes --output")
			}
		})
		for _, sub := range c.Commands() {
			if sub.Name() != "help" && sub.Name() != "completion" {
				walk(sub)
			}
		}
	}
	walk(newRoot())
}

func TestExitCodes(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"version":            {[]string{"version"}, app.ExitOK, "kith "},
		"help":               {nil, app.ExitOK, "kith try"},
		"unknown command":    {[]string{"ryn"}, app.ExitUsage, "unknown command"},
		"unknown flag":       {[]string{"run", "--folder", "x"}, app.ExitUsage, "unknown flag"},
		"flag left out":      {[]string{"run"}, app.ExitUsage, "filename"},
		"too many arguments": {[]string{"version", "x"}, app.ExitUsage, "unknown command"},
		"no address":         {[]string{"try"}, app.ExitUsage, "accepts 1 arg"},
		"bad output":         {[]string{"version", "-o", "xml"}, app.ExitUsage, "text or json"},
		"bad log format":     {[]string{"version", "--log-format", "xml"}, app.ExitUsage, "text or json"},
		"missing folder":     {[]string{"validate", "-f", "nowhere"}, app.ExitProblems, "nowhere"},
		"which ledger":       {[]string{"ledger", "check"}, app.ExitUsage, "--data-dir"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newRoot()
			var out bytes.Buffer
			c.SetArgs(tc.args)
			c.SetOut(&out)
			c.SetErr(&out)
			err := c.Execute()
			if err != nil {
				out.WriteString(app.OneLine(err))
			}
			if got := app.ExitCode(err); got != tc.code || !strings.Contains(out.String(), tc.says) {
				t.Errorf("exit code %d with %q, want %d with %q", got, out.String(), tc.code, tc.says)
			}
		})
	}
}
