// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/testing/builders"
)

// resources are what each community counts: questions that fall due, those answered in time, those solved, and one
// objective.
func resources(community string) []client.Object {
	due := builders.MakeBehaviour(community+"-due").Basis().On(v1alpha1.ThreadAged).After("24h").When("thread.question").Obj()
	answered := builders.MakeBehaviour(community + "-answered").Of(v1alpha1.Name(due.Name)).When("event.firstResponse").Obj()
	solved := builders.MakeBehaviour(community + "-solved").On(v1alpha1.AnswerAccepted).
		When("author.party in ['Member', 'Volunteer'] && author.id != thread.author.id").Settle("7d").Obj()
	answered.Spec.Within = "24h"
	objective := builders.MakeObjective(community + "-in-time").Share(v1alpha1.Name(answered.Name)).Obj()
	objective.Spec.Goal = "goal"
	due.Spec.CommunityRef.Name = v1alpha1.Name(community)
	answered.Spec.CommunityRef.Name = v1alpha1.Name(community)
	solved.Spec.CommunityRef.Name = v1alpha1.Name(community)
	objective.Spec.CommunityRef.Name = v1alpha1.Name(community)
	for _, obj := range []client.Object{due, answered, solved, objective} {
		obj.SetNamespace(namespace)
	}
	return []client.Object{due, answered, solved, objective}
}
