// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/hubpoll"
	"github.com/kith-dev/kith/internal/testing/envtest"
	"github.com/kith-dev/kith/internal/testing/kstatus"
)

// patience is how long tests wait for what must come.
const patience = time.Minute

// cluster is a namespace of the real API server, in which only restricted pods may run.
type cluster struct {
	t         *testing.T
	client    client.Client
	namespace string
	hubs      *hubs
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, client: envtest.Client(t), hubs: &hubs{}}
	c.namespace = envtest.Namespace(t, c.client)
	c.patch(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}},
		`{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}`)
	c.authorize()
	var kinds []schema.GroupVersionResource
	for _, kind := range []string{"communities", "channels", "behaviours", "objectives"} {
		kinds = append(kinds, v1alpha1.GroupVersion.WithResource(kind))
	}
	kstatus.Watch(t, envtest.Start(t), c.namespace, kinds...)
	return c
}

// authorize gives the operator's ServiceAccount what config/rbac gives it in a namespaced install, and nothing else.
func (c *cluster) authorize() {
	c.t.Helper()
	all, own := &rbacv1.ClusterRole{}, &rbacv1.Role{}
	manifest(c.t, "../config/rbac/role.yaml", all)
	manifest(c.t, "../config/rbac/own_namespace_role.yaml", own)
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: all.Name}, Rules: all.Rules}
	c.create(role, own)
	for _, name := range []string{role.Name, own.Name} {
		c.create(&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "kith-operator", Namespace: c.namespace}},
		})
	}
}

func manifest(t *testing.T, file string, into client.Object) {
	t.Helper()
	document, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(document, into); err != nil {
		t.Fatal(err)
	}
}

// operator is one that runs against the cluster's namespace.
type operator struct {
	*controllers.Operator
	calls *calls
	stop  func()
}

// operate starts an operator, which ends with the test if not before.
func (c *cluster) operate(change ...func(*controllers.Options)) *operator {
	c.t.Helper()
	cfg := envtest.Start(c.t)
	counted := &calls{byVerb: map[string]int{}}
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return counted.count(next) })
	cfg.QPS, cfg.Burst = 500, 1000
	cfg.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + c.namespace + ":kith-operator",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + c.namespace, "system:authenticated"},
	}
	o := controllers.Options{
		Settings: controllers.Settings{Image: "kith:test", Namespace: c.namespace, ServiceAccount: "kith-operator"},
		Log:      testr.NewWithInterface(quietly{c.t}, testr.Options{}), Namespaces: []string{c.namespace}, Hubs: c.hubs,
		Catalogue: platforms{},
	}
	for _, f := range change {
		f(&o)
	}
	op, err := controllers.NewOperator(cfg, o)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- op.Manager.Start(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				c.t.Errorf("the operator ended with %v", err)
			}
		})
	}
	c.t.Cleanup(stop)
	return &operator{op, counted, stop}
}

// quietly logs only where the test still runs and failed.
type quietly struct{ *testing.T }

func (q quietly) Log(args ...any) {
	if testing.Verbose() {
		fmt.Println(args...)
	}
}

// hubs answers as hubs would.
type hubs struct {
	mu     sync.Mutex
	status map[types.NamespacedName]wire.Status
	at     time.Time
	err    error
}

// Report implements controllers.HubStatus.
func (h *hubs) Report(key types.NamespacedName) (hubpoll.Report, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := hubpoll.Report{}
	if s, ok := h.status[key]; ok {
		r = hubpoll.Report{Status: s, At: h.at, Known: !h.at.IsZero()}
	}
	if h.err != nil {
		r.Down = true
		r.Err = &hubpoll.Failure{Reason: hubpoll.Broken, Message: h.err.Error()}
	}
	return r, true
}

// Soon implements controllers.HubStatus.
func (*hubs) Soon(types.NamespacedName) {}

