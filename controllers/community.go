// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/blueprint"
)

// Settings are what the operator was started with, as far as it shapes what is made.
type Settings struct {
	// Image is what hubs and connectors run.
	Image string
	// Namespace and ServiceAccount are the operator's own: hubs answer its calls, and let them through their network policy.
	Namespace, ServiceAccount string
	// AccessMode is that of new ledger volumes. Volumes that exist keep theirs.
	AccessMode corev1.PersistentVolumeAccessMode
	// Now is the clock.
	Now func() time.Time
}

// Communities makes each Community's hub, and what it and its connectors need. All exported fields are required.
type Communities struct {
	Settings

	Client client.Client
	// Live reads from the API server what no cache holds: the pods of a hub that does not run, and metadata.
	Live      client.Reader
	Applier   *Applier
	Compiler  *Compiler
	Authority *Authority
	Keys      *SigningKeys
	Hubs      HubStatus

	quiet    quiet
	issued   timetable
	monitors monitorKinds
}

// New implements Kind.
func (*Communities) New() *v1alpha1.Community { return &v1alpha1.Community{} }

// communityScope is one pass over one Community.
type communityScope struct {
	*Communities
	community *v1alpha1.Community
	compiled  *Compiled

	claim *corev1.PersistentVolumeClaim
	hub   *appsv1.Deployment
	// refused is why the pass ends as Terminal although all else could be done.
	refused error
}

// Plan implements Kind.
func (k *Communities) Plan(ctx context.Context, community *v1alpha1.Community) ([]Phase, error) {
	compiled, err := k.Compiler.Compile(ctx, client.ObjectKeyFromObject(community))
	if err != nil {
		return nil, err
	}
	s := &communityScope{Communities: k, community: community, compiled: compiled}
	return []Phase{
		{"accept", s.accept},
		{"issue the hub's certificate", s.certify},
		{"deliver the configuration", s.deliver},
		{"keep the ledger's volume", s.keepVolume},
		{"run the hub", s.runHub},
		{"run the shared connectors", s.runConnectors},
		{"declare what is to be scraped", s.monitor},
		{"look at the hub", s.lookAtHub},
		{"look at the ledger", s.lookAtLedger},
		{"refuse", s.refuse},
	}, nil
}

// Ready implements Kind.
func (*Communities) Ready(community *v1alpha1.Community) metav1.Condition {
	return Summarise(community, v1alpha1.ConditionAccepted, v1alpha1.ConditionHubAvailable, v1alpha1.ConditionLedgerReady)
}

// Deleted implements Kind.
func (k *Communities) Deleted(_ context.Context, community *v1alpha1.Community) error {
	key := client.ObjectKeyFromObject(community)
	k.Applier.Forget(community)
	k.quiet.settled(key)
	k.issued.forget(key)
	k.monitors.forget(key)
	return nil
}

// accept judges what is declared, and who answers for it.
func (s *communityScope) accept(context.Context, *Pass) error {
	problems := s.compiled.Problems(v1alpha1.KindCommunity, s.community.Namespace, s.community.Name)
	s.owned(problems)
	status := &s.community.Status
	if bp := s.compiled.Blueprint; bp != nil {
		status.Channels, status.Behaviours, status.Objectives = int32(len(bp.Channels)), int32(len(bp.Behaviours)), int32(len(bp.Objectives))
	}
	if s.community.Spec.Ledger.Postgres != nil {
		return s.reject(v1alpha1.ReasonInvalidSpec,
			"spec.ledger.postgres: this version of Kith keeps ledgers in SQLite only; declare ledger.sqlite instead")
	}
	if err := Accept(s.community, problems); err != nil {
		// A part that cannot be used is left out; only a Community without a blueprint cannot go on.
		if s.compiled.Blueprint == nil {
			return err
		}
		s.refused = err
	}
	if s.compiled.Blueprint == nil {
		return Waiting(v1alpha1.ReasonProgressing, "the operator has not seen this Community everywhere yet")
	}
	return nil
}

// reject makes the Community not accepted, for what compiling cannot know.
func (s *communityScope) reject(reason, message string) error {
	SetCondition(s.community, v1alpha1.ConditionAccepted, metav1.ConditionFalse, reason, message)
	return Terminal(reason, message)
}

// owned says whether each task has exactly one accountable team.
func (s *communityScope) owned(problems []blueprint.Problem) {
	var missing []blueprint.Problem
	for _, p := range problems {
		if p.Reason == v1alpha1.ReasonOwnerMissing {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 {
		SetCondition(s.community, v1alpha1.ConditionOwned, metav1.ConditionFalse, v1alpha1.ReasonOwnerMissing, describe(missing))
		return
	}
	SetCondition(s.community, v1alpha1.ConditionOwned, metav1.ConditionTrue, v1alpha1.ReasonOwnerNamed,
		"each declared task has one Accountable team")
}

// refuse ends a pass in which something declared was not done.
func (s *communityScope) refuse(context.Context, *Pass) error { return s.refused }

// timetable remembers, per Community, until when something need not be looked at again.
type timetable struct {
	mu    sync.Mutex
	until map[types.NamespacedName]entry
}

type entry struct {
	what  string
	until time.Time
}

// done is whether what was noted for the key is this, and still holds.
func (t *timetable) done(key types.NamespacedName, what string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.until[key]
	return ok && e.what == what && now.Before(e.until)
}

func (t *timetable) note(key types.NamespacedName, what string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until == nil {
		t.until = map[types.NamespacedName]entry{}
	}
	t.until[key] = entry{what, until}
}

func (t *timetable) forget(key types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.until, key)
}
