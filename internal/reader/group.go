// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/kith-dev/kith/api/event"
)

// Group reads many channels in one process and follows their declarations.
type Group struct {
	opts Options

	mu      sync.Mutex
	readers map[string]*member
	// ctx is that of Run; nil before.
	ctx     context.Context
	running sync.WaitGroup
	errs    []error
}

type member struct {
	reader *Reader
	// cancel ends the reader; done is closed when it has ended. Both are nil before it has been started.
	cancel context.CancelFunc
	done   chan struct{}
}

// NewGroup makes an empty group; Apply fills it, Run reads.
func NewGroup(o Options) *Group {
	o = o.withDefaults()
	o.slots = make(chan struct{}, o.Parallel)
	return &Group{opts: o, readers: map[string]*member{}}
}

// Apply makes the group read exactly these channels: new ones start, changed ones are updated in place, others end after
// their running commit. Same names in one call are an error, and nothing is applied then. Callers pass only what has
// changed as a Channel with a new Generation or Revision; a channel of the same ones and suspension is left alone.
func (g *Group) Apply(channels []Channel) error {
	want := map[string]Channel{}
	for _, c := range channels {
		if _, twice := want[c.Name]; twice {
			return fmt.Errorf("two channels are named %q; names must differ", c.Name)
		}
		want[c.Name] = c
	}
	g.mu.Lock()
	var leaving []*member
	for name, m := range g.readers {
		if _, stays := want[name]; !stays {
			leaving = append(leaving, m)
			delete(g.readers, name)
		}
	}
	for name, c := range want {
		m := g.readers[name]
		if m != nil && m.ended() {
			if g.opts.Yield && m.reader.takenOver() {
				m.reader.Update(c) // for when it returns
				continue
			}
			m = nil
		}
		switch {
		case m == nil:
			m = &member{reader: New(c, g.opts)}
			g.readers[name] = m
			g.start(m)
		case m.reader.differs(c):
			m.reader.Update(c)
		}
	}
	g.mu.Unlock()
	for _, m := range leaving {
		m.stop()
	}
	return nil
}

// Return reads a channel again that another process had taken over. It takes the lease back.
func (g *Group) Return(channel string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.readers[channel]
	if m == nil || !m.ended() || !m.reader.takenOver() {
		return
	}
	m.reader.mu.Lock()
	c := m.reader.channel
	m.reader.mu.Unlock()
	m = &member{reader: New(c, g.opts)}
	g.readers[channel] = m
	g.start(m)
}

func (r *Reader) takenOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Phase == TakenOver
}

// differs says whether a declaration is another one than that being read.
func (r *Reader) differs(c Channel) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return c.Generation != r.channel.Generation || c.Revision != r.channel.Revision || c.Suspended != r.channel.Suspended
}

// Run reads until ctx ends and every reader has finished its running commit. In a once-run it returns when all have
// read everything, with the errors of those that could not.
func (g *Group) Run(ctx context.Context) error {
	g.mu.Lock()
	if g.ctx != nil {
		g.mu.Unlock()
		return errors.New("the group is already running")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g.ctx = ctx
	for _, m := range g.readers {
		g.start(m)
	}
	g.mu.Unlock()
	if !g.opts.Once {
		<-ctx.Done()
	}
	g.mu.Lock()   // A start that is under way is counted before the wait.
	g.mu.Unlock() //nolint:staticcheck,gocritic // Empty on purpose.
	g.running.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.SortFunc(g.errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(g.errs...)
}

// start begins reading once the group runs. The caller holds the lock.
func (g *Group) start(m *member) {
	if g.ctx == nil || g.ctx.Err() != nil || m.done != nil {
		return
	}
	ctx, cancel := context.WithCancel(g.ctx)
	m.cancel, m.done = cancel, make(chan struct{})
	g.running.Go(func() {
		defer close(m.done)
		defer cancel()
		err := m.reader.Run(ctx)
		if g.opts.Yield && errors.Is(err, ErrTakenOver) {
			return // as it should be; its state says so
		}
		if err != nil {
			g.opts.Log.Error(err, "channel is no longer read", "channel", m.reader.State().Channel)
			g.mu.Lock()
			g.errs = append(g.errs, fmt.Errorf("channel %s: %w", m.reader.State().Channel, err))
			g.mu.Unlock()
		}
	})
}

// States tells how every channel stands, ordered by name.
func (g *Group) States() []State {
	g.mu.Lock()
	all := make([]State, 0, len(g.readers))
	for _, m := range g.readers {
		all = append(all, m.reader.State())
	}
	g.mu.Unlock()
	slices.SortFunc(all, func(a, b State) int { return strings.Compare(a.Channel, b.Channel) })
	return all
}

// Changed tells every reader that secrets may have changed.
func (g *Group) Changed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.readers {
		m.reader.Changed()
	}
}

// SecretsChanged tells every reader to look whether its own secrets have changed.
func (g *Group) SecretsChanged() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.readers {
		m.reader.SecretsChanged()
	}
}

// Wake passes on that a channel may have something new; false where the group does not read it.
func (g *Group) Wake(channel string, l event.Lane) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.readers[channel]
	if m == nil {
		return false
	}
	m.reader.Wake(l)
	return true
}

func (m *member) ended() bool {
	if m.done == nil {
		return false
	}
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

func (m *member) stop() {
	if m.done == nil {
		return
	}
	m.cancel()
	<-m.done
}
