// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package resources

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/reader"
)

func TestWhatComesBeforeItsCommunityWaitsAndHeals(t *testing.T) {
	_, places := newWorld(t, 1)
	p := places[0]
	p.apply("channel.yaml", "behaviour.yaml", "objective.yaml")
	for _, resource := range []string{"channel/forum", "behaviour/solved", "objective/helped"} {
		for _, condition := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionReady, v1alpha1.ConditionReconciling} {
			want := "False ReferenceMissing"
			if condition == v1alpha1.ConditionReconciling {
				want = "True ReferenceMissing"
			}
			p.stands(resource, condition, want, "spec.communityRef.name", `there is no Community "acme"`, "declare it")
		}
	}
	p.stands("channel/forum", v1alpha1.ConditionOwned, "Unknown ReferenceMissing", `there is no Community "acme"`)

	p.apply("community.yaml")
	p.run("acme")
	p.available("forum-connector")
	for _, resource := range []string{"channel/forum", "behaviour/solved", "objective/helped"} {
		p.stands(resource, v1alpha1.ConditionAccepted, "True Accepted")
	}
	p.stands("channel/forum", v1alpha1.ConditionOwned, "True OwnerNamed")
	p.reads("acme", "forum", reader.Connected, "")
	p.stands("channel/forum", v1alpha1.ConditionReady, "True Succeeded")
}

func TestMissingSecretAndMissingKeyAreTheConnectorsToTell(t *testing.T) {
	_, places := newWorld(t, 1)
	p := places[0]
	p.apply("community.yaml", "channel.yaml") // there is no Secret acme-forum
	p.run("acme")
	p.available("forum-connector")
	p.stands("channel/forum", v1alpha1.ConditionDeployed, "True Available")
	deployed := get(p, "forum-connector", &appsv1.Deployment{}).Generation

	const missing = `Secret acme-forum lacks the key "apiKey": add it`
	p.reads("acme", "forum", reader.SecretKeyMissing, missing)
	p.stands("channel/forum", v1alpha1.ConditionConnected, "False SecretKeyMissing", missing)
	p.stands("channel/forum", v1alpha1.ConditionReady, "False SecretKeyMissing", missing)
	p.stands("channel/forum", v1alpha1.ConditionDeployed, "True Available")
	p.stands("channel/forum", v1alpha1.ConditionAccepted, "True Accepted")

	// The Secret comes, first without what is needed: the pod takes it as a file, and nothing is rolled.
	p.must("create", "secret", "generic", "acme-forum", "--from-literal=user=kith")
	p.stands("channel/forum", v1alpha1.ConditionConnected, "False SecretKeyMissing")
	p.must("delete", "secret", "acme-forum")
	p.must("create", "secret", "generic", "acme-forum", "--from-literal=apiKey=a-key", "--from-literal=apiUser=kith")
	p.reads("acme", "forum", reader.Connected, "")
	p.stands("channel/forum", v1alpha1.ConditionReady, "True Succeeded")
	if now := get(p, "forum-connector", &appsv1.Deployment{}).Generation; now != deployed {
		t.Errorf("the Deployment went from generation %d to %d: the pod was replaced for a Secret's content", deployed, now)
	}
}

// named writes the manifests of a community and of one channel of it, under these names.
func named(community, channel string) string {
	return fmt.Sprintf(`apiVersion: kith.dev/v1alpha1
kind: Community
metadata: {name: %[1]s}
spec:
  title: A community
  teams: [{name: community, party: Company}]
---
apiVersion: kith.dev/v1alpha1
kind: Channel
metadata: {name: %[2]s}
spec:
  communityRef: {name: %[1]s}
  team: community
  platform: discourse
  url: https://%[2]s.example
`, community, channel)
}

