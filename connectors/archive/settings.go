// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"time"
)

// Values of Settings.History.
const (
	HistoryComplete = "Complete"
	HistoryPartial  = "Partial"
)

// Settings of an archive channel.
type Settings struct {
	Path        string
	Platform    string
	Instance    string
	ExportedAt  time.Time
	History     string
	MaxTotalMiB int
}

func parseSettings(raw map[string]any) (Settings, error) {
	s := Settings{Platform: "discourse", History: HistoryComplete, MaxTotalMiB: 8192}
	for k, v := range raw {
		switch k {
		case "path":
			s.Path = v.(string)
		case "exportedAt":
			s.ExportedAt, _ = time.Parse(time.RFC3339, v.(string))
		case "maxTotalMiB":
			s.MaxTotalMiB = v.(int)
		case "history":
			s.History = v.(string)
		}
	}
	return s, nil
}
