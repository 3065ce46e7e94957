// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conformance is the suite that every connector must pass. Import it in a test, give it a double of the platform
// (or the platform itself) that the suite can change, and call Run.
// Cases that hold for every connector may enter, written against sdk.Connector alone. It never knows a platform, and it
// skips a case only where the connector's declared fidelity says None or the double says that there is no such thing.
package conformance
