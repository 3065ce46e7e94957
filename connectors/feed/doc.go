// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package feed reads RSS, Atom and JSON Feed with their comments feeds: an item is a thread with its opening message, a
// comment a message in it.
// What a feed shows and where its reading stands may live here. It only ever reads, asks for nothing outside of the
// feed's own host, and never takes an item's disappearance for a removal, since feeds drop what is old.
//
// A thing without a date gets the server's time of the answer that first showed it. That time is put into the cursor
// before the thing is given, so that a repeated read gives the same.
package feed
