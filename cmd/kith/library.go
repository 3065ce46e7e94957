// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func newLibrary(logs *logFlags) *cobra.Command {
	var community string
	c := &cobra.Command{
		Use:   "library --community NAME [BEHAVIOUR...]",
		Short: "Write ready-made behaviours for a community",
		Long:  `Writes manifests of ready-made behaviours, each with what it is for and what it is not: all of them, or those named.`,
		Example: `  kith library --community acme > community/behaviours.yaml
  kith library --community acme question-due answered-in-time`,
		Args: cobra.ArbitraryArgs,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return app.LibraryNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.Library(std, community, args)
		},
	}
	c.Flags().StringVar(&community, "community", "", "the community that they are for")
	// It fails only for a flag that is not there, which the test of all commands finds.
	_ = c.MarkFlagRequired("community")
	return c
}
