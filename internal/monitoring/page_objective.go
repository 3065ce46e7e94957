// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

const oneObjective = oneCommunity + `,objective="$objective"`

func objectivePage() Dashboard {
	info := "kith_objective_info{" + oneObjective + "}"
	itsBehaviour := "\n  and on (namespace, community, behaviour) " + info
	return Dashboard{
		UID: "kith-objective", Name: "objective", Title: "Kith / Objective",
		Description: "One objective in depth: what was agreed, how it stands, what it rests on, and where it is going.",
		Variables: append(choose(false), Variable{Name: "objective", Label: "Objective", Description: "The Objective by name.",
			Query: `label_values(kith_objective_info{` + oneCommunity + `}, objective)`}),
		From: "now-90d", Refresh: "5m",
		Annotations: []Annotation{definitions(oneCommunity, itsBehaviour), targets(oneObjective), releases(`namespace="$namespace"`)},
		Rows: []Row{
			{Title: "What was agreed, and how it stands", Panels: agreedPanels(info)},
			{Title: "Over time", Panels: overTimePanels()},
			{Title: "What it rests on", Panels: restsOnPanels(itsBehaviour)},
		},
	}
}

// either shows a share as a ratio and a count as a number: an objective is one of the two.
func either(shareRefs, countRefs []string) []Override {
	var out []Override
	for _, r := range shareRefs {
		out = append(out, Override{Ref: r, Unit: Ratio})
	}
	for _, r := range countRefs {
		out = append(out, Override{Ref: r, Unit: Cases})
	}
	return out
}

func agreedPanels(info string) []Panel {
	share, count := "max(kith_objective_share_ratio{"+oneObjective+"})", "max(kith_objective_count{"+oneObjective+"})"
	target, cases := "max(kith_objective_target{"+oneObjective+"})", "max(kith_objective_cases{"+oneObjective+"})"
	return []Panel{
		{
			Title: "Standing", Kind: Stat, Unit: Text, Width: 5, Height: 5,
			Description: "Met and NotMet, or TooFew (fewer cases than agreed, or about too few people to be shown) or Unknown (something it depends on has not been read), which are not zero.",
			Targets:     []Target{{Expr: standingCode(oneObjective), Legend: "standing", Instant: true}}, Mappings: standingMappings(),
		}, {
			Title: "Value", Kind: Stat, Unit: Number, Width: 5, Height: 5,
			Description: "Share of the cases that were fulfilled, or count of cases, over the objective's window. No data where it is TooFew or Unknown.",
			Targets: []Target{{Expr: share, Legend: "share", Instant: true, MayBeEmpty: noneOfKind + "; " + notKnown},
				{Expr: count, Legend: "count", Instant: true, MayBeEmpty: noneOfKind + "; " + notKnown}},
			Overrides: either([]string{"A"}, []string{"B"}),
		}, {
			Title: "Target", Kind: Stat, Unit: Number, Width: 5, Height: 5,
			Description: "What was agreed: a share from 0 to 1, or a number of cases. The table says whether it is to be reached (atLeast) or not to be exceeded (atMost).",
			Targets:     []Target{{Expr: target, Legend: "target", Instant: true}},
		}, {
			Title: "Cases in the window", Kind: Stat, Unit: Cases, Width: 5, Height: 5,
			Description: "How many cases the value rests on. No data where it cannot be known, or where too few people stand behind them.",
			Targets:     []Target{{Expr: cases, Legend: "cases", Instant: true, MayBeEmpty: notKnown}},
		}, {
			Title: "Age of its data", Kind: Stat, Unit: Seconds, Width: 4, Height: 5,
			Description: "How long ago the reading of the channels that it looks at ends. An archive does not get newer.",
			Targets:     []Target{{Expr: "time() - max(kith_objective_data_timestamp_seconds{" + oneObjective + "})", Legend: "age", Instant: true, MayBeEmpty: notKnown}},
			Thresholds:  []Threshold{{nil, green}, {from(86400), orange}},
		}, {
			Title: "Definition", Kind: Table, Unit: Text, Width: 24, Height: 4,
			Description: "What it looks at. The statement as it was agreed, its stakeholders and its approach are in the resource: kubectl describe objective.",
			Targets:     []Target{{Expr: "max by (objective, goal, behaviour, window, target, standing) (" + info + ")", Instant: true}},
			Columns: []Column{{"objective", "Objective"}, {"standing", "Standing"}, {"behaviour", "Behaviour"}, {"target", "To be"},
				{"window", "Window"}, {"goal", "Goal"}},
			Overrides: []Override{{Field: "Standing", Mappings: standingWords(), Coloured: true}},
		},
	}
}

