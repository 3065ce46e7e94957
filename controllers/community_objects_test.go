// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/testing/builders"
)

func TestPodsMeetTheRestrictedStandard(t *testing.T) {
	c := newCluster(t)
	c.operate()
	c.create(builders.MakeCommunity("acme").With(func(s *v1alpha1.CommunitySpec) {
		s.Connectors.Placement = v1alpha1.PlacementShared
		s.Privacy.KeySecretRef = &v1alpha1.SecretReference{Name: "keys"}
	}).Obj(), forum("forum").With(func(s *v1alpha1.ChannelSpec) {
		s.CredentialsSecretRef = &v1alpha1.SecretReference{Name: "credentials"}
		s.Network = &v1alpha1.Network{CARef: &v1alpha1.KeyReference{Name: "roots"}}
	}).Obj(), forum("open").Obj())
	for _, name := range []string{"acme-hub", "acme-connectors"} {
		d := exists(c, name, &appsv1.Deployment{})
		pod := &corev1.Pod{ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
		pod.Name, pod.Namespace = "try", c.namespace
		exists(c, name, &corev1.ServiceAccount{})
		if err := c.client.Create(t.Context(), pod, client.DryRunAll); err != nil {
			t.Errorf("a pod of %s: %v", name, err)
		}
		if spec := pod.Spec; *spec.AutomountServiceAccountToken || *spec.EnableServiceLinks || !*spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("a pod of %s holds a token or writes where it should not", name)
		}
	}
	bad := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "bad", Namespace: c.namespace},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "any", Image: "any"}}}}
	if err := c.client.Create(t.Context(), bad, client.DryRunAll); !apierrors.IsForbidden(err) {
		t.Errorf("the namespace takes any pod (%v): this test shows nothing", err)
	}
}

func TestObjectsOfOthersAreLeftAlone(t *testing.T) {
	c := newCluster(t)
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: c.namespace, Labels: map[string]string{"whose": "mine"}}
	}
	foreign := map[string]client.Object{
		"ConfigMap":             &corev1.ConfigMap{ObjectMeta: meta("configmap-blueprint"), Data: map[string]string{"mine": "yes"}},
		"Secret":                &corev1.Secret{ObjectMeta: meta("secret-hub-tls")},
		"Service":               &corev1.Service{ObjectMeta: meta("service-hub"), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}}},
		"ServiceAccount":        &corev1.ServiceAccount{ObjectMeta: meta("serviceaccount-hub")},
		"PersistentVolumeClaim": claim(meta("persistentvolumeclaim-ledger")),
	}
	// One that claims to be the operator's by its label, and belongs to somebody else.
	labelled := &corev1.ConfigMap{ObjectMeta: meta("labelled-blueprint")}
	labelled.Labels[delivery.LabelManagedBy] = delivery.ManagedBy
	foreign["labelled ConfigMap"] = labelled
	versions := map[string]string{}
	for name, obj := range foreign {
		c.create(obj)
		versions[name] = obj.GetResourceVersion()
	}
	c.operate()
	for name, obj := range foreign {
		t.Run(name, func(t *testing.T) {
			community := strings.ToLower(strings.Fields(name)[0])
			c.create(builders.MakeCommunity(community).Obj())
			message := c.condition(community, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
			if kind := strings.Fields(name); !strings.Contains(message, kind[len(kind)-1]+" "+obj.GetName()) {
				t.Errorf("the message does not name it: %s", message)
			}
			c.condition(community, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonNameTaken)
			if err := c.client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
				t.Fatal(err)
			}
			if obj.GetResourceVersion() != versions[name] {
				t.Errorf("it was changed: %v", obj)
			}
		})
	}
}

func claim(meta metav1.ObjectMeta) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: meta, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: quantity("1Gi")}},
	}}
}

// wordy is a behaviour whose expressions hold so many bytes that do not compress.
func wordy(name string, bytes int) *v1alpha1.Behaviour {
	r := rand.New(rand.NewPCG(1, uint64(len(name)+bytes)))
	b := builders.MakeBehaviour(name).On(v1alpha1.AnswerAccepted).Obj()
	b.Spec.Description = map[string]v1alpha1.Paragraph{}
	var list []string
	for n := 0; n < bytes; n += 28 {
		list = append(list, fmt.Sprintf("'%016x%08x'", r.Uint64(), r.Uint32()))
	}
	for i := 0; i < len(list); i += 70 {
		b.Spec.Variables = append(b.Spec.Variables, v1alpha1.Variable{
			Name: fmt.Sprintf("v%d", i), Expression: v1alpha1.Expression("author.id in [" + strings.Join(list[i:min(i+70, len(list))], ",") + "]"),
		})
	}
	return b
}

