// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	k8slabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hubpoll"
)

// LeaseName is the Lease, in the operator's namespace, by which one of several operators leads.
const LeaseName = "kith-operator"

// How leading is kept and handed on. An API server that is away for half a minute is no reason to start anew; an
// operator that ends gives its lease back, so that the next need not wait.
const (
	leaseDuration = 45 * time.Second
	renewDeadline = 40 * time.Second
	retryPeriod   = 5 * time.Second
	graceful      = 20 * time.Second
)

// refreshKeys is how often the cluster's signing keys are read.
const refreshKeys = 5 * time.Minute

// Options are what an operator is started with.
type Options struct {
	Settings

	Log logr.Logger
	// Namespaces limits the operator to these; every namespace where it is empty.
	Namespaces []string
	// Where to serve metrics, health and profiles: an address, or empty or "0" for not at all.
	MetricsListen, HealthListen, PprofListen string
	// LeaderElect has one of several operators work.
	LeaderElect bool
	// Catalogue knows the platforms.
	Catalogue blueprint.Catalogue
	// Poll is how hubs are asked for their status: token, interval, and in tests where they are. Nil: nobody asks them.
	Poll *hubpoll.Options
	// Hubs is what hubs last said, where somebody else than the operator asks them.
	Hubs HubStatus
	// Metrics takes the operator's own metrics; nil: there are none.
	Metrics prometheus.Registerer
	// Observer may be nil.
	Observer Observer
	// Rules gives a PrometheusRule of this name as an object without labels; nil: none is applied.
	Rules func(name string) map[string]any
	// RuleLabels are added to it, since a Prometheus selects rules by their labels.
	RuleLabels map[string]string
}

// Operator is all that the reconcilers share, and the manager that runs them.
type Operator struct {
	Options
	Manager manager.Manager

	Applier   *Applier
	Compiler  *Compiler
	Authority *Authority
	Keys      *SigningKeys
	// Triggers has one for each kind.
	Triggers map[string]*Trigger
}

// NewOperator makes an operator with all its reconcilers; Manager.Start runs it.
func NewOperator(cfg *rest.Config, o Options) (*Operator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.AccessMode == "" {
		o.AccessMode = corev1.ReadWriteOncePod
	}
	if o.Hubs == nil {
		o.Hubs = noHubs{}
	}
	mgr, err := newManager(cfg, o)
	if err != nil {
		return nil, err
	}
	if err := IndexFields(context.Background(), mgr.GetFieldIndexer()); err != nil {
		return nil, err
	}
	// Its own limit: looking at the keys never waits behind a burst of writes.
	disco, err := discovery.NewDiscoveryClientForConfig(rest.CopyConfig(cfg))
	if err != nil {
		return nil, fmt.Errorf("make a client for the API server's keys: %w", err)
	}
	op := &Operator{Options: o, Manager: mgr, Triggers: map[string]*Trigger{
		v1alpha1.KindCommunity: {}, v1alpha1.KindChannel: {}, v1alpha1.KindBehaviour: {}, v1alpha1.KindObjective: {},
	}}
	op.Applier = &Applier{Client: mgr.GetClient(), Live: mgr.GetAPIReader()}
	op.Compiler = &Compiler{Reader: mgr.GetCache(), Catalogue: o.Catalogue, Changed: op.Triggers}
	op.Authority = &Authority{Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Namespace: o.Settings.Namespace, Now: o.Now}
	op.Keys = &SigningKeys{REST: disco.RESTClient(), Every: refreshKeys, Changed: op.everyCommunity}
	if err := mgr.Add(op.Keys); err != nil {
		return nil, fmt.Errorf("add the look at signing keys: %w", err)
	}
	if o.Rules != nil {
		if err := mgr.Add(&rules{client: mgr.GetClient(), live: mgr.GetAPIReader(), Options: o}); err != nil {
			return nil, fmt.Errorf("add the PrometheusRule: %w", err)
		}
	}
	if o.Poll != nil {
		if err := op.pollHubs(*o.Poll); err != nil {
			return nil, err
		}
	}
	if err := op.showConditions(); err != nil {
		return nil, err
	}
	for _, setup := range []func() error{op.setupCommunities, op.setupChannels, op.setupBehaviours, op.setupObjectives} {
		if err := setup(); err != nil {
			return nil, err
		}
	}
	return op, nil
}

func newManager(cfg *rest.Config, o Options) (manager.Manager, error) {
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	mgr, err := manager.New(cfg, manager.Options{
		Scheme: scheme, Logger: orderly(o.Log), Cache: cacheOptions(o.Namespaces),
		Metrics:                metricsserver.Options{BindAddress: orNone(o.MetricsListen)},
		HealthProbeBindAddress: orNone(o.HealthListen), PprofBindAddress: orNone(o.PprofListen),
		LeaderElection: o.LeaderElect, LeaderElectionID: LeaseName, LeaderElectionNamespace: o.Settings.Namespace,
		LeaderElectionReleaseOnCancel: true, LeaseDuration: new(leaseDuration), RenewDeadline: new(renewDeadline), RetryPeriod: new(retryPeriod),
		GracefulShutdownTimeout: new(graceful),
		// Names of controllers are those of kinds; a test runs several operators in one process.
		Controller: config.Controller{SkipNameValidation: new(true), RecoverPanic: new(true)},
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the operator: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("add the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("cache", func(r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return fmt.Errorf("the cache is not filled yet: can the operator list what it watches?")
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("add the readiness check: %w", err)
	}
	return mgr, nil
}

// cacheOptions keeps the cache small: of the kinds that Kith makes it holds only those objects that Kith made, and of
// none what nobody here reads.
func cacheOptions(namespaces []string) cache.Options {
	all := cache.ByObject{Label: k8slabels.Everything()}
	out := cache.Options{
		DefaultLabelSelector: k8slabels.SelectorFromSet(k8slabels.Set{delivery.LabelManagedBy: delivery.ManagedBy}),
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.Community{}: all, &v1alpha1.Channel{}: all, &v1alpha1.Behaviour{}: all, &v1alpha1.Objective{}: all,
		},
		DefaultTransform: slim,
	}
	if len(namespaces) > 0 {
		out.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range namespaces {
			out.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return out
}

// slim drops what is large in metadata and that nobody here reads.
func slim(in any) (any, error) {
	if obj, ok := in.(client.Object); ok {
		obj.SetManagedFields(nil)
		if annotations := obj.GetAnnotations(); annotations[corev1.LastAppliedConfigAnnotation] != "" {
			delete(annotations, corev1.LastAppliedConfigAnnotation)
			obj.SetAnnotations(annotations)
		}
	}
	return in, nil
}

// orNone is how controller-runtime is told to serve nothing.
func orNone(address string) string {
	if address == "" {
		return "0"
	}
	return address
}
