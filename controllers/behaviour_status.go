// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hubpoll"
)

// maxNotMeasurable is how many channels a status names, as the schema has it.
const maxNotMeasurable = 256

// setBehaviourStatus sets all but Accepted and Ready.
func setBehaviourStatus(obj *v1alpha1.Behaviour, compiled *Compiled, hub hubpoll.Report) {
	v, blind := measurable(obj.Name, compiled.Blueprint)
	v.set(obj, v1alpha1.ConditionMeasurable)
	obj.Status.NotMeasurableOn = blind[:min(len(blind), maxNotMeasurable)]
	if _, is := silent(hub); is {
		// What was counted stays so while the hub is silent: Recent is of what had been read.
		return
	}
	obj.Status.Recent = nil
	for _, b := range hub.Status.Behaviours {
		if b.Name == obj.Name && v.reason != v1alpha1.ReasonNotMeasurable && b.Recent != nil {
			obj.Status.Recent = new(*b.Recent)
		}
	}
}

// measurable says whether the community's channels show what a behaviour needs, and which do not.
func measurable(name string, bp *blueprint.Blueprint) (verdict, []v1alpha1.Name) {
	var b *blueprint.Behaviour
	if bp != nil {
		b = bp.Behaviour(name)
	}
	if b == nil {
		return notAccepted("what channels show is compared with it"), nil
	}
	if len(bp.Channels) == 0 {
		return unknown(v1alpha1.ReasonNoChannel, "the community has no accepted channel yet"), nil
	}
	var blind []v1alpha1.Name
	why := ""
	for i := range bp.Channels {
		c := &bp.Channels[i]
		if lacks := cannotShow(bp, b, c.Platform); lacks != "" {
			blind = append(blind, v1alpha1.Name(c.Name))
			why = fmt.Sprintf("platform %s shows no %s", c.Platform, lacks)
		}
	}
	const never = "it is shown as not measurable there, never as 0"
	switch {
	case len(blind) == 0:
		return yes(v1alpha1.ReasonMeasurable, "every channel shows what it needs"), nil
	case len(blind) == len(bp.Channels):
		return no(v1alpha1.ReasonNotMeasurable, fmt.Sprintf("no channel shows what it needs (%s): %s; declare a channel that does", why, never)), blind
	}
	return no(v1alpha1.ReasonPartlyMeasurable, fmt.Sprintf("not on %s (%s): %s", list(blind), why, never)), blind
}

// cannotShow names what a platform lacks for a behaviour, or for what it is a share of: all the events that could be a
// case, since one kind is enough.
func cannotShow(bp *blueprint.Blueprint, b *blueprint.Behaviour, platform string) string {
	lacks, shown := "", false
	for _, kind := range append(b.On[:len(b.On):len(b.On)], b.CompletedBy...) {
		if what := catalogue.CannotShow(kind, platform); what != "" {
			lacks = what
		} else {
			shown = true
		}
	}
	if lacks != "" && !shown {
		return lacks
	}
	if basis := bp.Behaviour(b.Of); basis != nil {
		return cannotShow(bp, basis, platform)
	}
	return ""
}

// list names some resources, and says how many more there are.
func list(names []v1alpha1.Name) string {
	const most = 5
	var b strings.Builder
	for i, name := range names[:min(len(names), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(name))
	}
	if more := len(names) - most; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}
