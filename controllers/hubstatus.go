// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/kith-dev/kith/internal/hubpoll"
)

// HubStatus is what the hubs last said about themselves; hubpoll.Poller asks them. Who polls them decides which answers
// are worth looking at, and asks for that by a Trigger of the kind.
type HubStatus interface {
	// Report gives a community's last answer and how the hub has answered since; false where nobody asks this hub.
	Report(community types.NamespacedName) (hubpoll.Report, bool)
	// Soon asks for a new answer within seconds: something was changed that the hub is to answer for.
	Soon(community types.NamespacedName)
}

var _ HubStatus = (*hubpoll.Poller)(nil)

// noHubs is a HubStatus for an operator that polls nothing.
type noHubs struct{}

// Report implements HubStatus.
func (noHubs) Report(types.NamespacedName) (hubpoll.Report, bool) { return hubpoll.Report{}, false }

// Soon implements HubStatus.
func (noHubs) Soon(types.NamespacedName) {}
