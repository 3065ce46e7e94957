// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/metrics"
)

// told is what a result gives away.
type told struct {
	Standing                             behaviour.Standing
	Reason                               string
	Hits, Cases, Provisional, People     int
	Withheld, ProvisionalWithheld, Value bool
}

func TestResultsHoldNoNumberAboutTooFewPeople(t *testing.T) {
	w := fill(t)
	const k = "the figure would be about fewer than 50 people"
	for name, tc := range map[string]struct {
		group int
		want  map[string]told
	}{
		"enough people": {2, map[string]told{
			"in-time":   {Standing: behaviour.NotMet, Hits: 3, Cases: 6, People: 8, ProvisionalWithheld: true, Value: true},
			"many":      {Standing: behaviour.TooFew, Reason: "0 cases, agreed were at least 50", ProvisionalWithheld: true},
			"solutions": {Standing: behaviour.NotMet, Hits: 2, Cases: 2, People: 2, Value: true},
		}},
		// Two solutions by two people for two others are about the two, not the four.
		"a count is about those who did it": {3, map[string]told{
			"in-time":   {Standing: behaviour.NotMet, Hits: 3, Cases: 6, People: 8, ProvisionalWithheld: true, Value: true},
			"many":      {Standing: behaviour.TooFew, Reason: "0 cases, agreed were at least 50", ProvisionalWithheld: true},
			"solutions": {Standing: behaviour.TooFew, Reason: "the figure would be about fewer than 3 people", Withheld: true},
		}},
		"too few people": {50, map[string]told{
			"in-time":   {Standing: behaviour.TooFew, Reason: k, Withheld: true, ProvisionalWithheld: true},
			"many":      {Standing: behaviour.TooFew, Reason: "0 cases, agreed were at least 50", ProvisionalWithheld: true},
			"solutions": {Standing: behaviour.TooFew, Reason: k, Withheld: true},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bp := community()
			bp.Privacy.MinimumGroupSize = tc.group
			results, err := behaviour.Objectives(t.Context(), w.db, bp)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]told{}
			for _, r := range results {
				if r.Standing != behaviour.Unknown {
					got[r.Objective.Name] = told{r.Standing, r.Reason, r.Hits, r.Cases, r.Provisional, r.People, r.Withheld, r.ProvisionalWithheld, r.Value != 0}
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			shown := scrape(t, &metrics.Community{DB: w.db, Blueprint: func() *blueprint.Blueprint { return bp }})
			for o, r := range got {
				if cases := strings.Contains(shown, `kith_objective_cases{community="acme",objective="`+o+`"}`); cases == r.Withheld {
					t.Errorf("%s: its cases are withheld: %t, and shown: %t", o, r.Withheld, cases)
				}
			}
		})
	}
}

func TestTotalsAndWorthSayHowManyPeopleTheyAreAbout(t *testing.T) {
	w := fill(t)
	bp := community()
	bp.Behaviours[2].Worth = []blueprint.Worth{{Factor: "support-contact", Range: blueprint.Range{Low: "1", Mid: "1", High: "1"}}}
	totals, err := behaviour.Totals(t.Context(), w.db, bp, 28*day)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][4]int{}
	for _, x := range totals {
		got[x.Behaviour.Name] = [4]int{x.Counted, x.People, x.PeopleAll, x.PeopleDecided}
	}
	want := map[string][4]int{"answered-in-time": {3, 2, 2, 8}, "question-due": {6, 0, 0, 6}, "solved-by-member": {2, 2, 2, 4}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counted, people, ever, decided (-want +got):\n%s", diff)
	}
	worth, err := behaviour.Worth(t.Context(), w.db, bp, start, w.now)
	if err != nil || len(worth) != 1 || worth[0].Cases != 2 || worth[0].People != 2 {
		t.Errorf("worth %+v, %v: want 2 cases of 2 people", worth, err)
	}
}
