// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

var noon = time.Date(2026, 6, 17, 12, 0, 0, 0, time.UTC)

func ms(t time.Time) int64 { return t.UnixMilli() }

func TestPartiesAreThoseOfTheirTime(t *testing.T) {
	bp := &blueprint.Blueprint{Parties: []blueprint.PartyRule{
		{Party: event.PartyAgency, Roles: []string{"agentur"}, Until: noon},
		{Party: event.PartyCompany, EmailDomains: []string{"acme.example"}, Roles: []string{"admin"}, From: noon.Add(-time.Hour)},
		{Party: event.PartyVolunteer, Roles: []string{"moderator", "admin"}},
	}}
	tests := map[string]struct {
		stats ledger.Stats
		bot   bool
		at    time.Time
		want  event.Party
	}{
		"everybody else":                    {ledger.Stats{Roles: []string{"trust_2"}}, false, noon, event.PartyMember},
		"a role":                            {ledger.Stats{Roles: []string{"moderator"}}, false, noon, event.PartyVolunteer},
		"a domain":                          {ledger.Stats{Domain: "acme.example"}, false, noon, event.PartyCompany},
		"another domain":                    {ledger.Stats{Domain: "example.org"}, false, noon, event.PartyMember},
		"the first rule that matches":       {ledger.Stats{Roles: []string{"admin", "moderator"}}, false, noon, event.PartyCompany},
		"from begins with its moment":       {ledger.Stats{Roles: []string{"admin"}}, false, noon.Add(-time.Hour), event.PartyCompany},
		"before that the next rule":         {ledger.Stats{Roles: []string{"admin"}}, false, noon.Add(-time.Hour - time.Millisecond), event.PartyVolunteer},
		"before that nobody":                {ledger.Stats{Domain: "acme.example"}, false, noon.Add(-2 * time.Hour), event.PartyMember},
		"until ends before its moment":      {ledger.Stats{Roles: []string{"agentur"}}, false, noon, event.PartyMember},
		"until that":                        {ledger.Stats{Roles: []string{"agentur"}}, false, noon.Add(-time.Millisecond), event.PartyAgency},
		"a bot is a bot, whatever its role": {ledger.Stats{Roles: []string{"admin"}}, true, noon, event.PartyBot},
		"an account that is a bot":          {ledger.Stats{Bot: true, Domain: "acme.example"}, false, noon, event.PartyBot},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := partyOf(bp, &tc.stats, tc.bot, ms(tc.at)); got != tc.want {
				t.Errorf("party %s, want %s", got, tc.want)
			}
		})
	}
	if got := []string{knownDomain(bp, "ACME.example"), knownDomain(bp, "example.org"), knownDomain(bp, "")}; !cmp.Equal(got, []string{"acme.example", "", ""}) {
		t.Errorf("domains kept: %q, want only those that a rule names", got)
	}
}

// processor is one whose people can be looked at without a ledger.
func processor(t *testing.T, zone string, c ledger.Channel) *Processor {
	t.Helper()
	p := &Processor{Channel: &c, Blueprint: &blueprint.Blueprint{TimeZone: zone, Levels: blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * 24 * time.Hour},
		Parties: []blueprint.PartyRule{{Party: event.PartyCompany, Roles: []string{"staff"}}}}}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// active is the activity of somebody who wrote so many messages on each of some days before noon.
func active(p *Processor, perDay int, daysAgo ...int) *ledger.Stats {
	s := &ledger.Stats{}
	for _, ago := range daysAgo {
		at := ms(noon.AddDate(0, 0, -ago))
		for range perDay {
			s.AddDay(p.day(at), 0)
			s.Messages++
		}
		if s.FirstAt == 0 || at < s.FirstAt {
			s.FirstAt = at
		}
		s.LastAt = max(s.LastAt, at)
	}
	return s
}

