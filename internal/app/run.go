// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/reader"
)

// RunOptions are those of Run.
type RunOptions struct {
	// Folder holds the manifests; a single file will do.
	Folder string
	// DataDir holds the ledger; empty: DefaultDataDir.
	DataDir string
	// SecretsDir holds a folder for each Secret, with a file for each key.
	SecretsDir string
	// Community to run, where the folder holds several.
	Community string
	// Listen is where metrics are served; empty: nowhere.
	Listen       string
	ExitWhenRead bool
	Output       string
	Version      string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Ready is told where metrics are served, once they are; nil: nobody is told.
	Ready func(address string)
}

// Run reads the channels of a folder's community into a ledger, in one process, until ctx ends: it follows the folder,
// serves metrics and shows what members do for each other.
func Run(ctx context.Context, std Stdio, o RunOptions) error {
	if err := checkOutput(o.Output, OutputText, OutputJSON); err != nil {
		return err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &runner{std: std, o: o, manifests: &manifests{folder: o.Folder, wanted: o.Community}}
	r.channels = newChannels(std, o.Version, o.SecretsDir, o.Now)
	c, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	// Served before anything is read: what watches kith sees from the beginning how far it is.
	stopServing, err := serve(ctx, std, o.Listen, hub.NewServer(r.hub, hub.ServerOptions{Log: std.Log.WithName("http"), Build: build(o.Version)}), o.Ready)
	if err != nil {
		return err
	}
	defer stopServing()
	return r.run(ctx, c)
}

// begin loads the manifests, tells what is wrong with them, and opens the community's ledger.
func (r *runner) begin(ctx context.Context) (*compiled, error) {
	c, err := r.manifests.load()
	if c != nil {
		r.tellProblems(c)
	}
	if err != nil {
		return nil, err
	}
	return c, r.open(ctx, c)
}

// runner is one run.
type runner struct {
	std       Stdio
	o         RunOptions
	manifests *manifests
	channels  *channels
	hub       *hub.Hub
	group     *reader.Group
	progress  *progress
	told      string
}

func (r *runner) open(ctx context.Context, c *compiled) error {
	dir := r.o.DataDir
	if dir == "" {
		dir = DefaultDataDir(c.blueprint.Name)
	}
	keys, err := ledgerKeys(dir, r.o.SecretsDir, c.community)
	if err != nil {
		return err
	}
	l, err := openLedger(ctx, dir, keys)
	if err != nil {
		return err
	}
	r.hub = hub.New(l, hub.Options{Log: r.std.Log, Now: r.o.Now})
	fmt.Fprintf(r.std.Err, "Community %s. The ledger is in %s.\n", c.blueprint.Name, dir)
	return nil
}

func (r *runner) close() {
	l := r.hub.Ledger()
	r.hub.Close()
	if err := l.Close(); err != nil {
		r.std.Log.Error(err, "close the ledger")
	}
}

func (r *runner) run(ctx context.Context, c *compiled) error {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	r.progress = newProgress(r.std.Err, r.std.Terminal)
	defer r.progress.close()
	r.group = reader.NewGroup(reader.Options{
		Hub: r.hub, Holder: "kith run on " + host, Once: r.o.ExitWhenRead, Log: r.std.Log, OnState: r.progress.state, Now: r.o.Now,
	})
	if err := r.apply(ctx, c); err != nil {
		return err
	}
	if err := r.hub.Resume(ctx); err != nil {
		return err
	}
	if r.o.ExitWhenRead {
		return r.once(ctx)
	}
	return r.live(ctx)
}

// apply puts what was compiled in force: rules first, so that a new channel is read under them.
func (r *runner) apply(ctx context.Context, c *compiled) error {
	if err := r.applyRules(ctx, c); err != nil || r.group == nil {
		return err
	}
	list, err := r.channels.readers(ctx, c, r.hub)
	if err != nil {
		return err
	}
	return r.group.Apply(list)
}

// applyRules puts in force what the hub does; readers may be elsewhere.
func (r *runner) applyRules(ctx context.Context, c *compiled) error {
	if err := r.hub.Apply(ctx, c.blueprint); err != nil {
		return err
	}
	for name := range r.hub.States() {
		if !slices.ContainsFunc(c.blueprint.Channels, func(x blueprint.Channel) bool { return x.Name == name }) {
			r.hub.Forget(name)
		}
	}
	return nil
}

// once reads everything there is, shows it and ends.
func (r *runner) once(ctx context.Context) error {
	readErr := r.group.Run(ctx)
	if ctx.Err() != nil {
		return errors.New("stopped before everything was read; the next run goes on from there")
	}
	if err := waitSorted(ctx, r.hub, r.progress); err != nil {
		return err
	}
	if _, _, err := r.hub.Retain(ctx); err != nil {
		return err
	}
	r.progress.close()
	rep, err := makeReport(ctx, r.hub, r.group.States())
	if err != nil {
		return err
	}
	if err := r.print(rep); err != nil {
		return err
	}
	return readErr
}

// live reads on until ctx ends.
func (r *runner) live(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	beside.Go(func() { r.hub.Maintain(reading) })
	ended := make(chan error, 1)
	go func() { ended <- r.group.Run(reading) }()
	changed := make(chan struct{}, 1)
	beside.Go(func() {
		if err := watch(reading, r.std.Log, r.watched(), func() { notify(changed) }); err != nil {
			r.say("cannot watch %s: %v; restart kith after changing it", r.o.Folder, err)
		}
	})
	m := newMonitor(r)
	tick := time.NewTicker(monitorEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.progress.close()
			fmt.Fprintln(r.std.Err, "Stopping after what is being written; a second signal stops at once.")
			return <-ended
		case err := <-ended:
			if ctx.Err() != nil {
				return err
			}
			return errors.Join(errors.New("reading ended by itself"), err)
		case <-changed:
			if r.reload(ctx) {
				m.reloaded()
			}
		case <-tick.C:
			if err := m.look(ctx); err != nil && ctx.Err() == nil {
				r.std.Log.Error(err, "look at the ledger")
			}
		}
	}
}

