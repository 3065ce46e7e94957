// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"errors"
	"fmt"
	"time"
)

// Reason is why a channel cannot be read now: a reason of its Connected condition.
type Reason string

// The reasons (DESIGN §4).
const (
	RateLimited      Reason = "RateLimited"
	BadCredentials   Reason = "BadCredentials"
	SecretKeyMissing Reason = "SecretKeyMissing"
	Unreachable      Reason = "Unreachable"
	PlatformError    Reason = "PlatformError"
	BadSettings      Reason = "BadSettings"
)

// Error is what a connector returns when the platform does not let it go on. Message says what was tried, on what, and
// what to do; it holds no secret and no person. Permanent errors are not repeated before something changes.
type Error struct {
	Reason  Reason
	Message string
	// RetryAfter is the pause that the platform asked for, already capped; zero: the runtime chooses.
	RetryAfter time.Duration
	// Permanent: repeating the same call cannot help (credentials, settings, gone).
	Permanent bool
	// Status is the HTTP status, 0 where there was none.
	Status int
	// Body is what the platform said of the error, scrubbed and cut at 2 KiB; for -v only.
	Body string
	Err  error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Reason, e.Message) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ReasonOf finds the reason in an error's chain; PlatformError where there is none.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return PlatformError
}
