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
	Version   string
	Now       func() time.Time
	// Ready is told where the hub answers, once it does; nil: nobody is told.
	Ready func(address string)
}

// Hub runs a community's hub alone, until ctx ends: it keeps the ledger and serves connectors and metrics.
func Hub(ctx context.Context, std Stdio, o HubOptions) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Listen == "" {
		return Usagef("--listen is empty: a hub alone is of no use where nobody can reach it")
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

// ConnectorOptions are those of Connector.
type ConnectorOptions struct {
	Folder, SecretsDir, Community string
	// Channels to read, of those in the folder.
	Channels []string
	// Hub is its address; TokenFile holds what is presented to it.
	Hub, TokenFile string
	// Listen is where the connector's own metrics are served; empty: nowhere.
	Listen       string
	ExitWhenRead bool
	Version      string
	Now          func() time.Time
}

// Connector reads channels and gives what it reads to a hub elsewhere, until ctx ends. It keeps nothing itself.
func Connector(ctx context.Context, std Stdio, o ConnectorOptions) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	client, err := hubclient.New(o.Hub, tokenFrom(o.TokenFile), hubclient.Options{Log: std.Log.WithName("hub"), UserAgent: "kith/" + BuildVersion(o.Version)})
	if err != nil {
		return &UsageError{err}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
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
	server := connectorServer(std, o.Version, func() string { return community }, r.group, o.Now)
	stop, err := serve(ctx, std, o.Listen, server, nil)
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

func connectorServer(std Stdio, version string, community func() string, g *reader.Group, now func() time.Time) *http.Server {
	registry := metrics.NewRegistry(build(version))
	registry.MustRegister(&metrics.Connectors{Community: community, States: g.States, Now: now})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler(registry, std.Log))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
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
