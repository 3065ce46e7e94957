// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

func TestRecentCases(t *testing.T) {
	by := func(member int64) func(*ledger.Occurrence) {
		return func(o *ledger.Occurrence) { o.Credit = member }
	}
	old := func(o *ledger.Occurrence) { o.Arose -= (28 * day).Milliseconds() }
	imported := func(o *ledger.Occurrence) { o.Imported = true }
	unread := read("forum", now)
	unread.History = ledger.HistoryProcessing
	for name, tc := range map[string]struct {
		channels []ledger.Channel
		list     []ledger.Occurrence
		want     map[string]int64
	}{
		"counted alone":        {list: cases(4, 3), want: map[string]int64{"answered": 4, "due": 0}},
		"history too":          {list: cases(4, 0, imported), want: map[string]int64{"answered": 4, "due": 0}},
		"older than the weeks": {list: append(cases(4, 0), occurrence(9, time.Hour, ledger.Counted, old)), want: map[string]int64{"answered": 4, "due": 0}},
		"after the watermark":  {list: append(cases(4, 0), occurrence(9, -time.Hour, ledger.Counted)), want: map[string]int64{"answered": 4, "due": 0}},
		"nothing":              {want: map[string]int64{"answered": 0, "due": 0}},
		"few people":           {list: cases(2, 0), want: map[string]int64{"due": 0}},
		"many of few people":   {list: cases(9, 0, by(7)), want: map[string]int64{"due": 0}},
		"two channels, one clock each": {channels: []ledger.Channel{read("forum", now), read("chat", now.Add(-20*day))},
			list: append(cases(4, 0), occurrence(9, 40*day, ledger.Counted, func(o *ledger.Occurrence) { o.Channel = 2 })), want: map[string]int64{"answered": 5, "due": 0}},
		"a channel is being read": {channels: []ledger.Channel{unread, read("chat", now)}, list: cases(4, 0), want: map[string]int64{"answered": 0, "due": 0}},
		"all are being read":      {channels: []ledger.Channel{unread}, list: cases(4, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.channels == nil {
				tc.channels = []ledger.Channel{read("forum", now)}
			}
			var names []string
			for _, c := range tc.channels {
				names = append(names, c.Name)
			}
			l := stored(t, tc.channels, slices.Clone(tc.list)...)
			got, err := Recent(t.Context(), l.Reader(), objectiveBlueprint(blueprint.Objective{Count: "answered"}, names...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
