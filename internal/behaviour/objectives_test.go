// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

const day = 24 * time.Hour

// now is up to when everything has been read: a Wednesday.
var now = time.Date(2026, 6, 17, 10, 0, 0, 0, time.UTC)

func newLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// stored is a ledger with channels and occurrences.
func stored(t *testing.T, channels []ledger.Channel, list ...ledger.Occurrence) *ledger.Ledger {
	t.Helper()
	l := newLedger(t)
	tx, err := l.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	for i, c := range channels {
		c.Ref = event.ChannelRef{Platform: "discourse", Instance: c.Name, Account: fmt.Sprint(i)}
		tx.NewChannel(c)
	}
	for _, o := range list {
		tx.NewOccurrence(&o)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return l
}

func read(name string, upTo time.Time) ledger.Channel {
	return ledger.Channel{Name: name, History: ledger.HistoryComplete, Watermark: upTo.UnixMilli()}
}

// occurrence is one of "answered", fulfilled by a regular for a newcomer, some time ago; each member is new.
func occurrence(n int64, ago time.Duration, state ledger.State, change ...func(*ledger.Occurrence)) ledger.Occurrence {
	at := now.Add(-ago).UnixMilli()
	o := ledger.Occurrence{Behaviour: "answered", Channel: 1, Thread: n, Credit: 100 + n, Benefits: 200 + n, Level: event.RegularL, Party: event.PartyMember,
		BenefitsLevel: event.Newcomer, BenefitsParty: event.PartyMember, Arose: at, At: at, Due: at, State: state}
	if state == ledger.Unfulfilled {
		o.Credit, o.Level, o.Party = 0, "", ""
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

// cases makes as many counted and unfulfilled ones as asked for.
func cases(counted, unfulfilled int, change ...func(*ledger.Occurrence)) (out []ledger.Occurrence) {
	for i := range counted + unfulfilled {
		state := ledger.Counted
		if i >= counted {
			state = ledger.Unfulfilled
		}
		out = append(out, occurrence(int64(i+1), time.Hour, state, change...))
	}
	return out
}

func objectiveBlueprint(o blueprint.Objective, channels ...string) *blueprint.Blueprint {
	o.Name = "o"
	bp := &blueprint.Blueprint{Name: "acme", TimeZone: "Europe/Berlin", Privacy: blueprint.Privacy{MinimumGroupSize: 3}, Objectives: []blueprint.Objective{o},
		Behaviours: []blueprint.Behaviour{
			{Name: "answered", Of: "due"},
			{Name: "due", Role: blueprint.RoleBasis, On: []event.Kind{event.ThreadAged}, After: day, When: "thread.question"},
		}}
	if len(channels) == 0 {
		channels = []string{"forum"}
	}
	for _, c := range channels {
		name, platform, _ := strings.Cut(c, ":")
		bp.Channels = append(bp.Channels, blueprint.Channel{Name: name, Platform: platform})
	}
	return bp
}

func resultOf(t *testing.T, l *ledger.Ledger, bp *blueprint.Blueprint) Result {
	t.Helper()
	list, err := Objectives(t.Context(), l.Reader(), bp)
	if err != nil {
		t.Fatal(err)
	}
	r := list[0]
	r.Objective = nil
	return r
}

func TestObjectives(t *testing.T) {
	share := blueprint.Objective{Share: "answered", AtLeast: "0.75", Rolling: 28 * day, MinimumCases: 4}
	count := blueprint.Objective{Count: "answered", AtLeast: "3", Rolling: 28 * day}
	with := func(o blueprint.Objective, f func(*blueprint.Objective)) blueprint.Objective { f(&o); return o }
	level := func(l event.Level) func(*ledger.Occurrence) { return func(o *ledger.Occurrence) { o.Level = l } }
	tests := map[string]struct {
		objective blueprint.Objective
		list      []ledger.Occurrence
		want      string // standing, hits/cases, provisional, people
	}{
		"a share that is met exactly": {share, cases(3, 1), "Met 3/4 +0 people 7"},
		"a share that is not met":     {share, cases(2, 2), "NotMet 2/4 +0 people 6"},
		"a share at most":             {with(share, func(o *blueprint.Objective) { o.AtLeast, o.AtMost = "", "0.5" }), cases(2, 2), "Met 2/4 +0 people 6"},
		"a share above at most":       {with(share, func(o *blueprint.Objective) { o.AtLeast, o.AtMost = "", "0.5" }), cases(3, 1), "NotMet 3/4 +0 people 7"},
		"thirds are exact": {with(share, func(o *blueprint.Objective) { o.AtLeast, o.MinimumCases = "0.3333333333333333333", 3 }), cases(1, 2),
			"Met 1/3 +0 people 4"},
		"too few cases":                {share, cases(3, 0), "TooFew 3/3 +0 people 6"},
		"no case at all":               {with(share, func(o *blueprint.Objective) { o.MinimumCases = 0 }), nil, "TooFew 0/0 +0 people 0"},
		"about too few people":         {share, cases(3, 1, func(o *ledger.Occurrence) { o.Credit, o.Benefits = min(o.Credit, 101), 201 }), "TooFew 0/0 +0 people 0"},
		"nothing for too few people":   {share, cases(0, 4, func(o *ledger.Occurrence) { o.Benefits = 201 }), "TooFew 0/0 +0 people 0"},
		"nothing for enough people":    {share, cases(0, 4), "NotMet 0/4 +0 people 4"},
		"a count":                      {count, cases(3, 5), "Met 3/3 +0 people 3"},
		"a count of nothing":           {count, cases(0, 5), "NotMet 0/0 +0 people 0"},
		"a count at most":              {with(count, func(o *blueprint.Objective) { o.AtLeast, o.AtMost = "", "2" }), cases(3, 0), "NotMet 3/3 +0 people 3"},
		"undone and dropped are none":  {count, append(cases(3, 0), occurrence(8, time.Hour, ledger.Undone), occurrence(9, time.Hour, ledger.Dropped), occurrence(10, time.Hour, ledger.Shadowed)), "Met 3/3 +0 people 3"},
		"pending ones are provisional": {count, append(cases(3, 0), occurrence(8, time.Hour, ledger.Pending)), "Met 3/3 +0 people 3"},
		// One provisional case is about one person: it is withheld, as everything about too few people is.
		"a case before its deadline is provisional": {share, append(cases(3, 1), occurrence(8, time.Hour, ledger.Unfulfilled, func(o *ledger.Occurrence) { o.Due = now.UnixMilli() + 1 })),
			"Met 3/4 +0 people 7"},
		"the window's beginning belongs to it": {count, []ledger.Occurrence{occurrence(1, 28*day, ledger.Counted), occurrence(2, 28*day+time.Millisecond, ledger.Counted), occurrence(3, 0, ledger.Counted), occurrence(4, time.Minute, ledger.Counted)},
			"Met 3/3 +0 people 3"},
		"credit: only regulars fulfil a share": {with(share, func(o *blueprint.Objective) {
			o.Audience = blueprint.Audience{Who: "Credit", Levels: []event.Level{event.RegularL}}
		}),
			append(cases(3, 0), occurrence(9, time.Hour, ledger.Counted, level(event.Newcomer))), "Met 3/4 +0 people 3"},
		"credit: only regulars count": {with(count, func(o *blueprint.Objective) {
			o.Audience = blueprint.Audience{Who: "Credit", Levels: []event.Level{event.RegularL}}
		}),
			append(cases(2, 0), occurrence(9, time.Hour, ledger.Counted, level(event.Newcomer))), "TooFew 0/0 +0 people 0"},
		"credit: a party": {with(count, func(o *blueprint.Objective) {
			o.Audience = blueprint.Audience{Who: "Credit", Parties: []event.Party{event.PartyVolunteer}}
		}),
			append(cases(2, 0), cases(3, 0, func(o *ledger.Occurrence) { o.Party = event.PartyVolunteer })...), "Met 3/3 +0 people 3"},
		"credit: a segment": {with(count, func(o *blueprint.Objective) {
			o.Audience = blueprint.Audience{Who: "Credit", Segments: []string{"partner"}}
		}),
			append(cases(2, 0), cases(3, 0, func(o *ledger.Occurrence) { o.Segment = "partner" })...), "Met 3/3 +0 people 3"},
		"benefits: newcomers' cases alone": {with(share, func(o *blueprint.Objective) {
			o.Audience = blueprint.Audience{Who: "Benefits", Levels: []event.Level{event.Newcomer}}
		}),
			append(cases(3, 1), occurrence(9, time.Hour, ledger.Unfulfilled, func(o *ledger.Occurrence) { o.BenefitsLevel = event.RegularL })), "Met 3/4 +0 people 4"},
		"benefits: few of them, and nothing": {with(share, func(o *blueprint.Objective) {
			o.MinimumCases, o.Audience = 1, blueprint.Audience{Who: "Benefits", Levels: []event.Level{event.Newcomer}}
		}), cases(0, 2), "TooFew 0/0 +0 people 0"},
		"another behaviour's are not looked at": {count, append(cases(3, 0), occurrence(9, time.Hour, ledger.Counted, func(o *ledger.Occurrence) { o.Behaviour = "x" })), "Met 3/3 +0 people 3"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := resultOf(t, stored(t, []ledger.Channel{read("forum", now)}, tc.list...), objectiveBlueprint(tc.objective))
			if got := fmt.Sprintf("%s %d/%d +%d people %d", r.Standing, r.Hits, r.Cases, r.Provisional, r.People); got != tc.want {
				t.Errorf("got  %s (%s)\nwant %s", got, r.Reason, tc.want)
			}
			if (r.Reason == "") != (r.Standing == Met || r.Standing == NotMet) {
				t.Errorf("%s with the reason %q", r.Standing, r.Reason)
			}
		})
	}
}

func TestQuestionsThatAreNotDueYetAreProvisional(t *testing.T) {
	l := stored(t, []ledger.Channel{read("forum", now)}, cases(3, 1)...)
	tx, err := l.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	for i, ago := range []time.Duration{time.Hour, 23 * time.Hour, 25 * time.Hour} {
		tx.NewThread(0, 1, fmt.Sprint(i)).Opened = now.Add(-ago).UnixMilli()
	}
	for n := range int64(3) {
		th, err := tx.Thread(n + 1)
		if err != nil {
			t.Fatal(err)
		}
		tx.EditThread(th).Question = true
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	bp := objectiveBlueprint(blueprint.Objective{Share: "answered", AtLeast: "0.5", Rolling: 28 * day})
	bp.Privacy.MinimumGroupSize = 0
	r := resultOf(t, l, bp)
	if r.Provisional != 2 || r.Cases != 4 {
		t.Errorf("%d provisional of %d cases, want 2 of 4", r.Provisional, r.Cases)
	}
}

func TestTheOldestReadingDecides(t *testing.T) {
	yesterday := now.Add(-day)
	reading := func(name string) ledger.Channel { c := read(name, now); c.History = ledger.HistoryReading; return c }
	onTwo := []ledger.Occurrence{occurrence(1, 25*time.Hour, ledger.Counted), occurrence(2, 26*time.Hour, ledger.Counted, func(o *ledger.Occurrence) { o.Channel = 2 }),
		occurrence(3, time.Hour, ledger.Counted), occurrence(4, 27*time.Hour, ledger.Counted)}
	objective := blueprint.Objective{Count: "answered", AtLeast: "1", Rolling: 28 * day}
	of := func(channels ...string) blueprint.Objective { o := objective; o.Audience.Channels = channels; return o }
	tests := map[string]struct {
		channels  []ledger.Channel
		declared  []string
		objective blueprint.Objective
		want      string
		asOf      time.Time
	}{
		"both, up to the older one":       {[]ledger.Channel{read("forum", now), read("mail", yesterday)}, []string{"forum", "mail"}, objective, "Met 3", yesterday},
		"one alone":                       {[]ledger.Channel{read("forum", now), read("mail", yesterday)}, []string{"forum", "mail"}, of("forum"), "Met 3", now},
		"the other alone, of one person":  {[]ledger.Channel{read("forum", now), read("mail", yesterday)}, []string{"forum", "mail"}, of("mail"), "TooFew 0", yesterday},
		"one is still being read":         {[]ledger.Channel{read("forum", now), reading("mail")}, []string{"forum", "mail"}, objective, "Unknown 0", time.Time{}},
		"one has never been read":         {[]ledger.Channel{read("forum", now)}, []string{"forum", "mail"}, objective, "Unknown 0", time.Time{}},
		"it is not among those looked at": {[]ledger.Channel{read("forum", now), reading("mail")}, []string{"forum", "mail"}, of("forum"), "Met 3", now},
		"none is declared":                {[]ledger.Channel{read("forum", now)}, []string{"forum"}, of("mail"), "Unknown 0", time.Time{}},
		"no watermark is no reading":      {[]ledger.Channel{{Name: "forum", History: ledger.HistoryComplete}}, []string{"forum"}, objective, "Unknown 0", time.Time{}},
		"an archive does not hold back":   {[]ledger.Channel{read("forum", now), read("mail", yesterday)}, []string{"forum", "mail:archive"}, objective, "Met 4", now},
		"archives alone have their own":   {[]ledger.Channel{read("forum", yesterday), read("mail", yesterday.Add(-time.Hour))}, []string{"forum:archive", "mail:archive"}, objective, "Met 3", yesterday},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			bp := objectiveBlueprint(tc.objective, tc.declared...)
			bp.Privacy.MinimumGroupSize = 3
			r := resultOf(t, stored(t, tc.channels, onTwo...), bp)
			if got := fmt.Sprintf("%s %d", r.Standing, r.Hits); got != tc.want {
				t.Errorf("got %s (%s), want %s", got, r.Reason, tc.want)
			}
			if !r.AsOf.Equal(tc.asOf) {
				t.Errorf("as of %s, want %s", r.AsOf, tc.asOf)
			}
		})
	}
}

func TestCalendarPeriodsFollowTheTimeZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	tests := map[string]struct{ kind, at, from, to string }{
		"a week":                              {"Week", "2026-06-17T10:00:00Z", "2026-06-15T00:00:00+02:00", "2026-06-22T00:00:00+02:00"},
		"a Monday begins it":                  {"Week", "2026-06-14T22:00:00Z", "2026-06-15T00:00:00+02:00", "2026-06-22T00:00:00+02:00"},
		"a Sunday ends it":                    {"Week", "2026-06-14T21:59:59Z", "2026-06-08T00:00:00+02:00", "2026-06-15T00:00:00+02:00"},
		"a week of 167 hours":                 {"Week", "2026-03-25T10:00:00Z", "2026-03-23T00:00:00+01:00", "2026-03-30T00:00:00+02:00"},
		"a week of 169 hours":                 {"Week", "2026-10-25T20:00:00Z", "2026-10-19T00:00:00+02:00", "2026-10-26T00:00:00+01:00"},
		"a month, across summer time":         {"Month", "2026-03-31T21:59:59Z", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"},
		"a month begins at midnight there":    {"Month", "2026-03-31T22:00:00Z", "2026-04-01T00:00:00+02:00", "2026-05-01T00:00:00+02:00"},
		"February of a leap year":             {"Month", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00+01:00", "2028-03-01T00:00:00+01:00"},
		"the first quarter":                   {"Quarter", "2026-02-01T00:00:00Z", "2026-01-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"},
		"the last quarter, across winter":     {"Quarter", "2026-12-31T22:59:59Z", "2026-10-01T00:00:00+02:00", "2027-01-01T00:00:00+01:00"},
		"a year":                              {"Year", "2026-06-17T10:00:00Z", "2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"},
		"new year's eve in UTC is over there": {"Year", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00+01:00", "2028-01-01T00:00:00+01:00"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			from, to := period(tc.kind, at(tc.at).In(berlin))
			if !from.Equal(at(tc.from)) || !to.Equal(at(tc.to)) {
				t.Errorf("from %s to %s\nwant %s to %s", from, to, tc.from, tc.to)
			}
		})
	}
}

func TestACalendarWindowHoldsItsPeriodAlone(t *testing.T) {
	// The week began on Monday the 15th at 00:00 in Berlin, 60 hours ago in UTC.
	list := []ledger.Occurrence{occurrence(1, 60*time.Hour, ledger.Counted), occurrence(2, 60*time.Hour+time.Millisecond, ledger.Counted), occurrence(3, time.Hour, ledger.Counted), occurrence(4, 2*time.Hour, ledger.Counted)}
	r := resultOf(t, stored(t, []ledger.Channel{read("forum", now)}, list...), objectiveBlueprint(blueprint.Objective{Count: "answered", AtLeast: "1", Calendar: "Week"}))
	if r.Hits != 3 || r.To.Sub(r.From) != 7*day {
		t.Errorf("%d from %s to %s", r.Hits, r.From, r.To)
	}
}

func TestWorth(t *testing.T) {
	range_ := func(low, mid, high string) blueprint.Range { return blueprint.Range{Low: low, Mid: mid, High: high} }
	bp := &blueprint.Blueprint{
		Factors: []blueprint.Factor{{Name: "contact", Range: range_("6", "9", "14")}, {Name: "hour", Range: range_("40", "50", "60")}},
		Behaviours: []blueprint.Behaviour{
			{Name: "answered", Worth: []blueprint.Worth{{Factor: "contact", Range: range_("0.1", "0.2", "0.3")}}},
			{Name: "solved", Worth: []blueprint.Worth{{Factor: "contact", Range: range_("0.3", "0.5", "0.8")}, {Factor: "hour", Range: range_("0", "0.1", "0.2")}}},
			{Name: "due"},
		},
	}
	solved := func(o *ledger.Occurrence) { o.Behaviour = "solved" }
	nowhere := func(o *ledger.Occurrence) { o.Thread = 0 }
	tests := map[string]struct {
		list []ledger.Occurrence
		want []string // factor cases low mid high
	}{
		"nothing":                          {nil, []string{"contact 0 0.00 0.00 0.00", "hour 0 0.00 0.00 0.00"}},
		"one":                              {cases(1, 0), []string{"contact 1 0.60 1.80 4.20", "hour 0 0.00 0.00 0.00"}},
		"the greater one of a thread":      {append(cases(1, 0), occurrence(1, 2*time.Hour, ledger.Counted, solved)), []string{"contact 1 1.80 4.50 11.20", "hour 1 0.00 5.00 12.00"}},
		"two threads":                      {cases(2, 0), []string{"contact 2 1.20 3.60 8.40", "hour 0 0.00 0.00 0.00"}},
		"each one outside a thread":        {cases(2, 0, nowhere), []string{"contact 2 1.20 3.60 8.40", "hour 0 0.00 0.00 0.00"}},
		"only what counts":                 {append(cases(0, 1), occurrence(2, time.Hour, ledger.Pending), occurrence(3, time.Hour, ledger.Undone)), []string{"contact 0 0.00 0.00 0.00", "hour 0 0.00 0.00 0.00"}},
		"only what arose within the times": {[]ledger.Occurrence{occurrence(1, 7*day, ledger.Counted), occurrence(2, 0, ledger.Counted), occurrence(3, 8*day, ledger.Counted)}, []string{"contact 1 0.60 1.80 4.20", "hour 0 0.00 0.00 0.00"}},
		"a basis is worth nothing":         {cases(1, 0, func(o *ledger.Occurrence) { o.Behaviour = "due" }), []string{"contact 0 0.00 0.00 0.00", "hour 0 0.00 0.00 0.00"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			list, err := Worth(t.Context(), stored(t, nil, tc.list...).Reader(), bp, now.Add(-7*day), now)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range list {
				got = append(got, fmt.Sprintf("%s %d %.2f %.2f %.2f", w.Factor.Name, w.Cases, w.Low, w.Mid, w.High))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("worth (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTotalsCountPeopleAndNotNobody(t *testing.T) {
	list := append(cases(2, 3), occurrence(9, time.Hour, ledger.Counted, func(o *ledger.Occurrence) { o.Credit = 0 }),
		occurrence(10, 40*day, ledger.Counted), occurrence(11, time.Hour, ledger.Pending), occurrence(12, time.Hour, ledger.Undone))
	bp := objectiveBlueprint(blueprint.Objective{Share: "answered"})
	got, err := Totals(t.Context(), stored(t, []ledger.Channel{read("forum", now)}, list...).Reader(), bp, 28*day)
	if err != nil {
		t.Fatal(err)
	}
	want := Total{Behaviour: &bp.Behaviours[0], Counted: 3, Pending: 1, Undone: 1, Unfulfilled: 3, CountedAll: 4, People: 2, PeopleAll: 3, PeoplePending: 1, PeopleUndone: 1, PeopleDecided: 8, From: now.Add(-28 * day), AsOf: now}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}
