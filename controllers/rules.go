// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/kith-dev/kith/internal/delivery"
)

// RulesName is the PrometheusRule in the operator's namespace.
const RulesName = "kith"

// rules keeps the recording rules and alerts in the cluster, where it has a Prometheus operator. They are one set for
// all communities: two copies would record everything twice.
type rules struct {
	Options
	client client.Client
	live   client.Reader
}

// Start implements manager.Runnable: it looks until ctx ends.
func (r *rules) Start(ctx context.Context) error {
	for {
		if err := r.apply(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "The alerts are not in the cluster")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookAgain):
		}
	}
}

func (r *rules) apply(ctx context.Context) error {
	kind := monitoringGroup.WithKind("PrometheusRule")
	if _, err := r.client.RESTMapper().RESTMapping(kind.GroupKind(), kind.Version); err != nil {
		if meta.IsNoMatchError(err) {
			return nil
		}
		return fmt.Errorf("ask whether there is a %s: %w", kind.Kind, err)
	}
	desired := &unstructured.Unstructured{Object: r.Rules(RulesName)}
	desired.SetNamespace(r.Settings.Namespace)
	all := map[string]string{
		delivery.LabelName: delivery.AppName, delivery.LabelComponent: delivery.ComponentOperator, delivery.LabelManagedBy: delivery.ManagedBy,
	}
	maps.Copy(all, r.RuleLabels)
	desired.SetLabels(all)
	want, err := newIntent(r.client.Scheme(), desired)
	if err != nil {
		return err
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(kind)
	err = r.live.Get(ctx, types.NamespacedName{Namespace: r.Settings.Namespace, Name: RulesName}, live)
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return fmt.Errorf("read %s: %w", want, err)
	case live.GetLabels()[delivery.LabelManagedBy] != delivery.ManagedBy:
		return nil // Somebody keeps rules of this name themselves, such as those of config/prometheus.
	case live.GetAnnotations()[annotationApplied] == want.digest && holds(live.Object, want.content, true):
		return nil
	}
	applier := &Applier{Client: r.client}
	return applier.put(ctx, want, &unstructured.Unstructured{Object: want.document()}, client.ForceOwnership)
}
