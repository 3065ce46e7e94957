// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/internal/app"
)

func newConnectors(logs *logFlags) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "connectors [NAME]",
		Short: "List the platforms that can be read, or describe one",
		Long:  `Lists the platforms that can be read. With a name: its settings, the credentials that it takes, and how well it can be seen.`,
		Example: `  kith connectors
  kith connectors discourse
  kith connectors feed -o json`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return catalogue.Known(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return app.Connectors(std, name, output)
		},
	}
	outputFlag(c, &output, app.OutputText, app.OutputJSON, app.OutputMarkdown)
	return c
}
