// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/config/library"
	"github.com/kith-dev/kith/connectors/archive"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	hubclient "github.com/kith-dev/kith/internal/hub/client"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

// grow is how far the growth benchmark goes.
var grow int

const community = `apiVersion: kith.dev/v1alpha1
kind: Community
metadata: {name: community}
spec:
  title: Benchmark
  audience: {kind: Customers}
  stage: Growing
  timeZone: Europe/Berlin
  languages: [de, en]
  lead: {team: community}
  teams: [{name: community, party: Company}]
  levels: {regular: {contributions: 5, distinctDays: 3, within: 365d}}
  value:
    currency: EUR
    factors: [{name: support-contact, category: SupportCost, unit: Contact, low: "6", mid: "9", high: "14", source: Measured, measuredOn: 2026-09-30}]
  ledger: {sqlite: {size: 10Gi}}
  privacy: {textRetention: 90d, activityRetention: 7000d, minimumGroupSize: 5}
---
apiVersion: kith.dev/v1alpha1
kind: Channel
metadata: {name: forum}
spec:
  communityRef: {name: community}
  team: community
  platform: archive
  url: https://forum.example
  since: all
  settings: {path: /forum}
  rooms: {questions: ["*"]}
`

// twenty compiles the library and further variants of it: twenty behaviours.
func twenty() (*blueprint.Blueprint, error) {
	var doc bytes.Buffer
	doc.WriteString(community)
	entries, err := library.Files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	n := 0
	var again []string
	for _, e := range entries {
		b, err := library.Files.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(e.Name(), ".yaml") || !bytes.Contains(b, []byte("kind: Behaviour")) {
			continue
		}
		n++
		fmt.Fprintf(&doc, "\n---\n%s", b)
		name := strings.TrimSuffix(e.Name(), ".yaml")
		if name != "question-due" && name != "feedback-given" {
			again = append(again, strings.Replace(string(b), "name: "+name, "name: "+name+"-again", 1))
		}
	}
	for _, b := range again[:20-n] {
		fmt.Fprintf(&doc, "\n---\n%s", b)
	}
	loaded, err := blueprint.LoadBytes("bench.yaml", doc.Bytes())
	if err != nil {
		return nil, err
	}
	bp, problems := blueprint.Compile(loaded.Resources, nil)
	if bp == nil || len(bp.Behaviours) != 20 {
		return nil, fmt.Errorf("the benchmark's blueprint has problems: %v %v", problems, loaded.Problems)
	}
	return bp, nil
}

type bench struct {
	ledger *ledger.Ledger
	hub    *hub.Hub
	bp     *blueprint.Blueprint
	dir    string
	clock  time.Time
}

func open(ctx context.Context) (*bench, error) {
	dir, err := os.MkdirTemp("", "kith-bench-")
	if err != nil {
		return nil, err
	}
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if b.ledger, err = ledger.Open(ctx, filepath.Join(dir, "ledger.db"), ledger.Options{Keys: keys}); err != nil {
		return nil, err
	}
	b.hub = hub.New(b.ledger, hub.Options{Now: func() time.Time { return b.clock }})
	if b.bp, err = twenty(); err != nil {
		return nil, err
	}
	return b, b.hub.Apply(ctx, b.bp)
}

func (b *bench) close() error {
	b.hub.Close()
	if err := b.ledger.Close(); err != nil {
		return err
	}
	return os.RemoveAll(b.dir)
}

// forum invents live traffic: threads of about seven messages by members of whom few write much.
type forum struct {
	r       *rand.Rand
	at      time.Time
	threads []*thread
	next    int
}

type thread struct {
	id     int
	asker  int
	last   int
	closed bool
}

var phrases = []string{
	"How do I stop the pump from leaking when the pressure rises?", "Wie bekomme ich die Steuerung wieder zum Laufen, wenn der Strom weg war?",
	"Have you tried to open the valve first and then restart the controller?", "Bei mir hat es geholfen, den Filter zu reinigen.",
	"Thanks, that solved it for me!", "Danke, das war die Lösung.", "The manual says on page four that the seal has to be replaced every year.",
	"I had the same thing last winter and found that the sensor was loose.", "Das steht auch in der Anleitung unter Wartung.",
}

func (f *forum) text() string {
	var b strings.Builder
	for range 2 + f.r.IntN(5) {
		b.WriteString("<p>" + phrases[f.r.IntN(len(phrases))] + "</p>")
	}
	return b.String()
}

func (f *forum) author() event.Actor {
	n := int(f.r.ExpFloat64() * 400)
	return event.Actor{ID: strconv.Itoa(n + 1), Handle: "member" + strconv.Itoa(n+1), Roles: []string{"tl1"}}
}

// page gives the next observations, about n of them.
func (f *forum) page(n int) []event.Observation {
	var out []event.Observation
	no, yes := false, true
	for len(out) < n-3 {
		f.at = f.at.Add(time.Duration(f.r.IntN(20_000)) * time.Millisecond)
		f.next++
		id := strconv.Itoa(f.next)
		if len(f.threads) < 50 || f.r.IntN(7) == 0 {
			a := f.author()
			t := &thread{id: f.next, asker: f.next, last: f.next}
			f.threads = append(f.threads, t)
			if len(f.threads) > 400 {
				f.threads = f.threads[1:]
			}
			out = append(out, event.Observation{Thread: &event.Thread{ID: "t" + id, Room: "support", Title: phrases[f.r.IntN(len(phrases))], CreatedAt: f.at, Author: a, Solvable: &yes}},
				event.Observation{Message: &event.Message{ID: id, Thread: "t" + id, Opening: true, Author: a, CreatedAt: f.at, Text: f.text(), TextFormat: "html", Accepted: &no}})
			continue
		}
		t := f.threads[f.r.IntN(len(f.threads))]
		m := &event.Message{ID: id, Thread: "t" + strconv.Itoa(t.id), Author: f.author(), CreatedAt: f.at, Text: f.text(), TextFormat: "html", Accepted: &no}
		if f.r.IntN(3) == 0 {
			m.Parent = strconv.Itoa(t.last)
		}
		if f.r.IntN(12) == 0 && !t.closed {
			t.closed = true
			m.Accepted = &yes
		}
		t.last = f.next
		out = append(out, event.Observation{Message: m})
	}
	return out
}

