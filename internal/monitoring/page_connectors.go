// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

// someChannels are those that are chosen.
const someChannels = communities + `,channel=~"$channel"`

func connectorsPage() Dashboard {
	return Dashboard{
		UID: "kith-connectors", Name: "connectors", Title: "Kith / Connectors",
		Description: "Is Kith itself well? For those who run it. Nothing here says anything about a community.",
		Variables: append(choose(true), Variable{Name: "channel", Label: "Channel", Description: "The Channel by name.",
			Query: `label_values(kith_connector_last_heartbeat_timestamp_seconds{` + communities + `}, channel)`, Many: true}),
		From: "now-6h", Refresh: "1m",
		Annotations: []Annotation{releases(`namespace=~"$namespace"`), definitions(communities, "")},
		Rows: []Row{
			{Title: "At a glance", Panels: glancePanels()},
			{Title: "Connectors", Panels: readerPanels()},
			{Title: "What is left out", Panels: leftOutPanels()},
			{Title: "Ledger and history", Panels: ledgerPanels()},
			{Title: "Hub and resources", Panels: hubPanels()},
		},
	}
}

func glancePanels() []Panel {
	return []Panel{
		{
			Title: "State of each channel's reader", Kind: Stat, Unit: Text, Width: 24, Height: 5,
			Description: "In which state each reader is. A channel of which nobody has heard for five minutes is missing here: see the age of signs of life.",
			Targets:     []Target{{Expr: stateCode(someChannels), Legend: "{{community}}/{{channel}}", Instant: true}}, Mappings: stateMappings(),
		}, {
			Title: "Alerts of Kith", Kind: Table, Unit: Text, Width: 12, Height: 7,
			Description: "What fires now, in any community. Each alert has a page with what to do in docs/runbooks.",
			Targets:     []Target{{Expr: `ALERTS{alertname=~"Kith.+",alertstate="firing"}`, Instant: true, MayBeEmpty: noProblem}},
			Columns: []Column{{"alertname", "Alert"}, {"severity", "Severity"}, {"namespace", "Namespace"}, {"community", "Community"},
				{"channel", "Channel"}, {"objective", "Objective"}},
			Overrides: []Override{{Field: "Alert", Link: &Link{Title: "What to do", URL: Docs + "runbooks/${__value.raw}.md"}}},
		}, {
			Title: "Resources that are not ready", Kind: Table, Unit: Text, Width: 12, Height: 7,
			Description: "Conditions that are not True, with their reason; kubectl describe has the message. Only where the operator runs.",
			Targets: []Target{{Expr: lines("max by (resource_kind, resource_namespace, resource_name, type, status, reason) (",
				`  kith_resource_condition{resource_namespace=~"$namespace",status!="True",type!~"Reconciling|Stalled"}`, `  or kith_resource_condition{resource_namespace=~"$namespace",status="True",type="Stalled"}`, ")"),
				Instant: true, MayBeEmpty: noProblem}},
			Columns: []Column{{"resource_kind", "Kind"}, {"resource_namespace", "Namespace"}, {"resource_name", "Name"}, {"type", "Condition"},
				{"status", "Status"}, {"reason", "Reason"}},
		},
	}
}

