// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/hubpoll"
	"github.com/kith-dev/kith/internal/reader"
	"github.com/kith-dev/kith/internal/testing/builders"
)

var testNow = time.Date(2026, 11, 22, 9, 30, 15, 0, time.UTC)

// conditionOf is a condition in one line: "True Reason", and its message.
func conditionOf(t *testing.T, obj Resource, kind string) (is, message string) {
	t.Helper()
	c := meta.FindStatusCondition(*obj.StatusConditions(), kind)
	if c == nil {
		return "", ""
	}
	if c.Message == "" {
		t.Errorf("%s has no message", kind)
	}
	if c.ObservedGeneration != obj.GetGeneration() {
		t.Errorf("%s is of generation %d, the resource of %d", kind, c.ObservedGeneration, obj.GetGeneration())
	}
	return fmt.Sprintf("%s %s", c.Status, c.Reason), c.Message
}

// either is the first of two texts that says something.
func either(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// says checks that a message holds words.
func says(t *testing.T, kind, message string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(message, w) {
			t.Errorf("%s does not say %q: %s", kind, w, message)
		}
	}
}

// availableDeployment is one whose roll-out has come to its end.
func availableDeployment() *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "forum-connector", Generation: 2},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(1))},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1, ReadyReplicas: 1,
			Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable"}}},
	}
}

// goodFacts are of a channel that is read.
func goodFacts() *channelFacts {
	return &channelFacts{
		community: builders.MakeCommunity("acme").Team("support", v1alpha1.PartyCompany).TimeZone("Europe/Berlin").Obj(), accepted: true,
		deployment: availableDeployment(), now: testNow,
		hub: hubpoll.Report{Known: true, At: testNow, Status: wire.Status{Community: "acme", Channels: []wire.ChannelStatus{{
			Name: "forum", Known: true, History: "Complete", Watermark: testNow.Add(-time.Minute), Since: testNow.AddDate(0, 0, -90).Add(13*time.Hour + 45*time.Minute),
			State: &reader.State{Channel: "forum", Phase: reader.Connected, Ready: true, Generation: 4, Heartbeat: testNow.Add(-10 * time.Second),
				LastProgress: testNow.Add(-time.Minute), BackfillDone: true, Rooms: []string{"a", "b"}},
		}}}},
	}
}

func ownChannel() *v1alpha1.Channel {
	c := builders.MakeChannel("forum").Platform("discourse").With(func(s *v1alpha1.ChannelSpec) { s.Team = "support" }).Obj()
	c.Generation = 4
	SetCondition(c, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, "can be used as it is")
	return c
}

