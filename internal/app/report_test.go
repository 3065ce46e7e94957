// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/reader"
)

func whole(n int) *int            { return &n }
func fraction(f float64) *float64 { return &f }

func TestReportText(t *testing.T) {
	for name, tc := range map[string]report{
		"nothing": {},
		"full": {
			Currency: "EUR",
			Objectives: []reportObjective{
				{Name: "answers", Statement: "Questions are answered", Standing: behaviour.NotMet, Share: true, Value: fraction(0.71), AtLeast: "0.80", Hits: whole(54), Cases: whole(76), Provisional: 1, Window: "90 d"},
				{Name: "ideas", Statement: "Ideas are taken up", Standing: behaviour.TooFew, Reason: "9 cases, agreed were at least 20", Share: true, AtLeast: "0.665", Hits: whole(7), Cases: whole(9), Window: "28 d"},
				{Name: "secret", Statement: "About few people", Standing: behaviour.TooFew, Reason: "the figure would be about fewer than 5 people", Share: true, AtLeast: "0.5", Window: "28 d", ProvisionalFew: true},
				{Name: "solved", Statement: "Members solve", Standing: behaviour.Met, AtLeast: "20", Value: fraction(2100), Hits: whole(2100), Cases: whole(2100), Window: "this quarter"},
				{Name: "spam", Statement: "Little goes wrong", Standing: behaviour.Unknown, Reason: "channel forum has not been read completely yet", AtMost: "10", Window: "this week", ActivityBecause: "the sponsor asked for it"},
			},
			Behaviours: []reportBehaviour{
				{Name: "answered-in-time", Family: "PeerSupport", Role: "Value", Share: true, Counted: whole(15), Of: whole(22), Pending: whole(0), Undone: whole(0), All: whole(1168)},
				{Name: "welcome-given", Family: "Welcome", Role: "Value", Counted: whole(5), Pending: nil, Undone: whole(0), All: whole(58), Withheld: "about fewer than 5 people"},
				{Name: "welcome-seen", Family: "Welcome", Role: "Value", Share: true, Of: whole(30), Pending: whole(0), Undone: whole(0), All: whole(9), Withheld: "about fewer than 5 people"},
				{Name: "welcome-taken", Family: "Welcome", Role: "Value", Share: true, Counted: whole(0), Pending: whole(0), Undone: whole(0), Withheld: "about fewer than 5 people"},
				{Name: "welcome-told", Family: "Welcome", Role: "Value", Share: true, Pending: whole(0), Undone: whole(0), Withheld: "about fewer than 5 people"},
				{Name: "question-due", Family: "PeerSupport", Role: "Basis", Counted: whole(22), Pending: whole(1), Undone: whole(2), All: whole(241)},
				{Name: "solved-by-member", Family: "PeerSupport", Role: "Value", NotMeasurable: "its channels show no accepted answers"},
			},
			Worth: []reportWorth{{Factor: "support-contact", Unit: "Contact", Cases: whole(14), Low: fraction(7.2), Mid: fraction(1018.4), High: fraction(2045.5)},
				{Factor: "recruiting", Unit: "Hire", Withheld: "about fewer than 5 people"}},
			Channels: []reportChannel{
				{Name: "forum", Platform: "discourse", State: reader.Connected, ReadThrough: forumTime(), Messages: 12960, DroppedOld: 3, SetAside: 1, Lacks: []string{"the member directory."}},
				{Name: "blog", Platform: "feed", State: reader.Unreachable, Message: "no answer; check the address", Quarantined: 2},
			},
		},
	} {
		t.Run(name, func(t *testing.T) { golden(t, filepath.Join("report", name+".txt"), tc.text()) })
	}
}

func TestNotMeasurable(t *testing.T) {
	solved := blueprint.Behaviour{Name: "solved", On: []event.Kind{"AnswerAccepted"}}
	of := blueprint.Behaviour{Name: "share", Of: "solved"}
	for name, tc := range map[string]struct {
		b         blueprint.Behaviour
		platforms []string
		want      string
	}{
		"feed shows no acceptance":            {solved, []string{"feed"}, "no accepted answers"},
		"one channel that shows it is enough": {solved, []string{"feed", "discourse"}, ""},
		"as its basis":                        {of, []string{"feed"}, "no accepted answers"},
		"posts are seen everywhere":           {blueprint.Behaviour{On: []event.Kind{"MessagePosted"}}, []string{"feed"}, ""},
		"no channel":                          {solved, nil, "no channel"},
	} {
		t.Run(name, func(t *testing.T) {
			bp := &blueprint.Blueprint{Behaviours: []blueprint.Behaviour{solved, of}}
			for _, p := range tc.platforms {
				bp.Channels = append(bp.Channels, blueprint.Channel{Name: p, Platform: p})
			}
			got := notMeasurable(&tc.b, bp)
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestRunWritesJSON(t *testing.T) {
	std, out, _ := stdio("")
	if err := Run(context.Background(), std, RunOptions{Folder: quickstart, DataDir: t.TempDir(), ExitWhenRead: true, Output: OutputJSON}); err != nil {
		t.Fatal(err)
	}
	var r report
	decode(t, out.String(), &r)
	if r.Community != "quickstart" || len(r.Objectives) == 0 || len(r.Behaviours) == 0 || len(r.Channels) != 1 || r.Channels[0].ReadThrough.IsZero() {
		t.Errorf("got %+v", r)
	}
}
