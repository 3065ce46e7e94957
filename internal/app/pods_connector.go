// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/delivery"
	hubclient "github.com/kith-dev/kith/internal/hub/client"
	"github.com/kith-dev/kith/internal/reader"
)

// podConnector reads channels whose configuration an operator delivers into a folder, and replaces in place.
type podConnector struct {
	o        ConnectorOptions
	client   *hubclient.Client
	channels *channels
	group    *reader.Group
	trouble  trouble

	community atomic.Pointer[string]
	// ready is set once channels have been declared to the group.
	ready atomic.Bool
	// seen are the last signs of life of whoever has taken channels over; lookAtOthers alone uses it.
	seen map[string]sign
}

// sign is what a reader last told the hub, and since when it has told nothing else.
type sign struct {
	epoch     int64
	heartbeat time.Time
	since     time.Time
}

const (
	// lookEvery is how often a connector looks whether those who have taken its channels over still read them.
	lookEvery = 30 * time.Second
	// silence is how long they may say nothing: several heartbeats. They may have been on their way out, as when a
	// placement is changed twice in a row.
	silence = 3 * time.Minute
)

// lookAtOthers reads channels again that have been taken over by somebody who has fallen silent.
func (p *podConnector) lookAtOthers(ctx context.Context, now time.Time) {
	gone := map[string]bool{}
	for _, s := range p.group.States() {
		if s.Phase == reader.TakenOver {
			gone[s.Channel] = true
		}
	}
	for channel := range p.seen {
		if !gone[channel] {
			delete(p.seen, channel)
		}
	}
	if len(gone) == 0 {
		return
	}
	status, err := p.client.Status(ctx)
	if err != nil {
		return // the hub is away, or this process is no longer to read these channels
	}
	for i := range status.Channels {
		c := &status.Channels[i]
		if !gone[c.Name] {
			continue
		}
		told := sign{epoch: c.Epoch, since: now}
		if c.State != nil {
			told.heartbeat = c.State.Heartbeat
		}
		last, had := p.seen[c.Name]
		switch {
		case !had || last.epoch != told.epoch || !last.heartbeat.Equal(told.heartbeat):
			p.seen[c.Name] = told
		case now.Sub(last.since) >= silence:
			delete(p.seen, c.Name)
			p.trouble.log.Info("Whoever took the channel over has fallen silent: it is read here again", "channel", c.Name, "holder", c.Holder)
			p.group.Return(c.Name)
		}
	}
}

func newPodConnector(std Stdio, o ConnectorOptions, client *hubclient.Client, holder string) *podConnector {
	return &podConnector{
		o: o, client: client, channels: newChannels(std, o.Version, o.SecretsDir, o.Now), trouble: trouble{log: std.Log},
		group: reader.NewGroup(reader.Options{Hub: client, Holder: holder, Yield: true, Log: std.Log, OnState: newPhaseLog(std.Log).state, Now: o.Now}),
		seen:  map[string]sign{},
	}
}

// deliveredConnector reads until ctx ends. Whatever keeps it from beginning, it says so, waits and goes on by itself.
func deliveredConnector(ctx context.Context, std Stdio, o ConnectorOptions, client *hubclient.Client, holder string) error {
	p := newPodConnector(std, o, client, holder)
	server := connectorServer(std, o.Version, p.name, p.group, o.Now, p.isReady)
	stopServing, err := listen(ctx, std, listener{flag: "--listen", address: o.Listen}, server, o.Ready)
	if err != nil {
		return err
	}
	defer stopServing()
	reading, stop := context.WithCancel(ctx)
	changed := make(chan struct{}, 1)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	folders := []watched{{path: o.Config, all: true}}
	if o.SecretsDir != "" {
		folders = append(folders, watched{path: o.SecretsDir, all: true})
	}
	beside.Go(func() {
		if err := watch(reading, std.Log, folders, func() { notify(changed) }); err != nil {
			std.Log.Error(err, "The configuration is not followed: the connector has to be restarted when it changes")
		}
	})
	beside.Go(func() {
		for reading.Err() == nil {
			waitFor(reading, nil, lookEvery)
			p.lookAtOthers(reading, time.Now())
		}
	})
	beside.Go(func() {
		for reading.Err() == nil {
			p.load()
			waitFor(reading, changed, p.pause())
		}
	})
	return p.group.Run(ctx)
}

