// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/hubpoll"
)

// staleAfter is how old the data behind a result may be: channels may be looked at once a day, and one look may fail.
const staleAfter = 48 * time.Hour

// The standings of an objective, as hubs say them.
const (
	standingMet    = "Met"
	standingNotMet = "NotMet"
	standingTooFew = "TooFew"
)

// objectiveFacts are what the status of an objective follows from.
type objectiveFacts struct {
	compiled *Compiled
	hub      hubpoll.Report
	now      time.Time
}

// setObjectiveStatus sets all but Accepted and Ready, and says when to look again although nothing else happens. Before
// is the status as it was read.
func setObjectiveStatus(obj *v1alpha1.Objective, before *v1alpha1.ObjectiveStatus, f *objectiveFacts) time.Duration {
	stateActivity(obj, f.compiled.Blueprint)
	noteDefinition(obj)
	agreed(obj).set(obj, v1alpha1.ConditionAgreed)
	again := setEvaluated(obj, f)
	keepObjectiveTimes(before, &obj.Status)
	return again
}

// keepObjectiveTimes keeps the times that were written before, where nothing but time has gone on.
func keepObjectiveTimes(before, after *v1alpha1.ObjectiveStatus) {
	timeless := after.DeepCopy()
	timeless.WindowStart, timeless.DataThrough = before.WindowStart, before.DataThrough
	if equality.Semantic.DeepEqual(before, timeless) {
		after.WindowStart, after.DataThrough = before.WindowStart, before.DataThrough
	}
}

// stateActivity has Accepted say for which reason an objective that counts activity was let through.
func stateActivity(obj *v1alpha1.Objective, bp *blueprint.Blueprint) {
	accepted := Condition(obj, v1alpha1.ConditionAccepted)
	if bp == nil || accepted == nil || accepted.Status != metav1.ConditionTrue {
		return
	}
	for i := range bp.Objectives {
		if o := &bp.Objectives[i]; o.Name == obj.Name && o.ActivityBecause != "" {
			SetCondition(obj, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonActivityStated,
				"it counts activity, and is let through because: "+o.ActivityBecause)
		}
	}
}

// noteDefinition remembers at which generation what stakeholders agree to last changed.
func noteDefinition(obj *v1alpha1.Objective) {
	spec := obj.Spec.DeepCopy()
	spec.Stakeholders, spec.Agreed, spec.Approach = nil, nil, nil
	document, err := json.Marshal(spec)
	if err != nil {
		return // It was decoded from JSON, and is encoded again.
	}
	sum := sha256.Sum256(document)
	digest := hex.EncodeToString(sum[:16])
	if obj.Status.DefinitionDigest != digest {
		obj.Status.DefinitionDigest, obj.Status.DefinitionGeneration = digest, obj.Generation
	}
}

func agreed(obj *v1alpha1.Objective) verdict {
	if len(obj.Spec.Stakeholders) == 0 {
		return no(v1alpha1.ReasonNotAgreed, "no stakeholder is named; name those who are to see it in spec.stakeholders, and note in spec.agreed who agreed when")
	}
	definition := obj.Status.DefinitionGeneration
	var missing []v1alpha1.Name
	for _, s := range obj.Spec.Stakeholders {
		if !slices.ContainsFunc(obj.Spec.Agreed, func(a v1alpha1.Agreement) bool {
			// An objective may be written down with the agreements it was made with.
			return a.Stakeholder == s && max(1, a.Generation) >= definition && a.Generation <= obj.Generation
		}) {
			missing = append(missing, s)
		}
	}
	if len(missing) > 0 {
		return no(v1alpha1.ReasonNotAgreed, fmt.Sprintf("%s: no agreement to this definition yet; once there is, note it in spec.agreed with generation %d",
			list(missing), definition))
	}
	return yes(v1alpha1.ReasonAgreed, "every stakeholder has agreed to this definition")
}

