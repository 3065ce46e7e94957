// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hubpoll

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/reader"
)

const connecting = reader.Connecting

// HeartbeatLimit is how old a reader's last word may be; as for the metrics of connectors.
const HeartbeatLimit = 5 * time.Minute

// Changes are the resources of one community about which a hub's answer says something new: a reason, or a rounded
// value. A time that moves on by itself is nothing new.
type Changes struct {
	Community types.NamespacedName
	// Hub is true where something about the hub itself has changed.
	Hub bool
	// All is true where it began or ceased to answer: every resource of the community is concerned, whether the hub has
	// named it or not.
	All bool
	// The names of those that have changed.
	Channels, Behaviours, Objectives []string
}

// RoundShare gives a share with the precision that statuses have: three decimals.
func RoundShare(v float64) string { return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', 3, 64) }

// RoundCount gives a count: a whole number.
func RoundCount(v float64) string { return strconv.FormatFloat(math.Round(v), 'f', 0, 64) }

// RoundProgress gives how much of something is done in tenths, as a percentage; false where it is not known. History
// is read for hours, and is to write a dozen statuses meanwhile.
func RoundProgress(done, total int64) (percent int, ok bool) {
	if total <= 0 || done < 0 {
		return 0, false
	}
	return int(min(done, total) * 10 / total * 10), true
}

// Fresh says whether a reader's last word is recent.
func Fresh(heartbeat, now time.Time) bool { return now.Sub(heartbeat) < HeartbeatLimit }

// outlook is a report as far as it belongs into statuses: by resource, what is told at once, and words that may wait.
type outlook struct {
	answers                          string
	hub                              told
	channels, behaviours, objectives map[string]told
}

type told struct{ facts, words string }

// look takes from a report what belongs into statuses.
func look(r Report, now time.Time) outlook {
	o := outlook{channels: map[string]told{}, behaviours: map[string]told{}, objectives: map[string]told{}}
	s := &r.Status
	o.answers = fmt.Sprintf("known %t down %t", r.Known, r.Down)
	o.hub = told{fmt.Sprintf("%s %s %s %s %s", o.answers, s.Blueprint, s.Engine, s.LedgerID, s.ProblemReason), s.Problem}
	if r.Down {
		o.answers += " " + string(r.Err.Reason)
	}
	for i := range s.Channels {
		o.channels[s.Channels[i].Name] = lookChannel(&s.Channels[i], now, r.Down)
	}
	for i := range s.Behaviours {
		o.behaviours[s.Behaviours[i].Name] = told{facts: number(s.Behaviours[i].Recent)}
	}
	for i := range s.Objectives {
		x := &s.Objectives[i]
		value := "-"
		if x.Value != nil {
			value = RoundShare(*x.Value)
		}
		o.objectives[x.Name] = told{fmt.Sprintf("%t %s %s %s", r.Down, x.Standing, value, number(x.Cases)), x.Reason}
	}
	return o
}

func lookChannel(c *wire.ChannelStatus, now time.Time, down bool) told {
	facts := fmt.Sprintf("%t %t %s since %s", down, c.Known, c.History, c.Since.Format(time.DateOnly))
	if c.History == "Processing" {
		percent, _ := RoundProgress(c.Processed, c.ToProcess)
		facts += fmt.Sprint(" ", percent)
	}
	s := c.State
	if s == nil {
		return told{facts + " silent", ""}
	}
	facts += fmt.Sprintf(" %s generation %d ready %t history %t rooms %d fresh %t", s.Phase, s.Generation, s.Ready, s.BackfillDone,
		len(s.Rooms), Fresh(s.Heartbeat, now))
	if p, running := s.Progress[event.Backfill]; running && !s.BackfillDone {
		percent, known := RoundProgress(p.Done, p.Total)
		facts += fmt.Sprint(" ", percent, known)
	}
	return told{facts, s.Message}
}

func number[T ~int | ~int64](n *T) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(int64(*n), 10)
}

// compare finds what was not told yet, and takes it for told. Called with mu held.
func (p *Poller) compare(h *hub) (Changes, bool) {
	now := p.o.Now()
	before, after := h.told, look(h.report, now)
	// Messages of platforms may differ each time they are seen.
	mayTell, words := now.Sub(h.toldWords) >= wordsEvery, false
	differs := func(a, b told) bool {
		if a.facts == b.facts && a.words != b.words {
			words = words || mayTell
			return mayTell
		}
		return a.facts != b.facts
	}
	names := func(a, b map[string]told) []string {
		var out []string
		for name, is := range b {
			if was, there := a[name]; !there || differs(was, is) {
				out = append(out, name)
			}
		}
		for name := range a {
			if _, there := b[name]; !there {
				out = append(out, name)
			}
		}
		slices.Sort(out)
		return out
	}
	c := Changes{
		Community: h.key, Hub: differs(before.hub, after.hub), All: before.answers != after.answers,
		Channels:   names(before.channels, after.channels),
		Behaviours: names(before.behaviours, after.behaviours),
		Objectives: names(before.objectives, after.objectives),
	}
	if words {
		h.toldWords = now
	}
	if !mayTell {
		// Words that were not told stay as they were, so that they are told when their time comes.
		keepWords(before, &after)
	}
	h.told = after
	return c, c.Hub || c.All || len(c.Channels)+len(c.Behaviours)+len(c.Objectives) > 0
}

// keepWords leaves the words that were told with everything whose facts are as before.
func keepWords(before outlook, after *outlook) {
	keep := func(was, is told) told {
		if was.facts == is.facts {
			return was
		}
		return is
	}
	after.hub = keep(before.hub, after.hub)
	for _, m := range [][2]map[string]told{
		{before.channels, after.channels}, {before.behaviours, after.behaviours}, {before.objectives, after.objectives},
	} {
		for name := range m[1] {
			if was, there := m[0][name]; there {
				m[1][name] = keep(was, m[1][name])
			}
		}
	}
}
