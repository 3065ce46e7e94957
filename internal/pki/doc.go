// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pki makes the certificates that hubs show to their connectors and to the operator: an authority of the
// operator's own, and leaves for the names under which a hub is reached.
// What may enter: names, a time, and PEM that this package wrote. It never stores or sends anything, and knows no
// cluster; errors name what was expected and never hold a key.
package pki
