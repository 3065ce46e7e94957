// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
)

// lookAtLedger sets LedgerReady from the volume's claim and from what the hub last said.
func (s *communityScope) lookAtLedger(context.Context, *Pass) error {
	switch s.claim.Status.Phase {
	case corev1.ClaimLost:
		s.ledger(metav1.ConditionFalse, v1alpha1.ReasonUnavailable, fmt.Sprintf(
			"the volume behind PersistentVolumeClaim %s is gone; restore it, or delete the claim and restore the ledger from a backup", s.claim.Name))
		return nil
	case corev1.ClaimPending, "":
		s.ledger(metav1.ConditionFalse, v1alpha1.ReasonProgressing, s.pendingClaim())
		return nil
	case corev1.ClaimBound:
	}
	report, _ := s.Hubs.Report(client.ObjectKeyFromObject(s.community))
	if report.At.IsZero() {
		s.ledgerUnasked(report.Err != nil)
		return nil
	}
	return s.ledgerOf(&report.Status)
}

func (s *communityScope) ledger(status metav1.ConditionStatus, reason, message string) {
	SetCondition(s.community, v1alpha1.ConditionLedgerReady, status, reason, message)
}

// pendingClaim says what a claim without a volume may be waiting for.
func (s *communityScope) pendingClaim() string {
	message := fmt.Sprintf("PersistentVolumeClaim %s waits for its volume", s.claim.Name)
	for _, mode := range s.claim.Spec.AccessModes {
		if mode == corev1.ReadWriteOncePod {
			message += "; if the storage does not know ReadWriteOncePod, delete the claim and start the operator with --ledger-access-mode=ReadWriteOnce"
		}
	}
	return message
}

// ledgerUnasked keeps what was found before for as long as the hub has not answered since the operator started, unless a
// call has failed.
func (s *communityScope) ledgerUnasked(failed bool) {
	before := meta.FindStatusCondition(s.community.Status.Conditions, v1alpha1.ConditionLedgerReady)
	if before != nil && before.Status == metav1.ConditionTrue && !failed {
		s.ledger(before.Status, before.Reason, before.Message)
		return
	}
	s.ledger(metav1.ConditionFalse, v1alpha1.ReasonProgressing, "the hub has not said yet how its ledger is")
}

// ledgerOf takes what a hub says about its ledger.
func (s *communityScope) ledgerOf(status *wire.Status) error {
	switch status.ProblemReason {
	case wire.VolumeFull:
		s.ledger(metav1.ConditionFalse, v1alpha1.ReasonVolumeFull, fmt.Sprintf(
			"the ledger's volume has no room left, and nothing is read until it has; raise spec.ledger.sqlite.size above %s", size(s.claim)))
		return nil
	case wire.StorageError:
		s.ledger(metav1.ConditionFalse, v1alpha1.ReasonUnavailable, status.Problem)
		return nil
	case wire.KeyMissing:
		s.ledger(metav1.ConditionFalse, v1alpha1.ReasonSecretKeyMissing, status.Problem)
		return nil
	case wire.ConfigurationIncomplete, wire.ConfigurationUnusable, wire.ProcessingFailed:
	}
	if err := s.sameLedger(status.LedgerID); err != nil {
		return err
	}
	message := "the ledger can be written"
	if capacity, ok := s.claim.Status.Capacity[corev1.ResourceStorage]; ok && capacity.Cmp(s.claim.Spec.Resources.Requests[corev1.ResourceStorage]) < 0 {
		message = fmt.Sprintf("the ledger can be written; its volume grows from %s to %s", capacity.String(), size(s.claim))
	}
	s.ledger(metav1.ConditionTrue, v1alpha1.ReasonAvailable, message)
	return nil
}

// sameLedger notices when another ledger lies where the known one was: an empty volume after a lost one, or the wrong
// backup. Only a person can say whether that is meant.
func (s *communityScope) sameLedger(id string) error {
	known := &s.community.Status.LedgerID
	switch {
	case id == "" || id == *known:
		return nil
	case *known == "" || s.community.Annotations[delivery.AnnotationAcceptLedger] == id:
		*known = id
		return nil
	}
	message := fmt.Sprintf("the hub keeps another ledger (%s) than before (%s): restore the earlier one, or accept this one with the annotation %s=%s",
		id, *known, delivery.AnnotationAcceptLedger, id)
	s.ledger(metav1.ConditionFalse, v1alpha1.ReasonLedgerReplaced, message)
	return Terminal(v1alpha1.ReasonLedgerReplaced, message)
}
