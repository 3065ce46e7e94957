// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"slices"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/ledger"
)

// dayMillis is a day on the channel's clock.
const dayMillis = 24 * 60 * 60 * 1000

// outOfOrder is how far back a contribution may lie behind a member's latest and still be counted as later than those
// before it. What is older came with a widened horizon: then nobody knows how many came before it.
const outOfOrder = 7 * dayMillis

// partyOf says whose side an account is on at a time: the first rule that matches.
func partyOf(bp *blueprint.Blueprint, s *ledger.Stats, bot bool, at int64) event.Party {
	if bot || s.Bot {
		return event.PartyBot
	}
	t := time.UnixMilli(at)
	for i := range bp.Parties {
		r := &bp.Parties[i]
		if (!r.From.IsZero() && t.Before(r.From)) || (!r.Until.IsZero() && !t.Before(r.Until)) {
			continue
		}
		if s.Domain != "" && slices.Contains(r.EmailDomains, s.Domain) {
			return r.Party
		}
		for _, role := range s.Roles {
			handle, isHandle := strings.CutPrefix(role, handlePrefix)
			if slices.Contains(r.Roles, role) || isHandle && slices.Contains(r.Handles, handle) {
				return r.Party
			}
		}
	}
	return event.PartyMember
}

// handlePrefix marks, among an account's roles, the handle under which a party rule names it.
const handlePrefix = "@"

// handleRole keeps a handle only where a party rule names it: those of everybody else are nobody's business.
func handleRole(bp *blueprint.Blueprint, handle string) string {
	for _, r := range bp.Parties {
		if handle != "" && slices.Contains(r.Handles, handle) {
			return handlePrefix + handle
		}
	}
	return ""
}

// knownDomain keeps a mail domain only where a party rule asks for it.
func knownDomain(bp *blueprint.Blueprint, domain string) string {
	domain = strings.ToLower(domain)
	for _, r := range bp.Parties {
		if domain != "" && slices.Contains(r.EmailDomains, domain) {
			return domain
		}
	}
	return ""
}

// personFacts says who somebody was just before an event, as far as is known.
func (p *Processor) personFacts(m *ledger.Member, s *ledger.Stats, bot bool, at int64) event.Facts {
	f := event.Facts{Party: partyOf(p.Blueprint, s, bot, at)}
	switch m.Status {
	case ledger.MemberErased, ledger.MemberObjected:
		f.Objected, f.Level = true, event.UnknownL
		return f
	}
	f.Messages, f.FirstAt, f.LastAt = int(s.Messages), s.FirstAt, s.LastAt
	if s.Prior != nil {
		f.Messages += int(*s.Prior)
	}
	late := s.LastAt != 0 && at < s.LastAt-outOfOrder
	f.HistoryKnown = !late && (s.Prior != nil || p.Channel.FromBeginning || (s.Joined != 0 && p.Channel.Since != 0 && s.Joined >= p.Channel.Since))
	f.Level = p.level(&f, s, at)
	return f
}

func (p *Processor) level(f *event.Facts, s *ledger.Stats, at int64) event.Level {
	if f.Party != event.PartyMember && f.Party != event.PartyVolunteer {
		return event.OtherL
	}
	l := p.Blueprint.Levels
	// What is read late must not see what came after it.
	if contributions, days := s.Between(p.day(at-l.Within.Milliseconds()), p.day(at)); contributions >= l.Contributions && days >= l.DistinctDays {
		return event.RegularL
	}
	switch {
	case !f.HistoryKnown && f.Messages < l.Contributions:
		return event.UnknownL
	case f.Messages < l.Contributions:
		return event.Newcomer
	case s.Messages < int64(l.Contributions) && s.Prior != nil && *s.Prior > 0:
		// Most of it lies before what the ledger has seen: enough in number, days unknown.
		return event.UnknownL
	}
	return event.OtherL
}

// day numbers the days of the community's time zone.
func (p *Processor) day(at int64) uint16 {
	t := time.UnixMilli(at).In(p.location)
	_, offset := t.Zone()
	return uint16(max(0, (at+int64(offset)*1000)/dayMillis)) // #nosec G115 -- days since 1970, good until 2149
}
