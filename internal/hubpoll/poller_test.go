// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hubpoll_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/hubpoll"
	"github.com/kith-dev/kith/internal/reader"
)

var acme = types.NamespacedName{Namespace: "here", Name: "acme"}

// aHub is a hub as far as the operator sees one.
type aHub struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(http.ResponseWriter, *http.Request)
	calls  int
}

func newHub(t *testing.T) *aHub {
	t.Helper()
	h := &aHub{}
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls++
		h.answer(w, r)
	}))
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	h.StartTLS()
	t.Cleanup(h.Close)
	return h
}

func (h *aHub) set(answer func(http.ResponseWriter, *http.Request)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

func (h *aHub) says(s wire.Status) {
	h.set(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret-token" || r.URL.Path != wire.PathStatus {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(s)
	})
}

func (h *aHub) refuses(code int, words string) {
	h.set(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(wire.Error{Error: words})
	})
}

func (h *aHub) called() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

func (h *aHub) roots() ([]byte, error) {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), nil
}

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// running is a poller of one hub, each call of which can be waited for.
type running struct {
	*hubpoll.Poller
	hub   *aHub
	clock *clock

	mu      sync.Mutex
	changes []hubpoll.Changes
}

func run(t *testing.T, change func(*hubpoll.Options)) *running {
	t.Helper()
	r := &running{hub: newHub(t), clock: &clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}}
	o := hubpoll.Options{
		Token: func() (string, error) { return "secret-token", nil }, Roots: r.hub.roots,
		URL:      func(types.NamespacedName) string { return r.hub.URL },
		Interval: 4 * time.Millisecond, Soon: time.Millisecond, Timeout: 5 * time.Second, Now: r.clock.Now,
		Changed: func(c hubpoll.Changes) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.changes = append(r.changes, c)
		},
	}
	if change != nil {
		change(&o)
	}
	r.Poller = hubpoll.New(o)
	return r
}

// start begins to poll; what the hub answers must have been set.
func (r *running) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = r.Start(ctx) // it has no error
	}()
	t.Cleanup(func() { cancel(); <-ended })
	r.Watch(acme)
}

// until waits for a report.
func (r *running) until(t *testing.T, what string, is func(hubpoll.Report) bool) hubpoll.Report {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		report, ok := r.Report(acme)
		if ok && is(report) {
			return report
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s: %+v", what, report)
		}
	}
}

// again waits for two more calls: the first may have begun before.
func (r *running) again(t *testing.T) {
	t.Helper()
	from := r.hub.called()
	for deadline := time.Now().Add(10 * time.Second); r.hub.called() < from+3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the hub was not asked again")
		}
	}
}

func (r *running) told() []hubpoll.Changes {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.changes
	r.changes = nil
	return out
}

func known(r hubpoll.Report) bool { return r.Known && r.Err == nil }

func forum(now time.Time) wire.Status {
	share, cases, recent := 0.82561, 86, int64(40)
	return wire.Status{
		Community: "acme", Blueprint: "d1", Engine: "1", LedgerBytes: 4096,
		Channels: []wire.ChannelStatus{{Name: "forum", Known: true, History: "Complete", Watermark: now, State: &reader.State{
			Channel: "forum", Phase: reader.Connected, Generation: 1, Ready: true, Heartbeat: now, LastProgress: now, CompleteThrough: now, BackfillDone: true, Pages: 7,
		}}},
		Behaviours: []wire.BehaviourStatus{{Name: "solved", Recent: &recent}},
		Objectives: []wire.ObjectiveStatus{{Name: "faster", Standing: "Met", Value: &share, Target: 0.8, Cases: &cases, From: now.AddDate(0, 0, -28), To: now, AsOf: now}},
	}
}