func overTimePanels() []Panel {
	share, count := "max(kith_objective_share_ratio{"+oneObjective+"})", "max(kith_objective_count{"+oneObjective+"})"
	target := "max(kith_objective_target{" + oneObjective + "})"
	average := func(window string) Target {
		return Target{Expr: "max(objective:kith_objective_margin:avg" + window + "{" + oneObjective + "})", Legend: "average of " + window, MayBeEmpty: notKnown + "; " + needsRules}
	}
	const margin = "How far it is above (met) or below 0 (missed), in its own unit, on whichever side the target lies. "
	return []Panel{
		{
			Title: "Value against its target", Kind: TimeSeries, Unit: Number, Width: 24, Height: 10,
			Description: "The value over the objective's window at each moment, and the target as agreed then. A gap is TooFew or Unknown. Marks: definitions and targets that changed, releases of Kith.",
			Targets: []Target{
				{Expr: share, Legend: "share", MayBeEmpty: noneOfKind + "; " + notKnown},
				{Expr: count, Legend: "count", MayBeEmpty: noneOfKind + "; " + notKnown},
				{Expr: target + "\n  and " + share, Legend: "share: target", MayBeEmpty: noneOfKind + "; " + notKnown},
				{Expr: target + "\n  and " + count, Legend: "count: target", MayBeEmpty: noneOfKind + "; " + notKnown},
			},
			Overrides: append(either([]string{"A", "C"}, []string{"B", "D"}), Override{Field: "/: target$/", Dashed: true}),
		}, {
			Title: "Margin, the last day against the last week", Kind: TimeSeries, Unit: Number, Width: 12, Height: 8,
			Description: margin + "If the day is as much below the week again as it is now and that is below 0, the alert KithObjectiveAtRisk fires.",
			Targets:     []Target{average("1d"), average("7d")},
			Thresholds:  []Threshold{{nil, orange}, {from(0), green}},
		}, {
			Title: "Margin, the last week against the last four", Kind: TimeSeries, Unit: Number, Width: 12, Height: 8,
			Description: margin + "The same for the slow decline that a day does not show. It needs a Prometheus that keeps four weeks.",
			Targets:     []Target{average("7d"), average("28d")},
			Thresholds:  []Threshold{{nil, orange}, {from(0), green}},
		}, {
			Title: "Standing over time", Kind: Timeline, Unit: Text, Width: 12, Height: 5,
			Description: "Since when it has stood as it does.",
			Targets:     []Target{{Expr: standingCode(oneObjective), Legend: "{{objective}}"}}, Mappings: standingMappings(),
		}, {
			Title: "Cases in the window over time", Kind: TimeSeries, Unit: Cases, Width: 12, Height: 5,
			Description: "On how many cases the value rested. Few cases make a value jump. A gap where it cannot be known.",
			Targets:     []Target{{Expr: "max(kith_objective_cases{" + oneObjective + "})", Legend: "cases", MayBeEmpty: notKnown}},
		},
	}
}

func restsOnPanels(itsBehaviour string) []Panel {
	m := "{" + oneCommunity + "}"
	return []Panel{
		{
			Title: "Cases of its behaviour, by level", Kind: TimeSeries, Unit: CasesDay, Width: 12, Height: 8, Stacked: true,
			Description: "Who does it: newcomer, regular or other, in cases per day over the seven days before each moment, on all channels and for all audiences. Counted while Kith was watching.",
			Targets: []Target{{Expr: "sum by (namespace, community, behaviour, level) (increase(kith_behaviours_total" + m + "[7d])) / 7" + itsBehaviour,
				Legend: "{{level}}"}},
		}, {
			Title: "Cases of its behaviour, by channel", Kind: TimeSeries, Unit: CasesDay, Width: 12, Height: 8, Stacked: true,
			Description: "Where it happens, in cases per day over the seven days before each moment, for all audiences.",
			Targets: []Target{{Expr: "sum by (namespace, community, behaviour, channel) (increase(kith_behaviours_total" + m + "[7d])) / 7" + itsBehaviour,
				Legend: "{{channel}}"}},
		}, {
			Title: "Undone later", Kind: TimeSeries, Unit: Ratio, Width: 12, Height: 6, Bounded: true,
			Description: "Share of the cases of seven days that was undone. Where it is large, the behaviour should settle longer.",
			Targets: []Target{{Expr: lines("sum by (namespace, community, behaviour) (increase(kith_behaviours_undone_total"+m+"[7d]))",
				"/ (sum by (namespace, community, behaviour) (increase(kith_behaviours_total"+m+"[7d])) > 0)") + itsBehaviour, Legend: "{{behaviour}}", MayBeEmpty: noneYet}},
		}, {
			Title: "Age of its data over time", Kind: TimeSeries, Unit: Seconds, Width: 12, Height: 6,
			Description: "How far behind the reading of its channels was. A rising line is a channel that cannot be read: see Kith / Connectors.",
			Targets:     []Target{{Expr: "time() - max(kith_objective_data_timestamp_seconds{" + oneObjective + "})", Legend: "age", MayBeEmpty: notKnown}},
		},
	}
}
