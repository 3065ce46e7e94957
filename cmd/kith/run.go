// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func newRun(logs *logFlags) *cobra.Command {
	o := app.RunOptions{Version: version}
	c := &cobra.Command{
		Use:   "run -f FOLDER",
		Short: "Read a community's channels and show what its members do for each other",
		Long: `Runs everything in one process, from the manifests of a folder: reads history, then what is new, keeps it in a ledger,
works out objectives, and serves metrics. Its files *.yaml, *.yml and *.json are read, sub-folders are not. The folder is
watched: edits apply without a restart, and a broken edit keeps the last good state.

Secrets are files: --secrets-dir DIR holds a folder for each Secret with a file for each key, as Kubernetes mounts them.
They are read again when they change.

SIGTERM or Ctrl-C ends it after what is being written; the next run goes on from there.`,
		Example: `  kith run -f community
  kith run -f community --secrets-dir secrets --data-dir /var/lib/kith --listen 0.0.0.0:8080
  kith run -f community --exit-when-read -o json`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.Run(c.Context(), std, o)
		},
	}
	folderFlag(c, &o.Folder)
	c.Flags().StringVar(&o.DataDir, "data-dir", "", "where the ledger lies (default $XDG_STATE_HOME/kith/COMMUNITY, else ~/.local/state/kith/COMMUNITY)")
	c.Flags().StringVar(&o.SecretsDir, "secrets-dir", "", "folder of Secrets: SECRET/KEY")
	c.Flags().StringVar(&o.Community, "community", "", "which community to run, where the folder holds several")
	c.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "where to serve metrics; empty: nowhere")
	c.Flags().BoolVar(&o.ExitWhenRead, "exit-when-read", false, "read everything once, show it and end")
	outputFlag(c, &o.Output, app.OutputText, app.OutputJSON)
	return c
}

// folderFlag is -f.
func folderFlag(c *cobra.Command, into *string) {
	optionalFolderFlag(c, into)
	// It fails only for a flag that is not there, which the test of all commands finds.
	_ = c.MarkFlagRequired("filename")
}

// optionalFolderFlag is -f where there is another source of declarations.
func optionalFolderFlag(c *cobra.Command, into *string) {
	c.Flags().StringVarP(into, "filename", "f", "", "folder (without its sub-folders) or file with the manifests")
	// It fails only for a flag that is not there, which the test of all commands finds.
	_ = c.MarkFlagDirname("filename")
}

// configFlag is --config.
func configFlag(c *cobra.Command, into *string) {
	c.Flags().StringVar(into, "config", "", "in a pod: folder with the configuration that the operator delivers; in the place of -f")
	// As above.
	_ = c.MarkFlagDirname("config")
}
