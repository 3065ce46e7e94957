// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package app is what the commands of kith do: it loads manifests, starts readers and a hub in one process, and shows
// people what came of it as text or JSON.
// Folders, addresses, terminals and signals may enter. It decides nothing that is counted: what a manifest means is
// internal/blueprint's, what happened is internal/hub's, what it comes to is internal/behaviour's.
package app
