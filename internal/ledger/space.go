// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Space is what the volume of a ledger has, in bytes.
type Space struct{ Free, Total int64 }

const (
	// lowMost and reserveMost bound the shares below: a large volume is not full because a small part of it is left.
	lowMost     = 64 << 20
	reserveMost = 8 << 20
)

// Low says that less than a twentieth is left, and less than 64 MiB.
func (s Space) Low() bool { return s.Free < min(s.Total/20, lowMost) }

// Reserved says that no more is left than is kept for what must go on without new pages: opening the ledger, and erasing
// from it. It is a hundredth, and at most 8 MiB.
func (s Space) Reserved() bool { return s.Free < min(s.Total/100, reserveMost) }

// SpaceAt measures the volume on which a ledger lies.
func SpaceAt(path string) (Space, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		return Space{}, fmt.Errorf("measure the ledger's volume: %w", err)
	}
	size := uint64(st.Bsize)                                                             //nolint:gosec,unconvert // never negative; its type differs between systems
	return Space{Free: int64(uint64(st.Bavail) * size), Total: int64(st.Blocks * size)}, nil //nolint:gosec,unconvert // as above, and no volume has 8 EiB
}

// IsFull says whether an error comes of a volume, or of its quota, that has no space left.
func IsFull(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_FULL {
		return true
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
