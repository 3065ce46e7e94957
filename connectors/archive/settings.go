// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Values of Settings.History.
const (
	HistoryComplete = "Complete"
	HistoryPartial  = "Partial"
)

// Settings of an archive channel.
type Settings struct {
	Path        string    `kith:"name=path,help=The folder, .zip, .tar or .tar.gz with one JSON file per topic, and categories.json or site.json for the names of rooms; relative to the manifest, or a file:// URL. Default: the channel's url where that is a file."`
	Platform    string    `kith:"name=platform,default=discourse,max=63,help=The platform that the topics come from. A live channel of it continues the same history."`
	Instance    string    `kith:"name=instance,max=253,help=The platform's host name, where it is not that of the channel's url."`
	ExportedAt  time.Time `kith:"name=exportedAt,help=When the export was made: up to then it is complete. Default: when it was first read."`
	History     string    `kith:"name=history,default=Complete,enum=Complete|Partial,help=Whether the archive holds everything since the first topic."`
	MaxTotalMiB int       `kith:"name=maxTotalMiB,default=8192,min=1,max=1048576,help=How much the archive may unpack to, in MiB."`
}

// Descriptor declares the platform.
func Descriptor() sdk.Descriptor {
	return sdk.Descriptor{
		Name: Name, Title: "Archive of topics", Maturity: "Beta",
		Summary:    "Topics exported from Discourse, from a folder, zip or tar: for history, migrations, trying without credentials.",
		Settings:   &Settings{},
		RoomSyntax: "The category's slug, or parent/child for a subcategory, where the archive holds the forum's categories.json or site.json; else its number (10).",
		Fidelity: sdk.Fidelity{
			Edits: sdk.EditsLatest, Removals: sdk.RemovalsSweep, Reactions: sdk.ReactionsCounts, Acceptance: sdk.AcceptanceInferred,
		},
		New:   newConnector,
		Lanes: []event.Lane{event.Live, event.Backfill},
	}
}
