// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// canary is in every secret: it must turn up in no error and no line of the log.
const canary = "kith-canary-5e1f"

// Secret is what the suite gives for a key of the credentials, for platforms that must know it from the start.
func Secret(key string) string { return canary + "-" + key }

// Bounds that hold for pages and cursors of every connector.
const (
	maxPages  = 20_000
	maxCursor = 1 << 20
)

// env is one case's platform and what was said while it was read.
type env struct {
	t        testing.TB
	suite    Suite
	platform Platform
	secrets  map[string]string
	client   *sdk.HTTP
	heard    *heard
}

// heard is all that was logged and every error.
type heard struct {
	mu   sync.Mutex
	said []string
}

// in is the same platform for another test or a round of fuzzing.
func (e *env) in(t testing.TB) *env {
	other := *e
	other.t = t
	return &other
}

func newEnv(t testing.TB, s Suite) *env {
	t.Helper()
	e := &env{t: t, suite: s, platform: s.NewPlatform(t), secrets: map[string]string{}, heard: &heard{}}
	for _, k := range s.Descriptor.Secrets {
		e.secrets[k.Name] = Secret(k.Name)
	}
	log := funcr.New(func(prefix, args string) { e.hear(prefix + " " + args) }, funcr.Options{Verbosity: 10})
	e.client = sdk.NewHTTP(sdk.HTTPOptions{
		Log: log, MaxRetries: 2, Now: e.platform.Now, Jitter: func() float64 { return 0 },
		Sleep: func(ctx context.Context, d time.Duration) error {
			e.platform.Advance(d)
			return ctx.Err()
		},
	})
	return e
}

func (e *env) hear(said string) {
	e.heard.mu.Lock()
	defer e.heard.mu.Unlock()
	e.heard.said = append(e.heard.said, said)
}

// checkSecrets looks for secrets in all that was logged and in every error.
func (e *env) checkSecrets() {
	e.t.Helper()
	e.heard.mu.Lock()
	defer e.heard.mu.Unlock()
	for _, s := range e.heard.said {
		if strings.Contains(s, canary) {
			e.t.Errorf("a secret was said: %s", strings.ReplaceAll(s, canary, "<canary>"))
		}
	}
}