func readerPanels() []Panel {
	m := "{" + someChannels + "}"
	const by, name = "namespace, community, channel", "{{community}}/{{channel}}"
	return []Panel{
		{
			Title: "States over time", Kind: Timeline, Unit: Text, Width: 24, Height: 8,
			Description: "A gap: nobody knew. That is not the same as well.",
			Targets:     []Target{{Expr: stateCode(someChannels), Legend: name}}, Mappings: stateMappings(),
		}, {
			Title: "Age of the last sign of life", Kind: TimeSeries, Unit: Seconds, Width: 8, Height: 8,
			Description: "Seconds since hub or connector last heard of the reader. Above 300 it counts as silent.",
			Targets:     []Target{{Expr: "time() - max by (" + by + ") (kith_connector_last_heartbeat_timestamp_seconds" + m + ")", Legend: name}},
			Thresholds:  []Threshold{{nil, green}, {from(300), orange}},
		}, {
			Title: "Since the last page", Kind: TimeSeries, Unit: Seconds, Width: 8, Height: 8,
			Description: "Seconds since the reader last read a page. A channel without news is looked at down to a tenth as often as declared. Absent before the first page.",
			Targets:     []Target{{Expr: "time() - max by (" + by + ") (kith_connector_last_progress_timestamp_seconds" + m + ")", Legend: name, MayBeEmpty: noneYet}},
		}, {
			Title: "Lag", Kind: TimeSeries, Unit: Seconds, Width: 8, Height: 8,
			Description: "By how much the reading of a channel is behind now. An archive stays as it is, and lags for ever.",
			Targets:     []Target{{Expr: "min by (" + by + ") (kith_connector_lag_seconds" + m + ")", Legend: name, MayBeEmpty: noneYet}},
		}, {
			Title: "Errors by reason", Kind: TimeSeries, Unit: Number, Width: 8, Height: 8, Stacked: true,
			Description: "Errors per minute while reading. A few are normal: they are repeated.",
			Targets:     []Target{{Expr: "sum by (reason) (max by (" + by + ", reason) (rate(kith_connector_errors_total" + m + "[$__rate_interval]))) * 60", Legend: "{{reason}}"}},
		}, {
			Title: "Observations", Kind: TimeSeries, Unit: PerSec, Width: 8, Height: 8, Stacked: true,
			Description: "Observations committed per second, by lane: is the reader alive? It says nothing about the community.",
			Targets:     []Target{{Expr: "sum by (lane) (max by (" + by + ", lane) (rate(kith_connector_observations_total" + m + "[$__rate_interval])))", Legend: "{{lane}}"}},
		}, {
			Title: "Rate limit remaining", Kind: TimeSeries, Unit: Number, Width: 8, Height: 8,
			Description: "Requests that the platform last said are left. Absent where it does not say.",
			Targets:     []Target{{Expr: "min by (" + by + ") (kith_connector_rate_limit_remaining" + m + ")", Legend: name, MayBeEmpty: notSaid}},
			Thresholds:  []Threshold{{nil, red}, {from(1), green}},
		}, {
			Title: "Poll interval", Kind: Table, Unit: Seconds, Width: 8, Height: 6,
			Description: "Seconds that each channel's declaration leaves between two looks.",
			Targets:     []Target{{Expr: "max by (" + by + ") (kith_channel_poll_interval_seconds" + m + ")", Instant: true}},
			Columns:     []Column{{"community", "Community"}, {"channel", "Channel"}, {"Value", "Interval"}},
		}, {
			Title: "Progress of the running pass", Kind: Bars, Unit: Ratio, Width: 8, Height: 6, Bounded: true,
			Description: "Items done of those in the running pass of a lane, in the lane's own unit. Absent where the platform does not say how many there are.",
			Targets: []Target{{Expr: lines("max by ("+by+", lane) (kith_connector_lane_done"+m+")", "/ (max by ("+by+", lane) (kith_connector_lane_size"+m+") > 0)"),
				Legend: name + " {{lane}}", Instant: true, MayBeEmpty: notFromNow}},
		}, {
			Title: "Items done in the running pass", Kind: TimeSeries, Unit: Number, Width: 8, Height: 6,
			Description: "Items done by lane, in the lane's own unit, also where nobody knows how many there are.",
			Targets:     []Target{{Expr: "max by (" + by + ", lane) (kith_connector_lane_done" + m + ")", Legend: name + " {{lane}}", MayBeEmpty: notFromNow}},
		},
	}
}

