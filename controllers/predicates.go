// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/kith-dev/kith/internal/delivery"
)

// Declared lets those changes of Kith's own resources through that people make: of the spec, of labels, of the
// annotations that ask for something, and deletion. The operator's own writes of statuses start nothing.
func Declared() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		if e.ObjectOld == nil || e.ObjectNew == nil {
			return false
		}
		return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
			e.ObjectOld.GetUID() != e.ObjectNew.GetUID() ||
			e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero() ||
			!maps.Equal(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) ||
			asked(e.ObjectOld) != asked(e.ObjectNew)
	}}
}

// asked are the annotations by which people ask the operator for something.
func asked(obj client.Object) [2]string {
	a := obj.GetAnnotations()
	return [2]string{a[delivery.AnnotationReconcile], a[delivery.AnnotationAcceptLedger]}
}
