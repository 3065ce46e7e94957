// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func newHub(logs *logFlags) *cobra.Command {
	o := app.HubOptions{Version: version}
	c := &cobra.Command{
		Use:   "hub -f FOLDER --token-file FILE",
		Short: "Run a community's hub alone, for connectors in other processes",
		Long: `Keeps a community's ledger, takes pages from connectors (kith connector) and serves metrics. It talks to no platform
and needs no channel's credentials. kith run is this and the connectors in one process.`,
		Example: "  kith hub -f community --data-dir /var/lib/kith --listen 127.0.0.1:8080 --token-file token",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.Hub(c.Context(), std, o)
		},
	}
	folderFlag(c, &o.Folder)
	c.Flags().StringVar(&o.DataDir, "data-dir", "", "where the ledger lies (default as for kith run)")
	c.Flags().StringVar(&o.SecretsDir, "secrets-dir", "", "folder of Secrets, for the identity key")
	c.Flags().StringVar(&o.Community, "community", "", "which community to run, where the folder holds several")
	c.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "where to answer connectors and serve metrics")
	c.Flags().StringVar(&o.TokenFile, "token-file", "", "file with the secret that connectors present")
	// It fails only for a flag that is not there, which the test of all commands finds.
	_ = c.MarkFlagRequired("token-file")
	return c
}