func TestNamesOfTheGreatestLengthWork(t *testing.T) {
	_, places := newWorld(t, 1)
	p := places[0]
	community, channel := "c"+strings.Repeat("-", 50)+"c", "f"+strings.Repeat("9", 51)
	p.applyText(named(community, channel))
	p.run(community)
	p.available(delivery.ConnectorName(channel))
	p.reads(community, channel, reader.Connected, "")
	p.stands("channel/"+channel, v1alpha1.ConditionReady, "True Succeeded")
	for name, obj := range map[string]client.Object{
		delivery.ConfigName(community, 0): &corev1.ConfigMap{}, delivery.HubTLSName(community): &corev1.Secret{},
		delivery.LedgerName(community): &corev1.PersistentVolumeClaim{}, delivery.HubName(community): &corev1.Service{},
		delivery.SharedConnectorsName(community): &networkingv1.NetworkPolicy{}, delivery.ConnectorName(channel): &corev1.ServiceAccount{},
	} {
		get(p, name, obj)
	}
	for _, name := range []string{delivery.HubName(community), delivery.ConnectorName(channel)} {
		d := get(p, name, &appsv1.Deployment{})
		for key, value := range d.Spec.Template.Labels {
			if wrong := validation.IsValidLabelValue(value); len(wrong) > 0 {
				t.Errorf("%s: %s=%s: %v", name, key, value, wrong)
			}
		}
		// The names of pods are cut to fit; that of a ReplicaSet, 10 longer than the Deployment's, is a label of them.
		if len(name) > 63 {
			t.Errorf("%s has %d characters", name, len(name))
		}
	}
	p.must("patch", "community", community, "--type=merge", "--patch", `{"spec": {"connectors": {"placement": "Shared"}}}`)
	exists(p, delivery.SharedConnectorsName(community), &appsv1.Deployment{})
}

func TestTwoCommunitiesWithChannelsOfOneNameDoNotMeet(t *testing.T) {
	_, places := newWorld(t, 2)
	for _, p := range places {
		p.applyText(named("acme", "forum"))
	}
	audiences := map[string]bool{}
	for _, p := range places {
		p.run("acme")
		p.available("forum-connector")
		p.reads("acme", "forum", reader.Connected, "")
		p.stands("channel/forum", v1alpha1.ConditionReady, "True Succeeded")
		dir := t.TempDir()
		for name, content := range get(p, "acme-blueprint", &corev1.ConfigMap{}).Data {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		access, err := delivery.LoadAccess(dir)
		if err != nil {
			t.Fatal(err)
		}
		if access.Namespace != p.namespace {
			t.Errorf("the hub in %s lets in accounts of %s", p.namespace, access.Namespace)
		}
		if diff := cmp.Diff([]delivery.Account{{Name: "forum-connector", Channels: []string{"forum"}}}, access.Accounts); diff != "" {
			t.Error(diff)
		}
		audiences[access.Audience] = true
		bp, err := delivery.LoadBlueprint(dir)
		if err != nil {
			t.Fatal(err)
		}
		if bp.Namespace != p.namespace || len(bp.Channels) != 1 {
			t.Errorf("the blueprint in %s is of %s and has %d channels", p.namespace, bp.Namespace, len(bp.Channels))
		}
		for _, source := range projections(get(p, "forum-connector", &appsv1.Deployment{})) {
			if token := source.ServiceAccountToken; token != nil && token.Audience != access.Audience {
				t.Errorf("the connector's token is for %s, its hub is %s", token.Audience, access.Audience)
			}
		}
	}
	if len(audiences) != 2 {
		t.Errorf("both hubs take tokens for %v", audiences)
	}
	// What happens to the one is nothing to the other.
	places[0].must("delete", "channel", "forum")
	places[0].must("delete", "community", "acme")
	places[1].stands("channel/forum", v1alpha1.ConditionReady, "True Succeeded")
	places[1].stands("community/acme", v1alpha1.ConditionReady, "True Succeeded")
}

func projections(d *appsv1.Deployment) []corev1.VolumeProjection {
	var out []corev1.VolumeProjection
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.Projected != nil {
			out = append(out, v.Projected.Sources...)
		}
	}
	return out
}

