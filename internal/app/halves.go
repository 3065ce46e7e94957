// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	hubclient "github.com/kith-dev/kith/internal/hub/client"
	"github.com/kith-dev/kith/internal/metrics"
	"github.com/kith-dev/kith/internal/reader"
)

// HubOptions are those of Hub.
type HubOptions struct {
	Folder, DataDir, SecretsDir, Community string
	Listen                                 string
	// TokenFile holds what connectors present, at least 16 characters; read again when it changes.
	TokenFile string
	// Config is the folder into which the operator delivers the configuration; with it there is no Folder, and callers
	// present ServiceAccount tokens unless there is a TokenFile. KeySecret is the Secret below SecretsDir with the
	// identity key; empty: the data folder's own.
	Config, KeySecret string
	// TLSDir holds tls.crt and tls.key for Listen; empty: plain HTTP. MetricsListen is where metrics and probes are
	// answered, apart from the API.
	TLSDir, MetricsListen string
	Version               string
	Now                   func() time.Time
	// Ready is told where the hub answers, once it does; nil: nobody is told.
	Ready func(address string)
	// MetricsReady is told where metrics are served.
	MetricsReady func(address string)
}

// Hub runs a community's hub alone, until ctx ends: it keeps the ledger and serves connectors and metrics.
func Hub(ctx context.Context, std Stdio, o HubOptions) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Listen == "" {
		return Usagef("--listen is empty: a hub alone is of no use where nobody can reach it")
	}
	if err := oneSource(o.Folder, o.Config); err != nil {
		return err
	}
	if o.Config != "" {
		if o.DataDir == "" {
			return Usagef("--data-dir is empty: with --config it has to be said where the ledger lies")
		}
		return deliveredHub(ctx, std, o)
	}
	if o.TokenFile == "" {
		return Usagef("--token-file is empty: with -f it holds what connectors present")
	}
	if o.TLSDir != "" || o.MetricsListen != "" || o.KeySecret != "" {
		return Usagef("--tls-dir, --metrics-listen and --key-secret go with --config, not with -f")
	}
	r := &runner{
		std: std, manifests: &manifests{folder: o.Folder, wanted: o.Community},
		o: RunOptions{Folder: o.Folder, DataDir: o.DataDir, SecretsDir: o.SecretsDir, Now: o.Now, Version: o.Version},
	}
	c, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.applyRules(ctx, c); err != nil {
		return err
	}
	if err := r.hub.Resume(ctx); err != nil {
		return err
	}
	stop, err := serve(ctx, std, o.Listen, hub.NewServer(r.hub, hub.ServerOptions{
		Verifier: hub.SharedToken(o.TokenFile), Log: std.Log.WithName("http"), Build: build(o.Version),
	}), o.Ready)
	if err != nil {
		return err
	}
	defer stop()
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { r.hub.Maintain(ctx) })
	return watch(ctx, std.Log, []watched{{path: o.Folder}}, func() { r.reload(ctx) })
}

// oneSource says what is wrong unless exactly one place of declarations is named.
func oneSource(folder, config string) error {
	switch {
	case folder == "" && config == "":
		return Usagef("say where the declarations are: -f FOLDER with manifests, or --config DIR with what the operator delivers")
	case folder != "" && config != "":
		return Usagef("-f and --config are both given: declarations come from one of them")
	}
	return nil
}

// ConnectorOptions are those of Connector.
type ConnectorOptions struct {
	Folder, SecretsDir, Community string
	// Channels to read, of those in the folder.
	Channels []string
	// Config is the folder into which the operator delivers the configuration; with it there is no Folder. AllChannels
	// reads every channel in it, those that come later too.
	Config      string
	AllChannels bool
	// Hub is its address; TokenFile holds what is presented to it. HubCA holds the authorities that its certificate may
	// come from; empty: those of the system. Both are read again when they change.
	Hub, TokenFile, HubCA string
	// Listen is where the connector's own metrics are served; empty: nowhere.
	Listen       string
	ExitWhenRead bool
	Version      string
	Now          func() time.Time
	// Ready is told where metrics are served, once they are; nil: nobody is told.
	Ready func(address string)
}

