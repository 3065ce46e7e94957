// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package envtest

import (
	"testing"
	"time"
)

// Eventually waits for what must become true, and fails the test where it has not within patience; check says what is
// not, and nothing once all is.
func Eventually(t testing.TB, patience time.Duration, check func() (why string)) {
	t.Helper()
	var why string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if why = check(); why == "" {
			return
		}
	}
	t.Fatalf("after %v: %s", patience, why)
}