func TestOnlyWhatBelongsIntoAStatusIsTold(t *testing.T) {
	at := hubpoll.Changes{Community: acme}
	for name, tc := range map[string]struct {
		change func(s *wire.Status, c *clock)
		want   []hubpoll.Changes
	}{
		"nothing": {change: func(*wire.Status, *clock) {}},
		"time goes on": {change: func(s *wire.Status, c *clock) {
			c.pass(4 * time.Hour)
			*s = forum(c.Now())
			s.LedgerBytes, s.Channels[0].State.Pages, s.Channels[0].State.Since = 1<<20, 9000, c.Now()
		}},
		"a value beyond its rounding": {change: func(s *wire.Status, _ *clock) { v := 0.82649; s.Objectives[0].Value = &v }},
		"a rounded value":             {change: func(s *wire.Status, _ *clock) { v := 0.8274; s.Objectives[0].Value = &v }, want: []hubpoll.Changes{{Community: acme, Objectives: []string{"faster"}}}},
		"a standing":                  {change: func(s *wire.Status, _ *clock) { s.Objectives[0].Standing = "NotMet" }, want: []hubpoll.Changes{{Community: acme, Objectives: []string{"faster"}}}},
		"a count":                     {change: func(s *wire.Status, _ *clock) { v := int64(41); s.Behaviours[0].Recent = &v }, want: []hubpoll.Changes{{Community: acme, Behaviours: []string{"solved"}}}},
		"a count that is hidden":      {change: func(s *wire.Status, _ *clock) { s.Behaviours[0].Recent = nil }, want: []hubpoll.Changes{{Community: acme, Behaviours: []string{"solved"}}}},
		"a phase": {change: func(s *wire.Status, _ *clock) {
			s.Channels[0].State.Phase, s.Channels[0].State.Message = reader.RateLimited, "wait"
		}, want: []hubpoll.Changes{{Community: acme, Channels: []string{"forum"}}}},
		"a reader that falls silent":                     {change: func(_ *wire.Status, c *clock) { c.pass(hubpoll.HeartbeatLimit) }, want: []hubpoll.Changes{{Community: acme, Channels: []string{"forum"}}}},
		"a restarted hub that has forgotten its readers": {change: func(s *wire.Status, _ *clock) { s.Channels[0].State = nil }},
		"a channel more":                                 {change: func(s *wire.Status, _ *clock) { s.Channels = append(s.Channels, wire.ChannelStatus{Name: "blog"}) }, want: []hubpoll.Changes{{Community: acme, Channels: []string{"blog"}}}},
		"a channel less":                                 {change: func(s *wire.Status, _ *clock) { s.Channels = nil }, want: []hubpoll.Changes{{Community: acme, Channels: []string{"forum"}}}},
		"a new blueprint":                                {change: func(s *wire.Status, _ *clock) { s.Blueprint = "d2" }, want: []hubpoll.Changes{{Community: acme, Hub: true}}},
		"a problem":                                      {change: func(s *wire.Status, _ *clock) { s.ProblemReason = wire.VolumeFull }, want: []hubpoll.Changes{{Community: acme, Hub: true}}},
		"another ledger":                                 {change: func(s *wire.Status, _ *clock) { s.LedgerID = "other" }, want: []hubpoll.Changes{{Community: acme, Hub: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, nil)
			s := forum(r.clock.Now())
			r.hub.says(s)
			r.start(t)
			r.until(t, "it answers", known)
			r.again(t)
			first := []hubpoll.Changes{{Community: acme, Hub: true, All: true, Channels: []string{"forum"}, Behaviours: []string{"solved"}, Objectives: []string{"faster"}}}
			if diff := cmp.Diff(first, r.told()); diff != "" {
				t.Fatalf("at first (-want +got):\n%s", diff)
			}
			s = forum(r.clock.Now())
			tc.change(&s, r.clock)
			r.hub.says(s)
			r.again(t)
			if diff := cmp.Diff(tc.want, r.told()); diff != "" {
				t.Errorf("of %v (-want +got):\n%s", at, diff)
			}
		})
	}
}

