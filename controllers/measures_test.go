// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/testing/builders"
)

func settings(document string) *runtime.RawExtension {
	return &runtime.RawExtension{Raw: []byte(document)}
}

func TestBehaviourIsInForceOnceTheHubRunsIt(t *testing.T) {
	c := newCluster(t)
	hub, _ := c.hub()
	hub.says(func(s *wire.Status) { s.Blueprint = "another" })
	solved := builders.MakeBehaviour("solved").On(v1alpha1.AnswerAccepted).Obj()
	c.create(acme(), forumOf(nil), solved)
	c.up()
	stands(c, solved, v1alpha1.ConditionAccepted, "True Accepted")
	says(t, stands(c, solved, v1alpha1.ConditionReady, "False Progressing"), "two minutes")
	hub.says(func(s *wire.Status) { s.Blueprint = "" })
	stands(c, solved, v1alpha1.ConditionReady, "True Succeeded")
	stands(c, solved, v1alpha1.ConditionMeasurable, "True Measurable")

	// A feed shows no accepted answers.
	c.create(builders.MakeChannel("blog").Team("support").Obj())
	says(t, stands(c, solved, v1alpha1.ConditionMeasurable, "False PartlyMeasurable"), "blog")
	if len(solved.Status.NotMeasurableOn) != 1 || solved.Status.NotMeasurableOn[0] != "blog" {
		t.Errorf("not measurable on %v", solved.Status.NotMeasurableOn)
	}
	stands(c, solved, v1alpha1.ConditionReady, "True Succeeded")

	recent := int64(40)
	hub.says(func(s *wire.Status) { s.Behaviours = []wire.BehaviourStatus{{Name: "solved", Recent: &recent}} })
	c.eventually(func() string {
		if r := get(c, "solved", solved).Status.Recent; r == nil || *r != 40 {
			return "its recent cases are not told"
		}
		return ""
	})
	hub.says(func(s *wire.Status) { s.Behaviours = []wire.BehaviourStatus{{Name: "solved"}} })
	c.eventually(func() string {
		if r := get(c, "solved", solved).Status.Recent; r != nil {
			return "what is hidden is told"
		}
		return ""
	})
}

func TestProblemsOfBehavioursAndObjectivesHealByThemselves(t *testing.T) {
	c := newCluster(t)
	c.hub()
	solved := builders.MakeBehaviour("solved").On(v1alpha1.AnswerAccepted).When("author.party == 'Member' &&").Obj()
	posted := builders.MakeBehaviour("posted").On(v1alpha1.MessagePosted).Obj()
	helped := builders.MakeObjective("helped").Count("solved").With(func(s *v1alpha1.ObjectiveSpec) { s.Target.AtLeast = "10" }).Obj()
	busy := builders.MakeObjective("busy").Count("posted").With(func(s *v1alpha1.ObjectiveSpec) { s.Target.AtLeast = "10" }).Obj()
	lost := builders.MakeObjective("lost").Count("nothing").With(func(s *v1alpha1.ObjectiveSpec) { s.Target.AtLeast = "10" }).Obj()
	c.create(acme(), forumOf(nil), solved, posted, helped, busy, lost)
	c.up()
	says(t, stands(c, solved, v1alpha1.ConditionAccepted, "False InvalidExpression"), "spec.when")
	stands(c, solved, v1alpha1.ConditionStalled, "True InvalidExpression")
	says(t, stands(c, helped, v1alpha1.ConditionAccepted, "False DependencyNotAccepted"), `"solved"`)
	stands(c, helped, v1alpha1.ConditionReconciling, "True DependencyNotAccepted")
	says(t, stands(c, lost, v1alpha1.ConditionAccepted, "False ReferenceMissing"), `"nothing"`)
	says(t, stands(c, busy, v1alpha1.ConditionAccepted, "False CountsActivity"), "posted", "activityBecause")
	stands(c, busy, v1alpha1.ConditionStalled, "True CountsActivity")
	stands(c, busy, v1alpha1.ConditionEvaluated, "Unknown DependencyNotAccepted")

	c.patch(solved, `{"spec": {"when": "author.party == 'Member'"}}`)
	stands(c, solved, v1alpha1.ConditionReady, "True Succeeded")
	stands(c, helped, v1alpha1.ConditionReady, "True Succeeded")
	c.patch(busy, `{"spec": {"activityBecause": "the board asks for it"}}`)
	says(t, stands(c, busy, v1alpha1.ConditionAccepted, "True ActivityStated"), "the board asks for it")
	stands(c, busy, v1alpha1.ConditionReady, "True Succeeded")
}

