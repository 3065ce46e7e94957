// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/kith-dev/kith/internal/app"
)

func newOperator(logs *logFlags) *cobra.Command {
	o := app.OperatorFromEnvironment()
	o.Version = version
	c := &cobra.Command{
		Use:   "operator",
		Short: "Run the hubs and connectors that a cluster's resources declare",
		Long: `Watches Communities, Channels, Behaviours and Objectives in a Kubernetes cluster, runs a hub for each Community and
connectors for its Channels, and writes their statuses. It runs in the cluster itself (see config/default), or anywhere
that KUBECONFIG leads from. It never talks to a platform and reads no channel's credentials.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			std, err := logs.stdio(c)
			if err != nil {
				return err
			}
			return app.Operator(c.Context(), std, o)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&o.Namespaces, "namespaces", nil, "namespaces to look after, separated by commas; all where left out")
	f.StringVar(&o.Image, "image", o.Image, "image that hubs and connectors run (environment: KITH_IMAGE)")
	f.StringVar(&o.Namespace, "operator-namespace", o.Namespace, "the operator's own namespace (environment: POD_NAMESPACE)")
	f.StringVar(&o.ServiceAccount, "service-account", o.ServiceAccount, "the operator's own ServiceAccount (environment: POD_SERVICE_ACCOUNT)")
	f.StringVar(&o.TokenFile, "token-file", "", "file with the token by which hubs let the operator read their status")
	f.DurationVar(&o.PollInterval, "poll-interval", o.PollInterval, "how often each hub is asked how it is")
	f.StringVar(&o.LedgerAccessMode, "ledger-access-mode", o.LedgerAccessMode, "access mode of new ledger volumes: ReadWriteOncePod, or ReadWriteOnce for storage that does not know it")
	f.StringToStringVar(&o.RuleLabels, "prometheus-rule-labels", nil, "labels of the PrometheusRule, by which a Prometheus selects it")
	f.BoolVar(&o.LeaderElect, "leader-elect", o.LeaderElect, "let one of several operators work at a time")
	f.StringVar(&o.MetricsListen, "metrics-listen", o.MetricsListen, "where to serve metrics; '' for nowhere")
	f.StringVar(&o.HealthListen, "health-listen", o.HealthListen, "where to answer /healthz and /readyz; '' for nowhere")
	f.StringVar(&o.PprofListen, "pprof-listen", "", "where to serve profiles, such as 127.0.0.1:6060; nowhere where left out")
	f.Float32Var(&o.QPS, "kube-api-qps", o.QPS, "calls to the API server per second")
	f.IntVar(&o.Burst, "kube-api-burst", o.Burst, "calls to the API server at once")
	complete(c, "ledger-access-mode", "ReadWriteOncePod", "ReadWriteOnce")
	return c
}
