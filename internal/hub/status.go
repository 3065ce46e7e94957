// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/kith-dev/kith/internal/ledger"
)

// ChannelStatus is what the ledger knows of a channel, for operators. Threads and messages are never an objective.
type ChannelStatus struct {
	Name, Platform, Instance string
	History                  ledger.History
	// Watermark is up to when everything has been read and processed; zero before history is complete.
	Watermark time.Time
	// Since is the horizon of history; zero: everything.
	Since             time.Time
	Threads, Messages int64
	// DroppedOld is how many threads were left out as older than activityRetention; Quarantined how many records could
	// not be understood; SetAside how many could not be processed and wait for `kith ledger retry`.
	DroppedOld, Quarantined, SetAside int64
	// Staged observations wait until history has been read; DrainDone of DrainTotal of them have been processed.
	Staged, DrainDone, DrainTotal int64
}

// Channels gives the status of every channel in the ledger, without the numbers that have to be counted: Threads,
// Messages and Staged are 0. It is cheap, however large the ledger is.
func (h *Hub) Channels(ctx context.Context) ([]ChannelStatus, error) {
	return h.channels(ctx, "0, 0, (SELECT count(*) FROM setaside s WHERE s.channel = c.n), 0")
}

// CountedChannels gives the status of every channel with all its numbers; it reads an index from end to end.
func (h *Hub) CountedChannels(ctx context.Context) ([]ChannelStatus, error) {
	return h.channels(ctx, `(SELECT count(*) FROM threads t WHERE t.channel = c.n), (SELECT count(*) FROM messages m WHERE m.channel = c.n),
		(SELECT count(*) FROM setaside s WHERE s.channel = c.n), (SELECT count(*) FROM staged g WHERE g.channel = c.n)`)
}

func (h *Hub) channels(ctx context.Context, numbers string) ([]ChannelStatus, error) {
	rs, err := h.ledger.Reader().QueryContext(ctx, "SELECT c.n, c.name, c.platform, c.instance, c.history, c.watermark, c.since, c.dropped_old, c.quarantined, "+
		numbers+" FROM channels c ORDER BY c.name, c.n")
	if err != nil {
		return nil, fmt.Errorf("read the channels' status: %w", err)
	}
	defer func() { _ = rs.Close() }() // its error shows in rs.Err
	return h.scanStatus(rs)
}

func (h *Hub) scanStatus(rs *sql.Rows) ([]ChannelStatus, error) {
	var out []ChannelStatus
	for rs.Next() {
		var c ChannelStatus
		var n, watermark, since int64
		if err := rs.Scan(&n, &c.Name, &c.Platform, &c.Instance, &c.History, &watermark, &since, &c.DroppedOld, &c.Quarantined,
			&c.Threads, &c.Messages, &c.SetAside, &c.Staged); err != nil {
			return nil, err
		}
		c.Since = sinceTime(since)
		if watermark > 0 {
			c.Watermark = time.UnixMilli(watermark).UTC()
		}
		h.mu.Lock()
		c.DrainDone, c.DrainTotal = h.draining[n].done, h.draining[n].total
		h.mu.Unlock()
		out = append(out, c)
	}
	return out, rs.Err()
}
