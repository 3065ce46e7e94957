// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/kith-dev/kith/internal/hub"
)

// waitSorted waits until history that has been read is in the ledger in its own order, and shows how far it is.
func waitSorted(ctx context.Context, h *hub.Hub, p *progress) error {
	return h.Drain(ctx)
}
