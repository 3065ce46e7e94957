// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func newConnector(logs *logFlags) *cobra.Command {
	o := app.ConnectorOptions{Version: version}
	c := &cobra.Command{
		Use:   "connector {-f FOLDER | --config DIR} {--channel NAME | --all-channels} --hub URL --token-file FILE",
		Short: "Read channels for a hub in another process",
		Long: `Reads the named channels of a folder's community and gives what it reads to a hub (kith hub). It keeps nothing: the
hub's ledger says where to go on.

In a pod the operator delivers its configuration (--config). While that is not whole, it is not ready, says why, and goes
on by itself. Configuration, Secrets, token and certificate authority may be replaced in place.`,
		Example: `  kith connector -f community --channel forum --hub http://127.0.0.1:8080 --token-file token
  kith connector --config /etc/kith/config --all-channels --hub https://acme-hub.team.svc:8443 --hub-ca /etc/kith/config/ca.crt --token-file token`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.Connector(c.Context(), std, o)
		},
	}
	optionalFolderFlag(c, &o.Folder)
	configFlag(c, &o.Config)
	c.Flags().StringVar(&o.SecretsDir, "secrets-dir", "", "folder of Secrets: SECRET/KEY")
	c.Flags().StringVar(&o.Community, "community", "", "which community the channels belong to, where the folder holds several")
	c.Flags().StringSliceVar(&o.Channels, "channel", nil, "a channel to read; may be repeated")
	c.Flags().BoolVar(&o.AllChannels, "all-channels", false, "with --config: read every channel of the community")
	c.Flags().StringVar(&o.HubCA, "hub-ca", "", "file with the certificate authority that the hub's certificate comes from")
	c.Flags().StringVar(&o.Hub, "hub", "", "address of the hub")
	c.Flags().StringVar(&o.TokenFile, "token-file", "", "file with the secret that the hub wants")
	c.Flags().StringVar(&o.Listen, "listen", "", "where to serve the connector's own metrics; empty: nowhere")
	c.Flags().BoolVar(&o.ExitWhenRead, "exit-when-read", false, "read everything once and end")
	for _, required := range []string{"hub", "token-file"} {
		// It fails only for a flag that is not there, which the test of all commands finds.
		_ = c.MarkFlagRequired(required)
	}
	return c
}
