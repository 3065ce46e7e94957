// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/reader"
)

// silence is after how long without a sign of life a reader's state is no longer shown: nobody knows it.
const silence = 5 * time.Minute

// Reasons lists why a channel may not be readable, each once, for one series per reason.
func Reasons() []sdk.Reason {
	return []sdk.Reason{sdk.RateLimited, sdk.BadCredentials, sdk.SecretKeyMissing, sdk.Unreachable, sdk.PlatformError, sdk.BadSettings}
}

// Connectors collects the states of channels' readers.
type Connectors struct {
	// Community gives the community's name; empty while there is none, and nothing is collected.
	Community func() string
	// States gives the states, of declared channels only: series go with their resource.
	States func() []reader.State
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Describe implements prometheus.Collector.
func (c *Connectors) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, connectorState, connectorHeartbeat, connectorProgress, connectorLag, connectorErrors, connectorRemaining,
		connectorObservations, connectorQuarantined, connectorLaneDone, connectorLaneSize)
}

// Collect implements prometheus.Collector.
func (c *Connectors) Collect(ch chan<- prometheus.Metric) {
	community := c.Community()
	if community == "" {
		return
	}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	seen := map[string]bool{}
	for _, s := range c.States() {
		if seen[s.Channel] {
			continue
		}
		seen[s.Channel] = true
		collectConnector(s, now(), func(name string, kind prometheus.ValueType, v float64, more ...string) {
			ch <- prometheus.MustNewConstMetric(descs[name], kind, v, append([]string{community, s.Channel, s.Platform}, more...)...)
		})
	}
}

func collectConnector(s reader.State, now time.Time, send func(name string, kind prometheus.ValueType, v float64, more ...string)) {
	if now.Sub(s.Heartbeat) < silence {
		for _, p := range reader.Phases() {
			send(connectorState, prometheus.GaugeValue, one(p == s.Phase), string(p))
		}
	}
	send(connectorHeartbeat, prometheus.GaugeValue, unix(s.Heartbeat))
	if !s.LastProgress.IsZero() {
		send(connectorProgress, prometheus.GaugeValue, unix(s.LastProgress))
	}
	if lag, ok := s.Lag(now); ok {
		send(connectorLag, prometheus.GaugeValue, lag.Seconds())
	}
	for _, r := range Reasons() {
		send(connectorErrors, prometheus.CounterValue, float64(s.Errors[r]), string(r))
	}
	if s.RateLimitRemaining != nil {
		send(connectorRemaining, prometheus.GaugeValue, float64(*s.RateLimitRemaining))
	}
	for _, l := range []event.Lane{event.Live, event.Backfill, event.Sweep} {
		send(connectorObservations, prometheus.CounterValue, float64(s.Observations[l]), string(l))
		p, ok := s.Progress[l]
		if !ok {
			continue
		}
		send(connectorLaneDone, prometheus.GaugeValue, float64(p.Done), string(l))
		if p.Total > 0 {
			send(connectorLaneSize, prometheus.GaugeValue, float64(p.Total), string(l))
		}
	}
	send(connectorQuarantined, prometheus.CounterValue, float64(s.Quarantined))
}

// DeclaredStates gives the states of declared channels in the order of their names.
func DeclaredStates(all map[string]reader.State, declared map[string]string) []reader.State {
	var out []reader.State
	for name, s := range all {
		if platform, ok := declared[name]; ok {
			s.Channel, s.Platform = name, platform
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b reader.State) int {
		if a.Channel < b.Channel {
			return -1
		}
		return 1
	})
	return out
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