// connect makes a new connector, as a new process would.
func (e *env) connect(change ...func(*sdk.Config)) sdk.Connector {
	e.t.Helper()
	cfg := e.platform.Config()
	cfg.HTTP = e.client
	cfg.Secrets = func(string) (string, bool) { return "", false }
	if cfg.Now == nil {
		cfg.Now = e.platform.Now
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := e.suite.Descriptor.New(cfg)
	if err != nil {
		e.t.Fatalf("a connector cannot be made: %v", err)
	}
	return c
}

// withSecrets gives the connector the secrets with the canary.
func (e *env) withSecrets(c *sdk.Config) {
	c.Secrets = func(k string) (string, bool) {
		v, ok := e.secrets[k]
		return v, ok
	}
}

// call reads one page and checks what must hold for each.
func (e *env) call(c sdk.Connector, lane event.Lane, cursor sdk.Cursor) (sdk.Page, error) {
	e.t.Helper()
	p, err := c.Read(e.t.Context(), lane, cursor)
	if err != nil {
		e.hear(fmt.Sprintf("%v %+v", err, err))
		if se, ok := errors.AsType[*sdk.Error](err); ok {
			e.hear(se.Body)
		}
		return p, err
	}
	if err := checkPage(p, cursor); err != nil {
		e.t.Fatalf("lane %s, cursor %s: %v", lane, short(cursor), err)
	}
	return p, nil
}

// checkPage finds what no page may be.
func checkPage(p sdk.Page, cursor sdk.Cursor) error {
	size := 0
	for i := range p.Observations {
		size += sdk.SizeOf(&p.Observations[i])
		if err := checkObservation(&p.Observations[i]); err != nil {
			return fmt.Errorf("observation %d: %w", i, err)
		}
	}
	switch {
	case len(p.Observations) > event.MaxObservations:
		return fmt.Errorf("%d observations", len(p.Observations))
	case size > event.MaxPageBytes:
		return fmt.Errorf("%d bytes", size)
	case len(p.Next) > maxCursor:
		return fmt.Errorf("a cursor of %d bytes", len(p.Next))
	case !json.Valid(p.Next):
		return errors.New("the cursor behind the page is no JSON document")
	case p.More && bytes.Equal(p.Next, cursor):
		return errors.New("it promises more and does not move its cursor")
	}
	for _, q := range p.Quarantined {
		if q.Kind == "" || q.Reason == "" {
			return fmt.Errorf("something was left out without saying what and why: %+v", q)
		}
	}
	return nil
}

func checkObservation(o *event.Observation) error {
	set := 0
	for _, is := range []bool{o.Message != nil, o.Thread != nil, o.Member != nil, o.Listing != nil, o.Moderation != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("%d kinds of thing at once", set)
	}
	badID := func(id string) bool { return id == "" || len(id) > event.MaxID }
	switch {
	case o.Message != nil:
		m := o.Message
		switch {
		case badID(m.ID) || badID(m.Thread):
			return fmt.Errorf("a message with ids of %d and %d bytes", len(m.ID), len(m.Thread))
		case m.CreatedAt.IsZero() && m.Presence != event.Removed:
			return errors.New("a message without a time")
		case len(m.Links) > event.MaxLinks:
			return fmt.Errorf("%d links", len(m.Links))
		case len(m.Refs) > event.MaxRefs:
			return fmt.Errorf("references to %d threads", len(m.Refs))
		}
	case o.Thread != nil:
		t := o.Thread
		switch {
		case badID(t.ID):
			return fmt.Errorf("a thread with an id of %d bytes", len(t.ID))
		case t.CreatedAt.IsZero() && t.Presence != event.Removed:
			return errors.New("a thread without a time")
		case len(t.Title) > event.MaxName || len(t.Tags) > event.MaxTags:
			return fmt.Errorf("a title of %d bytes, %d tags", len(t.Title), len(t.Tags))
		}
	case o.Member != nil && badID(o.Member.ID):
		return errors.New("a member without an id")
	case o.Listing != nil && len(o.Listing.IDs) > event.MaxListing:
		return fmt.Errorf("a listing of %d", len(o.Listing.IDs))
	}
	return nil
}

// step is one page of a pass: the cursor it was read from and what it held.
type step struct {
	lane   event.Lane
	cursor sdk.Cursor
	page   sdk.Page
}

// pass reads a lane from a cursor to its end, with a new connector for each page where each is set.
func (e *env) pass(lane event.Lane, cursor sdk.Cursor, each bool) []step {
	e.t.Helper()
	c := e.connect()
	var steps []step
	for range maxPages {
		if each {
			c = e.connect()
		}
		p, err := e.call(c, lane, cursor)
		if err != nil {
			e.t.Fatalf("lane %s, cursor %s: %v", lane, short(cursor), err)
		}
		steps = append(steps, step{lane, cursor, p})
		cursor = p.Next
		if !p.More {
			return steps
		}
	}
	e.t.Fatalf("lane %s does not end within %d pages", lane, maxPages)
	return nil
}

// observations are those of all steps in order.
func observations(steps []step) []event.Observation {
	var out []event.Observation
	for _, s := range steps {
		out = append(out, s.page.Observations...)
	}
	return out
}

func end(steps []step) sdk.Cursor { return steps[len(steps)-1].page.Next }

// world is what a reader of the pages would know: the latest of each thing.
type world struct {
	messages map[string]*event.Message
	threads  map[string]*event.Thread
	// changed holds the messages that were given again and said something else.
	changed map[string]bool
}

func newWorld() *world {
	return &world{messages: map[string]*event.Message{}, threads: map[string]*event.Thread{}, changed: map[string]bool{}}
}

// see takes observations as the hub would: the later one counts, and what a listing lacks is gone.
func (w *world) see(obs []event.Observation) *world {
	for _, o := range obs {
		switch {
		case o.Message != nil:
			if was := w.messages[o.Message.ID]; was != nil && !reflect.DeepEqual(was, o.Message) {
				w.changed[o.Message.ID] = true
			}
			w.messages[o.Message.ID] = o.Message
		case o.Thread != nil:
			w.threads[o.Thread.ID] = o.Thread
		case o.Listing != nil && o.Listing.Thread != "":
			w.list(o.Listing)
		}
	}
	return w
}

func (w *world) list(l *event.Listing) {
	for id, m := range w.messages {
		within := (l.From.IsZero() || !m.CreatedAt.Before(l.From)) && (l.To.IsZero() || !m.CreatedAt.After(l.To))
		if m.Thread == l.Thread && within && !slices.Contains(l.IDs, id) {
			gone := *m
			gone.Presence = event.Removed
			w.messages[id] = &gone
		}
	}
}

// here says whether a message is known and visible.
func (w *world) here(id string) bool {
	m := w.messages[id]
	if m == nil || m.Presence == event.Removed {
		return false
	}
	t := w.threads[m.Thread]
	return t == nil || t.Presence != event.Removed
}

// missing gives what is not known of a list.
func (w *world) missing(ids []string) []string {
	var out []string
	for _, id := range ids {
		if w.messages[id] == nil {
			out = append(out, id)
		}
	}
	return out
}

func (w *world) ids() []string { return slices.Sorted(maps.Keys(w.messages)) }

func short(cursor sdk.Cursor) string {
	if cursor == nil {
		return "(none)"
	}
	return string(cursor[:min(len(cursor), 300)])
}
