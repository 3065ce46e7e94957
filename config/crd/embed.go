// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crd holds the CustomResourceDefinitions as they are applied to a cluster, generated from api/v1alpha1. What
// enters are generated files only, so that binaries and clusters judge manifests by the same bytes. It never parses
// them: that is internal/crdcheck's part.
package crd

import "embed"

// Bases holds bases/*.yaml, one CustomResourceDefinition per file.
//
//go:embed bases/*.yaml
var Bases embed.FS