func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is going to look anyway
	}
}

func (r *runner) watched() []watched {
	out := []watched{{path: r.o.Folder}}
	if r.o.SecretsDir != "" {
		out = append(out, watched{path: r.o.SecretsDir, all: true})
	}
	return out
}

// reload applies an edited folder, and says whether anything changed. Whatever is wrong with it, what ran before goes on.
func (r *runner) reload(ctx context.Context) bool {
	before := r.hub.Blueprint().Digest()
	c, err := r.manifests.load()
	if c != nil {
		r.tellProblems(c)
	}
	if err != nil {
		r.say("%s was edited and cannot be used: %s. What ran before goes on.", r.o.Folder, OneLine(err))
		return false
	}
	if err := r.apply(ctx, c); err != nil {
		r.say("%s was edited and cannot be applied: %s. What ran before goes on.", r.o.Folder, OneLine(err))
		return false
	}
	// Secrets and archives may have changed without any manifest.
	if r.group != nil {
		r.group.Changed()
	}
	if r.hub.Blueprint().Digest() == before {
		return false
	}
	r.say("Applied the edited manifests: %s, %s, %s.", count(len(c.blueprint.Channels), "channel", "channels"),
		count(len(c.blueprint.Behaviours), "behaviour", "behaviours"), count(len(c.blueprint.Objectives), "objective", "objectives"))
	return true
}

// tellProblems says what is wrong with the manifests, unless it has just been said.
func (r *runner) tellProblems(c *compiled) {
	var b strings.Builder
	for _, p := range c.problems {
		b.WriteString(p.String() + "\n")
	}
	for _, k := range c.kept {
		fmt.Fprintf(&b, "%s %s: the last good state is kept until that is corrected\n", k.Kind, k.Name)
	}
	if b.String() == r.told {
		return
	}
	if b.Len() == 0 {
		b.WriteString("The manifests have no problems any more.\n")
	}
	r.write(b.String())
	r.told = b.String()
	if len(c.problems) == 0 {
		r.told = ""
	}
}

func (r *runner) say(format string, args ...any) { r.write(fmt.Sprintf(format, args...) + "\n") }

// write puts text where progress is shown.
func (r *runner) write(text string) {
	if r.progress == nil {
		fmt.Fprint(r.std.Err, text)
		return
	}
	r.progress.print(text)
}

func (r *runner) print(rep *report) error {
	r.progress.rest()
	if r.o.Output == OutputJSON {
		return json.NewEncoder(r.std.Out).Encode(rep)
	}
	_, err := fmt.Fprintf(r.std.Out, "\n%s\n", rep.text())
	return err
}
