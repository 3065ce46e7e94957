// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

func communityPage() Dashboard {
	return Dashboard{
		UID: "kith-community", Name: "community", Title: "Kith / Community",
		Description: "What the members of a community do for each other, objectives first. For who answers for it and for stakeholders. No activity is counted here.",
		Variables:   choose(false), From: "now-28d", Refresh: "5m",
		Annotations: []Annotation{definitions(oneCommunity, ""), targets(oneCommunity), releases(`namespace="$namespace"`)},
		Rows: []Row{
			{Title: "Objectives", Panels: objectivePanels()},
			{Title: "Behaviours", Panels: behaviourPanels()},
			{Title: "Answers", Panels: answerPanels()},
			{Title: "Questions waiting", Panels: questionPanels()},
			{Title: "Value", Panels: valuePanels()},
			{Title: "How far these figures can be trusted", Panels: trustPanels()},
		},
	}
}

func objectivePanels() []Panel {
	of := func(metric string) string { return "max by (objective) (" + metric + "{" + oneCommunity + "})" }
	againstTarget := func(value string) []Target {
		return []Target{
			{Expr: of(value), Legend: "{{objective}}", MayBeEmpty: noneOfKind},
			{Expr: of("kith_objective_target") + "\n  and on (objective) " + of(value), Legend: "{{objective}}: target", MayBeEmpty: noneOfKind},
		}
	}
	toObjective := &Link{Title: "In depth", URL: "/d/kith-objective?var-datasource=${datasource}&var-namespace=${namespace}&var-community=${community}&var-objective=${__value.raw}&${__url_time_range}"}
	return []Panel{
		{
			Title: "How the objectives stand", Kind: Stat, Unit: Text, Width: 24, Height: 4,
			Description: "Met and NotMet, or TooFew (fewer cases than agreed, or about too few people to be shown) or Unknown (something it depends on has not been read). The last two are neither good nor bad, and not zero.",
			Targets:     []Target{{Expr: standingCode(oneCommunity), Legend: "{{objective}}", Instant: true}}, Mappings: standingMappings(),
		}, {
			Title: "Objectives and targets", Kind: Table, Unit: Number, Width: 24, Height: 8,
			Description: "Each objective over its own window. A value is left out, not 0, where there are too few cases or people, or where it cannot be known. For atLeast the value is to reach the target, for atMost not to exceed it.",
			Targets: []Target{
				{Expr: "max by (objective, goal, behaviour, window, target, standing) (kith_objective_info{" + oneCommunity + "})", Instant: true},
				{Expr: of("kith_objective_share_ratio"), Instant: true, MayBeEmpty: noneOfKind},
				{Expr: of("kith_objective_target") + "\n  and on (objective) " + of("kith_objective_share_ratio"), Instant: true, MayBeEmpty: noneOfKind},
				{Expr: of("kith_objective_count"), Instant: true, MayBeEmpty: noneOfKind},
				{Expr: of("kith_objective_target") + "\n  unless on (objective) " + of("kith_objective_share_ratio"), Instant: true, MayBeEmpty: noneOfKind},
				{Expr: of("kith_objective_cases"), Instant: true, MayBeEmpty: notKnown},
			},
			Columns: []Column{
				{"objective", "Objective"}, {"standing", "Standing"}, {"Value #B", "Share"}, {"Value #D", "Count"}, {"target", "To be"},
				{"Value #C", "Target of the share"}, {"Value #E", "Target"}, {"Value #F", "Cases"}, {"window", "Window"}, {"behaviour", "Behaviour"}, {"goal", "Goal"},
			},
			Overrides: []Override{
				{Field: "Objective", Link: toObjective},
				{Field: "Standing", Mappings: standingWords(), Coloured: true},
				{Field: "/^(Share|Target of the share)$/", Unit: Ratio},
			},
		}, {
			Title: "Shares against their targets", Kind: TimeSeries, Unit: Ratio, Width: 12, Height: 9, Bounded: true,
			Description: "Objectives that are shares of cases, over each one's window; the target dashed. A gap is TooFew or Unknown.",
			Targets:     againstTarget("kith_objective_share_ratio"),
			Overrides:   []Override{{Field: "/: target$/", Dashed: true}},
		}, {
			Title: "Counts against their targets", Kind: TimeSeries, Unit: Cases, Width: 12, Height: 9,
			Description: "Objectives that count cases of a behaviour, over each one's window; the target dashed. A gap is TooFew or Unknown. A calendar window begins at 0 again.",
			Targets:     againstTarget("kith_objective_count"),
			Overrides:   []Override{{Field: "/: target$/", Dashed: true}},
		}, {
			Title: "Standing over time", Kind: Timeline, Unit: Text, Width: 24, Height: 6,
			Description: "Since when each objective has stood as it does.",
			Targets:     []Target{{Expr: standingCode(oneCommunity), Legend: "{{objective}}"}}, Mappings: standingMappings(),
		},
	}
}

