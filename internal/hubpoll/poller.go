// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hubpoll

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
)

// Bounds of polling.
const (
	// Silence is how long a hub may fail to answer before nothing is known any more: shorter than that is a restart.
	Silence = 2 * time.Minute
	// atOnce is how many hubs are asked at the same time.
	atOnce = 8
	// eager is for how long a hub is asked more often after something has changed that it is to answer for.
	eager = 3 * time.Minute
	// wordsEvery is how often a change of nothing but words is worth telling.
	wordsEvery = 10 * time.Minute
)

// Options of New.
type Options struct {
	// Token gives the operator's token of now; see FileToken.
	Token func() (string, error)
	// Roots gives the certificates, in PEM, that hubs' certificates are signed with. It is asked before each call.
	Roots func() ([]byte, error)
	// URL gives the address of a community's hub. Default delivery.HubURL.
	URL func(types.NamespacedName) string
	// Dial replaces how hubs are connected to, for an operator outside of the cluster's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Changed is told what an answer has changed; it must not block.
	Changed func(Changes)
	// Interval between two calls, which are spread over a tenth of it. Default 30 s.
	Interval time.Duration
	// Soon is the interval while something is unsettled. Default 3 s.
	Soon time.Duration
	// Timeout of one call. Default 10 s.
	Timeout time.Duration
	// Silence replaces the constant of that name.
	Silence time.Duration
	Now     func() time.Time
	Log     logr.Logger
}

// Report is what is known of one hub.
type Report struct {
	// Status is the last answer, At when it came; Known is false before the first one.
	Status wire.Status
	At     time.Time
	Known  bool
	// Err says why the last call failed; nil where it did not.
	Err *Failure
	// Down is true once the hub has not answered for Silence: Status says nothing of now then.
	Down bool
}

// Poller asks the hubs. It is safe for concurrent use.
type Poller struct {
	o    Options
	http *caller
	turn chan struct{}

	mu    sync.Mutex
	hubs  map[types.NamespacedName]*hub
	start func(*hub) // set once Start runs
}

// hub is one community's.
type hub struct {
	key  types.NamespacedName
	soon chan struct{}
	stop context.CancelFunc

	// What follows is guarded by Poller.mu.
	report Report
	// silentSince is when it last answered, or when it was first asked.
	silentSince time.Time
	// eagerUntil ends the time of frequent calls.
	eagerUntil time.Time
	failures   int
	// told is what Changed was last told of, toldWords when.
	told      outlook
	toldWords time.Time
}

// New makes a poller. It asks nobody before Start.
func New(o Options) *Poller {
	o.Interval, o.Soon = cmp.Or(o.Interval, 30*time.Second), cmp.Or(o.Soon, 3*time.Second)
	o.Timeout, o.Silence = cmp.Or(o.Timeout, 10*time.Second), cmp.Or(o.Silence, Silence)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.URL == nil {
		o.URL = func(k types.NamespacedName) string { return delivery.HubURL(k.Namespace, k.Name) }
	}
	if o.Changed == nil {
		o.Changed = func(Changes) {}
	}
	return &Poller{o: o, http: &caller{token: o.Token, roots: o.Roots, dial: o.Dial}, turn: make(chan struct{}, atOnce), hubs: map[types.NamespacedName]*hub{}}
}

