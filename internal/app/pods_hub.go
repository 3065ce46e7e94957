// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/ledger"
)

// podHub is a hub whose configuration an operator delivers into a folder, and replaces in place.
type podHub struct {
	std Stdio
	o   HubOptions

	tokens          *hub.AccountTokens
	verifier        hub.Verifier
	api, operations *handler
	// waits is what keeps the hub from starting, runs what it cannot do of what it should.
	trouble trouble
	// community is its name, once the configuration has told it.
	mu        sync.Mutex
	community string

	// lender is there once the ledger has been opened for the first time; nil where commands cannot ask for it.
	lender *lender
}

// lentTo ends a life of the hub: somebody is to have the ledger.
type lentTo struct{ net.Conn }

// Error implements error.
func (lentTo) Error() string { return "the ledger is to be lent" }

// errRestart is returned where what was opened has to be opened anew.
var errRestart = errors.New("begin again")

// deliveredHub runs a hub until ctx ends. Whatever keeps it from starting, it says so, waits and goes on by itself: a
// process that ends again and again tells less, and later.
func deliveredHub(ctx context.Context, std Stdio, o HubOptions) error {
	p := &podHub{std: std, o: o, tokens: hub.NewAccountTokens(o.Now), trouble: trouble{log: std.Log}}
	p.verifier = p.tokens
	if o.TokenFile != "" {
		p.verifier = hub.SharedToken(o.TokenFile)
	}
	server := p.server(nil)
	api, operations := hub.Starting(p.name, server)
	p.api, p.operations = &handler{next: api}, &handler{next: operations}
	stopOperations, err := listen(ctx, std, listener{flag: "--metrics-listen", address: o.MetricsListen}, hub.Bounded(p.operations, server), o.MetricsReady)
	if err != nil {
		return err
	}
	defer stopOperations()
	stopAPI, err := listen(ctx, std, listener{flag: "--listen", address: o.Listen, tlsDir: o.TLSDir}, hub.Bounded(p.api, server), o.Ready)
	if err != nil {
		return err
	}
	defer stopAPI()

	changed := make(chan struct{}, 1)
	var beside sync.WaitGroup
	defer beside.Wait()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	beside.Go(func() { p.watch(watching, changed) })
	defer func() {
		if p.lender != nil {
			p.lender.close()
		}
	}()
	for ctx.Err() == nil {
		err := p.run(ctx, changed)
		if err == nil || errors.Is(err, errRestart) {
			continue
		}
		if to, ok := errors.AsType[lentTo](err); ok {
			p.trouble.set(wire.Maintenance, "a command in the hub's pod has the ledger; pages wait until it has ended")
			lend(ctx, to)
			continue
		}
		p.trouble.set(p.starting(err))
		waitFor(ctx, changed, retryTime)
	}
	return nil
}

func (p *podHub) watch(ctx context.Context, changed chan<- struct{}) {
	folders := []watched{{path: p.o.Config, all: true}}
	if p.o.SecretsDir != "" {
		folders = append(folders, watched{path: p.o.SecretsDir, all: true})
	}
	if err := watch(ctx, p.std.Log, folders, func() { notify(changed) }); err != nil {
		p.std.Log.Error(err, "The configuration is not followed: the hub has to be restarted when it changes")
	}
}

// server gives the options of the API.
func (p *podHub) server(h *hub.Hub) hub.ServerOptions {
	o := hub.ServerOptions{Verifier: p.verifier, Log: p.std.Log.WithName("http"), Build: build(p.o.Version), Problem: p.trouble.get}
	if h != nil {
		o.Connectors = h.FedStates // connectors export their own
	}
	return o
}

func (p *podHub) name() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.community
}

// starting says what an error that keeps the hub from starting comes to.
func (p *podHub) starting(err error) (wire.ProblemReason, string) {
	switch {
	case errors.Is(err, errKey):
		return wire.KeyMissing, OneLine(err)
	case ledger.IsFull(err):
		return wire.VolumeFull, "the ledger cannot be opened, since its volume is full: expand the PersistentVolumeClaim. " + OneLine(err)
	case errors.Is(err, errLedger):
		return wire.StorageError, OneLine(err)
	}
	return configuration(err)
}