func TestWordsAloneAreToldSeldom(t *testing.T) {
	r := run(t, nil)
	s := forum(r.clock.Now())
	say := func(words string) {
		s.Channels[0].State.Message, s.Channels[0].State.Heartbeat = words, r.clock.Now()
		r.hub.says(s)
		r.again(t)
	}
	r.hub.says(s)
	r.start(t)
	r.until(t, "it answers", known)
	say("first")
	r.told()
	say("second")
	if got := r.told(); got != nil {
		t.Errorf("words were told right after other words: %v", got)
	}
	r.clock.pass(10 * time.Minute)
	say("second")
	if diff := cmp.Diff([]hubpoll.Changes{{Community: acme, Channels: []string{"forum"}}}, r.told()); diff != "" {
		t.Errorf("after ten minutes (-want +got):\n%s", diff)
	}
}

func TestAFailureSaysWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		options func(*hubpoll.Options)
		answer  func(*aHub)
		reason  hubpoll.Reason
		says    []string
	}{
		"its token is refused": {answer: func(h *aHub) { h.refuses(http.StatusForbidden, "not for you") }, reason: hubpoll.Refused, says: []string{"403: not for you", "access.json"}},
		"it is starting":       {answer: func(h *aHub) { h.refuses(http.StatusServiceUnavailable, "no blueprint yet") }, reason: hubpoll.NotReady, says: []string{"no blueprint yet"}},
		"it breaks":            {answer: func(h *aHub) { h.refuses(http.StatusInternalServerError, "sorry") }, reason: hubpoll.Broken, says: []string{"500: sorry"}},
		"it is somebody else's": {answer: func(h *aHub) {
			h.set(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
		}, reason: hubpoll.Broken, says: []string{"not a Kith hub"}},
		"it is another community's": {answer: func(h *aHub) { h.says(wire.Status{Community: "other"}) }, reason: hubpoll.Broken, says: []string{"another community than acme"}},
		"it sends somebody elsewhere": {answer: func(h *aHub) {
			h.set(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://elsewhere.example", http.StatusFound)
			})
		}, reason: hubpoll.Broken, says: []string{"302"}},
		"it answers without end": {answer: func(h *aHub) {
			h.set(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"problem":"`)
				_, _ = io.WriteString(w, strings.Repeat("x", 5<<20))
			})
		}, reason: hubpoll.Broken, says: []string{"longer than 4194304 bytes"}},
		"its certificate is not ours": {options: func(o *hubpoll.Options) { o.Roots = otherRoots(t) }, answer: func(h *aHub) { h.says(forum(time.Now())) }, reason: hubpoll.Untrusted, says: []string{"certificate"}},
		"nothing is there":            {answer: func(h *aHub) { h.Close() }, reason: hubpoll.Unreachable, says: []string{"connection refused"}},
		"there is no root certificate": {options: func(o *hubpoll.Options) { o.Roots = func() ([]byte, error) { return nil, nil } },
			answer: func(*aHub) {}, reason: hubpoll.NoToken, says: []string{"there is none yet"}},
		"there is no token": {options: func(o *hubpoll.Options) { o.Token = hubpoll.FileToken(filepath.Join(t.TempDir(), "token")) },
			answer: func(*aHub) {}, reason: hubpoll.NoToken, says: []string{"--token-file"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, tc.options)
			tc.answer(r.hub)
			r.start(t)
			got := r.until(t, "a call fails", func(r hubpoll.Report) bool { return r.Err != nil })
			if got.Err.Reason != tc.reason {
				t.Errorf("reason %s, want %s", got.Err.Reason, tc.reason)
			}
			for _, words := range tc.says {
				if !strings.Contains(got.Err.Message, words) {
					t.Errorf("it does not say %q: %s", words, got.Err.Message)
				}
			}
			if strings.Contains(got.Err.Message, "secret-token") {
				t.Errorf("it holds the token: %s", got.Err.Message)
			}
			if got.Known || got.Down {
				t.Errorf("known %t, down %t after one failure", got.Known, got.Down)
			}
		})
	}
}

// otherRoots are those of another hub. All test servers of the standard library share one certificate, so that it is made here.
func otherRoots(t *testing.T) func() ([]byte, error) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return func() ([]byte, error) { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil }
}

