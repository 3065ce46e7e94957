// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"time"

	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

// totalsWindow is over what time behaviours are shown.
const totalsWindow = 28 * 24 * time.Hour

// report is what kith run shows: all of it follows from the ledger and from what the readers last told.
type report struct {
	Community  string            `json:"community"`
	AsOf       time.Time         `json:"asOf,omitzero"`
	Objectives []reportObjective `json:"objectives"`
	Behaviours []reportBehaviour `json:"behaviours"`
	Worth      []reportWorth     `json:"worth,omitempty"`
	Currency   string            `json:"currency,omitempty"`
	Channels   []reportChannel   `json:"channels"`
}

type reportObjective struct {
	Name      string             `json:"name"`
	Statement string             `json:"statement"`
	Standing  behaviour.Standing `json:"standing"`
	Reason    string             `json:"reason,omitempty"`
	// Share is whether it is hits of cases; else hits is the count.
	Share bool `json:"share"`
	// Value, Hits, Cases and Provisional are absent where there is nothing to be told: about too few people, or unread.
	Value       *float64 `json:"value,omitempty"`
	AtLeast     string   `json:"atLeast,omitempty"`
	AtMost      string   `json:"atMost,omitempty"`
	Hits        *int     `json:"hits,omitempty"`
	Cases       *int     `json:"cases,omitempty"`
	Provisional int      `json:"provisional,omitempty"`
	// ProvisionalFew says that there are provisional cases, of fewer people than the minimum group size.
	ProvisionalFew  bool      `json:"provisionalFew,omitempty"`
	Window          string    `json:"window"`
	From            time.Time `json:"from,omitzero"`
	To              time.Time `json:"to,omitzero"`
	ActivityBecause string    `json:"activityBecause,omitempty"`
}

type reportBehaviour struct {
	Name   string `json:"name"`
	Family string `json:"family"`
	Role   string `json:"role"`
	// Counted, Pending and Undone are of the last 28 days up to asOf, All is since the ledger began. Where Share is
	// true, Counted is a part Of how many cases are decided. Null (Of: absent) is what may not be told, for the reason in
	// Withheld.
	Share    bool   `json:"share,omitempty"`
	Counted  *int   `json:"counted"`
	Of       *int   `json:"of,omitempty"`
	Pending  *int   `json:"pending"`
	Undone   *int   `json:"undone"`
	All      *int   `json:"all"`
	Withheld string `json:"withheld,omitempty"`
	// NotMeasurable says why it cannot be seen on any channel; the numbers mean nothing then.
	NotMeasurable string `json:"notMeasurable,omitempty"`
}

type reportWorth struct {
	Factor string `json:"factor"`
	Unit   string `json:"unit"`
	// Cases and amounts are null where they may not be told, for the reason in Withheld.
	Cases    *int     `json:"cases"`
	Low      *float64 `json:"low"`
	Mid      *float64 `json:"mid"`
	High     *float64 `json:"high"`
	Withheld string   `json:"withheld,omitempty"`
}

type reportChannel struct {
	Name     string       `json:"name"`
	Platform string       `json:"platform"`
	State    reader.Phase `json:"state"`
	Message  string       `json:"message,omitempty"`
	// ReadThrough is up to when everything has been read and processed.
	ReadThrough time.Time `json:"readThrough,omitzero"`
	// Threads and messages are for operators: is the connector alive? They are never an objective.
	Threads  int64 `json:"threads"`
	Messages int64 `json:"messages"`
	// DroppedOld, Quarantined and SetAside were left out.
	DroppedOld  int64    `json:"droppedOld,omitempty"`
	Quarantined int64    `json:"quarantined,omitempty"`
	SetAside    int64    `json:"setAside,omitempty"`
	Lacks       []string `json:"lacks,omitempty"`
}

// makeStandings works out objectives alone: that reads their windows, not the whole ledger.
func makeStandings(ctx context.Context, h *hub.Hub) (*report, error) {
	bp := h.Blueprint()
	r := &report{Community: bp.Name, Currency: bp.Currency, Objectives: []reportObjective{}, Behaviours: []reportBehaviour{}, Channels: []reportChannel{}}
	results, err := behaviour.Objectives(ctx, h.Ledger().Reader(), bp)
	if err != nil {
		return nil, err
	}
	for _, x := range results {
		r.Objectives = append(r.Objectives, objectiveOf(x))
	}
	return r, nil
}

// makeReport works out what there is to show now.
func makeReport(ctx context.Context, h *hub.Hub, states []reader.State) (*report, error) {
	r, err := makeStandings(ctx, h)
	if err != nil {
		return nil, err
	}
	bp, db := h.Blueprint(), h.Ledger().Reader()
	totals, err := behaviour.Totals(ctx, db, bp, totalsWindow)
	if err != nil {
		return nil, err
	}
	for _, t := range totals {
		r.AsOf = t.AsOf
		r.Behaviours = append(r.Behaviours, behaviourOf(bp, t))
	}
	if !r.AsOf.IsZero() && r.AsOf.Unix() > 0 {
		worth, err := behaviour.Worth(ctx, db, bp, r.AsOf.Add(-totalsWindow), r.AsOf.Add(time.Millisecond))
		if err != nil {
			return nil, err
		}
		for _, w := range worth {
			r.Worth = append(r.Worth, worthOf(bp, w))
		}
	} else {
		r.AsOf = time.Time{}
	}
	r.Channels, err = reportChannels(ctx, h, bp, states)
	return r, err
}