func (b *bench) live(ctx context.Context, events int, every int, report func(done int, perSecond float64)) (int, time.Duration, error) {
	ref := event.ChannelRef{Platform: "archive", Instance: "forum.example"}
	if _, err := b.hub.ResolveSince(ctx, "forum", blueprint.Since{All: true}); err != nil {
		return 0, 0, err
	}
	lease, err := b.hub.Acquire(ctx, ref, "forum", "bench")
	if err != nil {
		return 0, 0, err
	}
	f := &forum{r: rand.New(rand.NewPCG(1, 2)), at: b.clock.Add(time.Hour)} // #nosec G404 -- invented traffic
	commit := event.Commit{Channel: ref, Epoch: lease.Epoch, Lane: event.Backfill, Next: json.RawMessage(`{"n":0}`), Done: true, FromBeginning: true, ObservedAt: b.clock, CompleteThrough: b.clock}
	if err := b.hub.Commit(ctx, commit); err != nil {
		return 0, 0, err
	}
	if err := b.hub.Drain(ctx); err != nil {
		return 0, 0, err
	}
	server := httptest.NewServer(hub.Handler(b.hub, hub.ServerOptions{Verifier: hub.Loopback{}}))
	defer server.Close()
	over, err := hubclient.New(server.URL, nil, hubclient.Options{})
	if err != nil {
		return 0, 0, err
	}
	var took, part time.Duration
	seen, partFrom := 0, 0
	cursor := json.RawMessage(nil)
	for page := 1; seen < events; page++ {
		obs := f.page(event.MaxObservations)
		c := event.Commit{Channel: ref, Epoch: lease.Epoch, Lane: event.Live, Previous: cursor,
			Next: json.RawMessage(`{"n":` + strconv.Itoa(page) + `}`), ObservedAt: f.at, CompleteThrough: f.at, Observations: obs}
		start := time.Now()
		if err := over.Commit(ctx, c); err != nil {
			return 0, 0, err
		}
		d := time.Since(start)
		took += d
		part += d
		cursor = c.Next
		seen = int(b.ledger.LastSeq())
		if every > 0 && seen-partFrom >= every {
			report(seen, float64(seen-partFrom)/part.Seconds())
			partFrom, part = seen, 0
		}
	}
	return seen, took, nil
}

func synthetic(ctx context.Context, o options) error {
	b, err := open(ctx)
	if err != nil {
		return err
	}
	n, took, err := b.live(ctx, o.events, 0, nil)
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := behaviour.Objectives(ctx, b.ledger.Reader(), b.bp); err != nil {
		return err
	}
	if _, err := behaviour.Totals(ctx, b.ledger.Reader(), b.bp, 28*24*time.Hour); err != nil {
		return err
	}
	fmt.Printf("objectives and totals read in %v; peak memory %d MiB; ledger %d MiB\n", time.Since(start).Round(time.Millisecond), peakMiB(), sizeMiB(b.ledger.Path()))
	fmt.Printf("synthetic: %.0f events/s\n", float64(n)/took.Seconds())
	return b.close()
}

func growth(ctx context.Context, _ options) error {
	b, err := open(ctx)
	if err != nil {
		return err
	}
	n, took, err := b.live(ctx, grow, max(grow/20, 10_000), func(done int, perSecond float64) {
		fmt.Printf("%9d events in the ledger: %6.0f events/s, ledger %d MiB, peak memory %d MiB\n", done, perSecond, sizeMiB(b.ledger.Path()), peakMiB())
	})
	if err != nil {
		return err
	}
	fmt.Printf("growth: %.0f events/s\n", float64(n)/took.Seconds())
	return b.close()
}

func realYear(ctx context.Context, o options) error {
	path, err := filepath.Abs(o.data)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		fmt.Printf("real: skipped, %s is missing\n", o.data)
		return nil
	}
	b, err := open(ctx)
	if err != nil {
		return err
	}
	b.clock = time.Now()
	if _, err := b.hub.ResolveSince(ctx, "forum", blueprint.Since{All: true}); err != nil {
		return err
	}
	start := time.Now()
	err = reader.New(reader.Channel{Name: "forum", Descriptor: archive.Descriptor(), Config: sdk.Config{Name: "forum", URL: "https://forum.example", Settings: map[string]any{"path": path}}},
		reader.Options{Hub: b.hub, Once: true, Holder: "bench"}).Run(ctx)
	if err != nil {
		return err
	}
	if err := b.hub.Drain(ctx); err != nil {
		return err
	}
	n := b.ledger.LastSeq()
	fmt.Printf("%d events, peak memory %d MiB\n", n, peakMiB())
	fmt.Printf("real: %.0f events/s\n", float64(n)/time.Since(start).Seconds())
	return b.close()
}

func sizeMiB(path string) int64 {
	s, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return s.Size() >> 20
}

// peakMiB is the process's peak of resident memory.
func peakMiB() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				if err == nil {
					return kib >> 10
				}
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys >> 20) // #nosec G115 -- far below
}