// Start asks all hubs until the context ends. It implements manager.Runnable.
func (p *Poller) Start(ctx context.Context) error {
	var all sync.WaitGroup
	start := func(h *hub) {
		ctx, cancel := context.WithCancel(ctx)
		h.stop = cancel
		all.Go(func() { p.run(ctx, h) })
	}
	p.mu.Lock()
	p.start = start
	for _, h := range p.hubs {
		start(h)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.start = nil
	p.mu.Unlock()
	all.Wait()
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: who writes no status needs to ask nobody.
func (p *Poller) NeedLeaderElection() bool { return true }

// Watch asks a community's hub from now on. Watching twice is watching once.
func (p *Poller) Watch(key types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hubs[key] != nil {
		return
	}
	now := p.o.Now()
	h := &hub{key: key, soon: make(chan struct{}, 1), silentSince: now, eagerUntil: now.Add(eager)}
	p.hubs[key] = h
	if p.start != nil {
		p.start(h)
	}
}

// Forget asks it no more.
func (p *Poller) Forget(key types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.hubs[key]; h != nil {
		delete(p.hubs, key)
		if h.stop != nil {
			h.stop()
		}
	}
}

// Soon asks for an answer within seconds, and for some minutes: something was changed that the hub is to answer for.
func (p *Poller) Soon(key types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hubs[key]
	if h == nil {
		return
	}
	h.eagerUntil = p.o.Now().Add(eager)
	select {
	case h.soon <- struct{}{}:
	default:
	}
}

// Report gives what is known of a community's hub; false where nobody watches it.
func (p *Poller) Report(key types.NamespacedName) (Report, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hubs[key]
	if h == nil {
		return Report{}, false
	}
	return h.report, true
}

// run asks one hub until the context ends.
func (p *Poller) run(ctx context.Context, h *hub) {
	wait := spread(p.o.Soon) // not all in the same moment when the operator starts
	for {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-h.soon:
			// The cluster needs a moment for what was just changed, and a burst of changes is one.
			timer.Stop()
			timer.Reset(min(wait, spread(p.o.Soon)))
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return
		case p.turn <- struct{}{}:
		}
		wait = p.ask(ctx, h)
		<-p.turn
	}
}

// spread takes off up to a half.
func spread(d time.Duration) time.Duration {
	return d - time.Duration(rand.Float64()*0.5*float64(d)) //nolint:gosec // Spreading calls needs no secrecy.
}

// ask makes one call, keeps its outcome, tells what has changed, and says how long to wait.
func (p *Poller) ask(ctx context.Context, h *hub) time.Duration {
	call, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	status, err := p.http.status(call, p.o.URL(h.key), h.key.Name)
	if ctx.Err() != nil {
		return 0
	}
	var failure *Failure
	if err != nil && !errors.As(err, &failure) {
		failure = &Failure{Reason: Broken, Message: err.Error()}
	}
	p.mu.Lock()
	p.keep(h, status, failure)
	changes, changed := p.compare(h)
	wait := p.next(h)
	p.mu.Unlock()
	if changed {
		p.o.Changed(changes)
	}
	return wait
}

// keep takes the outcome of a call. Called with mu held.
func (p *Poller) keep(h *hub, status wire.Status, failure *Failure) {
	now := p.o.Now()
	before := h.report
	if failure != nil {
		h.failures++
		h.report.Err = failure
		h.report.Down = now.Sub(h.silentSince) >= p.o.Silence
		if before.Err == nil || before.Err.Reason != failure.Reason || h.report.Down != before.Down {
			p.o.Log.Info("A hub does not tell how it stands", "namespace", h.key.Namespace, "community", h.key.Name,
				"reason", failure.Reason, "message", failure.Message, "since", h.silentSince)
		}
		return
	}
	if before.Err != nil {
		p.o.Log.Info("A hub tells how it stands again", "namespace", h.key.Namespace, "community", h.key.Name)
	}
	if before.Known {
		carry(before.Status, &status)
	}
	h.failures, h.silentSince = 0, now
	h.report = Report{Status: status, At: now, Known: true}
}

// carry keeps the last word of each channel's reader over a restart of the hub, which has forgotten it. It is not newer
// for that: its heartbeat grows old.
func carry(before wire.Status, now *wire.Status) {
	for i := range now.Channels {
		if c := &now.Channels[i]; c.State == nil {
			for j := range before.Channels {
				if before.Channels[j].Name == c.Name {
					c.State = before.Channels[j].State
				}
			}
		}
	}
}

// next says when to ask again. Called with mu held.
func (p *Poller) next(h *hub) time.Duration {
	interval := p.o.Interval - time.Duration(rand.Float64()*0.1*float64(p.o.Interval)) //nolint:gosec // As above.
	if p.o.Now().After(h.eagerUntil) {
		return interval
	}
	if h.report.Err != nil {
		// A hub that starts answers within seconds; one that does not is asked less and less.
		return min(interval, spread(p.o.Soon<<min(h.failures/2, 8)))
	}
	if unsettled(h.report.Status) {
		return min(interval, spread(2*p.o.Soon))
	}
	return interval
}

// unsettled is whether a channel is on its way, so that its next word may come at any moment.
func unsettled(s wire.Status) bool {
	for i := range s.Channels {
		state := s.Channels[i].State
		if state == nil || state.Phase == connecting || (state.Phase.Reading() && !state.Ready) {
			return true
		}
	}
	return false
}
