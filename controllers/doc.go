// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers holds the operator's reconcilers, one per kind on one shared skeleton, and what they share.
// What may enter: the API server's objects. It never talks to a platform and never reads a ledger.
//
// # The skeleton
//
// Reconciler runs the phases that a Kind plans for a resource and writes its status once. A kind is a small struct with
// what its phases need (an Applier, the Compiler), whose Plan gathers a scope and names the phases as its methods:
//
//	func (k *channels) Plan(ctx context.Context, channel *v1alpha1.Channel) ([]Phase, error) {
//		compiled, err := k.compiler.Compile(ctx, communityKey(channel))
//		…
//		s := &channelScope{channels: k, channel: channel, compiled: compiled}
//		return []Phase{{"accept", s.accept}, {"deploy", s.deploy}, {"connect", s.connect}}, nil
//	}
//
// Phases say what they found by SetCondition, and end a pass early by Terminal, Waiting or any other error. Accept turns
// what the compiler says about a resource into its Accepted condition and such an error. Ready and the conditions of
// kstatus are set by the skeleton alone: Ready=True goes without Reconciling and Stalled, anything else with exactly one
// of them. (One exception: Ready stays True while a failed call is repeated, together with Reconciling.)
//
// Objects are applied by Apply and ApplyKept, which send nothing where nothing is to be changed. Whatever happens in the
// process and not in the API server (a hub was polled, another resource's verdict has changed) comes by a Trigger.
package controllers