func TestAHubIsDownOnlyAfterAWhile(t *testing.T) {
	r := run(t, nil)
	r.hub.says(forum(r.clock.Now()))
	r.start(t)
	r.until(t, "it answers", known)
	r.again(t)
	r.told()

	r.hub.refuses(http.StatusServiceUnavailable, "restarting")
	failed := r.until(t, "a call fails", func(r hubpoll.Report) bool { return r.Err != nil })
	if failed.Down || !failed.Known {
		t.Errorf("a restart counts as an outage: %+v", failed)
	}
	r.clock.pass(hubpoll.Silence)
	r.until(t, "it is down", func(r hubpoll.Report) bool { return r.Down })
	r.again(t)
	// Everything that hangs on the hub is told, once.
	want := []hubpoll.Changes{{Community: acme, Hub: true, All: true, Channels: []string{"forum"}, Objectives: []string{"faster"}}}
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("when it went down (-want +got):\n%s", diff)
	}
	r.hub.says(forum(r.clock.Now()))
	r.until(t, "it answers again", func(r hubpoll.Report) bool { return known(r) && !r.Down })
	r.again(t)
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("when it came back (-want +got):\n%s", diff)
	}
}

func TestAHubThatIsForgottenIsNotAsked(t *testing.T) {
	r := run(t, nil)
	r.hub.says(forum(r.clock.Now()))
	r.start(t)
	r.until(t, "it answers", known)
	up := prometheus.NewDesc("kith_hub_up", "", []string{"namespace", "community"}, nil)
	if got := testutil.CollectAndCount(hubpoll.Up{Poller: r.Poller, Desc: up}); got != 1 {
		t.Errorf("%d series of one hub", got)
	}
	r.Forget(acme)
	if _, ok := r.Report(acme); ok {
		t.Error("its report is still there")
	}
	if got := testutil.CollectAndCount(hubpoll.Up{Poller: r.Poller, Desc: up}); got != 0 {
		t.Errorf("%d series of no hub", got)
	}
}

func TestCallsAreMoreFrequentWhileSomethingIsUnsettledAndNotForEver(t *testing.T) {
	r := run(t, func(o *hubpoll.Options) { o.Interval = time.Hour })
	s := forum(r.clock.Now())
	s.Channels[0].State.Phase, s.Channels[0].State.Ready = reader.Connecting, false
	r.hub.says(s)
	r.start(t)
	r.until(t, "it answers", known)
	r.again(t) // although the interval is an hour
	r.clock.pass(time.Hour)
	// Whatever was on its way comes to an end: then nobody asks.
	quiet := func() bool { from := r.hub.called(); time.Sleep(50 * time.Millisecond); return r.hub.called() == from }
	for deadline := time.Now().Add(10 * time.Second); !quiet(); {
		if time.Now().After(deadline) {
			t.Fatal("it is asked without end")
		}
	}
	r.Soon(acme)
	r.again(t)
}

func TestATokenIsReadAsTheKubeletRotatesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	token := hubpoll.FileToken(path)
	for _, want := range []string{"one", "two"} {
		if err := os.WriteFile(path, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := token(); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := token(); err == nil {
		t.Error("an empty file is taken for a token")
	}
}

func TestRounding(t *testing.T) {
	for v, want := range map[float64]string{0: "0.000", 0.82561: "0.826", 1: "1.000", 0.0004: "0.000"} {
		if got := hubpoll.RoundShare(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	if got := hubpoll.RoundCount(12); got != "12" {
		t.Errorf("a count of 12 is %s", got)
	}
	for _, tc := range []struct {
		done, total int64
		want        int
		ok          bool
	}{{0, 0, 0, false}, {0, 10, 0, true}, {37, 100, 30, true}, {100, 100, 100, true}, {120, 100, 100, true}} {
		if got, ok := hubpoll.RoundProgress(tc.done, tc.total); got != tc.want || ok != tc.ok {
			t.Errorf("%d of %d: %d, %t", tc.done, tc.total, got, ok)
		}
	}
}