// Names of one kind of object end in what they are for, so that none of these takes another's.
func TestCommunitiesAndChannelsNamedAfterEachOthersObjectsWork(t *testing.T) {
	_, places := newWorld(t, 1)
	p := places[0]
	pairs := map[string]string{
		"a": "a", "a-hub": "a-hub", "a-connector": "a-connectors", "a-connectors": "a-connector", "a-blueprint": "a-blueprint-1", "a-blueprint-1": "a-ledger",
	}
	for community, channel := range pairs {
		p.applyText(named(community, channel))
	}
	for community, channel := range pairs {
		p.run(community)
		p.available(delivery.ConnectorName(channel))
		p.reads(community, channel, reader.Connected, "")
		p.stands("channel/"+channel, v1alpha1.ConditionReady, "True Succeeded")
		owner := get(p, community, &v1alpha1.Community{})
		for name, obj := range map[string]client.Object{
			delivery.HubName(community): &appsv1.Deployment{}, delivery.ConfigName(community, 0): &corev1.ConfigMap{},
			delivery.HubTLSName(community): &corev1.Secret{}, delivery.SharedConnectorsName(community): &networkingv1.NetworkPolicy{},
		} {
			if get(p, name, obj); !metav1.IsControlledBy(obj, owner) {
				t.Errorf("%T %s is not of Community %s: %v", obj, name, community, obj.GetOwnerReferences())
			}
		}
		if d := get(p, delivery.ConnectorName(channel), &appsv1.Deployment{}); !metav1.IsControlledBy(d, get(p, channel, &v1alpha1.Channel{})) {
			t.Errorf("Deployment %s is not of Channel %s: %v", d.Name, channel, d.OwnerReferences)
		}
	}
}

// noisy writes channels whose rooms are so many bytes that hardly compress.
func noisy(channels int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	r := rand.New(rand.NewPCG(1, 2)) // the same each time, on purpose
	var out strings.Builder
	for i := range channels {
		fmt.Fprintf(&out, `---
apiVersion: kith.dev/v1alpha1
kind: Channel
metadata: {name: noisy-%[1]d}
spec:
  communityRef: {name: acme}
  team: community
  platform: discourse
  url: https://noisy-%[1]d.example
  rooms:
`, i)
		for _, list := range []string{"include", "exclude", "questions", "feedback", "howTo"} {
			fmt.Fprintf(&out, "    %s:\n", list)
			for range 64 {
				room := make([]byte, 200)
				for j := range room {
					room[j] = letters[r.IntN(len(letters))]
				}
				fmt.Fprintf(&out, "    - %q\n", room)
			}
		}
	}
	return out.String()
}

func TestConfigurationBeyondItsLimitLeavesWhatRuns(t *testing.T) {
	_, places := newWorld(t, 1)
	p := places[0]
	p.apply("community.yaml")
	// Large, and in several ConfigMaps.
	p.applyText(noisy(20))
	exists(p, delivery.ConfigName("acme", 1), &corev1.ConfigMap{})
	p.run("acme")
	p.available("noisy-0-connector")
	p.reads("acme", "noisy-0", reader.Connected, "")
	p.stands("channel/noisy-0", v1alpha1.ConditionReady, "True Succeeded")

	p.applyText(noisy(60))
	p.stands("community/acme", v1alpha1.ConditionAccepted, "False InvalidSpec", "too large", "of at most 4",
		"declare fewer or smaller channels and behaviours, or divide the community", "go on with what they had before")
	p.stands("community/acme", v1alpha1.ConditionStalled, "True InvalidSpec", "too large")
	p.stands("community/acme", v1alpha1.ConditionHubAvailable, "True Available")
	before := p.parts("acme")
	if len(before) < 2 {
		t.Fatalf("only %d ConfigMaps", len(before))
	}
	get(p, delivery.HubName("acme"), &appsv1.Deployment{})
	p.stands("channel/noisy-0", v1alpha1.ConditionReady, "True Succeeded")
	// Not even the hub is given up: it comes back if somebody deletes it.
	p.must("delete", "deployment", delivery.HubName("acme"))
	exists(p, delivery.HubName("acme"), &appsv1.Deployment{})
	if diff := cmp.Diff(before, p.parts("acme")); diff != "" {
		t.Errorf("some of the configuration was written although not all of it fits:\n%s", diff)
	}

	var surplus []string
	for i := 20; i < 60; i++ {
		surplus = append(surplus, fmt.Sprintf("noisy-%d", i))
	}
	p.must(append([]string{"delete", "channel"}, surplus...)...)
	p.stands("community/acme", v1alpha1.ConditionAccepted, "True Accepted")
}

// parts are the versions of the ConfigMaps of a community.
func (p *place) parts(community string) map[string]string {
	p.t.Helper()
	out := map[string]string{}
	for part := range delivery.MaxParts {
		m := &corev1.ConfigMap{}
		switch err := p.client.Get(p.t.Context(), p.key(delivery.ConfigName(community, part)), m); {
		case err == nil:
			out[m.Name] = m.ResourceVersion
		case client.IgnoreNotFound(err) != nil:
			p.t.Fatal(err)
		}
	}
	return out
}