func TestChannelStatus(t *testing.T) {
	state := func(f *channelFacts) *reader.State { return f.hub.Status.Channels[0].State }
	phase := func(p reader.Phase, message string) func(*v1alpha1.Channel, *channelFacts) {
		return func(_ *v1alpha1.Channel, f *channelFacts) { state(f).Phase, state(f).Message = p, message }
	}
	for name, tc := range map[string]struct {
		given                             func(*v1alpha1.Channel, *channelFacts)
		owned, deployed, connected, ready string
		says                              map[string][]string
	}{
		"all is well": {},
		"no team":     {given: func(c *v1alpha1.Channel, _ *channelFacts) { c.Spec.Team = "" }, owned: "False OwnerMissing", says: map[string][]string{"Owned": {"spec.team"}}},
		"a team that is not declared": {given: func(c *v1alpha1.Channel, _ *channelFacts) { c.Spec.Team = "nobody" }, owned: "False OwnerMissing",
			says: map[string][]string{"Owned": {`no team "nobody"`}}},
		"no community": {given: func(c *v1alpha1.Channel, f *channelFacts) {
			*f = channelFacts{now: testNow}
			SetCondition(c, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonReferenceMissing, "there is no Community")
		}, owned: "Unknown ReferenceMissing", deployed: "Unknown DependencyNotAccepted", connected: "Unknown DependencyNotAccepted", ready: "False ReferenceMissing"},
		"the Deployment is not there yet": {given: func(_ *v1alpha1.Channel, f *channelFacts) { f.deployment = nil }, deployed: "False Progressing", ready: "False Progressing"},
		"the Deployment is being rolled out": {given: func(_ *v1alpha1.Channel, f *channelFacts) { f.deployment.Status.ObservedGeneration = 1 },
			deployed: "False Progressing", ready: "False Progressing"},
		"its old pod is still there": {given: func(_ *v1alpha1.Channel, f *channelFacts) { f.deployment.Status.Replicas = 2 }, deployed: "False Progressing", ready: "False Progressing"},
		"its pod waits for something": {given: func(_ *v1alpha1.Channel, f *channelFacts) {
			f.deployment.Status.AvailableReplicas = 0
			f.trouble(v1alpha1.ReasonUnavailable, "the image cannot be pulled")
		}, deployed: "False Unavailable", ready: "False Unavailable", says: map[string][]string{"Deployed": {"forum-connector", "the image cannot be pulled"}, "Ready": {"the image cannot be pulled"}}},
		"its pod has gone": {given: func(_ *v1alpha1.Channel, f *channelFacts) { f.deployment.Status.AvailableReplicas = 0 }, deployed: "False Unavailable", ready: "False Unavailable"},
		"its pod does not get ready in time": {given: func(_ *v1alpha1.Channel, f *channelFacts) {
			f.deployment.Status.AvailableReplicas = 0
			f.deployment.Status.Conditions[0] = appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}
		}, deployed: "False Unavailable", ready: "False Unavailable", says: map[string][]string{"Deployed": {"in time"}}},
		"its Secrets have changed":      {given: func(_ *v1alpha1.Channel, f *channelFacts) { f.rolling = "the pod is replaced in a moment" }, deployed: "False Progressing", ready: "False Progressing"},
		"the hub has not been heard of": {given: func(_ *v1alpha1.Channel, f *channelFacts) { f.hub = hubpoll.Report{} }, connected: "Unknown Progressing", ready: "False Progressing"},
		"the hub restarts": {given: func(c *v1alpha1.Channel, f *channelFacts) {
			f.hub = hubpoll.Report{Err: &hubpoll.Failure{Reason: hubpoll.Unreachable, Message: "no answer"}}
			c.Status.ConnectedGeneration = 4
			SetCondition(c, v1alpha1.ConditionConnected, metav1.ConditionFalse, v1alpha1.ReasonRateLimited, "as before")
		}, connected: "False RateLimited"},
		"the hub is down": {given: func(c *v1alpha1.Channel, f *channelFacts) {
			f.hub.Down, f.hub.Err = true, &hubpoll.Failure{Reason: hubpoll.Unreachable, Message: "the hub does not answer; see its pod"}
		}, connected: "Unknown HubUnavailable", ready: "False HubUnavailable", says: map[string][]string{"Connected": {"see its pod"}}},
		"the hub is down later": {given: func(c *v1alpha1.Channel, f *channelFacts) {
			c.Status.ConnectedGeneration = 4
			f.hub.Down, f.hub.Err = true, &hubpoll.Failure{Reason: hubpoll.Unreachable, Message: "the hub does not answer"}
		}, connected: "Unknown HubUnavailable"},
		"the hub does not know it yet": {given: func(_ *v1alpha1.Channel, f *channelFacts) { f.hub.Status.Channels = nil }, connected: "Unknown Connecting", ready: "False Connecting",
			says: map[string][]string{"Connected": {"two minutes"}}},
		"its reader has not reported": {given: func(_ *v1alpha1.Channel, f *channelFacts) { f.hub.Status.Channels[0].State = nil }, connected: "Unknown NoHeartbeat", ready: "False NoHeartbeat"},
		"its reader has fallen silent": {given: func(c *v1alpha1.Channel, f *channelFacts) {
			c.Status.ConnectedGeneration = 4
			state(f).Heartbeat = testNow.Add(-hubpoll.HeartbeatLimit)
		}, connected: "Unknown NoHeartbeat", says: map[string][]string{"Connected": {"2026-11-22T09:25:15Z", "Deployed"}}},
		"it reads nothing": {given: func(_ *v1alpha1.Channel, f *channelFacts) { state(f).LastProgress = testNow.Add(-20 * time.Minute) }, connected: "False NoProgress",
			says: map[string][]string{"Connected": {"2026-11-22T09:10:15Z"}}},
		"it is looked at seldom": {given: func(c *v1alpha1.Channel, f *channelFacts) {
			c.Spec.PollInterval, state(f).LastProgress = "10m", testNow.Add(-90*time.Minute)
		}},
		"it is connecting": {given: func(c *v1alpha1.Channel, f *channelFacts) { state(f).Phase, state(f).Ready = reader.Connecting, false }, connected: "False Connecting", ready: "False Connecting"},
		"it reads history": {given: func(_ *v1alpha1.Channel, f *channelFacts) {
			state(f).Phase, state(f).BackfillDone = reader.Backfilling, false
			state(f).Progress = map[event.Lane]sdk.Progress{event.Backfill: {Done: 47, Total: 100, Unit: "topics"}}
		}, connected: "True Backfilling", says: map[string][]string{"Connected": {"about 40%"}}},
		"history is processed": {given: func(_ *v1alpha1.Channel, f *channelFacts) {
			c := &f.hub.Status.Channels[0]
			c.History, c.Processed, c.ToProcess = "Processing", 75, 100
		}, connected: "True Backfilling", says: map[string][]string{"Connected": {"about 70%"}}},
		"something was set aside": {given: func(_ *v1alpha1.Channel, f *channelFacts) { f.hub.Status.Channels[0].SetAside = 3 }, says: map[string][]string{"Connected": {"kith ledger retry"}}},
		"the platform limits it":  {given: phase(reader.RateLimited, "wait until noon"), connected: "False RateLimited", says: map[string][]string{"Connected": {"wait until noon"}}},
		"its credentials are bad at first": {given: func(_ *v1alpha1.Channel, f *channelFacts) {
			state(f).Phase, state(f).Message, state(f).Ready = reader.BadCredentials, "the key is refused; make another", false
		}, connected: "False BadCredentials", ready: "False BadCredentials", says: map[string][]string{"Ready": {"make another"}}},
		"its credentials get bad later":  {given: phase(reader.BadCredentials, "the key is refused"), connected: "False BadCredentials"},
		"its Secret lacks a key":         {given: phase(reader.SecretKeyMissing, "the credentials lack apiKey"), connected: "False SecretKeyMissing", says: map[string][]string{"Connected": {"apiKey"}}},
		"the platform is not reached":    {given: phase(reader.Unreachable, "no route"), connected: "False Unreachable"},
		"the platform is broken":         {given: phase(reader.PlatformError, ""), connected: "False PlatformError", says: map[string][]string{"Connected": {"log"}}},
		"the connector refuses settings": {given: phase(reader.BadSettings, "path is missing"), connected: "False BadSettings"},
		"somebody else reads it":         {given: phase(reader.TakenOver, "another process"), connected: "False TakenOver"},
		"its connector loses the hub":    {given: phase(reader.HubUnavailable, ""), connected: "False HubUnavailable"},
		"its connector reads what was declared before": {given: func(_ *v1alpha1.Channel, f *channelFacts) { state(f).Generation = 3 }, ready: "False Progressing",
			says: map[string][]string{"Ready": {"this version"}}},
		"a new process has not connected yet, the one before had": {given: func(c *v1alpha1.Channel, f *channelFacts) {
			c.Status.ConnectedGeneration = 4
			state(f).Phase, state(f).Ready = reader.Connecting, false
		}, connected: "False Connecting"},
		"suspended": {given: func(c *v1alpha1.Channel, f *channelFacts) {
			c.Spec.Suspend, state(f).Phase, state(f).Ready = true, reader.Suspended, false
		},
			connected: "False Suspended", ready: "True Suspended", says: map[string][]string{"Connected": {"spec.suspend"}}},
		"suspended, and the hub is down later": {given: func(c *v1alpha1.Channel, f *channelFacts) {
			c.Spec.Suspend, c.Status.ConnectedGeneration = true, 4
			f.hub.Down, f.hub.Err = true, &hubpoll.Failure{Reason: hubpoll.Unreachable, Message: "no answer"}
		}, connected: "Unknown HubUnavailable", ready: "True Suspended"},
		"being suspended": {given: func(c *v1alpha1.Channel, f *channelFacts) { c.Spec.Suspend, state(f).Generation = true, 3 }, ready: "False Progressing"},
		"read on": {given: func(_ *v1alpha1.Channel, f *channelFacts) {
			state(f).Phase, state(f).Ready, state(f).Generation = reader.Suspended, false, 3
		}, connected: "False Suspended", ready: "False Progressing"},
	} {
		t.Run(name, func(t *testing.T) {
			obj, facts := ownChannel(), goodFacts()
			if tc.given != nil {
				tc.given(obj, facts)
			}
			setChannelStatus(obj, obj.Status.DeepCopy(), facts)
			ready := channelReady(obj)
			SetCondition(obj, v1alpha1.ConditionReady, ready.Status, ready.Reason, ready.Message)
			want := map[string]string{
				v1alpha1.ConditionOwned: either(tc.owned, "True OwnerNamed"), v1alpha1.ConditionDeployed: either(tc.deployed, "True Available"),
				v1alpha1.ConditionConnected: either(tc.connected, "True Connected"), v1alpha1.ConditionReady: either(tc.ready, "True Succeeded"),
			}
			got := map[string]string{}
			for kind := range want {
				var message string
				got[kind], message = conditionOf(t, obj, kind)
				says(t, kind, message, tc.says[kind]...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestChannelStatusFields(t *testing.T) {
	obj := ownChannel()
	again := setChannelStatus(obj, obj.Status.DeepCopy(), goodFacts())
	got := obj.Status.DeepCopy()
	got.Conditions = nil
	at := func(y int, m time.Month, d, h, min int) *metav1.Time {
		return &metav1.Time{Time: time.Date(y, m, d, h, min, 0, 0, time.UTC)}
	}
	want := &v1alpha1.ChannelStatus{
		ConnectedGeneration: 4,
		Since:               "2026-08-25", // where the community lives it was past midnight
		ReadThrough:         at(2026, 11, 22, 9, 29), BackfilledThrough: at(2026, 8, 24, 23, 15), Rooms: 2,
		Fidelity: fidelityOf("discourse"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again != 14*time.Minute {
		t.Errorf("looked at again after %s: its last page is a minute old", again)
	}
	if fidelityOf("nowhere") != nil {
		t.Error("a platform that is not known can see something")
	}
}

func TestTimeAloneWritesNoChannelStatus(t *testing.T) {
	obj, facts := ownChannel(), goodFacts()
	setChannelStatus(obj, obj.Status.DeepCopy(), facts)
	before := obj.Status.DeepCopy()
	later := func() *channelFacts {
		f := goodFacts()
		f.now = testNow.Add(7 * time.Hour)
		c := &f.hub.Status.Channels[0]
		c.Watermark, c.State.Heartbeat, c.State.LastProgress = f.now, f.now, f.now
		return f
	}
	setChannelStatus(obj, before.DeepCopy(), later())
	if diff := cmp.Diff(before, &obj.Status); diff != "" {
		t.Errorf("seven hours without news (-want +got):\n%s", diff)
	}
	// What is written for another reason is written with the time of now.
	f := later()
	f.hub.Status.Channels[0].State.Phase = reader.Unreachable
	setChannelStatus(obj, before.DeepCopy(), f)
	if want := (&metav1.Time{Time: time.Date(2026, 11, 22, 16, 30, 0, 0, time.UTC)}); !obj.Status.ReadThrough.Equal(want) {
		t.Errorf("read through %s, want %s", obj.Status.ReadThrough, want)
	}
}
