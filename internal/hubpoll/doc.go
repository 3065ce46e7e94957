// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package hubpoll asks the hubs of all communities how they stand, and tells when an answer differs in a way that
// belongs into a status.
// What may enter: the names of communities, the root certificates of their hubs, the operator's own token.
// It never talks to the API server, and never takes a hub's silence for an answer.
package hubpoll
