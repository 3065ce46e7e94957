// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/reader"
	"github.com/kith-dev/kith/internal/testing/builders"
)

// forumOf is a Discourse channel with credentials, for which the support team answers.
func forumOf(change func(*v1alpha1.ChannelSpec)) *v1alpha1.Channel {
	return forum("forum").Team("support").With(func(s *v1alpha1.ChannelSpec) {
		s.CredentialsSecretRef = &v1alpha1.SecretReference{Name: "forum-credentials"}
		if change != nil {
			change(s)
		}
	}).Obj()
}

func acme() *v1alpha1.Community {
	return builders.MakeCommunity("acme").Team("support", v1alpha1.PartyCompany).Obj()
}

// aForumThatIsRead is where most tests of a channel begin: all is well.
func aForumThatIsRead(t *testing.T) (*cluster, *aHub, *operator, *v1alpha1.Channel) {
	t.Helper()
	c := newCluster(t)
	hub, op := c.hub()
	channel := forumOf(nil)
	c.create(acme(), channel)
	c.up()
	c.available("forum-connector")
	hub.reads("forum", nil)
	stands(c, channel, v1alpha1.ConditionReady, "True Succeeded")
	return c, hub, op, channel
}

// says checks a condition's message.
func says(t *testing.T, message string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(message, w) {
			t.Errorf("it does not say %q: %s", w, message)
		}
	}
}

func TestChannelIsReadAndSaysHowItStands(t *testing.T) {
	c := newCluster(t)
	hub, op := c.hub()
	channel := forumOf(nil)
	c.create(acme(), channel)
	c.up()

	stands(c, channel, v1alpha1.ConditionDeployed, "False Progressing", "forum-connector")
	stands(c, channel, v1alpha1.ConditionConnected, "Unknown Connecting")
	stands(c, channel, v1alpha1.ConditionReady, "False Progressing")
	stands(c, channel, v1alpha1.ConditionOwned, "True OwnerNamed")
	if d := get(c, "forum-connector", &appsv1.Deployment{}); !metav1.IsControlledBy(d, channel) {
		t.Errorf("the connector is not the Channel's: %v", d.OwnerReferences)
	}
	if a := get(c, "forum-connector", &corev1.ServiceAccount{}); !metav1.IsControlledBy(a, channel) || *a.AutomountServiceAccountToken {
		t.Errorf("the connector's account: %v, token %t", a.OwnerReferences, *a.AutomountServiceAccountToken)
	}

	c.available("forum-connector")
	stands(c, channel, v1alpha1.ConditionDeployed, "True Available")
	hub.reads("forum", func(s *wire.ChannelStatus) {
		s.Known, s.State.Phase, s.State.Ready, s.State.Message = false, reader.SecretKeyMissing, false, "the credentials of channel forum lack the key \"apiKey\"; add it to the Secret"
	})
	stands(c, channel, v1alpha1.ConditionReady, "False SecretKeyMissing", "apiKey")
	hub.reads("forum", func(s *wire.ChannelStatus) { s.State.Phase, s.State.BackfillDone = reader.Backfilling, false })
	stands(c, channel, v1alpha1.ConditionConnected, "True Backfilling")
	stands(c, channel, v1alpha1.ConditionReady, "True Succeeded")
	hub.reads("forum", nil)
	stands(c, channel, v1alpha1.ConditionConnected, "True Connected")
	if s := channel.Status; s.Since == "" || s.ReadThrough == nil || s.BackfilledThrough == nil || s.Rooms != 1 || s.Fidelity == nil || s.ConnectedGeneration != channel.Generation {
		t.Errorf("its status lacks something: %+v", s)
	}

	// An outage of the platform is told, and takes no roll-out back.
	for _, p := range []reader.Phase{reader.RateLimited, reader.BadCredentials, reader.Unreachable, reader.PlatformError} {
		hub.reads("forum", phase(p, "what the platform said"))
		says(t, stands(c, channel, v1alpha1.ConditionConnected, "False "+string(p)), "what the platform said")
		stands(c, channel, v1alpha1.ConditionReady, "True Succeeded")
	}
	hub.reads("forum", nil)
	stands(c, channel, v1alpha1.ConditionConnected, "True Connected")
	if op.calls.conflicts != 0 {
		t.Errorf("%d conflicts", op.calls.conflicts)
	}
}

