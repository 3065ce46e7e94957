// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/hubpoll"
)

// Behaviours says how each Behaviour stands. They are delivered with their Community's configuration: nothing is made
// for a single one.
type Behaviours struct {
	Compiler *Compiler
	Hubs     HubStatus
}

// New implements Kind.
func (*Behaviours) New() *v1alpha1.Behaviour { return &v1alpha1.Behaviour{} }

// Plan implements Kind.
func (k *Behaviours) Plan(ctx context.Context, behaviour *v1alpha1.Behaviour) ([]Phase, error) {
	compiled, err := k.Compiler.Compile(ctx, communityKey(behaviour))
	if err != nil {
		return nil, err
	}
	hub, _ := k.Hubs.Report(communityKey(behaviour))
	var refused error
	return []Phase{
		{"accept", func(context.Context, *Pass) error {
			refused = acceptWithin(behaviour, v1alpha1.KindBehaviour, compiled)
			return nil
		}},
		{"ask the hub", func(context.Context, *Pass) error {
			setBehaviourStatus(behaviour, compiled, hub)
			if refused != nil {
				return refused
			}
			return awaitHub(behaviour, compiled, hub, k.Hubs)
		}},
	}, nil
}

// awaitHub ends the pass as Waiting until the hub has run the definition once.
func awaitHub(obj Resource, compiled *Compiled, hub hubpoll.Report, hubs HubStatus) error {
	v := inForce(obj, compiled, hub)
	if v.status == metav1.ConditionTrue {
		return nil
	}
	if *obj.StatusGeneration() != obj.GetGeneration() {
		hubs.Soon(communityKey(obj))
	}
	return Waiting(v.reason, v.message)
}

// Ready implements Kind: a pass that comes to its end has found the definition accepted and in force.
func (*Behaviours) Ready(*v1alpha1.Behaviour) metav1.Condition { return theHubRunsIt.condition() }

var theHubRunsIt = yes(v1alpha1.ReasonSucceeded, "the hub runs this definition")

// Deleted implements Kind.
func (*Behaviours) Deleted(context.Context, *v1alpha1.Behaviour) error { return nil }