// setEvaluated sets Evaluated and the result.
func setEvaluated(obj *v1alpha1.Objective, f *objectiveFacts) time.Duration {
	accepted := meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionAccepted)
	v, is := silent(f.hub)
	switch {
	case !accepted:
		noResult(obj)
		obj.Status.Result = ""
		notAccepted("it is evaluated").set(obj, v1alpha1.ConditionEvaluated)
		return 0
	case is && f.hub.Down:
		noResult(obj)
		v.set(obj, v1alpha1.ConditionEvaluated)
		return 0
	case is:
		sayLast(obj, v1alpha1.ConditionEvaluated, v)
		return 0
	}
	for i := range f.hub.Status.Objectives {
		if o := &f.hub.Status.Objectives[i]; o.Name == obj.Name {
			v, again := evaluated(obj, o, f)
			v.set(obj, v1alpha1.ConditionEvaluated)
			return again
		}
	}
	noResult(obj)
	unknown(v1alpha1.ReasonProgressing, "the hub does not evaluate it yet: "+within).set(obj, v1alpha1.ConditionEvaluated)
	return 0
}

// noResult is what is left where nothing can be said: absent is not zero.
func noResult(obj *v1alpha1.Objective) {
	obj.Status.Result, obj.Status.Value, obj.Status.Cases = v1alpha1.ResultUnknown, "", nil
}

// evaluated is what the hub says of an objective.
func evaluated(obj *v1alpha1.Objective, o *wire.ObjectiveStatus, f *objectiveFacts) (verdict, time.Duration) {
	noResult(obj)
	if !o.From.IsZero() {
		obj.Status.WindowStart = minute(o.From)
	}
	if !o.AsOf.IsZero() {
		obj.Status.DataThrough = minute(o.AsOf)
	}
	if o.Standing != standingMet && o.Standing != standingNotMet && o.Standing != standingTooFew {
		return unknown(v1alpha1.ReasonDataMissing, cmp.Or(o.Reason, "it cannot be known; the hub does not say why")), 0
	}
	var again time.Duration
	if names := live(obj, f.compiled.Blueprint); len(names) > 0 && !o.AsOf.IsZero() {
		left := o.AsOf.Add(staleAfter).Sub(f.now)
		if left <= 0 {
			return no(v1alpha1.ReasonDataStale, fmt.Sprintf("the data behind it reaches through %s only; look at Connected of %s",
				o.AsOf.UTC().Format(time.DateOnly), list(names))), 0
		}
		again = left
	}
	if o.Cases != nil {
		obj.Status.Cases = new(int64(*o.Cases))
	}
	if o.Standing == standingTooFew || o.Value == nil {
		obj.Status.Result = v1alpha1.ResultTooFew
		return no(v1alpha1.ReasonTooFew, "there is no judgement yet: "+cmp.Or(o.Reason, "too few cases")), again
	}
	round := hubpoll.RoundShare
	if obj.Spec.Indicator.Share == "" {
		round = hubpoll.RoundCount
	}
	obj.Status.Value = v1alpha1.Amount(round(*o.Value))
	obj.Status.Result = v1alpha1.ResultMissed
	if o.Standing == standingMet {
		obj.Status.Result = v1alpha1.ResultMet
	}
	aim := "at least " + string(obj.Spec.Target.AtLeast)
	if obj.Spec.Target.AtLeast == "" {
		aim = "at most " + string(obj.Spec.Target.AtMost)
	}
	return yes(v1alpha1.ReasonEvaluated, fmt.Sprintf("%s: %s, agreed is %s", obj.Status.Result, obj.Status.Value, aim)), again
}

// live are the channels that an objective looks at and that are to get newer.
func live(obj *v1alpha1.Objective, bp *blueprint.Blueprint) []v1alpha1.Name {
	if bp == nil {
		return nil
	}
	var out []v1alpha1.Name
	for i := range bp.Channels {
		c := &bp.Channels[i]
		looks := obj.Spec.Audience == nil || len(obj.Spec.Audience.Channels) == 0 || slices.Contains(obj.Spec.Audience.Channels, v1alpha1.Name(c.Name))
		if looks && !c.Suspend && c.Platform != "archive" {
			out = append(out, v1alpha1.Name(c.Name))
		}
	}
	return out
}
