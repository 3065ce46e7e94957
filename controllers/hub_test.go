// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/hubpoll"
	"github.com/kith-dev/kith/internal/reader"
	"github.com/kith-dev/kith/internal/testing/envtest"
	"github.com/kith-dev/kith/internal/testing/kstatus"
)

// aHub answers as Community acme's hub would, with the certificate that the operator issued for it.
type aHub struct {
	c      *cluster
	server *httptest.Server

	mu sync.Mutex
	// status is what it says; a blueprint that is not set is the one that was delivered.
	status wire.Status
	// code is what it answers instead, unless 0.
	code int
}

// hub starts one, and an operator that asks it often.
func (c *cluster) hub(change ...func(*controllers.Options)) (*aHub, *operator) {
	c.t.Helper()
	h := &aHub{c: c, status: wire.Status{Community: "acme", Engine: "1", LedgerID: "first"}}
	h.server = httptest.NewUnstartedServer(http.HandlerFunc(h.answer))
	h.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.server.TLS = &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: h.certificate}
	h.server.StartTLS()
	c.t.Cleanup(h.server.Close)
	op := c.operate(append(change, func(o *controllers.Options) {
		o.Hubs = nil
		o.Poll = &hubpoll.Options{
			Token: func() (string, error) { return "the-operator", nil }, Interval: 100 * time.Millisecond, Soon: 50 * time.Millisecond, Silence: time.Second,
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				if want := fmt.Sprintf("%s:%d", delivery.HubHost(c.namespace, "acme"), delivery.PortAPI); address != want {
					return nil, fmt.Errorf("the hub is at %s, not at %s", want, address)
				}
				var d net.Dialer
				return d.DialContext(ctx, network, h.server.Listener.Addr().String())
			},
		}
	})...)
	return h, op
}

// certificate is the one that the operator has issued.
func (h *aHub) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	secret := &corev1.Secret{}
	if err := h.c.client.Get(context.Background(), h.c.key(delivery.HubTLSName("acme")), secret); err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	return &certificate, err
}

func (h *aHub) answer(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer the-operator" || h.code != 0 {
		w.WriteHeader(max(h.code, http.StatusUnauthorized))
		_ = json.NewEncoder(w).Encode(wire.Error{Error: "not now"})
		return
	}
	s := h.status
	if s.Blueprint == "" {
		community := &v1alpha1.Community{}
		if h.c.client.Get(r.Context(), h.c.key("acme"), community) == nil {
			s.Blueprint = community.Status.BlueprintDigest
		}
	}
	_ = json.NewEncoder(w).Encode(s)
}

// says changes what it answers.
func (h *aHub) says(change func(*wire.Status)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.status)
}

func (h *aHub) fails(code int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.code = code
}

// reads changes what the reader of a channel said last; at first it reads well, at the channel's present generation.
func (h *aHub) reads(channel string, change func(*wire.ChannelStatus)) {
	h.c.t.Helper()
	now := time.Now()
	is := wire.ChannelStatus{Name: channel, Known: true, History: "Complete", Watermark: now, Since: now.AddDate(0, 0, -90), State: &reader.State{
		Channel: channel, Platform: "discourse", Phase: reader.Connected, Ready: true, BackfillDone: true, Rooms: []string{"support"},
		Generation: get(h.c, channel, &v1alpha1.Channel{}).Generation, Since: now, Heartbeat: now, LastProgress: now,
	}}
	if change != nil {
		change(&is)
	}
	h.says(func(s *wire.Status) {
		s.Channels = append(slices.DeleteFunc(slices.Clone(s.Channels), func(c wire.ChannelStatus) bool { return c.Name == channel }), is)
	})
}

// phase is a change of reads.
func phase(p reader.Phase, message string) func(*wire.ChannelStatus) {
	return func(c *wire.ChannelStatus) { c.State.Phase, c.State.Message = p, message }
}

// up brings Community acme up, hub and volume.
func (c *cluster) up() {
	c.t.Helper()
	c.bound(delivery.LedgerName("acme"))
	c.available(delivery.HubName("acme"))
	c.condition("acme", v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSucceeded)
}

// stands waits until a resource's condition is, at its present generation, as wanted ("True Succeeded"), with these
// words, and gives its message.
func stands[T controllers.Resource](c *cluster, obj T, kind, want string, words ...string) string {
	c.t.Helper()
	var message string
	c.eventually(func() string {
		if err := c.client.Get(c.t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			return err.Error()
		}
		var why string
		if message, why = kstatus.Stands(obj.GetGeneration(), *obj.StatusConditions(), kind, want, words...); why != "" {
			return obj.GetName() + ": " + why
		}
		return ""
	})
	return message
}

// columns gives what kubectl get shows of a resource, by column.
func (c *cluster) columns(plural, name string) map[string]string {
	c.t.Helper()
	cfg := envtest.Start(c.t)
	cfg.GroupVersion, cfg.APIPath = &v1alpha1.GroupVersion, "/apis"
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	get, err := rest.RESTClientFor(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	document, err := get.Get().Namespace(c.namespace).Resource(plural).Name(name).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	var table metav1.Table
	if err := json.Unmarshal(document, &table); err != nil || len(table.Rows) != 1 {
		c.t.Fatalf("%v: %s", err, document)
	}
	out := map[string]string{}
	for i, column := range table.ColumnDefinitions {
		out[column.Name] = fmt.Sprint(table.Rows[0].Cells[i])
	}
	return out
}

// absent waits until a condition is not there.
func absent[T controllers.Resource](c *cluster, obj T, kind string) {
	c.t.Helper()
	c.eventually(func() string {
		if err := c.client.Get(c.t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			return err.Error()
		}
		if is := meta.FindStatusCondition(*obj.StatusConditions(), kind); is != nil {
			return fmt.Sprintf("%s of %s is %+v", kind, obj.GetName(), is)
		}
		return ""
	})
}

// gone waits until an object is not there.
func gone(c *cluster, name string, obj client.Object) {
	c.t.Helper()
	c.eventually(func() string {
		err := c.client.Get(c.t.Context(), c.key(name), obj)
		if client.IgnoreNotFound(err) != nil {
			return err.Error()
		}
		if err == nil && obj.GetDeletionTimestamp().IsZero() {
			return fmt.Sprintf("%T %s is still there", obj, name)
		}
		return ""
	})
}

// quietFor fails the test if an operator writes anything in a time.
func (o *operator) quietFor(t *testing.T, d time.Duration) {
	t.Helper()
	before := o.calls.writes()
	time.Sleep(d) // That nothing happens can only be waited for.
	if wrote := o.calls.since(before); len(wrote) > 0 {
		t.Errorf("in %s without news it wrote %v", d, wrote)
	}
}