func behaviourPanels() []Panel {
	m := "{" + oneCommunity + "}"
	return []Panel{
		{
			Title: "Cases that counted in the time range", Kind: Bars, Unit: Cases, Width: 8, Height: 9,
			Description: "Cases of each behaviour that counted while Kith was watching, less those undone later. History that was read afterwards is not in here; objectives look at it too.",
			Targets:     []Target{{Expr: netCases("behaviour", m, "$__range"), Legend: "{{behaviour}}", Instant: true}},
		}, {
			Title: "By behaviour", Kind: TimeSeries, Unit: CasesDay, Width: 8, Height: 9, Stacked: true,
			Description: "Cases per day, over the last seven days of each moment, so that weekends do not show.",
			Targets:     []Target{{Expr: "sum by (behaviour) (increase(kith_behaviours_total" + m + "[7d])) / 7", Legend: "{{behaviour}}"}},
		}, {
			Title: "By level", Kind: TimeSeries, Unit: CasesDay, Width: 8, Height: 9, Stacked: true,
			Description: "Whose deeds they are: newcomer, regular, or other, which holds all where fewer people than the minimum group size stand behind a level. Over the last seven days of each moment.",
			Targets:     []Target{{Expr: "sum by (level) (increase(kith_behaviours_total" + m + "[7d])) / 7", Legend: "{{level}}"}},
		}, {
			Title: "By behaviour and level", Kind: TimeSeries, Unit: CasesDay, Width: 12, Height: 8,
			Description: "Which behaviour is carried by whom, in cases per day over the last seven days of each moment. Without cases there is no line.",
			Targets:     []Target{{Expr: "sum by (behaviour, level) (increase(kith_behaviours_total" + m + "[7d])) / 7 > 0", Legend: "{{behaviour}}: {{level}}", MayBeEmpty: noneYet}},
		}, {
			Title: "Undone later", Kind: TimeSeries, Unit: Ratio, Width: 12, Height: 8, Bounded: true,
			Description: "Share of the cases of seven days that was undone (removed, no longer accepted). A behaviour of which much is undone should settle longer.",
			Targets: []Target{{Expr: lines("sum by (behaviour) (increase(kith_behaviours_undone_total"+m+"[7d]))",
				"/ (sum by (behaviour) (increase(kith_behaviours_total"+m+"[7d])) > 0)"), Legend: "{{behaviour}}", MayBeEmpty: noneYet}},
		},
	}
}

func answerPanels() []Panel {
	const unanswered = " A question without one stays in the denominator. Each is decided by its seventh day. Empty without questions in the time range."
	return []Panel{
		{
			Title: "First response in the time range", Kind: Bars, Unit: Ratio, Width: 6, Height: 9, Bounded: true,
			Description: "Share of questions with a first response by somebody else within each time, bots and automatic replies left out." + unanswered,
			Targets:     shares("kith_first_response_seconds", "$__range", true),
		}, {
			Title: "First response, four weeks at a time", Kind: TimeSeries, Unit: Ratio, Width: 6, Height: 9, Bounded: true,
			Description: "The same over the four weeks before each moment.",
			Targets:     shares("kith_first_response_seconds", "28d", false),
		}, {
			Title: "First answer by a member in the time range", Kind: Bars, Unit: Ratio, Width: 6, Height: 9, Bounded: true,
			Description: "Share of questions with a first answer by a member or volunteer within each time, before or after the company's." + unanswered,
			Targets:     shares("kith_first_member_answer_seconds", "$__range", true),
		}, {
			Title: "First answer by a member, four weeks at a time", Kind: TimeSeries, Unit: Ratio, Width: 6, Height: 9, Bounded: true,
			Description: "The same over the four weeks before each moment.",
			Targets:     shares("kith_first_member_answer_seconds", "28d", false),
		},
	}
}

