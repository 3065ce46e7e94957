// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/testing/builders"
)

func (c *cluster) storageClass(name string, expands bool) string {
	c.t.Helper()
	name = c.namespace + "-" + name
	err := c.client.Create(c.t.Context(), &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: "kith.dev/none", AllowVolumeExpansion: &expands,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return name
}

func sized(name, size, class string) *v1alpha1.Community {
	return builders.MakeCommunity(name).With(func(s *v1alpha1.CommunitySpec) {
		s.Ledger.SQLite = &v1alpha1.SQLiteLedger{Size: quantity(size), StorageClassName: class}
	}).Obj()
}

func TestVolumeGrowsAndNeverShrinks(t *testing.T) {
	c := newCluster(t)
	c.operate()
	elastic, rigid := c.storageClass("elastic", true), c.storageClass("rigid", false)
	for name, tc := range map[string]struct {
		class, patch string
		size         string
		status       metav1.ConditionStatus
		reason       string
		says         string
	}{
		"expanded": {elastic, `{"size": "20Gi"}`, "20Gi", metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""},
		"shrunk":   {elastic, `{"size": "5Gi"}`, "10Gi", metav1.ConditionFalse, v1alpha1.ReasonShrinkingRefused, "declare 10Gi or more"},
		"rigid":    {rigid, `{"size": "20Gi"}`, "10Gi", metav1.ConditionFalse, v1alpha1.ReasonExpansionRefused, "cannot grow"},
		"moved":    {elastic, `{"storageClassName": "` + rigid + `"}`, "10Gi", metav1.ConditionFalse, v1alpha1.ReasonStorageClassChanged, elastic},
	} {
		t.Run(name, func(t *testing.T) {
			c.create(sized(name, "10Gi", tc.class))
			c.run(name)
			claim := get(c, name+"-ledger", &corev1.PersistentVolumeClaim{})
			if claim.Spec.AccessModes[0] != corev1.ReadWriteOncePod {
				t.Errorf("the claim is %v", claim.Spec.AccessModes)
			}
			c.patch(get(c, name, &v1alpha1.Community{}), `{"spec": {"ledger": {"sqlite": `+tc.patch+`}}}`)
			message := c.condition(name, v1alpha1.ConditionAccepted, tc.status, tc.reason)
			if !strings.Contains(message, tc.says) {
				t.Errorf("it says %q", message)
			}
			// A refused change stops nothing else.
			c.condition(name, v1alpha1.ConditionLedgerReady, metav1.ConditionTrue, v1alpha1.ReasonAvailable)
			if tc.status == metav1.ConditionFalse {
				c.condition(name, v1alpha1.ConditionStalled, metav1.ConditionTrue, tc.reason)
			}
			now := get(c, name+"-ledger", &corev1.PersistentVolumeClaim{})
			if got := now.Spec.Resources.Requests[corev1.ResourceStorage]; got.String() != tc.size || now.UID != claim.UID {
				t.Errorf("the claim has %s, want %s in place", got.String(), tc.size)
			}
		})
	}
}

func TestLedgerOutlivesItsCommunityUnlessItIsToGo(t *testing.T) {
	c := newCluster(t)
	c.operate(func(o *controllers.Options) { o.AccessMode = corev1.ReadWriteOnce })
	c.create(builders.MakeCommunity("acme").Obj())
	before := exists(c, "acme-ledger", &corev1.PersistentVolumeClaim{})
	if before.Spec.AccessModes[0] != corev1.ReadWriteOnce {
		t.Errorf("the claim is %v", before.Spec.AccessModes)
	}
	owners := func(want int) {
		t.Helper()
		c.eventually(func() string {
			if now := get(c, "acme-ledger", &corev1.PersistentVolumeClaim{}); len(now.OwnerReferences) != want {
				return fmt.Sprintf("owners: %v", now.OwnerReferences)
			}
			return ""
		})
	}
	owners(0)
	c.patch(get(c, "acme", &v1alpha1.Community{}), `{"spec": {"ledger": {"reclaim": "Delete"}}}`)
	owners(1)
	c.patch(get(c, "acme", &v1alpha1.Community{}), `{"spec": {"ledger": {"reclaim": "Retain"}}}`)
	owners(0)
	// Declared again, it finds its ledger. No garbage collector runs here: what was owned is deleted by hand.
	community := get(c, "acme", &v1alpha1.Community{})
	c.delete(community)
	c.sweep(community)
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	if now := get(c, "acme-ledger", &corev1.PersistentVolumeClaim{}); now.UID != before.UID {
		t.Error("there is another ledger")
	}
}

func TestObjectsOfADeletedCommunityAreWaitedFor(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	op.settle(t)
	community := get(c, "acme", &v1alpha1.Community{})
	c.delete(community)
	c.create(builders.MakeCommunity("acme").Obj())
	c.condition("acme", v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonProgressing)
	c.sweep(community)
	c.run("acme")
}

func TestLedgerConditions(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	say := func(s wire.Status) {
		s.Community = "acme"
		c.hubs.say(c.key("acme"), s)
		op.Triggers[v1alpha1.KindCommunity].Add(c.key("acme"))
	}
	for _, tc := range []struct {
		name   string
		hub    wire.Status
		status metav1.ConditionStatus
		reason string
	}{
		{"full", wire.Status{ProblemReason: wire.VolumeFull, LedgerID: "first"}, metav1.ConditionFalse, v1alpha1.ReasonVolumeFull},
		{"broken", wire.Status{ProblemReason: wire.StorageError, Problem: "the disk is on fire"}, metav1.ConditionFalse, v1alpha1.ReasonUnavailable},
		{"without its key", wire.Status{ProblemReason: wire.KeyMissing, Problem: "no key"}, metav1.ConditionFalse, v1alpha1.ReasonSecretKeyMissing},
		{"well again", wire.Status{LedgerID: "first"}, metav1.ConditionTrue, v1alpha1.ReasonAvailable},
		{"replaced", wire.Status{LedgerID: "second"}, metav1.ConditionFalse, v1alpha1.ReasonLedgerReplaced},
	} {
		t.Run(tc.name, func(t *testing.T) {
			say(tc.hub)
			message := c.condition("acme", v1alpha1.ConditionLedgerReady, tc.status, tc.reason)
			if tc.hub.Problem != "" && message != tc.hub.Problem {
				t.Errorf("it says %q", message)
			}
			c.condition("acme", v1alpha1.ConditionReady, tc.status, map[bool]string{true: v1alpha1.ReasonSucceeded, false: tc.reason}[tc.status == metav1.ConditionTrue])
		})
	}
	c.patch(get(c, "acme", &v1alpha1.Community{}), `{"metadata": {"annotations": {"kith.dev/accept-ledger": "second"}}}`)
	c.condition("acme", v1alpha1.ConditionLedgerReady, metav1.ConditionTrue, v1alpha1.ReasonAvailable)
	if id := get(c, "acme", &v1alpha1.Community{}).Status.LedgerID; id != "second" {
		t.Errorf("the known ledger is %q", id)
	}
}

func TestPostgresIsRefused(t *testing.T) {
	c := newCluster(t)
	c.operate()
	c.create(builders.MakeCommunity("acme").With(func(s *v1alpha1.CommunitySpec) {
		s.Ledger = v1alpha1.Ledger{Postgres: &v1alpha1.PostgresLedger{DSNSecretRef: v1alpha1.KeyReference{Name: "db"}}}
	}).Obj())
	message := c.condition("acme", v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec)
	if !strings.Contains(message, "ledger.sqlite") {
		t.Errorf("it says %q", message)
	}
	c.condition("acme", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
}
