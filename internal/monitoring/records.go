// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"fmt"
	"strings"
)

// Hub and connector both tell of a channel's reader: the hub by its last report, also after the connector has gone. One
// series per channel comes of the two, the one that has heard of the reader last.
func channelRecords() []Rule {
	const of = "namespace, community, channel, platform"
	return []Rule{
		{
			Record: "channel:kith_connector_state:max", Expr: "max by (" + of + ", state) (kith_connector_state)",
			About: "1 for the state that a channel's reader is in, one series from hub and connector.",
		}, {
			Record: "channel:kith_connector_last_heartbeat_timestamp_seconds:max", Expr: "max by (" + of + ") (kith_connector_last_heartbeat_timestamp_seconds)",
			About: "Last sign of life of a channel's reader.",
		}, {
			Record: "channel:kith_connector_last_progress_timestamp_seconds:max", Expr: "max by (" + of + ") (kith_connector_last_progress_timestamp_seconds)",
			About: "When a channel's reader last read a page.",
		}, {
			Record: "channel:kith_connector_lag_seconds:min", Expr: "min by (" + of + ") (kith_connector_lag_seconds)",
			About: "How far the reading of a channel is behind.",
		}, {
			Record: "channel:kith_channel_patience_seconds:max",
			// A quiet channel is looked at a tenth as often as declared; with some jitter, twelve intervals are too long.
			Expr:  "clamp_min(12 * max by (namespace, community, channel) (kith_channel_poll_interval_seconds), 3600)",
			About: "How long a channel may stand still before something is wrong: twelve poll intervals, at least an hour.",
		}, {
			Record: "community:kith_hub_up:max",
			Expr: lines(
				`max by (namespace, community) (`,
				`  label_replace(kith_hub_up{exported_namespace!=""}, "namespace", "$1", "exported_namespace", "(.+)")`,
				`  or kith_hub_up{exported_namespace=""}`,
				`)`),
			About: "Whether the operator reaches a hub, with the hub's namespace also where Prometheus keeps its own label of that name.",
		},
		conditionRecord("suspended", `reason="Suspended"`, "Channels that are suspended, and need not get on."),
		conditionRecord("accepted", `type="Accepted",status="True"`, "Channels whose declaration can be used, so that somebody should be reading them."),
	}
}

// conditionRecord gives a condition of channels the labels that the channels' own metrics have.
func conditionRecord(operation, matchers, about string) Rule {
	return Rule{
		Record: "channel:kith_resource_condition:" + operation,
		Expr:   "max by (namespace, channel) (" + asOf("channel", `kith_resource_condition{resource_kind="Channel",`+matchers+`}`) + ")",
		About:  about,
	}
}

// asOf names a condition's resource as other metrics do.
func asOf(label, expr string) string {
	return fmt.Sprintf(`label_replace(label_replace(%s, "namespace", "$1", "resource_namespace", "(.+)"), %q, "$1", "resource_name", "(.+)")`, expr, label)
}

const ofObjective = "namespace, community, objective"

func objectiveRecords() []Rule {
	value := "max by (" + ofObjective + ") (kith_objective_share_ratio or kith_objective_count)"
	target := "max by (" + ofObjective + ") (kith_objective_target)"
	margin := "objective:kith_objective_margin:difference"
	rules := []Rule{{
		Record: margin,
		Expr: lines(
			`(`+value+` - `+target+`)`,
			`  and on (`+ofObjective+`) kith_objective_info{target="atLeast"}`,
			`or`,
			`(`+target+` - `+value+`)`,
			`  and on (`+ofObjective+`) kith_objective_info{target="atMost"}`),
		About: "By how much an objective is met (from 0) or missed (below 0), in its own unit, on whichever side its target lies.",
	}}
	for _, window := range []string{"1d", "7d", "28d"} {
		rules = append(rules, Rule{
			Record: "objective:kith_objective_margin:avg" + window, Expr: "avg_over_time(" + margin + "[" + window + "])",
			About: "The margin, averaged over " + window + ", for comparing a short window with a long one.",
		})
	}
	return rules
}

func valueRecords() []Rule {
	var rules []Rule
	for _, window := range []string{"1d", "28d"} {
		cases := "behaviour:kith_behaviours:increase" + window
		rules = append(rules, Rule{
			Record: cases,
			Expr:   netCases("namespace, community, behaviour", "", window),
			About:  "Cases of a behaviour that counted within " + window + ", less those undone, never below 0.",
		}, Rule{
			Record: "factor:kith_value:increase" + window,
			Expr:   worth(cases, ""),
			About: "What the cases of " + window + " are worth in the community's currency, by scenario (low, mid, high). Where several behaviours are worth " +
				"the same factor only the one worth most counts, since a thread counts at most once per factor: too little rather than too much.",
		})
	}
	return rules
}

// netCases is what counted less what was undone, over a window.
func netCases(by, matchers, window string) string {
	return lines(
		`clamp_min(`,
		`  sum by (`+by+`) (increase(kith_behaviours_total`+matchers+`[`+window+`]))`,
		`  - sum by (`+by+`) (increase(kith_behaviours_undone_total`+matchers+`[`+window+`])),`,
		`  0`,
		`)`)
}

// worth multiplies cases by behaviour with what one is worth.
func worth(cases, matchers string) string {
	return lines(
		`max by (namespace, community, factor, scenario) (`,
		`  max by (namespace, community, behaviour, factor, scenario) (kith_behaviour_worth`+matchers+`)`,
		`  * on (namespace, community, behaviour) group_left () `+indent(cases),
		`)`,
		`* on (namespace, community, factor, scenario) group_left ()`,
		`max by (namespace, community, factor, scenario) (kith_value_factor`+matchers+`)`)
}

func lines(l ...string) string { return strings.Join(l, "\n") }

// indent moves the following lines of an expression two columns to the right.
func indent(expr string) string { return strings.ReplaceAll(expr, "\n", "\n  ") }