func (p *podConnector) name() string {
	if name := p.community.Load(); name != nil {
		return *name
	}
	return ""
}

// pause is how long to wait for a change: what could not be used is looked at again without one.
func (p *podConnector) pause() time.Duration {
	if reason, _ := p.trouble.get(); reason != "" {
		return retryTime
	}
	return time.Hour
}

func (p *podConnector) isReady(context.Context) error {
	if p.ready.Load() {
		return nil
	}
	if _, message := p.trouble.get(); message != "" {
		return errors.New(message)
	}
	return errors.New("the connector is starting")
}

// load makes the group read what is declared now; what cannot be used leaves as it is what is being read.
func (p *podConnector) load() {
	err := p.apply()
	reason, message := configuration(err)
	if err != nil && p.ready.Load() {
		message += "; what was read before is read on"
	}
	p.trouble.set(reason, message)
}

func (p *podConnector) apply() error {
	delivered, err := delivery.LoadChannels(p.o.Config)
	if err != nil {
		return err
	}
	p.community.Store(&delivered.Community)
	mine := delivered.Channels
	if !p.o.AllChannels {
		mine = slices.DeleteFunc(mine, func(c delivery.Channel) bool { return !slices.Contains(p.o.Channels, c.Channel.Name) })
	}
	if len(mine) < len(p.o.Channels) {
		return fmt.Errorf("%w: community %s declares %d of the channels %s", delivery.ErrIncomplete, delivered.Community, len(mine), strings.Join(p.o.Channels, ", "))
	}
	list := make([]reader.Channel, 0, len(mine))
	for i := range mine {
		c, err := p.reader(&mine[i])
		if err != nil {
			return fmt.Errorf("channel %s: %w", mine[i].Channel.Name, err)
		}
		list = append(list, c)
	}
	if err := p.group.Apply(list); err != nil {
		return err
	}
	p.group.SecretsChanged()
	p.ready.Store(true)
	return nil
}

// reader gives what is to be read of a delivered channel: its generation is the resource's, and what else may change
// about it makes a revision.
func (p *podConnector) reader(c *delivery.Channel) (reader.Channel, error) {
	r, err := p.channels.reader(&c.Channel, time.Time{}, blueprint.Origin{})
	if err != nil {
		return r, err
	}
	r.Generation, r.Revision = c.Generation, r.Generation
	name := c.Channel.Name
	r.ResolveSince = func(ctx context.Context) (time.Time, error) { return p.client.Since(ctx, name) }
	return r, nil
}

// phaseLog logs how channels come to stand otherwise.
type phaseLog struct {
	log  logr.Logger
	mu   sync.Mutex
	last map[string]reader.State
}

func newPhaseLog(log logr.Logger) *phaseLog {
	return &phaseLog{log: log, last: map[string]reader.State{}}
}

func (l *phaseLog) state(s reader.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.last[s.Channel]
	if before.Phase == s.Phase && before.Message == s.Message {
		return
	}
	l.last[s.Channel] = reader.State{Phase: s.Phase, Message: s.Message}
	values := []any{"channel", s.Channel, "platform", s.Platform, "phase", s.Phase, "epoch", s.Epoch, "generation", s.Generation}
	if s.Message != "" {
		values = append(values, "message", s.Message)
	}
	if !s.RetryAt.IsZero() {
		values = append(values, "retryAt", s.RetryAt)
	}
	l.log.Info("Channel", values...)
}

// hubAnswers makes the client of a hub.
func hubAnswers(std Stdio, o ConnectorOptions) (*hubclient.Client, error) {
	options := hubclient.Options{Log: std.Log.WithName("hub"), UserAgent: "kith/" + BuildVersion(o.Version)}
	if o.HubCA != "" {
		options.Transport = newHubTransport(o.HubCA)
	}
	client, err := hubclient.New(o.Hub, tokenFrom(o.TokenFile), options)
	if err != nil {
		return nil, &UsageError{err}
	}
	return client, nil
}

// probe answers whether a process is ready.
func probe(ready func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := ready(r.Context()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprintln(w, err) // the caller has gone: there is nobody to tell
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	}
}