func TestConfigurationGrowsAndShrinksOverConfigMaps(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	var large []client.Object
	for i := range 90 {
		b := wordy(fmt.Sprintf("large-%d", i), 30<<10-i*100)
		large = append(large, b)
	}
	c.create(large...)
	part := exists(c, delivery.ConfigName("acme", 1), &corev1.ConfigMap{})
	if len(part.BinaryData) == 0 {
		t.Errorf("the second part holds nothing: %v", part.Data)
	}
	op.settle(t)
	for _, obj := range large {
		c.delete(obj)
	}
	c.eventually(func() string {
		err := c.client.Get(t.Context(), c.key(part.Name), part)
		if !apierrors.IsNotFound(err) {
			return fmt.Sprintf("the second part is still there (%v)", err)
		}
		return ""
	})
	c.eventually(func() string {
		if first := get(c, delivery.ConfigName("acme", 0), &corev1.ConfigMap{}); first.Data[delivery.FileBlueprint] == "" {
			return "the first part does not hold the whole blueprint again, as people can read it"
		}
		return ""
	})
}

func TestTooLargeConfigurationIsSaid(t *testing.T) {
	c := newCluster(t)
	// Without a catalogue settings are taken as they are.
	c.operate(func(o *controllers.Options) { o.Catalogue = nil })
	c.create(builders.MakeCommunity("acme").Obj())
	for i := range 60 {
		noise := make([]byte, 0, 64<<10)
		r := rand.New(rand.NewPCG(3, uint64(i)))
		for len(noise) < 62<<10 {
			noise = fmt.Appendf(noise, "%016x", r.Uint64())
		}
		f := builders.MakeChannel(fmt.Sprintf("c%d", i)).Platform("feed").URL(fmt.Sprintf("https://%d.example.org/feed", i)).Obj()
		f.Spec.Settings = &runtime.RawExtension{Raw: []byte(`{"noise": "` + string(noise) + `"}`)}
		c.create(f)
	}
	message := c.condition("acme", v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec)
	if !strings.Contains(message, "too large") {
		t.Error(message)
	}
}

func TestPlacementMovesConnectors(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").With(func(s *v1alpha1.CommunitySpec) { s.Connectors.Placement = v1alpha1.PlacementShared }).Obj(),
		forum("forum").Obj())
	shared := exists(c, "acme-connectors", &appsv1.Deployment{})
	access := func() string { return get(c, "acme-blueprint", &corev1.ConfigMap{}).Data[delivery.FileAccess] }
	if !strings.Contains(access(), `"name":"acme-connectors","channels":["forum"]`) {
		t.Errorf("the shared connectors may not speak for the channel: %s", access())
	}
	op.settle(t)
	c.patch(get(c, "acme", &v1alpha1.Community{}), `{"spec": {"connectors": {"placement": "PerChannel"}}}`)
	c.eventually(func() string {
		if err := c.client.Get(t.Context(), client.ObjectKeyFromObject(shared), shared); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("the shared connectors are still there (%v)", err)
		}
		return ""
	})
	if !strings.Contains(access(), `"name":"forum-connector","channels":["forum"]`) || strings.Contains(access(), "acme-connectors") {
		t.Errorf("who may call the hub does not follow the placement: %s", access())
	}
}

func TestNewSecretsRollOnce(t *testing.T) {
	c := newCluster(t)
	op := c.operate()
	c.create(builders.MakeCommunity("acme").With(func(s *v1alpha1.CommunitySpec) { s.Connectors.Placement = v1alpha1.PlacementShared }).Obj(),
		forum("forum").Obj())
	before := exists(c, "acme-connectors", &appsv1.Deployment{})
	op.settle(t)
	for _, name := range []string{"one", "two", "three"} {
		c.create(forum(name).With(func(s *v1alpha1.ChannelSpec) { s.CredentialsSecretRef = &v1alpha1.SecretReference{Name: name} }).Obj())
		op.settle(t)
	}
	if now := get(c, "acme-connectors", &appsv1.Deployment{}); now.Generation != before.Generation {
		t.Errorf("rolled at once: generation %d, was %d", now.Generation, before.Generation)
	}
	c.eventually(func() string {
		now := get(c, "acme-connectors", &appsv1.Deployment{})
		for _, v := range now.Spec.Template.Spec.Volumes {
			if v.Projected != nil && v.Name == "secrets" && len(v.Projected.Sources) == 3 {
				return ""
			}
		}
		return "the Secrets are not mounted"
	})
	if now := get(c, "acme-connectors", &appsv1.Deployment{}); now.Generation != before.Generation+1 {
		t.Errorf("rolled %d times", now.Generation-before.Generation)
	}
}
