// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the resources that people declare: Community, Channel, Behaviour and Objective of the group
// kith.dev. What enters are types, their schema markers and the condition vocabulary; anything that can be judged from
// one resource alone is judged by the schema (bounds, enums, CEL), so that a cluster, `kith run` and `kith validate`
// refuse the same manifests. It never reads another resource, a platform or a clock: that is internal/blueprint's and
// the controllers' part.
//
// The names ModerationPolicy, ReportingTarget and Campaign are reserved for kinds that follow with their features.
// Within v1alpha1 fields are only ever added once a version has been released.
//
// Quantities are written as people write them: a Duration is "90s", "24h", "28d" or "2w", a Date is "2026-09-30", and
// amounts and ratios are decimal strings ("0.80"), because a float does not survive YAML, JSON and back unchanged.
//
// +kubebuilder:object:generate=true
// +groupName=kith.dev
package v1alpha1
