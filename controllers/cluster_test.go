// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
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
const patience = 20 * time.Second

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

// calls counts what an operator sends, leases and watches aside.
type calls struct {
	mu        sync.Mutex
	byVerb    map[string]int
	conflicts int
	log       []string
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (c *calls) count(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		c.mu.Lock()
		defer c.mu.Unlock()
		if r.Method != http.MethodGet {
			c.byVerb[r.Method+" "+resourceOf(r.URL.Path)]++
			c.log = append(c.log, r.Method+" "+r.URL.Path)
		} else if r.URL.Query().Get("watch") == "" {
			c.byVerb["GET"]++
		}
		if err == nil && resp.StatusCode == http.StatusConflict {
			c.conflicts++
		}
		return resp, err
	})
}

// resourceOf is the resource in a path below a namespace, with its subresource.
func resourceOf(path string) string {
	_, rest, _ := strings.Cut(path, "/namespaces/")
	parts := strings.Split(rest, "/")
	if len(parts) < 2 {
		return path
	}
	if len(parts) > 3 {
		return parts[1] + "/" + parts[3]
	}
	return parts[1]
}

// writes are those so far, by method and resource, without events.
func (c *calls) writes() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for verb, n := range c.byVerb {
		if verb != "GET" && !strings.HasSuffix(verb, " events") {
			out[verb] = n
		}
	}
	return out
}

// all is how many requests were sent, events and watches aside.
func (c *calls) all() int {
	n := 0
	for _, w := range c.writes() {
		n += w
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return n + c.byVerb["GET"]
}

// since are the writes after an earlier state.
func (c *calls) since(before map[string]int) map[string]int {
	out := map[string]int{}
	for verb, n := range c.writes() {
		if d := n - before[verb]; d > 0 {
			out[verb] = d
		}
	}
	return out
}

// settle waits until an operator has sent nothing for a while.
func (o *operator) settle(t *testing.T) {
	t.Helper()
	last, since := o.calls.all(), time.Now()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if n := o.calls.all(); n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > 1500*time.Millisecond {
			return
		}
	}
	t.Fatalf("the operator never comes to rest: %v", o.calls.writes())
}

// hubs answers as hubs would.
type hubs struct {
	mu     sync.Mutex
	status map[types.NamespacedName]wire.Status
	at     time.Time
	err    error
}

// Status implements controllers.HubStatus.
func (h *hubs) Status(key types.NamespacedName) (wire.Status, time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.status[key]
	if !ok {
		return s, time.Time{}, h.err
	}
	return s, h.at, h.err
}

// Report implements controllers.HubStatus.
func (h *hubs) Report(key types.NamespacedName) (hubpoll.Report, bool) {
	s, at, err := h.Status(key)
	r := hubpoll.Report{Status: s, At: at, Known: !at.IsZero()}
	if err != nil {
		r.Err = &hubpoll.Failure{Reason: hubpoll.Broken, Message: err.Error()}
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
	var why string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if why = check(); why == "" {
			return
		}
	}
	c.t.Fatalf("after %v: %s", patience, why)
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
	var message string
	c.eventually(func() string {
		community := &v1alpha1.Community{}
		if err := c.client.Get(c.t.Context(), c.key(name), community); err != nil {
			return err.Error()
		}
		is := meta.FindStatusCondition(community.Status.Conditions, kind)
		if is == nil || is.Status != status || is.Reason != reason || is.ObservedGeneration != community.Generation {
			return fmt.Sprintf("%s is %+v at generation %d, want %s %s; all: %+v", kind, is, community.Generation, status, reason, community.Status.Conditions)
		}
		message = is.Message
		return ""
	})
	return message
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