func objectiveOf(x behaviour.Result) reportObjective {
	o := reportObjective{
		Name: x.Objective.Name, Statement: x.Objective.Statement, Standing: x.Standing, Reason: x.Reason, Share: x.Objective.Share != "",
		AtLeast: x.Objective.AtLeast, AtMost: x.Objective.AtMost, Window: windowOf(x.Objective), From: x.From, To: x.To,
		ActivityBecause: x.Objective.ActivityBecause,
	}
	if x.Standing == behaviour.Unknown {
		return o
	}
	// Cases that are about fewer people than the minimum group are those people.
	if !x.Withheld {
		o.Hits, o.Cases = &x.Hits, &x.Cases
	}
	o.Provisional, o.ProvisionalFew = x.Provisional, x.ProvisionalWithheld
	if x.Standing != behaviour.TooFew {
		o.Value = &x.Value
	}
	return o
}

// behaviourOf leaves out each number that would be about fewer people than the minimum group. A basis, and what is
// credited to nobody, is nothing that anybody did.
func behaviourOf(bp *blueprint.Blueprint, t behaviour.Total) reportBehaviour {
	b := reportBehaviour{Name: t.Behaviour.Name, Family: t.Behaviour.Family, Role: t.Behaviour.Role, NotMeasurable: notMeasurable(t.Behaviour, bp)}
	about := func(n, people int) *int {
		if n > 0 && people < bp.Privacy.MinimumGroupSize && t.Behaviour.Role == blueprint.RoleValue {
			b.Withheld = fewer(bp)
			return nil
		}
		return &n
	}
	tell := about
	if t.Behaviour.Credit == blueprint.CreditNone {
		tell = func(n, _ int) *int { return &n }
	}
	b.Counted, b.Pending, b.Undone, b.All = tell(t.Counted, t.People), tell(t.Pending, t.PeoplePending), tell(t.Undone, t.PeopleUndone), tell(t.CountedAll, t.PeopleAll)
	if b.Share = t.Behaviour.Of != ""; b.Share {
		b.Of = about(t.Counted+t.Unfulfilled, t.PeopleDecided)
	}
	return b
}

func worthOf(bp *blueprint.Blueprint, w behaviour.WorthRange) reportWorth {
	r := reportWorth{Factor: w.Factor.Name, Unit: w.Factor.Unit}
	if w.Cases > 0 && w.People < bp.Privacy.MinimumGroupSize {
		r.Withheld = fewer(bp)
		return r
	}
	r.Cases, r.Low, r.Mid, r.High = &w.Cases, &w.Low, &w.Mid, &w.High
	return r
}

func fewer(bp *blueprint.Blueprint) string {
	return fmt.Sprintf("about fewer than %d people", bp.Privacy.MinimumGroupSize)
}

func windowOf(o *blueprint.Objective) string {
	if o.Calendar != "" {
		return "this " + map[string]string{"Week": "week", "Month": "month", "Quarter": "quarter", "Year": "year"}[o.Calendar]
	}
	if h := o.Rolling.Hours(); h >= 24 {
		return number(int64(h/24)) + " d"
	}
	return o.Rolling.String()
}

// notMeasurable says why no channel can show a behaviour, from what their connectors declare. Empty: one can.
func notMeasurable(b *blueprint.Behaviour, bp *blueprint.Blueprint) string {
	if len(bp.Channels) == 0 {
		return "no channel"
	}
	for b.Of != "" && len(b.CompletedBy) == 0 {
		basis := bp.Behaviour(b.Of)
		if basis == nil {
			break
		}
		b = basis
	}
	why := ""
	for _, kind := range append(b.On[:len(b.On):len(b.On)], b.CompletedBy...) {
		for _, c := range bp.Channels {
			what := catalogue.CannotShow(kind, c.Platform)
			if what == "" {
				return ""
			}
			why = "its channels show no " + what
		}
	}
	return why
}

// reportChannels gives the declared channels, whether the ledger knows them yet or not.
func reportChannels(ctx context.Context, h *hub.Hub, bp *blueprint.Blueprint, states []reader.State) ([]reportChannel, error) {
	stored, err := h.CountedChannels(ctx)
	if err != nil {
		return nil, err
	}
	out := []reportChannel{}
	for _, c := range bp.Channels {
		r := reportChannel{Name: c.Name, Platform: c.Platform, State: reader.Connecting}
		for _, s := range states {
			if s.Channel == c.Name {
				r.State, r.Message, r.Lacks = s.Phase, s.Message, s.Lacks
			}
		}
		for _, s := range stored {
			if s.Name != c.Name {
				continue
			}
			r.ReadThrough = s.Watermark
			r.Threads, r.Messages = s.Threads, s.Messages
			r.DroppedOld, r.Quarantined, r.SetAside = s.DroppedOld, s.Quarantined, s.SetAside
			if s.History != ledger.HistoryComplete && r.State == reader.Connected {
				r.State = reader.Backfilling
			}
		}
		out = append(out, r)
	}
	return out, nil
}
