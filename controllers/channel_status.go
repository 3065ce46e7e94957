// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/hubpoll"
)

// quietFor is how long a reader may read nothing although nothing is said to be in its way. Where there is no news it
// looks a tenth as often as declared.
const (
	quietFor   = 15 * time.Minute
	quietPolls = 12
)

// channelFacts are what the status of a channel follows from.
type channelFacts struct {
	// community is nil where there is none.
	community *v1alpha1.Community
	accepted  bool
	// deployment is the connector's, or the community's shared one; nil where there is none yet.
	deployment *appsv1.Deployment
	// reason and waiting say what its pods wait for; empty where nothing can be told yet.
	reason, waiting string
	// refused is true where Deployed says already why nothing could be deployed.
	refused bool
	// rolling says why the Deployment is behind what is declared; empty where it is not.
	rolling string
	hub     hubpoll.Report
	now     time.Time
}

// trouble notes what a connector's pods wait for.
func (f *channelFacts) trouble(reason, message string) { f.reason, f.waiting = reason, message }

// status is what the hub says of a channel; nil where it says nothing.
func (f *channelFacts) status(name string) *wire.ChannelStatus {
	for i := range f.hub.Status.Channels {
		if c := &f.hub.Status.Channels[i]; c.Name == name {
			return c
		}
	}
	return nil
}

// setChannelStatus sets all but Accepted and Ready, and says when to look again although nothing else happens. Before
// is the status as it was read.
func setChannelStatus(obj *v1alpha1.Channel, before *v1alpha1.ChannelStatus, f *channelFacts) time.Duration {
	obj.Status.Fidelity = fidelityOf(obj.Spec.Platform)
	owned(obj, f).set(obj, v1alpha1.ConditionOwned)
	if !f.refused {
		deployed(f).set(obj, v1alpha1.ConditionDeployed)
	}
	again := setConnected(obj, f)
	keepChannelTimes(before, &obj.Status)
	return again
}

// keepChannelTimes keeps the times that were written before, where nothing but time has gone on.
func keepChannelTimes(before, after *v1alpha1.ChannelStatus) {
	timeless := after.DeepCopy()
	timeless.ReadThrough = before.ReadThrough
	if equality.Semantic.DeepEqual(before, timeless) {
		after.ReadThrough = before.ReadThrough
	}
}

func owned(obj *v1alpha1.Channel, f *channelFacts) verdict {
	team := obj.Spec.Team
	switch {
	case f.community == nil:
		return unknown(v1alpha1.ReasonReferenceMissing, fmt.Sprintf("there is no Community %q whose teams could be asked", obj.Spec.CommunityRef.Name))
	case team == "":
		return no(v1alpha1.ReasonOwnerMissing, "no team answers for this channel; name one of the community's teams in spec.team")
	case !slices.ContainsFunc(f.community.Spec.Teams, func(t v1alpha1.Team) bool { return t.Name == team }):
		return no(v1alpha1.ReasonOwnerMissing, fmt.Sprintf("the community has no team %q; declare it there, or name another in spec.team", team))
	}
	return yes(v1alpha1.ReasonOwnerNamed, fmt.Sprintf("team %s answers for it", team))
}

func deployed(f *channelFacts) verdict {
	d := f.deployment
	switch {
	case d == nil && !f.accepted:
		return notAccepted("the connector is deployed")
	case d == nil:
		return no(v1alpha1.ReasonProgressing, "the connector's Deployment is not there yet")
	}
	name := "Deployment " + d.Name
	reason, because := v1alpha1.ReasonProgressing, ""
	if f.waiting != "" {
		reason, because = f.reason, ": "+f.waiting
	}
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = max(want, *d.Spec.Replicas) // somebody may have scaled it to 0 a moment ago
	}
	switch s := &d.Status; {
	case f.rolling != "":
		return no(v1alpha1.ReasonProgressing, f.rolling)
	case s.ObservedGeneration < d.Generation:
		return no(v1alpha1.ReasonProgressing, name+" is being rolled out")
	case s.AvailableReplicas >= want && s.UpdatedReplicas >= want && s.Replicas == s.UpdatedReplicas:
		return yes(v1alpha1.ReasonAvailable, name+" is available")
	case exceeded(d):
		return no(v1alpha1.ReasonUnavailable, name+" does not get ready in time"+because)
	case s.AvailableReplicas < want && wasAvailable(d):
		return no(cmp.Or(f.reason, v1alpha1.ReasonUnavailable), name+" has no available pod any more"+because)
	}
	return no(reason, name+" is being rolled out"+because)
}