func (h *hubs) say(key types.NamespacedName, s wire.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.status == nil {
		h.status = map[types.NamespacedName]wire.Status{}
	}
	h.status[key], h.at = s, time.Now()
}

func (c *cluster) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: c.namespace, Name: name}
}

func (c *cluster) create(objects ...client.Object) {
	c.t.Helper()
	for _, obj := range objects {
		obj.SetNamespace(c.namespace)
		if err := c.client.Create(c.t.Context(), obj); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *cluster) delete(obj client.Object) {
	c.t.Helper()
	if err := c.client.Delete(c.t.Context(), obj); err != nil {
		c.t.Fatal(err)
	}
}

// sweep deletes what a deleted Community owned, as the garbage collector would.
func (c *cluster) sweep(owner client.Object) {
	c.t.Helper()
	for _, list := range []client.ObjectList{
		&appsv1.DeploymentList{}, &corev1.ConfigMapList{}, &corev1.ServiceList{}, &corev1.ServiceAccountList{}, &corev1.SecretList{},
		&networkingv1.NetworkPolicyList{}, &corev1.PersistentVolumeClaimList{},
	} {
		if err := c.client.List(c.t.Context(), list, client.InNamespace(c.namespace)); err != nil {
			c.t.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, item := range items {
			obj, ok := item.(client.Object)
			if !ok || !metav1.IsControlledBy(obj, owner) {
				continue
			}
			if err := c.client.Delete(c.t.Context(), obj); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

func (c *cluster) patch(obj client.Object, merge string) {
	c.t.Helper()
	if err := c.client.Patch(c.t.Context(), obj, client.RawPatch(types.MergePatchType, []byte(merge))); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) patchStatus(obj client.Object, merge string) {
	c.t.Helper()
	if err := c.client.Status().Patch(c.t.Context(), obj, client.RawPatch(types.MergePatchType, []byte(merge))); err != nil {
		c.t.Fatal(err)
	}
}

// get reads an object that must be there.
func get[T client.Object](c *cluster, name string, into T) T {
	c.t.Helper()
	if err := c.client.Get(c.t.Context(), c.key(name), into); err != nil {
		c.t.Fatal(err)
	}
	return into
}

// eventually waits for what must become true; why says what is not.
func (c *cluster) eventually(check func() (why string)) {
	c.t.Helper()
	envtest.Eventually(c.t, patience, check)
}

// exists waits for an object.
func exists[T client.Object](c *cluster, name string, into T) T {
	c.t.Helper()
	c.eventually(func() string {
		if err := c.client.Get(c.t.Context(), c.key(name), into); err != nil {
			return err.Error()
		}
		return ""
	})
	return into
}

// condition waits until a Community's condition has a status and reason, and gives its message.
func (c *cluster) condition(name, kind string, status metav1.ConditionStatus, reason string) string {
	c.t.Helper()
	community := &v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: name}}
	return stands(c, community, kind, string(status)+" "+reason)
}

// available makes a Deployment available, as its controller and a kubelet would.
func (c *cluster) available(name string) {
	c.t.Helper()
	d := exists(c, name, &appsv1.Deployment{})
	c.patchStatus(d, fmt.Sprintf(`{"status": {"observedGeneration": %d, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}}`, d.Generation))
}

// bound gives a claim its volume, as a provisioner would.
func (c *cluster) bound(name string) {
	c.t.Helper()
	claim := exists(c, name, &corev1.PersistentVolumeClaim{})
	size := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	c.patchStatus(claim, fmt.Sprintf(`{"status": {"phase": "Bound", "capacity": {"storage": %q}}}`, size.String()))
}

// run brings a Community's hub up.
func (c *cluster) run(name string) {
	c.t.Helper()
	c.hubs.say(c.key(name), wire.Status{Community: name, LedgerID: "first"})
	c.bound(delivery.LedgerName(name))
	c.available(delivery.HubName(name))
	c.condition(name, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSucceeded)
}

func quantity(s string) resource.Quantity { return resource.MustParse(s) }