// run is one life of the hub: it ends with ctx, with errRestart, or with what keeps it from starting.
func (p *podHub) run(ctx context.Context, changed <-chan struct{}) error {
	bp, err := p.load()
	if err != nil {
		return err
	}
	keys, err := p.keys()
	if err != nil {
		return fmt.Errorf("%w: %w", errKey, err)
	}
	l, err := openLedger(ctx, p.o.DataDir, keys)
	if err != nil {
		return fmt.Errorf("%w: %w", errLedger, err)
	}
	if p.lender == nil {
		if p.lender, err = newLender(ctx, p.o.DataDir); err != nil {
			p.std.Log.Info("Commands in this pod cannot ask for the ledger while the hub runs", "error", err.Error())
		}
	}
	var asked chan net.Conn
	if p.lender != nil {
		asked = p.lender.asked
	}
	h := hub.New(l, hub.Options{Log: p.std.Log, Now: p.o.Now})
	defer func() {
		h.Close()
		if err := l.Close(); err != nil {
			p.std.Log.Error(err, "The ledger did not close well")
		}
	}()
	if err := p.apply(ctx, h, bp); err != nil {
		return err
	}
	if err := h.Resume(ctx); err != nil {
		return fmt.Errorf("%w: %w", errLedger, err)
	}
	p.trouble.set("", "")
	o := p.server(h)
	api, operations := hub.Handlers(h, o)
	p.api.use(api)
	p.operations.use(operations)
	// Calls in work end before the ledger is closed.
	defer func() {
		api, operations := hub.Starting(p.name, p.server(nil))
		p.api.use(api)
		p.operations.use(operations)
	}()
	p.std.Log.Info("The hub runs", "community", bp.Name, "channels", len(bp.Channels))
	var beside sync.WaitGroup
	defer beside.Wait()
	living, stop := context.WithCancel(ctx)
	defer stop()
	beside.Go(func() { h.Maintain(living) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case c := <-asked:
			return lentTo{c}
		case <-changed:
			now, err := p.keys()
			if err == nil && !now.Equal(keys) {
				p.std.Log.Info("The identity key has changed: the ledger is opened anew under it")
				return errRestart
			}
			p.reload(ctx, h)
		}
	}
}

// load reads what was delivered: who may call first, so that the operator can be told of the rest.
func (p *podHub) load() (*blueprint.Blueprint, error) {
	access, err := delivery.LoadAccess(p.o.Config)
	if err == nil {
		err = p.tokens.Update(access)
	}
	if p.o.TokenFile != "" {
		err = nil // callers present the shared token
	}
	bp, bpErr := delivery.LoadBlueprint(p.o.Config)
	if bpErr == nil {
		p.mu.Lock()
		p.community = bp.Name
		p.mu.Unlock()
	}
	return bp, errors.Join(err, bpErr)
}

// keys gives the identity keys: those of the Secret that the operator mounts, else one in the data folder.
func (p *podHub) keys() (ledger.Keys, error) {
	return identityKeys(p.o.DataDir, p.o.SecretsDir, p.o.KeySecret)
}

func (p *podHub) apply(ctx context.Context, h *hub.Hub, bp *blueprint.Blueprint) error {
	if err := h.Apply(ctx, bp); err != nil {
		return err
	}
	for name := range h.States() {
		if !slices.ContainsFunc(bp.Channels, func(c blueprint.Channel) bool { return c.Name == name }) {
			h.Forget(name)
		}
	}
	return nil
}

// reload puts what was delivered in force; what cannot be used leaves in force what was.
func (p *podHub) reload(ctx context.Context, h *hub.Hub) {
	bp, err := p.load()
	if err == nil {
		err = p.apply(ctx, h, bp)
	}
	if ctx.Err() != nil {
		return
	}
	reason, message := configuration(err)
	if err != nil {
		message += "; what was in force before goes on"
	}
	p.trouble.set(reason, message)
}
