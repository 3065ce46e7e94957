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
		Use:   "hub {-f FOLDER --token-file FILE | --config DIR --data-dir DIR}",
		Short: "Run a community's hub alone, for connectors in other processes",
		Long: `Keeps a community's ledger, takes pages from connectors (kith connector) and serves metrics. It talks to no platform
and needs no channel's credentials. kith run is this and the connectors in one process.

In a pod the operator delivers its configuration (--config) and who may call it: ServiceAccount tokens are checked by
the keys that the cluster publishes. While it cannot begin, it is not ready, says why, and goes on by itself. All files
may be replaced in place.`,
		Example: `  kith hub -f community --data-dir /var/lib/kith --listen 127.0.0.1:8080 --token-file token
  kith hub --config /etc/kith/config --data-dir /var/lib/kith --listen :8443 --tls-dir /etc/kith/tls --metrics-listen :8080`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.Hub(c.Context(), std, o)
		},
	}
	optionalFolderFlag(c, &o.Folder)
	configFlag(c, &o.Config)
	c.Flags().StringVar(&o.DataDir, "data-dir", "", "where the ledger lies (default as for kith run)")
	c.Flags().StringVar(&o.SecretsDir, "secrets-dir", "", "folder of Secrets, for the identity key")
	c.Flags().StringVar(&o.Community, "community", "", "which community to run, where the folder holds several")
	c.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "where to answer connectors and serve metrics")
	c.Flags().StringVar(&o.TokenFile, "token-file", "", "file with the secret that connectors present")
	c.Flags().StringVar(&o.KeySecret, "key-secret", "", "with --config: the Secret in --secrets-dir that holds the identity key")
	c.Flags().StringVar(&o.TLSDir, "tls-dir", "", "with --config: folder with tls.crt and tls.key for --listen")
	c.Flags().StringVar(&o.MetricsListen, "metrics-listen", "", "with --config: where to serve metrics and probes, by plain HTTP; --listen serves the API alone")
	return c
}
