// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package library holds the ready-made behaviours as files, so that the binary and the generators can carry them.
// One YAML file for each Behaviour and its conversations under testdata may enter; definitions follow the issue that
// decided them.
// It never interprets a behaviour: that is internal/blueprint's and internal/behaviour's.
package library

import "embed"

// Files holds one NAME.yaml for each ready-made behaviour, for a community named Community.
// kustomization.yaml is not among them.
//
//go:embed answered-*.yaml feedback-*.yaml how-to-*.yaml long-*.yaml newcomer-*.yaml pointed-*.yaml question-*.yaml
//go:embed regular-*.yaml returned-*.yaml solved-*.yaml welcome-*.yaml
var Files embed.FS

// Community is the name that communityRef holds in Files; whoever uses them puts the real one in its place.
const Community = "community"
