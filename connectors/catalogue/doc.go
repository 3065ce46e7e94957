// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package catalogue is the explicit list of platforms that Kith can read.
// One line per connector enters, and what everybody asks of the list: names, one entry, the check of a channel's settings.
// It never registers anything by itself, and it makes no connector.
package catalogue