func TestSuspendedChannelSaysSoAndIsCurrent(t *testing.T) {
	c, hub, _, channel := aForumThatIsRead(t)

	c.patch(channel, `{"spec": {"suspend": true}}`)
	stands(c, channel, v1alpha1.ConditionReady, "False Progressing") // the reader has not said yet that it stopped
	hub.reads("forum", func(s *wire.ChannelStatus) { s.State.Phase, s.State.Ready = reader.Suspended, false })
	stands(c, channel, v1alpha1.ConditionReady, "True Suspended")
	stands(c, channel, v1alpha1.ConditionConnected, "False Suspended", "spec.suspend")
	absent(c, channel, v1alpha1.ConditionReconciling)

	c.patch(channel, `{"spec": {"suspend": false}}`)
	hub.reads("forum", nil)
	stands(c, channel, v1alpha1.ConditionReady, "True Succeeded")
	stands(c, channel, v1alpha1.ConditionConnected, "True Connected")
}

func TestSilenceOfTheHubIsNotTakenForAnOutageOfThePlatform(t *testing.T) {
	c := newCluster(t)
	hub, _ := c.hub()
	channel, objective := forumOf(nil), builders.MakeObjective("helped").Count("solved").With(func(s *v1alpha1.ObjectiveSpec) { s.Target.AtLeast = "10" }).Obj()
	c.create(acme(), channel, builders.MakeBehaviour("solved").On(v1alpha1.AnswerAccepted).Obj(), objective)
	c.up()
	c.available("forum-connector")
	hub.reads("forum", nil)
	value, cases := 12.0, 12
	hub.says(func(s *wire.Status) {
		s.Objectives = []wire.ObjectiveStatus{{Name: "helped", Standing: "Met", Value: &value, Cases: &cases, Target: 10}}
	})
	stands(c, objective, v1alpha1.ConditionEvaluated, "True Evaluated")
	stands(c, channel, v1alpha1.ConditionReady, "True Succeeded")

	hub.fails(403)
	stands(c, channel, v1alpha1.ConditionConnected, "Unknown HubUnavailable", "403", "access.json")
	stands(c, channel, v1alpha1.ConditionReady, "True Succeeded")
	stands(c, objective, v1alpha1.ConditionEvaluated, "Unknown HubUnavailable")
	if s := objective.Status; s.Value != "" || s.Cases != nil || s.Result != v1alpha1.ResultUnknown {
		t.Errorf("what is not known is told: %+v", s)
	}
	hub.fails(0)
	stands(c, channel, v1alpha1.ConditionConnected, "True Connected")
	stands(c, objective, v1alpha1.ConditionEvaluated, "True Evaluated")
}

func TestChannelWaitsForItsCommunity(t *testing.T) {
	c := newCluster(t)
	_, op := c.hub()
	channel := forumOf(nil)
	c.create(channel)
	stands(c, channel, v1alpha1.ConditionAccepted, "False ReferenceMissing", `no Community "acme"`)
	stands(c, channel, v1alpha1.ConditionReconciling, "True ReferenceMissing")
	stands(c, channel, v1alpha1.ConditionOwned, "Unknown ReferenceMissing")
	op.settle(t)
	gone(c, "forum-connector", &appsv1.Deployment{})

	c.create(acme())
	stands(c, channel, v1alpha1.ConditionAccepted, "True Accepted")
	exists(c, "forum-connector", &appsv1.Deployment{})

	// Without a community there is no hub to read for.
	c.delete(get(c, "acme", &v1alpha1.Community{}))
	stands(c, channel, v1alpha1.ConditionAccepted, "False ReferenceMissing")
	gone(c, "forum-connector", &appsv1.Deployment{})
}