func leftOutPanels() []Panel {
	m := "{" + someChannels + "}"
	const name = "{{community}}/{{channel}}"
	return []Panel{
		{
			Title: "Quarantined", Kind: TimeSeries, Unit: Number, Width: 8, Height: 7,
			Description: "Records that a connector could not understand, in all: they are in no figure.",
			Targets:     []Target{{Expr: "max by (namespace, community, channel) (kith_ledger_quarantined_total" + m + ")", Legend: name, MayBeEmpty: noneYet}},
		}, {
			Title: "Set aside", Kind: TimeSeries, Unit: Number, Width: 8, Height: 7,
			Description: "Observations, timers and cases that could not be processed and wait for kith ledger retry.",
			Targets:     []Target{{Expr: "max by (namespace, community, channel, what) (kith_ledger_set_aside" + m + ")", Legend: name + " {{what}}", MayBeEmpty: noneYet}},
			Thresholds:  []Threshold{{nil, green}, {from(1), orange}},
		}, {
			Title: "Older than the retention", Kind: TimeSeries, Unit: Number, Width: 8, Height: 7,
			Description: "Threads left out because they are older than the activity retention, in all.",
			Targets:     []Target{{Expr: "max by (namespace, community, channel) (kith_ledger_dropped_old_total" + m + ")", Legend: name, MayBeEmpty: noneYet}},
		}, {
			Title: "Quarantined by readers that run", Kind: TimeSeries, Unit: Number, Width: 12, Height: 6,
			Description: "Records left out per hour since each reader started; the ledger's own count is above.",
			Targets:     []Target{{Expr: "max by (namespace, community, channel) (rate(kith_connector_quarantined_total" + m + "[$__rate_interval])) * 3600", Legend: name}},
		}, {
			Title: "Series left out", Kind: TimeSeries, Unit: Number, Width: 12, Height: 6,
			Description: "Series of a community that are not shown because its budget is used up.",
			Targets:     []Target{{Expr: "max by (namespace, community) (kith_series_dropped{" + communities + "})", Legend: "{{namespace}}/{{community}}"}},
			Thresholds:  []Threshold{{nil, green}, {from(1), orange}},
		},
	}
}

func ledgerPanels() []Panel {
	m, some := "{"+communities+"}", "{"+someChannels+"}"
	const community, name = "{{namespace}}/{{community}}", "{{community}}/{{channel}}"
	return []Panel{
		{
			Title: "Size of the ledger", Kind: TimeSeries, Unit: Bytes, Width: 8, Height: 7,
			Description: "Bytes of the ledger on its volume, its log of writes included. How full the volume is, the kubelet knows: kubelet_volume_stats_available_bytes.",
			Targets:     []Target{{Expr: "max by (namespace, community) (kith_ledger_size_bytes" + m + ")", Legend: community}},
		}, {
			Title: "Ledgers that can be read", Kind: Timeline, Unit: Text, Width: 8, Height: 7,
			Description: "Whether the hub could read its ledger. A gap: the hub was not scraped.",
			Targets:     []Target{{Expr: "min by (namespace, community) (kith_ledger_readable" + m + ")", Legend: community}},
			Mappings:    []Mapping{{"1", "readable", green}, {"0", "not readable", red}, {"null", "not scraped", grey}},
		}, {
			Title: "Age of what has been processed", Kind: TimeSeries, Unit: Seconds, Width: 8, Height: 7,
			Description: "How long ago each channel's watermark lies: up to there everything has been read and processed. Absent before its history has been.",
			Targets:     []Target{{Expr: "time() - max by (namespace, community, channel) (kith_ledger_watermark_timestamp_seconds" + some + ")", Legend: name, MayBeEmpty: noneYet}},
		}, {
			Title: "How far history has come", Kind: Table, Unit: Text, Width: 12, Height: 7,
			Description: "reading, processing or complete. Objectives that look at a channel are Unknown until it is complete.",
			Targets:     []Target{{Expr: "max by (namespace, community, channel, state) (kith_ledger_history_state" + some + " == 1)", Instant: true, MayBeEmpty: noneYet}},
			Columns:     []Column{{"namespace", "Namespace"}, {"community", "Community"}, {"channel", "Channel"}, {"state", "History"}},
		}, {
			Title: "History processed", Kind: TimeSeries, Unit: Ratio, Width: 12, Height: 7, Bounded: true,
			Description: "Share of a channel's history that has been processed, while it is.",
			Targets:     []Target{{Expr: "max by (namespace, community, channel) (kith_ledger_history_processed_ratio" + some + ")", Legend: name, MayBeEmpty: notFromNow}},
		},
	}
}