func questionPanels() []Panel {
	m := "{" + oneCommunity + "}"
	return []Panel{
		{
			Title: "Overdue", Kind: Stat, Unit: Number, Width: 6, Height: 8,
			Description: "Questions of the last 90 days that have waited for a first response for more than 24 hours. No data before a channel's history has been processed, which is not zero.",
			Targets:     []Target{{Expr: "sum(kith_questions_overdue" + m + ")", Legend: "overdue", Instant: true}},
			Thresholds:  []Threshold{{nil, green}, {from(1), orange}},
		}, {
			Title: "Overdue by channel", Kind: TimeSeries, Unit: Number, Width: 9, Height: 8,
			Description: "Where people wait for more than 24 hours.",
			Targets:     []Target{{Expr: "max by (channel) (kith_questions_overdue" + m + ")", Legend: "{{channel}}"}},
		}, {
			Title: "Questions of the last 90 days by state", Kind: TimeSeries, Unit: Number, Width: 9, Height: 8, Stacked: true,
			Description: "Each in exactly one state: solved, answered_by_member, answered (by others alone), unanswered. Solved is absent where answers cannot be accepted, which is not zero.",
			Targets:     []Target{{Expr: "sum by (state) (kith_questions" + m + ")", Legend: "{{state}}"}},
		},
	}
}

