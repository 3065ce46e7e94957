// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/hubpoll"
)

// HubStatus is what the hubs last said about themselves; hubpoll.Poller asks them. Who polls them decides which answers
// are worth looking at, and asks for that by a Trigger of the kind.
type HubStatus interface {
	// Status gives a community's last answer and when it came; both are zero where none has come since the operator
	// started. The error says why the last call failed, and is nil where it succeeded.
	Status(community types.NamespacedName) (status wire.Status, at time.Time, err error)
	// Report is Status with whether the hub has been silent for so long that nothing is known any more; false where
	// nobody asks this hub.
	Report(community types.NamespacedName) (hubpoll.Report, bool)
	// Soon asks for a new answer within seconds: something was changed that the hub is to answer for.
	Soon(community types.NamespacedName)
}

var _ HubStatus = (*hubpoll.Poller)(nil)

// noHubs is a HubStatus for an operator that polls nothing.
type noHubs struct{}

// Status implements HubStatus.
func (noHubs) Status(types.NamespacedName) (wire.Status, time.Time, error) {
	return wire.Status{}, time.Time{}, nil
}

// Report implements HubStatus.
func (noHubs) Report(types.NamespacedName) (hubpoll.Report, bool) { return hubpoll.Report{}, false }

// Soon implements HubStatus.
func (noHubs) Soon(types.NamespacedName) {}
