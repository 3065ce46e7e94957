// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/kith-dev/kith/connectors/sdk"
)

// cursorVersion is written into every cursor. A later Kith must still read it or say so.
const cursorVersion = 1

// decodeCursor reads a cursor; fresh is true for a lane's beginning.
func decodeCursor(raw sdk.Cursor, into any) (fresh bool, err error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return true, nil
	}
	var head struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return false, badCursor("is not a cursor of this platform")
	}
	if head.V != cursorVersion {
		return false, badCursor(fmt.Sprintf("has version %d, and this Kith knows %d; run the newer Kith again", head.V, cursorVersion))
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return false, badCursor("cannot be understood")
	}
	return false, nil
}

func badCursor(what string) error {
	return &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Message: "the stored position " + what}
}

// encodeCursor cannot fail: cursors hold numbers, texts and times only.
func encodeCursor(v any) sdk.Cursor {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("cursor %T: %v", v, err))
	}
	return b
}
