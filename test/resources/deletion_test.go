// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package resources

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/testing/envtest"
)

// taken are objects of somebody else's under names that Kith needs, by the kubectl command that makes them.
var taken = map[string]struct {
	create   []string
	resource string
	words    []string
}{
	"hub":        {[]string{"create", "deployment", "acme-hub", "--image=nginx"}, "community/acme", []string{"Deployment acme-hub"}},
	"service":    {[]string{"create", "service", "clusterip", "acme-hub", "--tcp=80"}, "community/acme", []string{"Service acme-hub"}},
	"blueprint":  {[]string{"create", "configmap", "acme-blueprint"}, "community/acme", []string{"ConfigMap acme-blueprint"}},
	"hub-secret": {[]string{"create", "secret", "generic", "acme-hub-tls"}, "community/acme", []string{"Secret acme-hub-tls"}},
	"account":    {[]string{"create", "serviceaccount", "acme-hub"}, "community/acme", []string{"ServiceAccount acme-hub"}},
	"volume":     {[]string{"apply", "-f", filepath.Join("testdata", "volume.yaml")}, "community/acme", []string{"PersistentVolumeClaim acme-ledger"}},
	"connector":  {[]string{"create", "deployment", "forum-connector", "--image=nginx"}, "channel/forum", []string{"Deployment forum-connector"}},
}

func TestSomebodyElsesObjectsAreLeftAlone(t *testing.T) {
	_, places := newWorld(t, len(taken))
	for name, tc := range taken {
		place := places[0]
		places = places[1:]
		t.Run(name, func(t *testing.T) {
			p := place.in(t)
			p.must(tc.create...)
			p.apply("community.yaml", "channel.yaml")
			words := append([]string{"that Kith did not make", "nobody owns it", "delete or rename it"}, tc.words...)
			p.stands(tc.resource, v1alpha1.ConditionReady, "False NameTaken", words...)
			p.stands(tc.resource, v1alpha1.ConditionStalled, "True NameTaken", words...)

			kind, object, _ := strings.Cut(tc.words[0], " ")
			owner := p.must("get", kind, object, "--output=jsonpath={.metadata.ownerReferences}{.metadata.labels.kith\\.dev/community}")
			if owner != "" {
				t.Errorf("it was adopted: %s", owner)
			}
			// The remedy that the message names works. Nothing protects a claim here but a finalizer that nobody takes off.
			p.must("delete", kind, object, "--wait=false")
			p.try("patch", kind, object, "--type=merge", "--patch", `{"metadata": {"finalizers": null}}`)
			p.must("annotate", tc.resource, delivery.AnnotationReconcile+"=now")
			p.run("acme")
			p.available("forum-connector")
			p.stands("channel/forum", v1alpha1.ConditionDeployed, "True Available")
		})
	}
}

// collect runs the real controllers that clean up after deleted objects, until the test ends.
func collect(t *testing.T) {
	t.Helper()
	dir, err := assets()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "kube-controller-manager")
	if _, err := os.Stat(binary); err != nil {
		t.Skipf("needs kube-controller-manager next to kube-apiserver, as hack/cluster builds it: %v", err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "kube-controller-manager.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "--kubeconfig", kubeconfig(t, envtest.Start(t)), "--leader-elect=false", "--secure-port=0",
		"--controllers=garbage-collector-controller,namespace-controller,persistentvolumeclaim-protection-controller")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself, which Wait says
		_ = cmd.Wait()                          // a signal ended it
		if t.Failed() {
			text, _ := os.ReadFile(log.Name()) // for people only
			t.Logf("kube-controller-manager:\n%s", text[max(0, len(text)-4000):])
		}
		_ = log.Close()
	})
}

// gone waits until objects are not there.
func (p *place) gone(objects map[string]client.Object) {
	p.t.Helper()
	for name, obj := range objects {
		p.eventually(func() string {
			err := p.client.Get(p.t.Context(), p.key(name), obj)
			if client.IgnoreNotFound(err) != nil {
				return err.Error()
			}
			if err == nil {
				return fmt.Sprintf("%T %s is still there: finalizers %v, owners %v", obj, name, obj.GetFinalizers(), obj.GetOwnerReferences())
			}
			return ""
		})
	}
}

func children() map[string]client.Object {
	return map[string]client.Object{
		"acme-hub": &appsv1.Deployment{}, "acme-blueprint": &corev1.ConfigMap{}, "acme-hub-tls": &corev1.Secret{}, "acme-connectors": &networkingv1.NetworkPolicy{},
	}
}

func TestDeletingTakesAlongWhatWasMadeAndNothingElse(t *testing.T) {
	_, places := newWorld(t, 2)
	collect(t)

	t.Run("a channel", func(t *testing.T) {
		p := places[0].in(t)
		p.apply("community.yaml", "channel.yaml")
		p.run("acme")
		p.available("forum-connector")
		p.must("delete", "channel", "forum", "--timeout=20s")
		p.gone(map[string]client.Object{"forum-connector": &appsv1.Deployment{}})
		p.gone(map[string]client.Object{"forum-connector": &corev1.ServiceAccount{}})
		p.eventually(func() string {
			if names := get(p, "acme-blueprint", &corev1.ConfigMap{}).Data[delivery.FileChannels]; strings.Contains(names, `"forum"`) {
				return "connectors are still told to read it: " + names
			}
			return ""
		})
	})
	t.Run("a community whose ledger is retained", func(t *testing.T) {
		p := places[0].in(t)
		volume := get(p, "acme-ledger", &corev1.PersistentVolumeClaim{})
		p.must("delete", "community", "acme", "--timeout=20s")
		p.gone(children())
		if now := get(p, "acme-ledger", &corev1.PersistentVolumeClaim{}); now.UID != volume.UID || now.DeletionTimestamp != nil || len(now.OwnerReferences) > 0 {
			t.Errorf("the ledger's volume did not stay as it was: %+v", now.ObjectMeta)
		}
		// The community is declared again, and finds its ledger.
		p.apply("community.yaml")
		p.run("acme")
		if now := get(p, "acme-ledger", &corev1.PersistentVolumeClaim{}); now.UID != volume.UID {
			t.Error("it is another volume")
		}
	})
	t.Run("a community whose ledger is to go", func(t *testing.T) {
		p := places[0].in(t)
		p.must("patch", "community", "acme", "--type=merge", "--patch", `{"spec": {"ledger": {"reclaim": "Delete"}}}`)
		p.eventually(func() string {
			if claim := get(p, "acme-ledger", &corev1.PersistentVolumeClaim{}); !metav1.IsControlledBy(claim, get(p, "acme", &v1alpha1.Community{})) {
				return "the volume does not belong to the community"
			}
			return ""
		})
		p.must("delete", "community", "acme", "--timeout=20s")
		p.gone(children())
		p.gone(map[string]client.Object{"acme-ledger": &corev1.PersistentVolumeClaim{}})
	})
	t.Run("the namespace", func(t *testing.T) {
		p := places[1].in(t)
		p.apply("community.yaml", "channel.yaml", "behaviour.yaml", "objective.yaml")
		p.run("acme")
		p.available("forum-connector")
		p.must("delete", "namespace", p.namespace, "--timeout=30s")
	})
}
