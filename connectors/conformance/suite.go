// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Suite is one connector under test.
type Suite struct {
	Descriptor sdk.Descriptor
	// NewPlatform makes an empty platform of its own for each case; t.Cleanup takes it down.
	NewPlatform func(t testing.TB) Platform
	// Local is set for connectors that read without a network: nothing answers 429 or breaks off.
	Local bool
	// NoPrivateRooms is set where the platform has no rooms that are closed to some.
	NoPrivateRooms bool
	// Longest is how many replies a thread can have at most on this platform; 0: no bound, 10,000 are tried.
	Longest int
	// NothingNew is set where nothing is ever new to the Live lane (an archive): all is Backfill's.
	NothingNew bool
}

// Platform is a platform that the suite reads and changes. Ids are native ones, as observations show them.
type Platform interface {
	// Config is what a connector is made from; the suite sets HTTP and Secrets.
	Config() sdk.Config
	// Open opens a thread with so many replies and gives its id and its messages', the opening's first.
	Open(replies int) (thread string, messages []string)
	// Reply adds a message to a thread.
	Reply(thread string) (message string)
	// Now is the platform's clock, which stands still except for Advance and a moment with each change.
	Now() time.Time
	Advance(d time.Duration)
}

// Editor is a platform on which messages can be edited. Required unless fidelity says that edits are not seen.
type Editor interface{ Edit(message string) }

// Remover is a platform on which messages can be removed. Required unless fidelity says that removals are not seen.
type Remover interface{ Remove(message string) }

// Accepter is a platform on which answers can be accepted. Required unless fidelity says that it has no such thing.
type Accepter interface{ Accept(message string) }

// Private is a platform with rooms that are closed to some. Required unless Suite.NoPrivateRooms.
type Private interface {
	// OpenPrivate opens a thread in such a room.
	OpenPrivate() (thread string, messages []string)
}

// Faulty is a platform that can be made to fail. Required unless Suite.Local.
type Faulty interface {
	// Fail lets every nth request from now on fail in this way; 0 ends it.
	Fail(every int, how Fault)
}

// Fault is a way in which requests fail.
type Fault string

// The faults.
const (
	// TooMany answers 429 and asks for a pause.
	TooMany Fault = "429"
	// ServerError answers 500.
	ServerError Fault = "500"
	// Truncated breaks off in the middle of the body.
	Truncated Fault = "truncated body"
)

// Guarded is a platform that asks for credentials. Required where the descriptor names secret keys.
type Guarded interface {
	// Guard accepts from now on exactly these secrets, by key, and refuses requests without them.
	Guard(secrets map[string]string)
	// Revoke refuses them.
	Revoke()
}

// Answering is a platform that can answer everything with the same bytes, for fuzzing.
type Answering interface{ Answer(body []byte) }

// Run runs every case.
func Run(t *testing.T, s Suite) {
	cases := []struct {
		name string
		skip string
		run  func(*testing.T, *env)
	}{
		{name: "probe identifies the channel", run: probes},
		{name: "an empty platform is read in peace", run: readsEmpty},
		{name: "everything is read once and within bounds", run: readsAll},
		{name: "the same cursor gives the same page", run: repeats},
		{name: "a crash between any two calls loses nothing", run: crashes},
		{name: "what appears while history is read is not lost", skip: when(s.NothingNew, "nothing is new here"), run: readsWhileGrowing},
		{name: "a finished history stays finished", run: staysFinished},
		{name: "long threads are paged", run: readsLong},
		{name: "edits are seen", skip: when(s.Descriptor.Fidelity.Edits == sdk.EditsNone, "fidelity: no edits"), run: seesEdits},
		{name: "removals are seen", skip: when(s.Descriptor.Fidelity.Removals == sdk.RemovalsNone, "fidelity: no removals"), run: seesRemovals},
		{name: "acceptance is seen", skip: when(s.Descriptor.Fidelity.Acceptance == sdk.AcceptanceNone, "fidelity: no acceptance"), run: seesAcceptance},
		{name: "private rooms are not read", skip: when(s.NoPrivateRooms, "no private rooms here"), run: leavesPrivateOut},
		{name: "passing failures lose nothing", skip: when(s.Local, "reads without a network"), run: survivesFaults},
		{name: "lasting failures are named", skip: when(s.Local, "reads without a network"), run: namesFaults},
		{name: "revoked credentials are named and kept secret", skip: when(len(s.Descriptor.Secrets) == 0, "takes no credentials"), run: namesRevoked},
		{name: "the reader's clock does not matter", skip: when(s.Local, "has the reader's clock"), run: ignoresOwnClock},
		{name: "foreign cursors are refused", run: refusesCursors},
		{name: "a cancelled read ends", run: endsWhenCancelled},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.skip != "" {
				t.Skip(c.skip)
			}
			e := newEnv(t, s)
			c.run(t, e)
			e.checkSecrets()
		})
	}
}

func when(is bool, reason string) string {
	if is {
		return reason
	}
	return ""
}

// ability finds an optional interface of a platform that the descriptor's promises make a required one.
func ability[A any](t testing.TB, p Platform) A {
	t.Helper()
	a, ok := p.(A)
	if !ok {
		t.Fatalf("the platform under test must implement %T for this connector", (*A)(nil))
	}
	return a
}

// lanes gives those lanes of the descriptor that are in the list, in its order.
func (s Suite) lanes(of ...event.Lane) []event.Lane {
	var out []event.Lane
	for _, l := range of {
		if slices.Contains(s.Descriptor.Lanes, l) {
			out = append(out, l)
		}
	}
	return out
}
