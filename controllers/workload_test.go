// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/testing/builders"
)

func TestResources(t *testing.T) {
	for name, tc := range map[string]struct {
		declared         *corev1.ResourceRequirements
		requests, limits corev1.ResourceList
		goMemory         string
	}{
		"nothing declared": {nil, quantities("50m", "128Mi"), quantities("", "1Gi"), "943718KiB"},
		"a lower limit": {&corev1.ResourceRequirements{Limits: quantities("", "100Mi")},
			quantities("50m", "100Mi"), quantities("", "100Mi"), "92160KiB"},
		"a higher request": {&corev1.ResourceRequirements{Requests: quantities("1", "2Gi")},
			quantities("1", "2Gi"), quantities("", "2Gi"), "1887436KiB"},
		"both": {&corev1.ResourceRequirements{Requests: quantities("1", "1Gi"), Limits: quantities("2", "4Gi")},
			quantities("1", "1Gi"), quantities("2", "4Gi"), "3774873KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			got := resourcesOf(tc.declared, quantities("50m", "128Mi"), quantities("", "1Gi"))
			if diff := cmp.Diff(corev1.ResourceRequirements{Requests: tc.requests, Limits: tc.limits}, got); diff != "" {
				t.Error(diff)
			}
			if memory := memoryLimit(got); memory != tc.goMemory {
				t.Errorf("GOMEMLIMIT %s, want %s", memory, tc.goMemory)
			}
		})
	}
}

func TestWhatChannelsMount(t *testing.T) {
	channel := func(name, secret string, change func(*v1alpha1.ChannelSpec)) *v1alpha1.Channel {
		return builders.MakeChannel(name).Platform("discourse").With(func(s *v1alpha1.ChannelSpec) {
			if secret != "" {
				s.CredentialsSecretRef = &v1alpha1.SecretReference{Name: secret}
			}
			if change != nil {
				change(s)
			}
		}).Obj()
	}
	got := channelSecrets([]*v1alpha1.Channel{
		channel("open", "", nil),
		channel("two", "b", nil),
		channel("one", "a", func(s *v1alpha1.ChannelSpec) {
			s.Webhook = &v1alpha1.Webhook{SecretRef: v1alpha1.SecretReference{Name: "a"}}
			s.Network = &v1alpha1.Network{CARef: &v1alpha1.KeyReference{Name: "roots"}}
		}),
		channel("again", "b", func(s *v1alpha1.ChannelSpec) {
			s.Network = &v1alpha1.Network{CARef: &v1alpha1.KeyReference{Name: "roots", Key: "other.crt"}}
		}),
	})
	files := map[string][]string{}
	for _, p := range got {
		switch {
		case p.Secret != nil && *p.Secret.Optional:
			for _, item := range p.Secret.Items {
				files["Secret "+p.Secret.Name] = append(files["Secret "+p.Secret.Name], item.Key+" at "+item.Path)
			}
		case p.ConfigMap != nil && *p.ConfigMap.Optional:
			for _, item := range p.ConfigMap.Items {
				files["ConfigMap "+p.ConfigMap.Name] = append(files["ConfigMap "+p.ConfigMap.Name], item.Key+" at "+item.Path)
			}
		default:
			t.Errorf("a pod could not start without %v", p)
		}
	}
	if diff := cmp.Diff(map[string][]string{
		"Secret a":        {"apiKey at a/apiKey", "apiUsername at a/apiUsername", "secret at a/secret"},
		"Secret b":        {"apiKey at b/apiKey", "apiUsername at b/apiUsername"},
		"ConfigMap roots": {"ca.crt at roots/ca.crt", "other.crt at roots/other.crt"},
	}, files); diff != "" {
		t.Error(diff)
	}
	if len(got) != 3 {
		t.Errorf("%d sources: each object is to be named once", len(got))
	}
}

func TestChangesAreHeldUntilTheyRest(t *testing.T) {
	var q quiet
	key, start := types.NamespacedName{Name: "acme"}, time.Now()
	for _, step := range []struct {
		at   time.Duration
		to   string
		want time.Duration
	}{
		{0, "a", 10 * time.Second}, {4 * time.Second, "a", 6 * time.Second},
		{8 * time.Second, "b", 10 * time.Second}, {17 * time.Second, "b", time.Second}, {18 * time.Second, "b", 0}, {30 * time.Second, "b", 0},
	} {
		if got := q.hold(key, step.to, 10*time.Second, start.Add(step.at)); got != step.want {
			t.Errorf("after %v, to %s: held for %v more, want %v", step.at, step.to, got, step.want)
		}
	}
	q.settled(key)
	// Somebody changes it every five seconds.
	for i := range 12 {
		if got := q.hold(key, fmt.Sprint(i), 10*time.Second, start.Add(time.Duration(i)*5*time.Second)); got == 0 {
			t.Errorf("made after %d changes", i)
		}
	}
	if got := q.hold(key, "last", 10*time.Second, start.Add(time.Minute)); got != 0 {
		t.Errorf("after a minute of changes it is still held for %v", got)
	}
	q.settled(key)
	if got := q.hold(key, "b", time.Second, start.Add(time.Minute)); got != time.Second {
		t.Errorf("the next change is held for %v", got)
	}
}
