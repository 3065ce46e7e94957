// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"context"
	"time"

	"github.com/kith-dev/kith/internal/ledger"
)

// Retain forgets what the blueprint's retention says: texts by the clock on the wall, activity by the clock of what has
// been read, so that an archive of long ago is not forgotten while it is being looked at.
func (h *Hub) Retain(ctx context.Context) (texts, threads int64, err error) {
	bp := h.Blueprint()
	if bp == nil {
		return 0, 0, ErrNoBlueprint
	}
	now := h.o.Now()
	channels, err := h.Channels(ctx)
	if err != nil {
		return 0, 0, err
	}
	read := time.Time{}
	for _, c := range channels {
		if c.History != ledger.HistoryComplete {
			return 0, 0, nil // what is being read may belong to what is there
		}
		if c.Watermark.After(read) {
			read = c.Watermark
		}
	}
	if read.IsZero() || read.After(now) {
		read = now
	}
	var textsBefore, activityBefore int64
	if keep := bp.Privacy.TextRetention; keep > 0 {
		textsBefore = now.Add(-keep).UnixMilli()
	}
	if keep := bp.Privacy.ActivityRetention; keep > 0 {
		activityBefore = read.Add(-keep).UnixMilli()
	}
	return h.ledger.Retain(ctx, textsBefore, activityBefore)
}

// Maintain forgets what is due, at the start and then every hour, until ctx ends.
func (h *Hub) Maintain(ctx context.Context) {
	for {
		texts, threads, err := h.Retain(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			h.o.Log.Error(err, "Forgetting what is past its retention failed; it is tried again in an hour")
		case texts+threads > 0:
			h.o.Log.Info("Forgot what is past its retention", "texts", texts, "threads", threads)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}
