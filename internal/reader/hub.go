// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kith-dev/kith/api/event"
)

// Hub is what the runtime needs of the hub, in process or over HTTP.
type Hub interface {
	// Acquire takes the lease of a channel (a new epoch; the older holder's pages are refused from then on) and gives
	// each lane's cursor. Name is the channel's resource name; holder says who holds the lease, for people.
	Acquire(ctx context.Context, channel event.ChannelRef, name string, holder string) (Lease, error)
	// Commit writes a page. The error is a *Conflict (errors.Is ErrConflict) when epoch or previous cursor do not match,
	// wraps ErrRefused when repeating the same page cannot help, and is otherwise taken as passing: the same page is
	// committed again.
	Commit(ctx context.Context, c event.Commit) error
	// Report tells the channel's state, for status and metrics. A report under an older epoch than the channel's lease
	// must not replace the newer holder's.
	Report(ctx context.Context, channel string, s State) error
}

// Lease is the right to write a channel's pages until somebody else acquires it.
type Lease struct {
	// Epoch grows with each acquisition.
	Epoch int64
	// Cursors holds the committed position of each lane that has one.
	Cursors map[event.Lane]json.RawMessage
	// Done holds the lanes whose last pass has ended (for Backfill: history is complete back to the horizon).
	Done map[event.Lane]bool
}

// ErrConflict is what errors.Is finds in a refused commit whose epoch or previous cursor did not match.
var ErrConflict = errors.New("epoch or cursor do not match")

// ErrRefused is wrapped by Hub.Commit where the page itself cannot be accepted (beyond the bounds, malformed).
var ErrRefused = errors.New("page refused")

// ErrTakenOver is wrapped by what Run returns after another holder has acquired the channel's lease.
var ErrTakenOver = errors.New("another process reads this channel now")

// Conflict is what the ledger holds instead of what the commit expected.
type Conflict struct {
	// Epoch is the current lease epoch.
	Epoch int64
	// Holder has the lease, where known.
	Holder string
	Lane   event.Lane
	// Cursor is the lane's current position.
	Cursor json.RawMessage
}

// Error implements error.
func (c *Conflict) Error() string {
	return fmt.Sprintf("lane %s is held under epoch %d: %v", c.Lane, c.Epoch, ErrConflict)
}

// Is makes errors.Is(err, ErrConflict) true.
func (c *Conflict) Is(target error) bool { return target == ErrConflict }
