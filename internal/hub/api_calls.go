// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"net/http"
	"slices"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/metrics"
	"github.com/kith-dev/kith/internal/reader"
)

// maxRooms bounds what a state may list; see reader.State.
const maxRooms = 1000

// lease is POST /v1/lease.
func (s *server) lease(w http.ResponseWriter, r *http.Request, caller Caller) (any, error) {
	var req wire.LeaseRequest
	if err := readJSON(w, r, wire.MaxSmall, &req); err != nil {
		return nil, err
	}
	if len(req.Holder) > event.MaxName {
		return nil, refuse(http.StatusUnprocessableEntity, "holder: at most %d bytes", event.MaxName)
	}
	channel, err := s.writable(caller, req.Name)
	if err != nil {
		return nil, err
	}
	// A channel's data belong to its account on its platform: taking them over from another declared channel needs the
	// right to that one too.
	holder, err := s.hub.ledgerName(r.Context(), req.Channel)
	if err != nil {
		return nil, err
	}
	if holder != "" && holder != req.Name && declared(s.hub.Blueprint(), holder) != nil && !caller.mayWrite(holder) {
		return nil, s.forbid(caller, holder)
	}
	ctx, cancel := s.bounded(r)
	defer cancel()
	if err := s.hub.resolveOnce(ctx, channel); err != nil {
		return nil, err
	}
	l, err := s.hub.Acquire(ctx, req.Channel, req.Name, req.Holder)
	if err != nil {
		return nil, err
	}
	return wire.Lease{Epoch: l.Epoch, Cursors: l.Cursors, Done: l.Done}, nil
}

// page is POST /v1/pages.
func (s *server) page(w http.ResponseWriter, r *http.Request, caller Caller) (any, error) {
	if s.hub.Blueprint() == nil {
		return nil, ErrNoBlueprint
	}
	var c event.Commit
	if err := readJSON(w, r, wire.MaxPage, &c); err != nil {
		return nil, err
	}
	if !caller.All {
		name, err := s.hub.ledgerName(r.Context(), c.Channel)
		if err != nil {
			return nil, err
		}
		if !caller.mayWrite(name) {
			return nil, s.forbid(caller, name)
		}
	}
	ctx, cancel := s.bounded(r)
	defer cancel()
	return struct{}{}, s.hub.Commit(ctx, c)
}

// state is POST /v1/state.
func (s *server) state(w http.ResponseWriter, r *http.Request, caller Caller) (any, error) {
	var req wire.StateRequest
	if err := readJSON(w, r, wire.MaxSmall, &req); err != nil {
		return nil, err
	}
	channel, err := s.writable(caller, req.Channel)
	if err != nil {
		return nil, err
	}
	if err := checkState(req.State, channel); err != nil {
		return nil, err
	}
	return struct{}{}, s.hub.Report(r.Context(), req.Channel, req.State)
}

// checkState bounds what becomes labels and statuses.
func checkState(s reader.State, channel *blueprint.Channel) error {
	bad := func(format string, args ...any) error {
		return refuse(http.StatusUnprocessableEntity, format, args...)
	}
	if s.Channel != channel.Name {
		return bad("state.channel is not the channel that the state is reported for")
	}
	if !slices.Contains(reader.Phases(), s.Phase) {
		return bad("state.phase is none that the hub knows")
	}
	if len(s.Rooms) > maxRooms || len(s.Sees) > maxRooms || len(s.Lacks) > maxRooms {
		return bad("state: at most %d rooms, sees and lacks", maxRooms)
	}
	for reason := range s.Errors {
		if !slices.Contains(metrics.Reasons(), reason) {
			return bad("state.errors has a reason that the hub does not know")
		}
	}
	for lane := range s.Observations {
		if !isLane(lane) {
			return bad("state.observations has a lane that is none of live, backfill, sweep")
		}
	}
	for lane := range s.Progress {
		if !isLane(lane) {
			return bad("state.progress has a lane that is none of live, backfill, sweep")
		}
	}
	return nil
}

func isLane(l event.Lane) bool { return l == event.Live || l == event.Backfill || l == event.Sweep }

// since is GET /v1/since?channel=NAME.
func (s *server) since(_ http.ResponseWriter, r *http.Request, caller Caller) (any, error) {
	channel, err := s.writable(caller, r.URL.Query().Get("channel"))
	if err != nil {
		return nil, err
	}
	t, err := s.hub.ResolveSince(r.Context(), channel.Name, channel.Since)
	return wire.Since{Since: t, All: t.IsZero()}, err
}

// resolveOnce makes sure that a lease records the declared horizon, also for a reader that has not asked for it.
func (h *Hub) resolveOnce(ctx context.Context, c *blueprint.Channel) error {
	h.mu.Lock()
	_, resolved := h.sinces[c.Name]
	h.mu.Unlock()
	if resolved {
		return nil
	}
	_, err := h.ResolveSince(ctx, c.Name, c.Since)
	return err
}

// writable gives a declared channel that the caller may speak for.
func (s *server) writable(caller Caller, name string) (*blueprint.Channel, error) {
	if !caller.mayWrite(name) {
		return nil, s.forbid(caller, name)
	}
	bp := s.hub.Blueprint()
	if bp == nil {
		return nil, ErrNoBlueprint
	}
	channel := declared(bp, name)
	if channel == nil {
		return nil, refuse(http.StatusNotFound, "the community declares no such channel: apply a Channel of that name, or correct it")
	}
	return channel, nil
}

// forbid refuses a caller who speaks for another's channel, and counts it under the caller's name, which is one of those
// that the verifier was given.
func (s *server) forbid(caller Caller, channel string) error {
	if len(channel) > 253 {
		channel = channel[:253]
	}
	s.forbidden.WithLabelValues(caller.Name).Inc()
	s.o.Log.Info("Caller may not speak for this channel", "caller", caller.Name, "channel", channel)
	return refuse(http.StatusForbidden, "the caller may not speak for this channel, only for its own")
}

// bounded gives a call the time that a busy channel is waited for.
func (s *server) bounded(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), s.o.BusyAfter)
}
