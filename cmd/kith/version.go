// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

// version is set by the linker (-X main.version=v1.2.3); without it the build's own information is used.
var version = ""

func newVersion(logs *logFlags) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "version",
		Short:   "Say which kith this is",
		Example: "  kith version -o json",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.Version(std, version, output)
		},
	}
	outputFlag(c, &output, app.OutputText, app.OutputJSON)
	return c
}