func TestLevels(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	beginning, since := ledger.Channel{FromBeginning: true}, ledger.Channel{Since: ms(noon.AddDate(0, 0, -90))}
	type want struct {
		Level event.Level
		Known bool
		Count int
	}
	tests := map[string]struct {
		channel ledger.Channel
		perDay  int
		days    []int
		change  func(*ledger.Stats)
		status  ledger.MemberStatus
		want    want
	}{
		"the very first message":                       {beginning, 0, nil, nil, 0, want{event.Newcomer, true, 0}},
		"four messages":                                {beginning, 1, []int{4, 3, 2, 1}, nil, 0, want{event.Newcomer, true, 4}},
		"five on three days":                           {beginning, 1, []int{3, 3, 2, 2, 1}, nil, 0, want{event.RegularL, true, 5}},
		"five on two days":                             {beginning, 1, []int{2, 2, 1, 1, 1}, nil, 0, want{event.OtherL, true, 5}},
		"many, long ago":                               {beginning, 3, []int{500, 499, 498}, nil, 0, want{event.OtherL, true, 9}},
		"the oldest day within a year counts":          {beginning, 2, []int{365, 2, 1}, nil, 0, want{event.RegularL, true, 6}},
		"a day beyond does not":                        {beginning, 2, []int{366, 2, 1}, nil, 0, want{event.OtherL, true, 6}},
		"few, and nobody knows what came before":       {since, 1, []int{2, 1}, nil, 0, want{event.UnknownL, false, 2}},
		"a regular within what was read":               {since, 2, []int{3, 2, 1}, nil, 0, want{event.RegularL, false, 6}},
		"joined since then":                            {since, 1, []int{2, 1}, func(s *ledger.Stats) { s.Joined = ms(noon.AddDate(0, 0, -5)) }, 0, want{event.Newcomer, true, 2}},
		"joined at that moment":                        {since, 1, []int{2, 1}, func(s *ledger.Stats) { s.Joined = ms(noon.AddDate(0, 0, -90)) }, 0, want{event.Newcomer, true, 2}},
		"joined before":                                {since, 1, []int{2, 1}, func(s *ledger.Stats) { s.Joined = ms(noon.AddDate(0, 0, -91)) }, 0, want{event.UnknownL, false, 2}},
		"the platform counts none before":              {since, 1, []int{2, 1}, func(s *ledger.Stats) { s.Prior = number(0) }, 0, want{event.Newcomer, true, 2}},
		"the platform counts few before":               {since, 1, []int{2, 1}, func(s *ledger.Stats) { s.Prior = number(2) }, 0, want{event.Newcomer, true, 4}},
		"the platform counts many, their days unknown": {since, 1, []int{2, 1}, func(s *ledger.Stats) { s.Prior = number(80) }, 0, want{event.UnknownL, true, 82}},
		"the company has no level":                     {beginning, 2, []int{3, 2, 1}, func(s *ledger.Stats) { s.Roles = []string{"staff"} }, 0, want{event.OtherL, true, 6}},
		"a little out of order":                        {beginning, 1, []int{-6, 1}, nil, 0, want{event.Newcomer, true, 2}},
		"long before what is known":                    {beginning, 1, []int{-8, 1}, nil, 0, want{event.UnknownL, false, 2}},
		"what came later makes no regular of then":     {beginning, 2, []int{-1, -2, 1}, nil, 0, want{event.OtherL, true, 6}},
		"who objected":                                 {beginning, 2, []int{3, 2, 1}, nil, ledger.MemberObjected, want{event.UnknownL, false, 0}},
		"who was erased":                               {beginning, 2, []int{3, 2, 1}, nil, ledger.MemberErased, want{event.UnknownL, false, 0}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := processor(t, "UTC", tc.channel)
			s := active(p, tc.perDay, tc.days...)
			if tc.change != nil {
				tc.change(s)
			}
			f := p.personFacts(&ledger.Member{N: 1, Status: tc.status}, s, false, ms(noon))
			if diff := cmp.Diff(tc.want, want{f.Level, f.HistoryKnown, f.Messages}); diff != "" {
				t.Errorf("level, history known, messages (-want +got):\n%s", diff)
			}
			if f.Objected != (tc.status != ledger.MemberKnown) {
				t.Errorf("objected %v", f.Objected)
			}
		})
	}
}

func TestDaysAreThoseOfTheTimeZone(t *testing.T) {
	tests := map[string]struct {
		zone, a, b string
		same       bool
	}{
		"midnight in UTC":                   {"UTC", "2026-06-16T23:59:59Z", "2026-06-17T00:00:00Z", false},
		"the same moment is noon elsewhere": {"Pacific/Auckland", "2026-06-16T23:59:59Z", "2026-06-17T00:00:00Z", true},
		"midnight in summer":                {"Europe/Berlin", "2026-06-16T21:59:59Z", "2026-06-16T22:00:00Z", false},
		"midnight in winter":                {"Europe/Berlin", "2026-01-16T22:59:59Z", "2026-01-16T23:00:00Z", false},
		"not yet midnight in winter":        {"Europe/Berlin", "2026-01-16T21:59:59Z", "2026-01-16T22:00:00Z", true},
		"the longest day":                   {"Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", true},
		"and its end":                       {"Europe/Berlin", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z", false},
		"west of Greenwich":                 {"America/Los_Angeles", "2026-06-17T06:59:59Z", "2026-06-17T07:00:00Z", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := processor(t, tc.zone, ledger.Channel{})
			day := func(s string) uint16 {
				at, err := time.Parse(time.RFC3339, s)
				if err != nil {
					t.Fatal(err)
				}
				return p.day(ms(at))
			}
			if a, b := day(tc.a), day(tc.b); (a == b) != tc.same || b-a > 1 {
				t.Errorf("days %d and %d, the same: want %v", a, b, tc.same)
			}
		})
	}
	if got := processor(t, "UTC", ledger.Channel{}).day(-5); got != 0 {
		t.Errorf("a time before 1970 is day %d, want 0", got)
	}
}

func TestAHandleCountsWhereAPartyRuleNamesIt(t *testing.T) {
	bp := &blueprint.Blueprint{Parties: []blueprint.PartyRule{{Party: event.PartyAgency, Handles: []string{"helper"}}}}
	for handle, want := range map[string]event.Party{"helper": event.PartyAgency, "somebody": event.PartyMember, "": event.PartyMember} {
		s := &ledger.Stats{}
		if role := handleRole(bp, handle); role != "" {
			s.Roles = []string{role}
		}
		if got := partyOf(bp, s, false, 1); got != want {
			t.Errorf("%q is of party %s, want %s", handle, got, want)
		}
	}
}
