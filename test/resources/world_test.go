// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package resources

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/app"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/hubpoll"
	"github.com/kith-dev/kith/internal/reader"
	"github.com/kith-dev/kith/internal/testing/envtest"
	"github.com/kith-dev/kith/internal/testing/kstatus"
)

// patience is how long tests wait for what must come.
const patience = time.Minute

// world is the real API server with one operator.
type world struct {
	t      *testing.T
	client client.Client
	hubs   *hubs
	op     *controllers.Operator
}

// place is one namespace of it.
type place struct {
	*world
	*kubectl
	t         *testing.T
	namespace string
}

// newWorld makes an operator that looks after some new namespaces.
func newWorld(t *testing.T, namespaces int) (*world, []*place) {
	t.Helper()
	w := &world{t: t, client: envtest.Client(t), hubs: &hubs{}}
	var places []*place
	var names []string
	for range namespaces {
		namespace := envtest.Namespace(t, w.client)
		places = append(places, &place{w, newKubectl(t, namespace), t, namespace})
		names = append(names, namespace)
		kinds := []string{"communities", "channels", "behaviours", "objectives"}
		for _, kind := range kinds {
			kstatus.Watch(t, envtest.Start(t), namespace, v1alpha1.GroupVersion.WithResource(kind))
		}
	}
	cfg := envtest.Start(t)
	cfg.QPS, cfg.Burst = 500, 1000
	op, err := controllers.NewOperator(cfg, controllers.Options{
		Settings: controllers.Settings{Image: "kith:test", Namespace: names[0], ServiceAccount: "kith-operator"},
		Log:      logr.Discard(), Namespaces: names, Hubs: w.hubs, Catalogue: app.Catalogue(),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.op = op
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- op.Manager.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the operator ended with %v", err)
		}
	})
	return w, places
}

// in is the place as a subtest sees it.
func (p *place) in(t *testing.T) *place {
	k := *p.kubectl
	k.t = t
	return &place{p.world, &k, t, p.namespace}
}

func (p *place) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: p.namespace, Name: name}
}

// eventually waits for what must become true; check says what is not.
func (p *place) eventually(check func() (why string)) {
	p.t.Helper()
	envtest.Eventually(p.t, patience, check)
}

// resource makes an empty one from what kubectl calls it: channel/forum.
func resource(t *testing.T, kindAndName string) (obj controllers.Resource, name string) {
	t.Helper()
	kind, name, _ := strings.Cut(kindAndName, "/")
	switch kind {
	case "community":
		return &v1alpha1.Community{}, name
	case "channel":
		return &v1alpha1.Channel{}, name
	case "behaviour":
		return &v1alpha1.Behaviour{}, name
	case "objective":
		return &v1alpha1.Objective{}, name
	}
	t.Fatalf("there is no kind %s", kind)
	return nil, ""
}

// stands waits until a condition of a resource is, at its present generation, as wanted ("False InvalidSpec"), and
// checks that the message has these words.
func (p *place) stands(kindAndName, condition, want string, words ...string) string {
	p.t.Helper()
	var message string
	obj, name := resource(p.t, kindAndName)
	p.eventually(func() string {
		if err := p.client.Get(p.t.Context(), p.key(name), obj); err != nil {
			return err.Error()
		}
		var why string
		if message, why = kstatus.Stands(obj.GetGeneration(), *obj.StatusConditions(), condition, want, words...); why != "" {
			return kindAndName + ": " + why
		}
		return ""
	})
	return message
}

// get reads an object that must be there.
func get[T client.Object](p *place, name string, into T) T {
	p.t.Helper()
	if err := p.client.Get(p.t.Context(), p.key(name), into); err != nil {
		p.t.Fatal(err)
	}
	return into
}

// exists waits for an object.
func exists[T client.Object](p *place, name string, into T) T {
	p.t.Helper()
	p.eventually(func() string {
		if err := p.client.Get(p.t.Context(), p.key(name), into); err != nil {
			return err.Error()
		}
		return ""
	})
	return into
}

func (p *place) patchStatus(obj client.Object, merge string) {
	p.t.Helper()
	if err := p.client.Status().Patch(p.t.Context(), obj, client.RawPatch(types.MergePatchType, []byte(merge))); err != nil {
		p.t.Fatal(err)
	}
}

// available makes a Deployment available, as its controller and a kubelet would.
func (p *place) available(name string) {
	p.t.Helper()
	d := exists(p, name, &appsv1.Deployment{})
	p.patchStatus(d, fmt.Sprintf(`{"status": {"observedGeneration": %d, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}}`, d.Generation))
}

// run brings a Community's hub up.
func (p *place) run(community string) {
	p.t.Helper()
	p.reports(community, wire.Status{Community: community, LedgerID: community + " of " + p.namespace})
	claim := exists(p, delivery.LedgerName(community), &corev1.PersistentVolumeClaim{})
	size := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	p.patchStatus(claim, fmt.Sprintf(`{"status": {"phase": "Bound", "capacity": {"storage": %q}}}`, size.String()))
	p.available(delivery.HubName(community))
	p.stands("community/"+community, v1alpha1.ConditionReady, "True Succeeded")
}

// reports is what a hub answers from now on.
func (p *place) reports(community string, s wire.Status) {
	p.hubs.say(p.key(community), s)
	for kind, trigger := range p.op.Triggers {
		if kind == v1alpha1.KindCommunity {
			trigger.Add(p.key(community))
		}
	}
}

// reads has a channel's reader say how it is.
func (p *place) reads(community, channel string, phase reader.Phase, message string) {
	p.t.Helper()
	s, _, _ := p.hubs.Status(p.key(community)) // nothing was said yet
	now := time.Now()
	s.Community = community
	s.Channels = []wire.ChannelStatus{{Name: channel, State: &reader.State{
		Channel: channel, Platform: "discourse", Phase: phase, Message: message, Ready: phase == reader.Connected,
		Generation: get(p, channel, &v1alpha1.Channel{}).Generation, Since: now, Heartbeat: now, LastProgress: now,
	}}}
	p.reports(community, s)
	p.op.Triggers[v1alpha1.KindChannel].Add(p.key(channel))
}

// hubs answers as hubs would.
type hubs struct {
	mu     sync.Mutex
	status map[types.NamespacedName]wire.Status
}

// Status implements controllers.HubStatus.
func (h *hubs) Status(key types.NamespacedName) (wire.Status, time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.status[key]
	if !ok {
		return s, time.Time{}, nil
	}
	return s, time.Now(), nil
}

// Report implements controllers.HubStatus.
func (h *hubs) Report(key types.NamespacedName) (hubpoll.Report, bool) {
	s, at, _ := h.Status(key) // it never fails
	return hubpoll.Report{Status: s, At: at, Known: !at.IsZero()}, true
}

// Soon implements controllers.HubStatus.
func (*hubs) Soon(types.NamespacedName) {}

func (h *hubs) say(key types.NamespacedName, s wire.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.status == nil {
		h.status = map[types.NamespacedName]wire.Status{}
	}
	h.status[key] = s
}
