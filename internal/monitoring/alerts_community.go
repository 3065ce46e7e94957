// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

// communityAlerts are tickets for who answers for a community. None of them is about how many people do something.
func communityAlerts() []Rule {
	const objective = "Objective {{ $labels.objective }} of {{ $labels.namespace }}/{{ $labels.community }}"
	return []Rule{
		atRisk("1d", "7d", "6h"),
		atRisk("7d", "28d", "1d"),
		alert("KithObjectiveNoData", Ticket, "6h", `max by (`+ofObjective+`) (kith_objective_info{standing="Unknown"})`,
			objective+" cannot be known",
			"A channel that it looks at has not been read completely, or none is declared. That is not zero: nothing is shown."),
		alert("KithObjectiveDataStale", Ticket, "1h", lines(
			`time() - max by (`+ofObjective+`) (kith_objective_data_timestamp_seconds) > 86400`,
			// What is read from archives alone does not get newer.
			`  and on (namespace, community) channel:kith_connector_last_heartbeat_timestamp_seconds:max{platform!="archive"}`,
			// Where channels are looked at more seldom, figures are as old as that.
			`  unless on (namespace, community) channel:kith_channel_patience_seconds:max > 86400`),
			objective+" shows old data",
			"Its figures end {{ $value | humanizeDuration }} ago."),
		alert("KithObjectiveAbsent", Ticket, "1h", lines(
			`max by (namespace, objective) (`,
			`  `+asOf("objective", `kith_resource_condition{resource_kind="Objective",type="Accepted",status="True"}`),
			`) unless on (namespace, objective) kith_objective_info`),
			"Objective {{ $labels.namespace }}/{{ $labels.objective }} has no figures",
			"It is declared and accepted, and the hub shows no metrics of it."),
		alert("KithChannelWithoutOwner", Ticket, "1h", lines(
			`max by (namespace, channel) (`,
			`  `+asOf("channel", `kith_resource_condition{resource_kind="Channel",type="Owned",status="False"}`),
			`)`),
			"Nobody answers for channel {{ $labels.namespace }}/{{ $labels.channel }}",
			"The Channel names no team, or one that its Community does not have."),
		alert("KithCommunityWithoutObjective", Ticket, "1d", lines(
			`max by (namespace, community) (kith_community_readable{part="objectives"} == 1)`,
			`  unless on (namespace, community) kith_objective_info`),
			"{{ $labels.namespace }}/{{ $labels.community }} has no objective",
			"The community is measured, and nobody has said what it is to reach."),
	}
}

// atRisk compares a short window with a long one: if the objective loses once more what it lost from the long window to
// the short one, it is missed. So one that is missed and stays so is at risk, one that is met and falls is too, and one
// that is missed and recovers fast is not. Where there are too few cases now, there is nothing to say.
func atRisk(short, long, after string) Rule {
	r := alert("KithObjectiveAtRisk", Ticket, after, lines(
		`2 * objective:kith_objective_margin:avg`+short+` - objective:kith_objective_margin:avg`+long+` < 0`,
		`  and on (`+ofObjective+`) objective:kith_objective_margin:difference`),
		"Objective {{ $labels.objective }} of {{ $labels.namespace }}/{{ $labels.community }} is missed or about to be",
		"Going on as from the last "+long+" to the last "+short+", it is {{ $value | humanize }} past its target (in its own unit; a share from 0 to 1).")
	r.Labels["window"] = short + "/" + long
	return r
}