func TestChannelThatCannotBeUsedIsStalled(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*v1alpha1.ChannelSpec)
		want   string
		says   string
	}{
		"an unknown platform": {change: func(s *v1alpha1.ChannelSpec) { s.Platform = "discurse" }, want: v1alpha1.ReasonUnknownPlatform, says: `"discourse"`},
		"unknown settings":    {change: func(s *v1alpha1.ChannelSpec) { s.Settings = settings(`{"speed": "fast"}`) }, want: v1alpha1.ReasonInvalidSettings, says: "speed"},
		"a password in the address": {change: func(s *v1alpha1.ChannelSpec) { s.URL = "https://me:secret@forum.example.org" }, want: v1alpha1.ReasonInvalidSpec,
			says: "credentialsSecretRef"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.hub()
			channel := forumOf(tc.change)
			c.create(acme(), channel)
			message := stands(c, channel, v1alpha1.ConditionAccepted, "False "+tc.want)
			says(t, message, tc.says)
			if strings.Contains(message, "secret@") {
				t.Errorf("it tells the password: %s", message)
			}
			stands(c, channel, v1alpha1.ConditionStalled, "True "+tc.want)
			stands(c, channel, v1alpha1.ConditionReady, "False "+tc.want)
			gone(c, "forum-connector", &appsv1.Deployment{})
		})
	}
}

func TestForeignDeploymentIsLeftAlone(t *testing.T) {
	c := newCluster(t)
	c.hub()
	foreign := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "forum-connector"}, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "other"}},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "other"}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "other", Image: "other"}}}},
	}}
	channel := forumOf(nil)
	c.create(foreign, acme(), channel)
	stands(c, channel, v1alpha1.ConditionDeployed, "False NameTaken", "Deployment forum-connector", "delete or rename")
	stands(c, channel, v1alpha1.ConditionStalled, "True NameTaken")
	if d := get(c, "forum-connector", &appsv1.Deployment{}); d.Spec.Template.Spec.Containers[0].Image != "other" || len(d.OwnerReferences) != 0 {
		t.Error("it was changed")
	}
}

func TestConnectorThatDoesNotRunSaysWhatItsPodWaitsFor(t *testing.T) {
	c := newCluster(t)
	// Pods are looked at once they take longer than pods take.
	c.hub(func(o *controllers.Options) { o.Now = func() time.Time { return time.Now().Add(time.Minute) } })
	channel := forumOf(nil)
	c.create(acme(), channel)
	d := exists(c, "forum-connector", &appsv1.Deployment{})
	stands(c, channel, v1alpha1.ConditionDeployed, "False Progressing", "the pod is being made")

	// A pod as the Deployment's controller would make it, and as a kubelet would find it.
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "forum-connector-x", Labels: d.Spec.Template.Labels}, Spec: d.Spec.Template.Spec}
	c.create(pod)
	c.patchStatus(pod, `{"status": {"phase": "Pending", "containerStatuses": [{"name": "connector", "image": "kith:test", "imageID": "", "ready": false, "restartCount": 0,
		"state": {"waiting": {"reason": "ImagePullBackOff", "message": "changes each time"}}}]}}`)
	c.patch(channel, `{"metadata": {"annotations": {"kith.dev/reconcile-requested": "now"}}}`)
	stands(c, channel, v1alpha1.ConditionDeployed, "False Unavailable", "image kith:test cannot be pulled")
	stands(c, channel, v1alpha1.ConditionReady, "False Unavailable")

	c.patchStatus(d, `{"status": {"observedGeneration": 1, "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]}}`)
	stands(c, channel, v1alpha1.ConditionDeployed, "False Unavailable", "exceeded quota")
}

