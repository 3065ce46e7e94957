// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/hubpoll"
	"github.com/kith-dev/kith/internal/metrics"
	"github.com/kith-dev/kith/internal/monitoring"
)

// How fast the operator may call the API server. The client's own limits (5 a second) are from before API servers
// defended themselves: they share out their attention fairly between callers today, and tell the operator when it is
// too much. A thousand new channels are some five thousand writes; with these limits they take half a minute, and an
// operator that runs wild is still held. What is idle sends nothing, whatever the limits.
const (
	DefaultQPS   = 200
	DefaultBurst = 400
)

// OperatorOptions are what `kith operator` is started with.
type OperatorOptions struct {
	// Version is this binary's.
	Version string
	// Namespaces limits the operator to these; all where empty.
	Namespaces []string
	// Image is what hubs and connectors run.
	Image string
	// MetricsListen, HealthListen and PprofListen are addresses; empty: not served.
	MetricsListen, HealthListen, PprofListen string
	// LeaderElect has one of several operators work.
	LeaderElect bool
	// PollInterval is how often each hub is asked how it is, with the token in TokenFile.
	PollInterval time.Duration
	TokenFile    string
	// QPS and Burst limit the calls to the API server.
	QPS   float32
	Burst int
	// Namespace and ServiceAccount are the operator's own.
	Namespace, ServiceAccount string
	// LedgerAccessMode is that of new ledger volumes.
	LedgerAccessMode string
	// RuleLabels are added to the PrometheusRule.
	RuleLabels map[string]string
}

// OperatorFromEnvironment are the options that a pod's environment sets.
func OperatorFromEnvironment() OperatorOptions {
	return OperatorOptions{
		Image: os.Getenv("KITH_IMAGE"), Namespace: os.Getenv("POD_NAMESPACE"), ServiceAccount: os.Getenv("POD_SERVICE_ACCOUNT"),
		MetricsListen: ":8080", HealthListen: ":8081", LeaderElect: true, PollInterval: 30 * time.Second,
		QPS: DefaultQPS, Burst: DefaultBurst, LedgerAccessMode: string(corev1.ReadWriteOncePod),
	}
}

// Operator runs the operator until ctx ends, in the cluster that it finds itself in, or that KUBECONFIG names.
func Operator(ctx context.Context, std Stdio, o OperatorOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w; in a pod it is known, elsewhere KUBECONFIG names it", err)
	}
	cfg.QPS, cfg.Burst = o.QPS, o.Burst
	rest.AddUserAgent(cfg, "kith-operator/"+BuildVersion(o.Version))
	ctrl.SetLogger(std.Log)
	if err := ctrlmetrics.Registry.Register(metrics.BuildInfo(build(o.Version))); err != nil {
		return fmt.Errorf("register what was built: %w", err)
	}
	op, err := controllers.NewOperator(cfg, controllers.Options{
		Settings: controllers.Settings{
			Image: o.Image, Namespace: o.Namespace, ServiceAccount: o.ServiceAccount,
			AccessMode: corev1.PersistentVolumeAccessMode(o.LedgerAccessMode),
		},
		Log: std.Log, Namespaces: o.Namespaces, MetricsListen: o.MetricsListen, HealthListen: o.HealthListen,
		PprofListen: o.PprofListen, LeaderElect: o.LeaderElect, Catalogue: platforms{},
		Poll:    &hubpoll.Options{Token: hubpoll.FileToken(o.TokenFile), Interval: o.PollInterval},
		Metrics: ctrlmetrics.Registry,
		Rules:   monitoring.Rules().PrometheusRule, RuleLabels: o.RuleLabels,
	})
	if err != nil {
		return err
	}
	if err := op.Manager.Start(ctx); err != nil {
		return fmt.Errorf("run the operator: %w", err)
	}
	return nil
}

func (o *OperatorOptions) check() error {
	for _, need := range []struct{ value, flag, variable string }{
		{o.Image, "--image", "KITH_IMAGE"}, {o.Namespace, "--operator-namespace", "POD_NAMESPACE"},
		{o.ServiceAccount, "--service-account", "POD_SERVICE_ACCOUNT"},
	} {
		if need.value == "" {
			return Usagef("%s is needed, or %s in the environment", need.flag, need.variable)
		}
	}
	modes := []string{string(corev1.ReadWriteOncePod), string(corev1.ReadWriteOnce)}
	if !slices.Contains(modes, o.LedgerAccessMode) {
		return Usagef("--ledger-access-mode %q is not known: write %s, or %s where the storage does not know the former", o.LedgerAccessMode, modes[0], modes[1])
	}
	if o.QPS <= 0 || o.Burst <= 0 || o.PollInterval < time.Second {
		return Usagef("--kube-api-qps and --kube-api-burst must be more than 0, --poll-interval at least 1s")
	}
	return nil
}
