// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

// HTTP is the one client for one credential: limiter, retries, scrubbing.
type HTTP struct{}
