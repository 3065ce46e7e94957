// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"time"

	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

const (
	// monitorEvery is how often progress is looked at while history is read.
	monitorEvery = 300 * time.Millisecond
	// standingsEvery is how often objectives are worked out anew once it has been.
	standingsEvery = time.Minute
)

// monitor tells people what has changed of substance while kith runs.
type monitor struct {
	r *runner
	// shown is whether the report has been shown since the last change of what is to be read.
	shown     bool
	last      time.Time
	text      string // the report as it was last shown
	phases    map[string]reader.Phase
	standings map[string]behaviour.Standing
}

func newMonitor(r *runner) *monitor {
	return &monitor{r: r, phases: map[string]reader.Phase{}, standings: map[string]behaviour.Standing{}}
}

// reloaded makes the report appear again once everything new has been read.
func (m *monitor) reloaded() { m.shown = false }

// look shows progress, the report when everything has been read or cannot be now, and then what changes.
func (m *monitor) look(ctx context.Context) error {
	states := m.r.group.States()
	stored, err := m.r.hub.Channels(ctx)
	if err != nil {
		return err
	}
	showSorting(stored, m.r.progress)
	m.changedPhases(states)
	if !settled(states, stored, m.r.channels.generations()) {
		return nil
	}
	if m.shown && time.Since(m.last) < standingsEvery {
		return nil
	}
	if m.shown {
		rep, err := makeStandings(ctx, m.r.hub)
		if err != nil {
			return err
		}
		m.last = time.Now()
		return m.changedStandings(ctx, rep, states)
	}
	rep, err := makeReport(ctx, m.r.hub, states)
	if err != nil {
		return err
	}
	m.last = time.Now()
	m.shown = true
	m.note(rep)
	if text := rep.text(); text != m.text {
		m.text = text
		return m.r.print(rep)
	}
	return nil
}

func (m *monitor) note(rep *report) {
	clear(m.standings)
	for _, o := range rep.Objectives {
		m.standings[o.Name] = o.Standing
	}
}

// changedStandings says which objectives stand otherwise than before.
func (m *monitor) changedStandings(ctx context.Context, rep *report, states []reader.State) error {
	changed := false
	for _, o := range rep.Objectives {
		if before, had := m.standings[o.Name]; had && before != o.Standing {
			changed = true
			if m.r.o.Output == OutputText {
				m.r.say("%s", o.line(before, m.r.o.Now()))
			}
		}
	}
	m.note(rep)
	if !changed || m.r.o.Output != OutputJSON {
		return nil
	}
	whole, err := makeReport(ctx, m.r.hub, states)
	if err != nil {
		return err
	}
	return m.r.print(whole)
}

// changedPhases says which channels can no longer be read, or can again.
func (m *monitor) changedPhases(states []reader.State) {
	for _, s := range states {
		before, had := m.phases[s.Channel]
		m.phases[s.Channel] = s.Phase
		if !had || before == s.Phase || s.Phase == reader.Connecting || before == reader.Connecting {
			continue
		}
		if s.Phase.Reading() && !before.Reading() {
			m.r.say("%s channel %s is read again", m.r.o.Now().Format(time.TimeOnly), s.Channel)
		}
	}
}

// settled says whether every channel has been read as it is declared now and sorted, or says itself why it cannot be.
func settled(states []reader.State, stored []hub.ChannelStatus, generations map[string]int64) bool {
	for _, s := range states {
		if s.Generation != generations[s.Channel] {
			return false
		}
		if !s.Phase.Reading() {
			if s.Message == "" || s.Phase == reader.Connecting {
				return false
			}
			continue
		}
		if !s.BackfillDone {
			return false
		}
		for _, c := range stored {
			if c.Name == s.Channel && c.History != ledger.HistoryComplete {
				return false
			}
		}
	}
	return true
}

// showSorting shows how far history that has been read is in the ledger.
func showSorting(stored []hub.ChannelStatus, p *progress) {
	for _, c := range stored {
		switch {
		case c.History == ledger.HistoryProcessing && c.DrainTotal > 0:
			p.sorting(c.Name, c.DrainDone, c.DrainTotal)
		case c.History == ledger.HistoryComplete:
			p.sorted(c.Name)
		}
	}
}

// waitSorted waits until history that has been read is in the ledger in its own order, and shows how far it is.
func waitSorted(ctx context.Context, h *hub.Hub, p *progress) error {
	done := make(chan error, 1)
	go func() { done <- h.Drain(ctx) }()
	tick := time.NewTicker(monitorEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("put history in order: %w", err)
			}
			return nil
		case <-tick.C:
			stored, err := h.Channels(ctx)
			if err != nil {
				return err
			}
			showSorting(stored, p)
		}
	}
}