// exceeded is whether the Deployment has given up hope of its newest pods.
func exceeded(d *appsv1.Deployment) bool {
	return slices.ContainsFunc(d.Status.Conditions, func(c appsv1.DeploymentCondition) bool {
		return c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse
	})
}

// wasAvailable is whether the roll-out of this pod template had come to its end.
func wasAvailable(d *appsv1.Deployment) bool {
	return slices.ContainsFunc(d.Status.Conditions, func(c appsv1.DeploymentCondition) bool {
		return c.Type == appsv1.DeploymentProgressing && c.Reason == "NewReplicaSetAvailable"
	})
}

// setConnected sets Connected and what a reader tells, as far as the hub knows it.
func setConnected(obj *v1alpha1.Channel, f *channelFacts) time.Duration {
	if v, is := silent(f.hub); is {
		if f.accepted || f.hub.Down {
			sayLast(obj, v1alpha1.ConditionConnected, v)
			return 0
		}
		notAccepted("the connector connects").set(obj, v1alpha1.ConditionConnected)
		return 0
	}
	c := f.status(obj.Name)
	if c != nil && c.Known {
		obj.Status.Since = dateOf(c.Since, f.community)
		if !c.Watermark.IsZero() {
			obj.Status.ReadThrough = minute(c.Watermark)
		}
	}
	switch {
	case !f.accepted:
		notAccepted("the connector connects").set(obj, v1alpha1.ConditionConnected)
	case c == nil:
		unknown(v1alpha1.ReasonConnecting, "the hub does not know the channel yet: "+within).set(obj, v1alpha1.ConditionConnected)
	case c.State == nil:
		unknown(v1alpha1.ReasonNoHeartbeat, "the connector has not reported to the hub yet; Deployed says how its pod is").set(obj, v1alpha1.ConditionConnected)
	default:
		v, again := heard(obj, c, f.now)
		v.set(obj, v1alpha1.ConditionConnected)
		return again
	}
	return 0
}

// heard is what a reader's last word says.
func heard(obj *v1alpha1.Channel, c *wire.ChannelStatus, now time.Time) (verdict, time.Duration) {
	s := c.State
	if !hubpoll.Fresh(s.Heartbeat, now) {
		return unknown(v1alpha1.ReasonNoHeartbeat, fmt.Sprintf("the connector has not reported to the hub since %s; Deployed says how its pod is",
			s.Heartbeat.UTC().Format(time.RFC3339))), 0
	}
	obj.Status.Rooms = int32(min(len(s.Rooms), 1<<20))
	obj.Status.BackfilledThrough = nil
	if s.BackfillDone && c.Known && !c.Since.IsZero() {
		obj.Status.BackfilledThrough = minute(c.Since)
	}
	if s.Generation == obj.Generation && (s.Ready || (obj.Spec.Suspend && string(s.Phase) == v1alpha1.ReasonSuspended)) {
		obj.Status.ConnectedGeneration = obj.Generation
	}
	// The phases of a reader are reasons of Connected.
	switch reason := string(s.Phase); reason {
	case v1alpha1.ReasonConnected, v1alpha1.ReasonBackfilling:
		return reading(obj, c, now)
	case v1alpha1.ReasonConnecting:
		return no(reason, cmp.Or(s.Message, "the connector is connecting to the platform")), 0
	case v1alpha1.ReasonSuspended:
		if obj.Spec.Suspend {
			return no(reason, "reading is suspended, as declared; set spec.suspend to false to read on from where it stopped"), 0
		}
		return no(reason, "the reader is still suspended: "+within), 0
	case v1alpha1.ReasonHubUnavailable:
		return no(reason, cmp.Or(s.Message, "what was read cannot be committed: the connector gets no answer from the hub")), 0
	default:
		return no(reason, cmp.Or(s.Message, "the platform cannot be read; the connector's log says why")), 0
	}
}

