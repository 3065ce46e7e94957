// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// defaultSize is the schema's own, for Communities that were made without it.
const defaultSize = "10Gi"

// keepVolume claims the volume of the ledger once, and lets it grow. What cannot be changed about a volume is refused,
// and everything else goes on.
func (s *communityScope) keepVolume(ctx context.Context, _ *Pass) error {
	live := &corev1.PersistentVolumeClaim{}
	key := types.NamespacedName{Namespace: s.community.Namespace, Name: delivery.LedgerName(s.community.Name)}
	err := s.Client.Get(ctx, key, live)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read PersistentVolumeClaim %s: %w", key.Name, err)
	}
	if err != nil {
		live = nil
	}
	desired := s.volume(live)
	goes := s.community.Spec.Ledger.Reclaim == v1alpha1.ReclaimDelete
	claim, err := ApplyKept(ctx, s.Applier, s.community, desired, goes)
	if live != nil && grows(desired, live) && (apierrors.IsForbidden(err) || apierrors.IsInvalid(err)) {
		s.refused = s.reject(v1alpha1.ReasonExpansionRefused, fmt.Sprintf(
			"spec.ledger.sqlite.size: the volume of %s cannot grow (%s); declare that size, or move the ledger to a storage class that allows expansion",
			size(live), apierrors.ReasonForError(err)))
		s.claim = live
		return nil
	}
	s.claim = claim
	return err
}

// volume is the claim as it can be had: what is declared for a new one; else what there is, only larger.
func (s *communityScope) volume(live *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	declared := v1alpha1.SQLiteLedger{}
	if s.community.Spec.Ledger.SQLite != nil {
		declared = *s.community.Spec.Ledger.SQLite
	}
	if declared.Size.IsZero() {
		declared.Size = resource.MustParse(defaultSize)
	}
	out := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: delivery.LedgerName(s.community.Name), Labels: labels(s.community.Name, delivery.ComponentHub)},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{s.AccessMode},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: declared.Size}},
		},
	}
	if declared.StorageClassName != "" {
		out.Spec.StorageClassName = &declared.StorageClassName
	}
	if live == nil {
		return out
	}
	out.Spec.AccessModes, out.Spec.StorageClassName = live.Spec.AccessModes, live.Spec.StorageClassName
	if class := live.Spec.StorageClassName; declared.StorageClassName != "" && (class == nil || *class != declared.StorageClassName) {
		has := "none"
		if class != nil {
			has = *class
		}
		s.refused = s.reject(v1alpha1.ReasonStorageClassChanged, fmt.Sprintf(
			"spec.ledger.sqlite.storageClassName: the volume has the storage class %s and keeps it; declare that one, or move the ledger (kith ledger export) to a new volume", has))
	}
	switch has := live.Spec.Resources.Requests[corev1.ResourceStorage]; {
	case declared.Size.Cmp(has) < 0:
		out.Spec.Resources.Requests[corev1.ResourceStorage] = has
		s.refused = s.reject(v1alpha1.ReasonShrinkingRefused, fmt.Sprintf(
			"spec.ledger.sqlite.size: %s is less than the %s that the volume has, and a volume cannot shrink; declare %s or more",
			declared.Size.String(), has.String(), has.String()))
	case live.Status.Phase != corev1.ClaimBound:
		// Only a volume that is there can grow. It is asked for as soon as it is.
		out.Spec.Resources.Requests[corev1.ResourceStorage] = has
	}
	return out
}

func grows(desired, live *corev1.PersistentVolumeClaim) bool {
	wants, has := desired.Spec.Resources.Requests[corev1.ResourceStorage], live.Spec.Resources.Requests[corev1.ResourceStorage]
	return wants.Cmp(has) > 0
}

func size(claim *corev1.PersistentVolumeClaim) string {
	q := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	return q.String()
}