func valuePanels() []Panel {
	m := "{" + oneCommunity + "}"
	const honest = " In the community's currency, as a range: the declared factors are estimates. Where several behaviours are worth the same factor only the one worth most counts."
	live := worth(netCases("namespace, community, behaviour", m, "$__range"), m)
	scenario := func(name string) string {
		return `sum(factor:kith_value:increase28d{` + oneCommunity + `,scenario="` + name + `"})`
	}
	return []Panel{
		{
			Title: "Worth of the time range", Kind: Stat, Unit: Currency, Width: 8, Height: 8,
			Description: "Cases that counted in the time range, times what one is worth: low, mid and high." + honest,
			Targets:     []Target{{Expr: "sum by (scenario) (\n  " + indent(live) + "\n)", Legend: "{{scenario}}", Instant: true, MayBeEmpty: noWorth}},
		}, {
			Title: "Worth of four weeks", Kind: TimeSeries, Unit: Currency, Width: 8, Height: 8,
			Description: "Worth of the four weeks before each moment: the band from low to high, mid within." + honest,
			Targets: []Target{
				{Expr: scenario("high"), Legend: "high", MayBeEmpty: noWorth + "; " + needsRules},
				{Expr: scenario("mid"), Legend: "mid", MayBeEmpty: noWorth + "; " + needsRules},
				{Expr: scenario("low"), Legend: "low", MayBeEmpty: noWorth + "; " + needsRules},
			},
			Overrides: []Override{{Field: "high", FillBelowTo: "low"}},
		}, {
			Title: "Worth of four weeks by factor", Kind: Table, Unit: Currency, Width: 8, Height: 8,
			Description: "What the value consists of." + honest,
			Targets: []Target{
				{Expr: `max by (factor) (factor:kith_value:increase28d{` + oneCommunity + `,scenario="low"})`, Instant: true, MayBeEmpty: noWorth + "; " + needsRules},
				{Expr: `max by (factor) (factor:kith_value:increase28d{` + oneCommunity + `,scenario="mid"})`, Instant: true, MayBeEmpty: noWorth + "; " + needsRules},
				{Expr: `max by (factor) (factor:kith_value:increase28d{` + oneCommunity + `,scenario="high"})`, Instant: true, MayBeEmpty: noWorth + "; " + needsRules},
			},
			Columns: []Column{{"factor", "Factor"}, {"Value #A", "Low"}, {"Value #B", "Mid"}, {"Value #C", "High"}},
		}, {
			Title: "Share of each factor in the middle estimate", Kind: TimeSeries, Unit: Ratio, Width: 24, Height: 6, Bounded: true, Stacked: true,
			Description: "On which factors the value of the four weeks before each moment rests, by the middle estimate.",
			Targets: []Target{{Expr: lines(`max by (factor) (factor:kith_value:increase28d{`+oneCommunity+`,scenario="mid"})`,
				`/ on () group_left () (sum(factor:kith_value:increase28d{`+oneCommunity+`,scenario="mid"}) > 0)`),
				Legend: "{{factor}}", MayBeEmpty: noWorth + "; " + needsRules}},
		},
		{
			Title: "What one unit is worth", Kind: Table, Unit: Currency, Width: 12, Height: 6,
			Description: "The community's declared factors, in its currency. They are what somebody measured or assumed: ask where they come from.",
			Targets: []Target{
				{Expr: `max by (factor) (kith_value_factor{` + oneCommunity + `,scenario="low"})`, Instant: true, MayBeEmpty: noWorth},
				{Expr: `max by (factor) (kith_value_factor{` + oneCommunity + `,scenario="mid"})`, Instant: true, MayBeEmpty: noWorth},
				{Expr: `max by (factor) (kith_value_factor{` + oneCommunity + `,scenario="high"})`, Instant: true, MayBeEmpty: noWorth},
			},
			Columns: []Column{{"factor", "Factor"}, {"Value #A", "Low"}, {"Value #B", "Mid"}, {"Value #C", "High"}},
		}, {
			Title: "Units that one case stands for", Kind: Table, Unit: Number, Width: 12, Height: 6,
			Description: "How many units of a factor one case of each behaviour is held to be worth.",
			Targets: []Target{
				{Expr: `max by (behaviour, factor) (kith_behaviour_worth{` + oneCommunity + `,scenario="low"})`, Instant: true, MayBeEmpty: noWorth},
				{Expr: `max by (behaviour, factor) (kith_behaviour_worth{` + oneCommunity + `,scenario="mid"})`, Instant: true, MayBeEmpty: noWorth},
				{Expr: `max by (behaviour, factor) (kith_behaviour_worth{` + oneCommunity + `,scenario="high"})`, Instant: true, MayBeEmpty: noWorth},
			},
			Columns: []Column{{"behaviour", "Behaviour"}, {"factor", "Factor"}, {"Value #A", "Low"}, {"Value #B", "Mid"}, {"Value #C", "High"}},
		},
	}
}

func trustPanels() []Panel {
	m := "{" + oneCommunity + "}"
	return []Panel{
		{
			Title: "Parts that can be read", Kind: Stat, Unit: Text, Width: 12, Height: 5,
			Description: "Behaviours, histograms, questions and objectives are worked out apart. One that cannot be read is absent above, not zero. No data: the hub is not scraped.",
			Targets:     []Target{{Expr: "min by (part) (kith_community_readable" + m + ")", Legend: "{{part}}", Instant: true}},
			Mappings:    []Mapping{{"1", "readable", green}, {"0", "absent", orange}, {"null", "not scraped", grey}},
		}, {
			Title: "Age of the objectives' data", Kind: Stat, Unit: Seconds, Width: 8, Height: 5,
			Description: "How long ago the data of the objective that is furthest behind end. What is read from archives alone stays as old as the archive.",
			Targets:     []Target{{Expr: "time() - min(kith_objective_data_timestamp_seconds" + m + ")", Legend: "age", Instant: true, MayBeEmpty: notKnown}},
			Thresholds:  []Threshold{{nil, green}, {from(86400), orange}},
		}, {
			Title: "Series left out", Kind: Stat, Unit: Number, Width: 4, Height: 5,
			Description: "Series that are not shown because the community's budget of series is used up; fewer segments, behaviours or channels help.",
			Targets:     []Target{{Expr: "max(kith_series_dropped" + m + ")", Legend: "left out", Instant: true}},
			Thresholds:  []Threshold{{nil, green}, {from(1), orange}},
		},
	}
}
