// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/reader"
)

// stage is what stands for everything that is not the operator: Deployments become available, claims are bound, and hubs
// answer that they run what was delivered and that all their channels are connected.
type stage struct {
	kube kubernetes.Interface
	hubs map[types.NamespacedName]*hub
	// todo are the objects whose status is to be written, each by one of a few workers.
	todo chan func(context.Context) error
	errs chan error

	mu          sync.Mutex
	deployments map[string]bool
	last        time.Time
}

// hub answers for one community.
type hub struct {
	server *httptest.Server

	mu     sync.Mutex
	status wire.Status
}

func newStage(kube kubernetes.Interface, communities []types.NamespacedName) *stage {
	s := &stage{
		kube: kube, hubs: map[types.NamespacedName]*hub{}, todo: make(chan func(context.Context) error, 10_000),
		errs: make(chan error, 1), deployments: map[string]bool{},
	}
	for _, c := range communities {
		h := &hub{status: wire.Status{Community: c.Name, ProblemReason: wire.ConfigurationIncomplete, Problem: "nothing has been delivered yet"}}
		h.server = httptest.NewTLSServer(http.HandlerFunc(h.answer))
		s.hubs[c] = h
	}
	return s
}

func (s *stage) close() {
	for _, h := range s.hubs {
		h.server.Close()
	}
}

// addresses are the hubs' and the certificate that they all show.
func (s *stage) addresses() (urls map[string]string, roots string) {
	urls = map[string]string{}
	for key, h := range s.hubs {
		urls[key.String()] = h.server.URL
		roots = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.server.Certificate().Raw}))
	}
	return urls, roots
}

func (h *hub) answer(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	status := h.status
	now := time.Now()
	for i := range status.Channels {
		state := *status.Channels[i].State
		state.Heartbeat, state.LastProgress = now, now
		status.Channels[i].State = &state
	}
	h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(status) // the operator has gone
}

// run watches until ctx ends.
func (s *stage) run(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(s.kube, 0)
	handle := func(i cache.SharedIndexInformer, f func(any)) error {
		_, err := i.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: f, UpdateFunc: func(_, obj any) { f(obj) }})
		return err
	}
	if err := handle(factory.Apps().V1().Deployments().Informer(), func(obj any) { s.deployment(obj.(*appsv1.Deployment)) }); err != nil { //nolint:forcetypeassert // An informer of Deployments.
		return err
	}
	if err := handle(factory.Core().V1().PersistentVolumeClaims().Informer(), func(obj any) { s.claim(obj.(*corev1.PersistentVolumeClaim)) }); err != nil { //nolint:forcetypeassert // Of claims.
		return err
	}
	if err := handle(factory.Core().V1().ConfigMaps().Informer(), func(obj any) { s.delivered(obj.(*corev1.ConfigMap)) }); err != nil { //nolint:forcetypeassert // Of ConfigMaps.
		return err
	}
	factory.Start(ctx.Done())
	for range 4 {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case f := <-s.todo:
					if err := f(ctx); err != nil && ctx.Err() == nil {
						select {
						case s.errs <- err:
						default:
						}
					}
				}
			}
		}()
	}
	return nil
}

func (s *stage) deployment(d *appsv1.Deployment) {
	s.mu.Lock()
	if key := d.Namespace + "/" + d.Name; !s.deployments[key] {
		s.deployments[key], s.last = true, time.Now()
	}
	s.mu.Unlock()
	if d.Status.ObservedGeneration >= d.Generation {
		return
	}
	d = d.DeepCopy()
	s.todo <- func(ctx context.Context) error {
		d.Status = appsv1.DeploymentStatus{
			ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
			Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable"}},
		}
		_, err := s.kube.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, updateOptions)
		return again(err)
	}
}

func (s *stage) claim(c *corev1.PersistentVolumeClaim) {
	if c.Status.Phase == corev1.ClaimBound {
		return
	}
	c = c.DeepCopy()
	s.todo <- func(ctx context.Context) error {
		c.Status.Phase, c.Status.Capacity = corev1.ClaimBound, c.Spec.Resources.Requests
		_, err := s.kube.CoreV1().PersistentVolumeClaims(c.Namespace).UpdateStatus(ctx, c, updateOptions)
		return again(err)
	}
}

// delivered has a hub run what its ConfigMap holds.
func (s *stage) delivered(m *corev1.ConfigMap) {
	h := s.hubs[types.NamespacedName{Namespace: m.Namespace, Name: m.Labels[delivery.LabelCommunity]}]
	if h == nil || m.Data[delivery.FileBlueprint] == "" {
		return
	}
	bp, err := blueprint.Decode([]byte(m.Data[delivery.FileBlueprint]))
	var channels delivery.Channels
	if err == nil {
		err = json.Unmarshal([]byte(m.Data[delivery.FileChannels]), &channels)
	}
	if err != nil {
		select {
		case s.errs <- fmt.Errorf("what was delivered in %s/%s: %w", m.Namespace, m.Name, err):
		default:
		}
		return
	}
	status := wire.Status{Community: bp.Name, Blueprint: bp.Digest(), Engine: "bench", LedgerID: "ledger-of-" + bp.Name, LedgerBytes: 1 << 20}
	began := time.Now()
	for _, c := range channels.Channels {
		status.Channels = append(status.Channels, wire.ChannelStatus{Name: c.Channel.Name, Known: true, History: "Complete", Watermark: began,
			State: &reader.State{
				Channel: c.Channel.Name, Platform: c.Channel.Platform, Generation: c.Generation, Phase: reader.Connected, Ready: true,
				Since: began, BackfillDone: true, CompleteThrough: began,
			}})
	}
	h.mu.Lock()
	h.status = status
	h.mu.Unlock()
}

// seen is how many Deployments there are, and when the last of them came.
func (s *stage) seen() (int, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.deployments), s.last
}
