// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func newTry(logs *logFlags) *cobra.Command {
	o := app.TryOptions{Version: version}
	c := &cobra.Command{
		Use:   "try ADDRESS",
		Short: "Look at a forum, feed or archive without declaring anything",
		Long: `Reads a public Discourse (the address of any of its pages will do), a feed or a page that names one, or a folder, .zip
or .tar of exported topics, and shows how people there answer each other: how soon, how often never, who carries it, what
gets solved. Nothing is kept. The last thing shown is the manifest that would watch the place from now on.

Forums are read at the pace that they allow: a year of a large one takes a while. --since 30d is quick.`,
		Example: `  kith try https://forum.example.org
  kith try https://forum.example.org/t/some-topic/123 --since 90d
  kith try https://blog.example.org --since all
  kith try ./export.zip --since all -o json`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			o.Target = args[0]
			return app.Try(c.Context(), std, o)
		},
	}
	c.Flags().StringVar(&o.Since, "since", "365d", "how far to look back: a length of time, a date, or all")
	outputFlag(c, &o.Output, app.OutputText, app.OutputJSON)
	return c
}