func hubPanels() []Panel {
	// The hub's own metrics know no community by themselves; the scrape's configuration adds it.
	const ns = `{namespace=~"$namespace"}`
	return []Panel{
		{
			Title: "Hubs that answer", Kind: Timeline, Unit: Text, Width: 8, Height: 7,
			Description: "Whether the operator reaches each hub. Only where an operator runs.",
			Targets:     []Target{{Expr: "community:kith_hub_up:max{" + communities + "}", Legend: "{{namespace}}/{{community}}", MayBeEmpty: noOperator + "; " + needsRules}},
			Mappings:    []Mapping{{"1", "up", green}, {"0", "down", red}, {"null", "not polled", grey}},
		}, {
			Title: "Calls of the hub by code", Kind: TimeSeries, Unit: PerSec, Width: 8, Height: 7, Stacked: true,
			Description: "Calls per second of all hubs chosen. 409 is a stale reader that was fenced off, as it should be; 401 and 403 are callers without a right.",
			Targets:     []Target{{Expr: "sum by (code) (rate(kith_hub_requests_total" + ns + "[$__rate_interval]))", Legend: "{{code}}"}},
		}, {
			Title: "Calls that take longer than half a second", Kind: TimeSeries, Unit: Ratio, Width: 8, Height: 7, Bounded: true,
			Description: "Share of calls by path, the wait for their turn included.",
			Targets: []Target{{Expr: lines(`1 - sum by (path) (rate(kith_hub_request_duration_seconds_bucket{namespace=~"$namespace",le="0.5"}[$__rate_interval]))`,
				`/ (sum by (path) (rate(kith_hub_request_duration_seconds_count`+ns+`[$__rate_interval])) > 0)`), Legend: "{{path}}", MayBeEmpty: noCalls}},
		}, {
			Title: "Refused for a channel of another", Kind: TimeSeries, Unit: Number, Width: 8, Height: 6,
			Description: "Calls of accounts that spoke for a channel that is not theirs, in all. Nothing was written by them. Empty is good.",
			Targets:     []Target{{Expr: "sum by (namespace, account) (kith_hub_forbidden_total" + ns + ")", Legend: "{{namespace}}/{{account}}", MayBeEmpty: noProblem}},
		}, {
			Title: "Calls in work", Kind: TimeSeries, Unit: Number, Width: 8, Height: 6,
			Description: "Calls of the hub's API in work at a moment.",
			Targets:     []Target{{Expr: "sum by (namespace, instance) (kith_hub_requests_in_flight" + ns + ")", Legend: "{{namespace}} {{instance}}"}},
		}, {
			Title: "Memory", Kind: TimeSeries, Unit: Bytes, Width: 8, Height: 6,
			Description: "Resident memory of each process of Kith.",
			Targets:     []Target{{Expr: "process_resident_memory_bytes" + ns + "\n  and on (job, instance) kith_build_info" + ns, Legend: "{{job}} {{instance}}"}},
		}, {
			Title: "What runs", Kind: Table, Unit: Number, Width: 24, Height: 6,
			Description: "Processes of Kith by version: one line once a roll-out is over.",
			Targets:     []Target{{Expr: "count by (job, version, revision, goversion) (kith_build_info" + ns + ")", Instant: true}},
			Columns:     []Column{{"job", "Job"}, {"version", "Version"}, {"revision", "Revision"}, {"goversion", "Go"}, {"Value", "Processes"}},
		},
	}
}
