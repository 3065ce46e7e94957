// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"errors"
	"fmt"

	"github.com/kith-dev/kith/internal/ledger"
)

// errFull refuses pages. Nothing is lost: what a platform has is read again from the cursor in the ledger.
var errFull = errors.New("the ledger's volume is full: expand it (in a cluster, spec.ledger.sqlite.size); reading goes on by itself")

// room says whether the volume has room for a page. It keeps a little for what must go on without new pages; where it
// cannot be measured, writing shows it.
func (h *Hub) room() error {
	if space, err := ledger.SpaceAt(h.ledger.Path()); err == nil && space.Reserved() {
		h.wrote(errFull)
		return errFull
	}
	return nil
}

// wrote notes what became of a write.
func (h *Hub) wrote(err error) {
	full := errors.Is(err, errFull) || ledger.IsFull(err)
	if err != nil && !full {
		return
	}
	switch before := h.full.Swap(full); {
	case full && !before:
		h.o.Log.Error(err, "Pages are refused until the ledger's volume has space again")
	case !full && before:
		h.o.Log.Info("The ledger's volume has space again")
	}
}

// fullness says what the volume lacks; empty while it has enough.
func (h *Hub) fullness() string {
	space, err := ledger.SpaceAt(h.ledger.Path())
	switch {
	case err == nil && space.Low():
		const mib = 1 << 20
		return fmt.Sprintf("the ledger's volume has %d of %d MiB left: expand it (in a cluster, spec.ledger.sqlite.size); pages wait at their platforms while it is full, and are read by themselves after",
			space.Free/mib, space.Total/mib)
	case h.full.Load():
		return errFull.Error()
	}
	return ""
}
