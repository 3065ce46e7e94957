// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"fmt"
	"slices"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

// Apply puts a blueprint in force. A change is recorded in the ledger: new definitions apply from there on, what was
// counted stays as it was counted.
func (h *Hub) Apply(ctx context.Context, bp *blueprint.Blueprint) error {
	digest := bp.Digest()
	old := h.engine.Load()
	if old != nil && old.Digest == digest {
		return nil
	}
	g, err := behaviour.NewEngine(bp, digest)
	if err != nil {
		return fmt.Errorf("put the blueprint of %s in force: %w", bp.Name, err)
	}
	tx, err := h.ledger.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	last, err := tx.LastBlueprint()
	if err != nil {
		return err
	}
	if last == digest {
		h.engine.Store(g)
		return nil
	}
	doc, err := bp.Encode()
	if err != nil {
		return err
	}
	if err := tx.SaveBlueprint(digest, doc, EngineVersion); err != nil {
		return err
	}
	if old == nil && last != "" {
		if old, err = h.loadEngine(tx, last); err != nil {
			return err
		}
	}
	channels, err := tx.Channels()
	if err != nil {
		return err
	}
	revision, err := tx.CountBlueprints()
	if err != nil {
		return err
	}
	now := h.millis()
	for _, c := range append([]*ledger.Channel{{}}, channels...) {
		e := &ledger.Event{Channel: c.N, Kind: event.BlueprintApplied, Native: digest, Revision: revision, At: c.Watermark, Observed: now, Data: ledger.Data{Digest: digest}}
		if _, err := tx.Append(e); err != nil {
			return err
		}
		if err := scheduleAges(tx, old, g, c.N, c.Watermark); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	h.engine.Store(g)
	h.o.Log.Info("Blueprint in force", "community", bp.Name, "digest", digest[:12], "behaviours", len(bp.Behaviours), "objectives", len(bp.Objectives))
	return nil
}

func (h *Hub) loadEngine(tx *ledger.Tx, digest string) (*behaviour.Engine, error) {
	doc, err := tx.Blueprint(digest)
	if err != nil {
		return nil, err
	}
	bp, err := blueprint.Decode(doc)
	if err != nil {
		return nil, fmt.Errorf("decode the recorded blueprint %.12s: %w", digest, err)
	}
	return behaviour.NewEngine(bp, digest)
}

// scheduleAges sets timers for ages that are new with a blueprint, on threads that have not reached them yet.
func scheduleAges(tx *ledger.Tx, old, g *behaviour.Engine, channel, watermark int64) error {
	if channel == 0 {
		return nil
	}
	var had []int64
	if old != nil {
		had = old.Ages()
	}
	for _, age := range g.Ages() {
		if slices.Contains(had, age) {
			continue
		}
		threads, err := tx.ThreadsOpenedAfter(channel, watermark-age)
		if err != nil {
			return err
		}
		for _, t := range threads {
			tx.AddTimer(ledger.Timer{Channel: channel, Due: t.Opened + age, Kind: ledger.TimerAged, Thread: t.N, After: age})
		}
	}
	return nil
}
