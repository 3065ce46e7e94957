// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/hubpoll"
	"github.com/kith-dev/kith/internal/testing/builders"
)

// compiledWith is a community with channels on platforms, a question that falls due, its answer, and what was solved.
func compiledWith(platforms ...string) *Compiled {
	bp := &blueprint.Blueprint{Name: "acme", Behaviours: []blueprint.Behaviour{
		{Name: "answered", Of: "due", CompletedBy: []event.Kind{event.MessagePosted}},
		{Name: "due", On: []event.Kind{event.ThreadAged}},
		{Name: "solved", On: []event.Kind{event.AnswerAccepted}},
		{Name: "solved-share", Of: "solved", CompletedBy: []event.Kind{event.MessagePosted}},
	}}
	for _, p := range platforms {
		bp.Channels = append(bp.Channels, blueprint.Channel{Name: "on-" + p, Platform: p})
	}
	return &Compiled{Blueprint: bp, Digest: "d1", problems: map[blueprint.Key][]blueprint.Problem{}}
}

func answering(s wire.Status) hubpoll.Report { return hubpoll.Report{Known: true, Status: s} }

func TestBehaviourStatus(t *testing.T) {
	recent := func(n int64) hubpoll.Report {
		return answering(wire.Status{Behaviours: []wire.BehaviourStatus{{Name: "solved", Recent: &n}, {Name: "answered", Recent: &n}}})
	}
	for name, tc := range map[string]struct {
		behaviour  string
		compiled   *Compiled
		hub        hubpoll.Report
		before     *int64
		measurable string
		says       []string
		on         []v1alpha1.Name
		recent     *int64
	}{
		"every channel shows it": {behaviour: "solved", compiled: compiledWith("discourse"), hub: recent(7), measurable: "True Measurable", recent: new(int64(7))},
		"nothing has counted":    {behaviour: "solved", compiled: compiledWith("discourse"), hub: recent(0), measurable: "True Measurable", recent: new(int64(0))},
		"it is hidden": {behaviour: "solved", compiled: compiledWith("discourse"), before: new(int64(9)),
			hub: answering(wire.Status{Behaviours: []wire.BehaviourStatus{{Name: "solved"}}}), measurable: "True Measurable"},
		"some channels show it": {behaviour: "solved", compiled: compiledWith("discourse", "feed"), hub: recent(7), measurable: "False PartlyMeasurable",
			says: []string{"on-feed", "accepted answers", "never as 0"}, on: []v1alpha1.Name{"on-feed"}, recent: new(int64(7))},
		"no channel shows it": {behaviour: "solved", compiled: compiledWith("feed"), hub: recent(0), measurable: "False NotMeasurable",
			says: []string{"accepted answers", "declare a channel that does"}, on: []v1alpha1.Name{"on-feed"}},
		"what it is a share of is not shown":  {behaviour: "solved-share", compiled: compiledWith("feed"), measurable: "False NotMeasurable", on: []v1alpha1.Name{"on-feed"}},
		"a share of what every channel shows": {behaviour: "answered", compiled: compiledWith("feed"), hub: recent(3), measurable: "True Measurable", recent: new(int64(3))},
		"no channel at all":                   {behaviour: "solved", compiled: compiledWith(), measurable: "Unknown NoChannel"},
		"it is not accepted":                  {behaviour: "misspelt", compiled: compiledWith("discourse"), measurable: "Unknown DependencyNotAccepted"},
		"its community is not accepted":       {behaviour: "solved", compiled: &Compiled{}, measurable: "Unknown DependencyNotAccepted"},
		"the hub is down": {behaviour: "solved", compiled: compiledWith("discourse"), before: new(int64(9)),
			hub: hubpoll.Report{Down: true, Err: &hubpoll.Failure{Message: "no answer"}}, measurable: "True Measurable", recent: new(int64(9))},
	} {
		t.Run(name, func(t *testing.T) {
			obj := builders.MakeBehaviour(tc.behaviour).Obj()
			obj.Generation, obj.Status.Recent = 2, tc.before
			setBehaviourStatus(obj, tc.compiled, tc.hub)
			is, message := conditionOf(t, obj, v1alpha1.ConditionMeasurable)
			if is != tc.measurable {
				t.Errorf("%s, want %s", is, tc.measurable)
			}
			says(t, "Measurable", message, tc.says...)
			if diff := cmp.Diff(tc.on, obj.Status.NotMeasurableOn); diff != "" {
				t.Errorf("not measurable on (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.recent, obj.Status.Recent); diff != "" {
				t.Errorf("recent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADefinitionIsInForceOnceTheHubRunsIt(t *testing.T) {
	for name, tc := range map[string]struct {
		hub   hubpoll.Report
		ready bool
		want  string
		says  string
	}{
		"it runs it":                         {hub: answering(wire.Status{Blueprint: "d1"}), want: "True Succeeded"},
		"it runs another":                    {hub: answering(wire.Status{Blueprint: "d0"}), want: "False Progressing", says: "two minutes"},
		"it cannot run it":                   {hub: answering(wire.Status{Blueprint: "d0", Problem: "the volume is full"}), want: "False Progressing", says: "the volume is full"},
		"it has not been heard of":           {want: "False Progressing"},
		"it is down":                         {hub: hubpoll.Report{Down: true, Err: &hubpoll.Failure{Message: "no answer"}}, want: "False HubUnavailable", says: "no answer"},
		"it ran it, and is down now":         {hub: hubpoll.Report{Down: true, Err: &hubpoll.Failure{Message: "no answer"}}, ready: true, want: "True Succeeded"},
		"it ran it, and others were changed": {hub: answering(wire.Status{Blueprint: "d0"}), ready: true, want: "True Succeeded"},
	} {
		t.Run(name, func(t *testing.T) {
			obj := builders.MakeBehaviour("solved").Obj()
			obj.Generation = 2
			if tc.ready {
				SetCondition(obj, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSucceeded, "is in force")
			}
			inForce(obj, compiledWith("discourse"), tc.hub).set(obj, v1alpha1.ConditionReady)
			is, message := conditionOf(t, obj, v1alpha1.ConditionReady)
			if is != tc.want {
				t.Errorf("%s, want %s", is, tc.want)
			}
			says(t, "Ready", message, tc.says)
		})
	}
}

// faster is an accepted objective on the share of answered questions, agreed with two stakeholders.
func faster() *v1alpha1.Objective {
	o := builders.MakeObjective("faster").Share("answered").With(func(s *v1alpha1.ObjectiveSpec) {
		s.Target = v1alpha1.Target{AtLeast: "0.80"}
		s.Stakeholders = []v1alpha1.Name{"support", "sales"}
		s.Agreed = []v1alpha1.Agreement{{Stakeholder: "support", On: "2026-11-02", Generation: 1}, {Stakeholder: "sales", On: "2026-11-02"}}
	}).Obj()
	o.Generation = 1
	SetCondition(o, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, "can be used as it is")
	return o
}

func TestAgreement(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(o *v1alpha1.Objective)
		want   string
		says   []string
	}{
		"everybody has agreed": {want: "True Agreed"},
		"nobody is asked":      {change: func(o *v1alpha1.Objective) { o.Spec.Stakeholders = nil }, want: "False NotAgreed", says: []string{"spec.stakeholders"}},
		"one is missing": {change: func(o *v1alpha1.Objective) { o.Spec.Agreed = o.Spec.Agreed[:1] }, want: "False NotAgreed",
			says: []string{"sales", "generation 1"}},
		"the target was changed since": {change: func(o *v1alpha1.Objective) { o.Spec.Target.AtLeast, o.Generation = "0.90", 2 }, want: "False NotAgreed",
			says: []string{"support, sales", "generation 2"}},
		"the target was changed, and agreed to with that": {change: func(o *v1alpha1.Objective) {
			o.Spec.Target.AtLeast, o.Generation = "0.90", 2
			o.Spec.Agreed[0].Generation, o.Spec.Agreed[1].Generation = 2, 2
		}, want: "True Agreed"},
		"an agreement was written down later": {change: func(o *v1alpha1.Objective) { o.Spec.Agreed[1].On, o.Generation = "2026-11-20", 2 }, want: "True Agreed"},
		"the approach was changed":            {change: func(o *v1alpha1.Objective) { o.Spec.Approach, o.Generation = &v1alpha1.Approach{Strategy: "new"}, 2 }, want: "True Agreed"},
		"agreed to what does not exist yet":   {change: func(o *v1alpha1.Objective) { o.Spec.Agreed[0].Generation = 9 }, want: "False NotAgreed", says: []string{"support:"}},
	} {
		t.Run(name, func(t *testing.T) {
			obj := faster()
			noteDefinition(obj)
			if tc.change != nil {
				tc.change(obj)
			}
			noteDefinition(obj)
			agreed(obj).set(obj, v1alpha1.ConditionAgreed)
			is, message := conditionOf(t, obj, v1alpha1.ConditionAgreed)
			if is != tc.want {
				t.Errorf("%s, want %s (%s)", is, tc.want, message)
			}
			says(t, "Agreed", message, tc.says...)
		})
	}
}

func TestEvaluation(t *testing.T) {
	standing := func(change func(*wire.ObjectiveStatus)) hubpoll.Report {
		value, cases := 0.82561, 86
		o := wire.ObjectiveStatus{Name: "faster", Standing: "Met", Value: &value, Target: 0.8, Cases: &cases,
			From: testNow.AddDate(0, 0, -28), To: testNow, AsOf: testNow.Add(-time.Minute)}
		change(&o)
		return answering(wire.Status{Objectives: []wire.ObjectiveStatus{o}})
	}
	same := func(*wire.ObjectiveStatus) {}
	for name, tc := range map[string]struct {
		hub       hubpoll.Report
		change    func(*v1alpha1.Objective)
		platforms []string
		want      string
		says      []string
		result    v1alpha1.Result
		value     v1alpha1.Amount
		cases     *int64
	}{
		"met":    {hub: standing(same), want: "True Evaluated", says: []string{"Met: 0.826", "at least 0.80"}, result: "Met", value: "0.826", cases: new(int64(86))},
		"missed": {hub: standing(func(o *wire.ObjectiveStatus) { o.Standing, o.Value = "NotMet", new(0.5) }), want: "True Evaluated", says: []string{"Missed: 0.500"}, result: "Missed", value: "0.500", cases: new(int64(86))},
		"a count": {hub: standing(func(o *wire.ObjectiveStatus) { o.Value = new(86.0) }), change: func(o *v1alpha1.Objective) {
			o.Spec.Indicator, o.Spec.Target = v1alpha1.Indicator{Count: "solved"}, v1alpha1.Target{AtMost: "90"}
		}, want: "True Evaluated", says: []string{"Met: 86", "at most 90"}, result: "Met", value: "86", cases: new(int64(86))},
		"too few": {hub: standing(func(o *wire.ObjectiveStatus) {
			o.Standing, o.Reason, o.Value, o.Cases = "TooFew", "7 cases, agreed were at least 20", nil, new(7)
		}),
			want: "False TooFew", says: []string{"7 cases"}, result: "TooFew", cases: new(int64(7))},
		"hidden": {hub: standing(func(o *wire.ObjectiveStatus) {
			o.Standing, o.Reason, o.Value, o.Cases = "TooFew", "about fewer than 5 people", nil, nil
		}),
			want: "False TooFew", says: []string{"fewer than 5 people"}, result: "TooFew"},
		"unknown": {hub: standing(func(o *wire.ObjectiveStatus) {
			o.Standing, o.Reason, o.Value, o.Cases = "Unknown", "channel forum has not been read completely yet", nil, nil
		}),
			want: "Unknown DataMissing", says: []string{"has not been read"}, result: "Unknown"},
		"stale": {hub: standing(func(o *wire.ObjectiveStatus) { o.AsOf = testNow.Add(-49 * time.Hour) }), want: "False DataStale", says: []string{"2026-11-20", "on-discourse"}, result: "Unknown"},
		"old, and an archive": {hub: standing(func(o *wire.ObjectiveStatus) { o.AsOf = testNow.AddDate(-3, 0, 0) }), platforms: []string{"archive"},
			want: "True Evaluated", result: "Met", value: "0.826", cases: new(int64(86))},
		"not evaluated yet":       {hub: answering(wire.Status{}), want: "Unknown Progressing", result: "Unknown"},
		"the hub is not heard of": {want: "Unknown Progressing"},
		"the hub is down":         {hub: hubpoll.Report{Down: true, Err: &hubpoll.Failure{Message: "no answer"}}, want: "Unknown HubUnavailable", result: "Unknown"},
		"it is not accepted": {hub: standing(same), change: func(o *v1alpha1.Objective) {
			SetCondition(o, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonCountsActivity, "counts activity")
		}, want: "Unknown DependencyNotAccepted"},
	} {
		t.Run(name, func(t *testing.T) {
			obj := faster()
			if tc.change != nil {
				tc.change(obj)
			}
			platforms := tc.platforms
			if platforms == nil {
				platforms = []string{"discourse"}
			}
			setObjectiveStatus(obj, obj.Status.DeepCopy(), &objectiveFacts{compiled: compiledWith(platforms...), hub: tc.hub, now: testNow})
			is, message := conditionOf(t, obj, v1alpha1.ConditionEvaluated)
			if is != tc.want {
				t.Errorf("%s, want %s", is, tc.want)
			}
			says(t, "Evaluated", message, tc.says...)
			if obj.Status.Result != tc.result || obj.Status.Value != tc.value {
				t.Errorf("%q %q, want %q %q", obj.Status.Result, obj.Status.Value, tc.result, tc.value)
			}
			if diff := cmp.Diff(tc.cases, obj.Status.Cases); diff != "" {
				t.Errorf("cases (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTimeAloneWritesNoObjectiveStatus(t *testing.T) {
	obj := faster()
	at := func(now time.Time, value float64) *objectiveFacts {
		return &objectiveFacts{compiled: compiledWith("discourse"), now: now, hub: answering(wire.Status{Objectives: []wire.ObjectiveStatus{{
			Name: "faster", Standing: "Met", Value: &value, From: now.AddDate(0, 0, -28), To: now, AsOf: now}}})}
	}
	setObjectiveStatus(obj, obj.Status.DeepCopy(), at(testNow, 0.82561))
	before := obj.Status.DeepCopy()
	setObjectiveStatus(obj, before.DeepCopy(), at(testNow.Add(7*time.Hour), 0.82559))
	if diff := cmp.Diff(before, &obj.Status); diff != "" {
		t.Errorf("seven hours without news (-want +got):\n%s", diff)
	}
	setObjectiveStatus(obj, before.DeepCopy(), at(testNow.Add(7*time.Hour), 0.9))
	if obj.Status.Value != "0.900" || obj.Status.DataThrough.Time.Hour() != 16 {
		t.Errorf("value %s through %s: a new value has the time of now", obj.Status.Value, obj.Status.DataThrough)
	}
}

func TestActivityIsStatedWhereItIsLetThrough(t *testing.T) {
	obj, compiled := faster(), compiledWith("discourse")
	compiled.Blueprint.Objectives = []blueprint.Objective{{Name: "faster", ActivityBecause: "the board asks for it"}}
	setObjectiveStatus(obj, obj.Status.DeepCopy(), &objectiveFacts{compiled: compiled, now: testNow})
	is, message := conditionOf(t, obj, v1alpha1.ConditionAccepted)
	if is != "True ActivityStated" {
		t.Errorf("%s", is)
	}
	says(t, "Accepted", message, "the board asks for it")
}

func TestAGoodResourceOfABadCommunityIsNotAccepted(t *testing.T) {
	obj := builders.MakeBehaviour("solved").Obj()
	err := acceptWithin(obj, v1alpha1.KindBehaviour, &Compiled{})
	if err == nil || IsTerminal(err) {
		t.Errorf("%v: it waits for the community", err)
	}
	is, message := conditionOf(t, obj, v1alpha1.ConditionAccepted)
	if is != "False DependencyNotAccepted" {
		t.Errorf("%s", is)
	}
	says(t, "Accepted", message, "Community")
}
