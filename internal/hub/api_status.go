// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/metrics"
	"github.com/kith-dev/kith/internal/reader"
)

// registries joins what /metrics and /metrics/community show.
func (s *server) registries() (operations, community *prometheus.Registry) {
	h := s.hub
	operations, community = metrics.NewRegistry(s.o.Build), prometheus.NewRegistry()
	s.http, s.forbidden = metrics.NewHTTP(operations), metrics.NewForbidden(operations)
	states := s.o.Connectors
	if states == nil {
		states = h.declaredStates
	}
	operations.MustRegister(
		&metrics.Connectors{States: states, Now: h.o.Now, Community: func() string {
			if bp := h.Blueprint(); bp != nil {
				return bp.Name
			}
			return ""
		}},
		&metrics.Ledger{DB: h.ledger.Reader(), Path: h.ledger.Path(), Blueprint: h.Blueprint, Drained: h.drained, Now: h.o.Now, Log: s.o.Log},
	)
	s.community = &metrics.Community{DB: h.ledger.Reader(), Blueprint: h.Blueprint, Now: h.o.Now, Log: s.o.Log}
	community.MustRegister(s.community)
	return operations, community
}

// declaredStates gives the readers' last reports for declared channels.
func (h *Hub) declaredStates() []reader.State {
	bp := h.Blueprint()
	if bp == nil {
		return nil
	}
	platforms := make(map[string]string, len(bp.Channels))
	for i := range bp.Channels {
		platforms[bp.Channels[i].Name] = bp.Channels[i].Platform
	}
	return metrics.DeclaredStates(h.States(), platforms)
}

// FedStates gives the states of channels that are fed, which have no other process to tell them.
func (h *Hub) FedStates() []reader.State {
	return slices.DeleteFunc(h.declaredStates(), func(s reader.State) bool { return s.Platform != PushPlatform })
}

// drained says how much of a channel's history has been processed.
func (h *Hub) drained(channel int64) (done, total int64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d, ok := h.draining[channel]
	return d.done, d.total, ok
}

// status is GET /v1/status: what the operator writes into the resources' statuses.
func (s *server) status(_ http.ResponseWriter, r *http.Request, caller Caller) (any, error) {
	h := s.hub
	bp := h.Blueprint()
	if bp == nil {
		return nil, ErrNoBlueprint
	}
	known, err := metrics.ReadChannels(r.Context(), h.ledger.Reader(), bp)
	if err != nil {
		return nil, err
	}
	size, err := metrics.SizeOf(h.ledger.Path())
	if err != nil {
		return nil, err
	}
	out := wire.Status{Community: bp.Name, Blueprint: bp.Digest(), Engine: EngineVersion, LedgerID: h.ledger.ID(), LedgerBytes: size}
	if space, err := ledger.SpaceAt(h.ledger.Path()); err == nil {
		out.LedgerFreeBytes = &space.Free
	}
	if failure := h.failure.Load(); failure != nil {
		out.ProblemReason = wire.ProcessingFailed
		out.Problem = "processing a channel's history stopped; it goes on when the hub starts again, and the hub's log says why"
	}
	if problem := h.fullness(); problem != "" {
		out.ProblemReason, out.Problem = wire.VolumeFull, problem
	}
	if reason, problem := s.o.Problem(); reason != "" && out.ProblemReason != wire.VolumeFull {
		out.ProblemReason, out.Problem = reason, problem
	}
	states := h.States()
	for i := range bp.Channels {
		if c := &bp.Channels[i]; caller.Status || caller.mayWrite(c.Name) {
			out.Channels = append(out.Channels, h.channelStatus(c, known, states))
		}
	}
	if !caller.All && !caller.Status {
		return out, nil // a connector needs to know of its own channels only
	}
	recent, err := s.community.Recent()
	if err != nil {
		s.o.Log.Error(err, "The recent cases of behaviours cannot be counted now")
	}
	for i := range bp.Behaviours {
		b := wire.BehaviourStatus{Name: bp.Behaviours[i].Name}
		if n, ok := recent[b.Name]; ok {
			b.Recent = &n
		}
		out.Behaviours = append(out.Behaviours, b)
	}
	results, err := s.community.Objectives()
	if err != nil {
		out.ProblemReason, out.Problem = cmp.Or(out.ProblemReason, wire.ProcessingFailed), cmp.Or(out.Problem, "the objectives cannot be worked out now; the hub's log says why")
	}
	for _, x := range results {
		out.Objectives = append(out.Objectives, objectiveStatus(x))
	}
	return out, nil
}

func (h *Hub) channelStatus(c *blueprint.Channel, known []metrics.Channel, states map[string]reader.State) wire.ChannelStatus {
	out := wire.ChannelStatus{Name: c.Name}
	if s, ok := states[c.Name]; ok {
		out.State = &s
	}
	for _, k := range known {
		if k.Name != c.Name {
			continue
		}
		out.Known, out.Since, out.Epoch, out.Holder = true, k.Since, k.Epoch, k.Holder
		out.DroppedOld, out.Quarantined = k.DroppedOld, k.Quarantined
		for _, n := range k.SetAside {
			out.SetAside += n
		}
		out.History = [...]string{"Reading", "Processing", "Complete"}[k.History]
		if k.History == ledger.HistoryComplete {
			out.Watermark = k.Watermark
		}
		out.Processed, out.ToProcess, _ = h.drained(k.N)
	}
	return out
}

// objectiveStatus leaves out what is about too few cases or people.
func objectiveStatus(r behaviour.Result) wire.ObjectiveStatus {
	out := wire.ObjectiveStatus{Name: r.Objective.Name, Standing: string(r.Standing), Reason: r.Reason, Target: r.Target,
		From: utc(r.From), To: utc(r.To), AsOf: utc(r.AsOf)}
	if r.Standing != behaviour.Unknown && !r.Withheld {
		out.Cases = &r.Cases
	}
	if r.Standing != behaviour.Unknown && !r.ProvisionalWithheld {
		out.Provisional = &r.Provisional
	}
	if r.Standing == behaviour.Met || r.Standing == behaviour.NotMet {
		out.Value = &r.Value
	}
	return out
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}