// Connector reads channels and gives what it reads to a hub elsewhere, until ctx ends. It keeps nothing itself.
func Connector(ctx context.Context, std Stdio, o ConnectorOptions) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := o.check(); err != nil {
		return err
	}
	client, err := hubAnswers(std, o)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	if o.Config != "" {
		return deliveredConnector(ctx, std, o, client, "kith connector on "+host)
	}
	p := newProgress(std.Err, std.Terminal)
	defer p.close()
	r := &runner{
		std: std, manifests: &manifests{folder: o.Folder, wanted: o.Community}, progress: p,
		o:        RunOptions{Folder: o.Folder, SecretsDir: o.SecretsDir, Now: o.Now, Version: o.Version},
		channels: newChannels(std, o.Version, o.SecretsDir, o.Now),
		group: reader.NewGroup(reader.Options{
			Hub: client, Holder: "kith connector on " + host, Once: o.ExitWhenRead, Log: std.Log, OnState: p.state, Now: o.Now,
		}),
	}
	c, err := r.manifests.load()
	if c != nil {
		r.tellProblems(c)
	}
	if err != nil {
		return err
	}
	community := c.blueprint.Name
	server := connectorServer(std, o.Version, func() string { return community }, r.group, o.Now, func(context.Context) error { return nil })
	stop, err := serve(ctx, std, o.Listen, server, o.Ready)
	if err != nil {
		return err
	}
	defer stop()
	since := &hubSince{client: client, say: r.say}
	if err := r.applyChannels(ctx, c, o.Channels, since); err != nil {
		return err
	}
	if o.ExitWhenRead {
		return r.group.Run(ctx)
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() {
		_ = watch(ctx, std.Log, r.watched(), func() { r.reloadChannels(ctx, o.Channels, since) }) // without it edits need a restart
	})
	return r.group.Run(ctx)
}

// check refuses options that do not go together.
func (o *ConnectorOptions) check() error {
	if err := oneSource(o.Folder, o.Config); err != nil {
		return err
	}
	switch {
	case len(o.Channels) == 0 && !o.AllChannels:
		return Usagef("say what to read: --channel NAME, or --all-channels with --config")
	case len(o.Channels) > 0 && o.AllChannels:
		return Usagef("--channel and --all-channels are both given: it is one or the other")
	case o.AllChannels && o.Config == "":
		return Usagef("--all-channels goes with --config; with -f, kith run reads all channels")
	case o.ExitWhenRead && o.Config != "":
		return Usagef("--exit-when-read goes with -f, not with --config")
	}
	return nil
}

// applyChannels reads those channels of a blueprint that are this process's.
func (r *runner) applyChannels(ctx context.Context, c *compiled, names []string, since resolver) error {
	mine := *c
	copied := *c.blueprint
	copied.Channels = nil
	for _, channel := range c.blueprint.Channels {
		if slices.Contains(names, channel.Name) {
			copied.Channels = append(copied.Channels, channel)
		}
	}
	if len(copied.Channels) == 0 {
		return fmt.Errorf("community %s has none of the channels %s: it has %s", copied.Name, strings.Join(names, ", "), channelNames(c.blueprint))
	}
	mine.blueprint = &copied
	list, err := r.channels.readers(ctx, &mine, since)
	if err != nil {
		return err
	}
	return r.group.Apply(list)
}

func channelNames(bp *blueprint.Blueprint) string {
	if len(bp.Channels) == 0 {
		return "no channels"
	}
	var names []string
	for _, c := range bp.Channels {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

func (r *runner) reloadChannels(ctx context.Context, names []string, since resolver) {
	c, err := r.manifests.load()
	if c != nil {
		r.tellProblems(c)
	}
	if err == nil {
		err = r.applyChannels(ctx, c, names, since)
	}
	if err != nil {
		r.say("%s was edited and cannot be used: %s. What ran before goes on.", r.o.Folder, OneLine(err))
		return
	}
	r.group.Changed()
}

func connectorServer(std Stdio, version string, community func() string, g *reader.Group, now func() time.Time, ready func(context.Context) error) *http.Server {
	registry := metrics.NewRegistry(build(version))
	registry.MustRegister(&metrics.Connectors{Community: community, States: g.States, Now: now})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler(registry, std.Log))
	mux.HandleFunc("GET /healthz", probe(func(context.Context) error { return nil }))
	mux.HandleFunc("GET /readyz", probe(ready))
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
}

// tokenFrom reads a token at each use, so that one replaced in place is taken at once.
func tokenFrom(file string) func() (string, error) {
	secret := reader.FileSecrets(filepath.Dir(file))
	return func() (string, error) {
		token, ok := secret(filepath.Base(file))
		if !ok {
			return "", fmt.Errorf("there is no token in %s: put there what the hub's --token-file holds", file)
		}
		return strings.TrimSpace(token), nil
	}
}

// hubSince asks the hub for horizons, since it resolves them once; it waits for a hub that is not there yet.
type hubSince struct {
	client *hubclient.Client
	say    func(string, ...any)
}

// ResolveSince implements resolver.
func (s *hubSince) ResolveSince(ctx context.Context, channel string, _ blueprint.Since) (time.Time, error) {
	const pause = 2 * time.Second
	for told := false; ; told = true {
		t, err := s.client.Since(ctx, channel)
		if err == nil || ctx.Err() != nil || errors.Is(err, reader.ErrRefused) {
			return t, err
		}
		if !told {
			s.say("%s: waiting for the hub: %s", channel, OneLine(err))
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return time.Time{}, ctx.Err()
		case <-timer.C:
		}
	}
}