// reading is what is to be said of a reader that reads; it is looked at again when its last page would be too old.
func reading(obj *v1alpha1.Channel, c *wire.ChannelStatus, now time.Time) (verdict, time.Duration) {
	s := c.State
	allowed := quietFor
	if poll, err := obj.Spec.PollInterval.Parse(); err == nil {
		allowed = max(allowed, quietPolls*poll)
	}
	last := s.LastProgress
	if last.IsZero() {
		last = s.Since
	}
	if left := last.Add(allowed).Sub(now); left <= 0 {
		return no(v1alpha1.ReasonNoProgress, fmt.Sprintf("the connector reports, and has read nothing since %s; its log says what it waits for",
			last.UTC().Format(time.RFC3339))), 0
	}
	again := last.Add(allowed).Sub(now)
	switch {
	case string(s.Phase) == v1alpha1.ReasonBackfilling || !s.BackfillDone:
		message := "what is new is read, and history besides"
		if p, ok := s.Progress[event.Backfill]; ok {
			if percent, known := hubpoll.RoundProgress(p.Done, p.Total); known {
				message += fmt.Sprintf(", of which about %d%% is done", percent)
			}
		}
		return yes(v1alpha1.ReasonBackfilling, message), again
	case c.History == "Processing":
		percent, _ := hubpoll.RoundProgress(c.Processed, c.ToProcess)
		return yes(v1alpha1.ReasonBackfilling, fmt.Sprintf("history has been read, and the hub has processed about %d%% of it", percent)), again
	}
	message := "what is new is read"
	if c.SetAside > 0 {
		message += "; some of it could not be processed and waits for `kith ledger retry`"
	}
	return yes(v1alpha1.ReasonConnected, message), again
}

// channelReady sums up: accepted, deployed, and connected once at this generation.
func channelReady(obj *v1alpha1.Channel) metav1.Condition {
	summary := Summarise(obj, v1alpha1.ConditionAccepted, v1alpha1.ConditionDeployed)
	if summary.Status != metav1.ConditionTrue {
		return summary
	}
	connected := Condition(obj, v1alpha1.ConditionConnected)
	switch {
	case obj.Status.ConnectedGeneration == obj.Generation && obj.Spec.Suspend:
		return yes(v1alpha1.ReasonSuspended, "reading is suspended, as declared").condition()
	case obj.Status.ConnectedGeneration == obj.Generation:
		return yes(v1alpha1.ReasonSucceeded, "the channel is read as declared; Connected says how it is now").condition()
	case connected == nil || connected.Status == metav1.ConditionTrue || connected.Reason == v1alpha1.ReasonSuspended:
		return no(v1alpha1.ReasonProgressing, "the connector does not run this version of the channel yet: "+within).condition()
	}
	return no(connected.Reason, connected.Message).condition()
}

// fidelityOf is what a platform's descriptor declares; nil for one that is not known.
func fidelityOf(platform string) *v1alpha1.Fidelity {
	d, err := catalogue.Get(platform)
	if err != nil {
		return nil
	}
	out := &v1alpha1.Fidelity{
		Edits: string(d.Fidelity.Edits), Removals: string(d.Fidelity.Removals), Reactions: string(d.Fidelity.Reactions),
		AcceptanceTime: string(d.Fidelity.Acceptance), Moderation: "None",
	}
	if d.Fidelity.Moderation {
		out.Moderation = "Visible"
	}
	return out
}

// dateOf is the day of a time where the community lives.
func dateOf(t time.Time, community *v1alpha1.Community) v1alpha1.Date {
	if t.IsZero() {
		return ""
	}
	zone := time.UTC
	if community != nil {
		if z, err := time.LoadLocation(community.Spec.TimeZone); err == nil {
			zone = z
		}
	}
	return v1alpha1.Date(t.In(zone).Format(time.DateOnly))
}

// minute is a time as statuses have it.
func minute(t time.Time) *metav1.Time { return &metav1.Time{Time: t.UTC().Truncate(time.Minute)} }