func TestConnectorComesBack(t *testing.T) {
	c := newCluster(t)
	c.hub()
	c.create(acme(), forumOf(nil))
	d := exists(c, "forum-connector", &appsv1.Deployment{})
	c.patch(d, `{"spec": {"replicas": 0, "template": {"spec": {"containers": [{"name": "connector", "image": "somebody/elses"}]}}}}`)
	c.eventually(func() string {
		d := get(c, "forum-connector", &appsv1.Deployment{})
		if *d.Spec.Replicas != 1 || len(d.Spec.Template.Spec.Containers) != 1 || d.Spec.Template.Spec.Containers[0].Image != "kith:test" {
			return "the Deployment stays as somebody edited it"
		}
		return ""
	})
	c.delete(get(c, "forum-connector", &appsv1.Deployment{}))
	c.eventually(func() string {
		again := &appsv1.Deployment{}
		if err := c.client.Get(t.Context(), c.key("forum-connector"), again); err != nil {
			return err.Error()
		}
		if again.UID == d.UID {
			return "the old one is still there"
		}
		return ""
	})
}

func TestOtherSecretsRollThePodOnce(t *testing.T) {
	c, _, op, channel := aForumThatIsRead(t)
	op.settle(t)
	before := op.calls.writes()
	mounted := func() []string {
		var names []string
		for _, v := range get(c, "forum-connector", &appsv1.Deployment{}).Spec.Template.Spec.Volumes {
			if v.Name == "secrets" {
				for _, s := range v.Projected.Sources {
					names = append(names, s.Secret.Name)
				}
			}
		}
		return names
	}
	c.patch(channel, `{"spec": {"credentialsSecretRef": {"name": "first-thought"}}}`)
	stands(c, channel, v1alpha1.ConditionDeployed, "False Progressing", "Secrets")
	if diff := cmp.Diff([]string{"forum-credentials"}, mounted()); diff != "" {
		t.Errorf("at once (-want +got):\n%s", diff)
	}
	c.patch(channel, `{"spec": {"credentialsSecretRef": {"name": "second-thought"}}}`)
	c.eventually(func() string { return cmp.Diff([]string{"second-thought"}, mounted()) })
	if n := op.calls.since(before)["PATCH deployments"]; n != 1 {
		t.Errorf("the Deployment was written %d times for two changes", n)
	}
}

func TestPlacementCanBeSwitched(t *testing.T) {
	c, _, _, channel := aForumThatIsRead(t)

	c.patch(get(c, "acme", &v1alpha1.Community{}), `{"spec": {"connectors": {"placement": "Shared"}}}`)
	gone(c, "forum-connector", &appsv1.Deployment{})
	gone(c, "forum-connector", &corev1.ServiceAccount{})
	c.available("acme-connectors")
	stands(c, channel, v1alpha1.ConditionDeployed, "True Available", "acme-connectors")
	stands(c, channel, v1alpha1.ConditionReady, "True Succeeded")

	c.patch(get(c, "acme", &v1alpha1.Community{}), `{"spec": {"connectors": {"placement": "PerChannel"}}}`)
	gone(c, "acme-connectors", &appsv1.Deployment{})
	c.available("forum-connector")
	stands(c, channel, v1alpha1.ConditionDeployed, "True Available", "forum-connector")
}

func TestWritesPerChannelAreFew(t *testing.T) {
	const channels = 20
	c := newCluster(t)
	hub, op := c.hub()
	c.create(acme())
	c.up()
	op.settle(t)
	before := op.calls.writes()
	for i := range channels {
		c.create(forum(fmt.Sprintf("forum-%d", i)).Team("support").Obj())
	}
	for i := range channels {
		c.available(fmt.Sprintf("forum-%d-connector", i))
	}
	op.settle(t)
	for i := range channels {
		hub.reads(fmt.Sprintf("forum-%d", i), nil)
	}
	for i := range channels {
		stands(c, &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: fmt.Sprintf("forum-%d", i)}}, v1alpha1.ConditionReady, "True Succeeded")
	}
	op.settle(t)
	wrote := op.calls.since(before)
	t.Log(wrote)
	for what, most := range map[string]int{"PATCH serviceaccounts": 1, "PATCH deployments": 1, "PATCH channels/status": 3} {
		if n := wrote[what]; n == 0 || n > most*channels {
			t.Errorf("%s: %d for %d channels, want at most %d each", what, n, channels, most)
		}
	}
	if op.calls.conflicts != 0 {
		t.Errorf("%d conflicts", op.calls.conflicts)
	}
}
