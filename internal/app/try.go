// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/archive"
	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

// TryOptions are those of Try.
type TryOptions struct {
	// Target is a web address, folder or archive.
	Target string
	// Since is a length of time, a date or "all".
	Since  string
	Output string
	// Version is kith's own, for the User-Agent.
	Version string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// triedChannel is the name of the one channel of a try, in progress and in the manifest.
const triedChannel = "forum"

// tried is what a try found out.
type tried struct {
	place   place
	state   reader.State
	since   time.Time
	summary behaviour.Summary
}

// Try reads a place that nobody has declared, into a ledger that is thrown away, and shows how its members answer each
// other. Only the outcome goes to io.Out.
func Try(ctx context.Context, std Stdio, o TryOptions) error {
	if err := checkOutput(o.Output, OutputText, OutputJSON); err != nil {
		return err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	since, err := trySince(o.Since, o.Now())
	if err != nil {
		return err
	}
	options := httpOptions(std, o.Version)
	if onThisMachine(o.Target) {
		options.FirstBackoff = quickBackoff
	}
	a := &attempt{std: std, now: o.Now, client: sdk.NewHTTP(options), backoff: options.FirstBackoff, since: since}
	if a.place, err = recognise(ctx, a.client, o.Target); err != nil {
		return explain(err)
	}
	t, err := a.read(ctx)
	if err != nil {
		return err
	}
	if o.Output == OutputJSON {
		d, err := catalogue.Get(t.place.platform)
		if err != nil {
			return err
		}
		return writeTryJSON(std.Out, t.summary, d.Fidelity.Acceptance)
	}
	return writeTry(std.Out, t)
}

// trySince reads --since; zero means everything.
func trySince(s string, now time.Time) (time.Time, error) {
	if s == "all" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return day, nil
	}
	d, err := sdk.ParseDuration(s)
	if err != nil || d <= 0 {
		return time.Time{}, Usagef("--since %q is no horizon: write a length of time such as 365d, a date such as 2025-01-31, or all", s)
	}
	return now.Add(-d).UTC().Truncate(time.Second), nil
}

// attempt is one try under way.
type attempt struct {
	std     Stdio
	now     func() time.Time
	client  *sdk.HTTP
	backoff time.Duration
	place   place
	since   time.Time
}

// read reads the place to the end, and looks at what came of it.
func (a *attempt) read(ctx context.Context) (*tried, error) {
	dir, err := os.MkdirTemp("", "kith-try-")
	if err != nil {
		return nil, fmt.Errorf("no place for a temporary ledger (set TMPDIR to a folder that can be written): %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	l, err := openThrowaway(ctx, filepath.Join(dir, "ledger.db"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }()
	h := hub.New(l, hub.Options{Log: a.std.Log, Now: a.now})
	defer h.Close()
	if err := h.Apply(ctx, tryBlueprint()); err != nil {
		return nil, err
	}
	if _, err := h.ResolveSince(ctx, triedChannel, blueprint.Since{All: a.since.IsZero(), Date: a.since}); err != nil {
		return nil, err
	}
	channel, err := a.channel()
	if err != nil {
		return nil, err
	}
	p := newProgress(a.std.Err, a.std.Terminal)
	defer p.close()
	r := reader.New(channel, reader.Options{
		Hub: h, Once: true, NoSweep: true, Holder: "kith try", Log: a.std.Log, OnState: p.state, Now: a.now,
		FirstBackoff: a.backoff, MaxBackoff: 30 * time.Second,
	})
	err = r.Run(ctx)
	if ctx.Err() != nil {
		return nil, errors.New("stopped before everything was read: nothing is kept of a try; --since 30d takes less time")
	}
	if err != nil {
		return nil, explain(err)
	}
	if err := waitSorted(ctx, h, p); err != nil {
		return nil, err
	}
	p.close()
	summary, err := behaviour.Summarise(ctx, l.Reader(), a.since)
	if err != nil {
		return nil, err
	}
	return &tried{place: a.place, state: r.State(), since: a.since, summary: summary}, nil
}

// openThrowaway opens a ledger whose key nobody keeps.
func openThrowaway(ctx context.Context, path string) (*ledger.Ledger, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	keys, err := ledger.NewKeys(secret, nil)
	if err != nil {
		return nil, err
	}
	return ledger.Open(ctx, path, ledger.Options{Keys: keys})
}

// tryBlueprint has no behaviours: the summary looks at conversations. Nothing is too old for it.
func tryBlueprint() *blueprint.Blueprint {
	return &blueprint.Blueprint{
		Version: blueprint.Version, Name: "try", TimeZone: "UTC",
		Parties: []blueprint.PartyRule{{Party: event.PartyCompany, Roles: []string{"admin", "moderator", "staff"}}},
		Levels:  blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * 24 * time.Hour},
	}
}

// tryRequestsPerMinute stays below what forums allow visitors by default (200).
const tryRequestsPerMinute = 120

func (a *attempt) channel() (reader.Channel, error) {
	d, err := catalogue.Get(a.place.platform)
	if err != nil {
		return reader.Channel{}, err
	}
	settings := map[string]any{}
	switch a.place.platform {
	case platformDiscourse:
		settings["requestsPerMinute"] = tryRequestsPerMinute
	case archive.Name:
		settings["path"] = a.place.path
	}
	return reader.Channel{Name: triedChannel, Descriptor: d, Generation: 1, Config: sdk.Config{
		Name: triedChannel, URL: a.place.url, Since: a.since, Settings: settings, HTTP: a.client, Now: a.now,
		Secrets: func(string) (string, bool) { return "", false },
	}}, nil
}

// quickBackoff is for servers on this machine, which nobody needs to spare.
const quickBackoff = 50 * time.Millisecond

func onThisMachine(target string) bool {
	u, err := webAddress(target)
	return err == nil && isLoopback(u.Host)
}

// tryJSON is what scripts rely on.
type tryJSON struct {
	Threads           int                 `json:"threads"`
	Messages          int                 `json:"messages"`
	Authors           int                 `json:"authors"`
	Answered          int                 `json:"answered"`
	Unanswered        int                 `json:"unanswered"`
	AnsweredWithin24h int                 `json:"answeredWithin24h"`
	FirstResponse     behaviour.Quantiles `json:"firstResponse"`
	FirstResponseAll  behaviour.Quantiles `json:"firstResponseAll"`
	// Null where the platform has no accepted answers at all: not measurable is not 0.
	Solved         *int `json:"solved"`
	SolvedByAsker  *int `json:"solvedByAsker"`
	SolvedByOthers *int `json:"solvedByOthers"`
}

func writeTryJSON(w io.Writer, s behaviour.Summary, acceptance sdk.Acceptance) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	out := tryJSON{
		Threads: s.Threads, Messages: s.Messages, Authors: s.Authors, Answered: s.Answered, Unanswered: s.Unanswered,
		AnsweredWithin24h: s.AnsweredWithin24h, FirstResponse: s.FirstResponse, FirstResponseAll: s.FirstResponseAll,
	}
	if acceptance != sdk.AcceptanceNone {
		out.Solved, out.SolvedByAsker, out.SolvedByOthers = &s.Solved, &s.SolvedByAsker, &s.SolvedByOthers
	}
	return e.Encode(out)
}

// explain leaves out a reason that the message repeats in words.
func explain(err error) error {
	return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), string(sdk.PlatformError)+": "))
}
