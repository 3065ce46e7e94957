// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
)

// Objectives says how each Objective stands. They are delivered with their Community's configuration: nothing is made
// for a single one.
type Objectives struct {
	Compiler *Compiler
	Hubs     HubStatus
	// Now is the clock.
	Now func() time.Time
}

// New implements Kind.
func (*Objectives) New() *v1alpha1.Objective { return &v1alpha1.Objective{} }

// Plan implements Kind.
func (k *Objectives) Plan(ctx context.Context, objective *v1alpha1.Objective) ([]Phase, error) {
	before := objective.Status.DeepCopy()
	compiled, err := k.Compiler.Compile(ctx, communityKey(objective))
	if err != nil {
		return nil, err
	}
	facts := &objectiveFacts{compiled: compiled, now: k.Now()}
	facts.hub, _ = k.Hubs.Report(communityKey(objective))
	var refused error
	return []Phase{
		{"accept", func(context.Context, *Pass) error {
			refused = acceptWithin(objective, v1alpha1.KindObjective, compiled)
			return nil
		}},
		{"ask the hub", func(_ context.Context, pass *Pass) error {
			pass.After(setObjectiveStatus(objective, before, facts))
			if refused != nil {
				return refused
			}
			return awaitHub(objective, compiled, facts.hub, k.Hubs)
		}},
	}, nil
}

// Ready implements Kind: a pass that comes to its end has found the definition accepted and in force.
func (*Objectives) Ready(*v1alpha1.Objective) metav1.Condition { return theHubRunsIt.condition() }

// Deleted implements Kind.
func (*Objectives) Deleted(context.Context, *v1alpha1.Objective) error { return nil }
