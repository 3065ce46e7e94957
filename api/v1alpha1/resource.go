// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// What all kinds have in their status, for code that works on any of them: the conditions, and the generation that they
// are about, each to be read and changed in place.

// StatusConditions gives the community's conditions.
func (r *Community) StatusConditions() *[]metav1.Condition { return &r.Status.Conditions }

// StatusGeneration gives the generation that the status is about.
func (r *Community) StatusGeneration() *int64 { return &r.Status.ObservedGeneration }

// StatusConditions gives the channel's conditions.
func (r *Channel) StatusConditions() *[]metav1.Condition { return &r.Status.Conditions }

// StatusGeneration gives the generation that the status is about.
func (r *Channel) StatusGeneration() *int64 { return &r.Status.ObservedGeneration }

// StatusConditions gives the behaviour's conditions.
func (r *Behaviour) StatusConditions() *[]metav1.Condition { return &r.Status.Conditions }

// StatusGeneration gives the generation that the status is about.
func (r *Behaviour) StatusGeneration() *int64 { return &r.Status.ObservedGeneration }

// StatusConditions gives the objective's conditions.
func (r *Objective) StatusConditions() *[]metav1.Condition { return &r.Status.Conditions }

// StatusGeneration gives the generation that the status is about.
func (r *Objective) StatusGeneration() *int64 { return &r.Status.ObservedGeneration }