func TestObjectiveTellsItsStanding(t *testing.T) {
	c := newCluster(t)
	hub, _ := c.hub()
	due := builders.MakeBehaviour("due").Basis().On(v1alpha1.ThreadAged).After("24h").When("thread.question").Obj()
	answered := builders.MakeBehaviour("answered").Of("due").When("author.id != thread.author.id").Obj()
	faster := builders.MakeObjective("faster").Share("answered").With(func(s *v1alpha1.ObjectiveSpec) {
		s.Target.AtLeast, s.Stakeholders = "0.80", []v1alpha1.Name{"sales"}
	}).Obj()
	community := builders.MakeCommunity("acme").Team("support", v1alpha1.PartyCompany).Stakeholder("sales").Obj()
	c.create(community, forumOf(nil), due, answered, faster)
	c.up()
	stands(c, faster, v1alpha1.ConditionReady, "True Succeeded")
	says(t, stands(c, faster, v1alpha1.ConditionAgreed, "False NotAgreed"), "sales", "generation 1")
	stands(c, faster, v1alpha1.ConditionEvaluated, "Unknown Progressing")

	now := time.Now()
	tell := func(change func(*wire.ObjectiveStatus)) {
		value, cases := 0.82561, 86
		o := wire.ObjectiveStatus{Name: "faster", Standing: "Met", Value: &value, Cases: &cases, Target: 0.8, From: now.AddDate(0, 0, -28), To: now, AsOf: now}
		change(&o)
		hub.says(func(s *wire.Status) { s.Objectives = []wire.ObjectiveStatus{o} })
	}
	tell(func(*wire.ObjectiveStatus) {})
	says(t, stands(c, faster, v1alpha1.ConditionEvaluated, "True Evaluated"), "Met: 0.826", "at least 0.80")
	if s := faster.Status; s.Result != v1alpha1.ResultMet || s.Value != "0.826" || *s.Cases != 86 || s.WindowStart == nil || s.DataThrough == nil {
		t.Errorf("its status: %+v", s)
	}
	few := 7
	tell(func(o *wire.ObjectiveStatus) {
		o.Standing, o.Reason, o.Value, o.Cases = "TooFew", "7 cases, agreed were at least 20", nil, &few
	})
	says(t, stands(c, faster, v1alpha1.ConditionEvaluated, "False TooFew"), "7 cases")
	tell(func(o *wire.ObjectiveStatus) { o.AsOf = now.AddDate(0, 0, -3) })
	says(t, stands(c, faster, v1alpha1.ConditionEvaluated, "False DataStale"), "forum")
	tell(func(o *wire.ObjectiveStatus) {
		o.Standing, o.Reason, o.Value, o.Cases = "Unknown", "channel forum has not been read completely yet", nil, nil
	})
	stands(c, faster, v1alpha1.ConditionEvaluated, "Unknown DataMissing")

	// To write an agreement down changes the generation, and needs no new agreement; another target does.
	c.patch(faster, `{"spec": {"agreed": [{"stakeholder": "sales", "on": "2026-11-02", "generation": 1}]}}`)
	stands(c, faster, v1alpha1.ConditionAgreed, "True Agreed")
	c.patch(faster, `{"spec": {"target": {"atLeast": "0.90"}}}`)
	says(t, stands(c, faster, v1alpha1.ConditionAgreed, "False NotAgreed"), "generation 3")
}

func TestTimeAloneWritesNothing(t *testing.T) {
	c := newCluster(t)
	hub, op := c.hub()
	channel, solved := forumOf(nil), builders.MakeBehaviour("solved").On(v1alpha1.AnswerAccepted).Obj()
	helped := builders.MakeObjective("helped").Count("solved").With(func(s *v1alpha1.ObjectiveSpec) { s.Target.AtLeast = "10" }).Obj()
	c.create(acme(), channel, solved, helped)
	c.up()
	c.available("forum-connector")
	day := func(n int) {
		at := time.Now().AddDate(0, 0, -n)
		hub.reads("forum", func(s *wire.ChannelStatus) {
			s.Watermark, s.State.CompleteThrough, s.State.Pages = at, at, int64(1000-n)
		})
		value, cases := 12.0, 12
		hub.says(func(s *wire.Status) {
			s.LedgerBytes = int64(1000 - n)
			s.Objectives = []wire.ObjectiveStatus{{Name: "helped", Standing: "Met", Value: &value, Cases: &cases, Target: 10, From: at.AddDate(0, 0, -28), To: at, AsOf: at}}
		})
	}
	day(1)
	stands(c, channel, v1alpha1.ConditionReady, "True Succeeded")
	stands(c, helped, v1alpha1.ConditionEvaluated, "True Evaluated")
	op.settle(t)
	for range 3 {
		day(0)
		op.quietFor(t, 500*time.Millisecond)
	}
}
