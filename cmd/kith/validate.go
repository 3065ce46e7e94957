// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func newValidate(logs *logFlags) *cobra.Command {
	var folder, output string
	c := &cobra.Command{
		Use:   "validate -f FOLDER",
		Short: "Judge manifests as a cluster and kith run would",
		Long: `Judges the manifests of a folder, a file or standard input (-f -): what a cluster would refuse, and what cannot work
together. All problems are told at once, each with its line and what to do. With an error the exit code is 1.

Of a folder the files *.yaml, *.yml and *.json are read, sub-folders are not.`,
		Example: `  kith validate -f community
  kith validate -f community/objectives.yaml -o json
  kith validate -f community -o github   # annotations in GitHub Actions`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.Validate(std, folder, output)
		},
	}
	folderFlag(c, &folder)
	outputFlag(c, &output, app.OutputText, app.OutputJSON, app.OutputGitHub)
	return c
}
