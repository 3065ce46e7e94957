// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

// operationsAlerts say that Kith does not work as it should. What is absent is never taken for well: each thing that can
// fall silent has an alert for that.
func operationsAlerts() []Rule {
	const channel = "Channel {{ $labels.channel }} of {{ $labels.namespace }}/{{ $labels.community }}"
	const community = "{{ $labels.namespace }}/{{ $labels.community }}"
	rules := []Rule{
		alert("KithHubDown", Critical, "5m", `community:kith_hub_up:max == 0`,
			"The hub of "+community+" does not answer",
			"The operator has not reached the hub for five minutes. Nothing is read meanwhile; connectors wait and lose nothing that the platforms still show."),
		alert("KithHubAbsent", Warning, "15m", lines(
			`community:kith_hub_up:max == 1`,
			`  unless on (namespace, community) kith_ledger_readable`),
			"Prometheus does not see the hub of "+community,
			"The operator reaches the hub, and Prometheus has no metrics of it: alerts about its channels cannot fire."),
		alert("KithCommunityMetricsAbsent", Warning, "15m", lines(
			`max by (namespace, community) (kith_ledger_readable)`,
			`  unless on (namespace, community) kith_community_readable`),
			"The figures of "+community+" are not scraped",
			"The hub is scraped at /metrics, and not at /metrics/community: objectives and behaviours are absent, which is not zero."),
		alert("KithOperatorAbsent", Warning, "15m", `absent(kith_resource_condition) and on () (count(kith_ledger_readable) > 0)`,
			"Prometheus does not see the operator",
			"Hubs are there and the operator's metrics are not: nobody knows the state of the resources, and a hub that is down raises no alert."),
		alert("KithAbsent", Warning, "15m", `absent(kith_build_info)`,
			"Prometheus sees nothing of Kith",
			"No process of Kith is scraped at all, so that no other alert of Kith can fire."),
		alert("KithLedgerUnreadable", Critical, "5m", `min by (namespace, community) (kith_ledger_readable) == 0`,
			"The ledger of "+community+" cannot be read",
			"The hub runs and cannot read its ledger; its figures are absent."),
		alert("KithLedgerNotReady", Critical, "5m", lines(
			`max by (namespace, community, reason) (`,
			`  `+asOf("community", `kith_resource_condition{resource_kind="Community",type="LedgerReady",status="False"}`),
			`)`),
			"The ledger of "+community+" cannot be written: {{ $labels.reason }}",
			"The Community's condition LedgerReady is False. Nothing new is counted until it is True."),
		alert("KithCommunityUnreadable", Warning, "10m", `min by (namespace, community, part) (kith_community_readable) == 0`,
			"The {{ $labels.part }} of "+community+" cannot be worked out",
			"This part of the community's figures is absent from its metrics. Dashboards show gaps there, not zeros."),
		alert("KithHubRefusesCalls", Warning, "10m", `sum by (namespace, community, path) (increase(kith_hub_requests_total{code=~"401|403"}[10m])) > 0`,
			"The hub of "+community+" refuses calls of {{ $labels.path }}",
			"Somebody calls the hub without a right to: a connector with another channel's name, a token that has run out, or a stranger."),
		alert("KithAccountForbidden", Warning, "0m", lines(
			`sum by (namespace, community, account) (increase(kith_hub_forbidden_total[15m])) > 0`,
			`or`,
			// A series begins with its first refusal, which increase does not see.
			`sum by (namespace, community, account) (kith_hub_forbidden_total)`,
			`  unless on (namespace, community, account) (kith_hub_forbidden_total offset 15m)`),
			"Account {{ $labels.account }} spoke for a channel of "+community+" that is not its own",
			"The hub refused it and wrote nothing. A connector does this with a wrong configuration; a stranger does it on purpose."),
		alert("KithSeriesDropped", Ticket, "1h", `max by (namespace, community) (kith_series_dropped) > 0`,
			community+" has more series than its budget",
			"{{ $value }} series are not shown. Declare fewer segments, behaviours or channels."),
		alert("KithResourceNotReady", Warning, "30m", lines(
			`max by (resource_kind, resource_namespace, resource_name, reason) (`,
			`  kith_resource_condition{type="Ready",status!="True",reason!="Suspended"}`,
			`)`),
			"{{ $labels.resource_kind }} {{ $labels.resource_namespace }}/{{ $labels.resource_name }} is not ready: {{ $labels.reason }}",
			"The resource does not do what was declared. Its conditions say what to do: kubectl describe."),
	}
	return append(rules, connectorAlerts(channel)...)
}

// running leaves out channels that are suspended, which the reader says while it runs and the resource afterwards.
const running = `
  unless on (namespace, community, channel) (channel:kith_connector_state:max{state="Suspended"} == 1)
  unless on (namespace, channel) channel:kith_resource_condition:suspended`

func connectorAlerts(channel string) []Rule {
	return []Rule{
		alert("KithConnectorSilent", Warning, "10m", `time() - channel:kith_connector_last_heartbeat_timestamp_seconds:max > 300`+running,
			channel+" has no reader",
			"Nobody has heard of the channel's reader for {{ $value | humanizeDuration }}."),
		alert("KithConnectorAbsent", Warning, "15m", lines(
			`channel:kith_resource_condition:accepted`,
			`  unless on (namespace, channel) channel:kith_connector_last_heartbeat_timestamp_seconds:max`,
			`  unless on (namespace, channel) channel:kith_resource_condition:suspended`),
			"Channel {{ $labels.namespace }}/{{ $labels.channel }} is declared, and nothing is known of a reader",
			"The Channel is accepted, and neither hub nor connector has metrics of it."),
		alert("KithConnectorNoProgress", Warning, "15m", lines(
			`(`,
			`  time() - channel:kith_connector_last_progress_timestamp_seconds:max`,
			`    > on (namespace, community, channel) group_left () channel:kith_channel_patience_seconds:max`,
			`  or`,
			`  channel:kith_connector_last_heartbeat_timestamp_seconds:max`,
			`    unless on (namespace, community, channel) channel:kith_connector_last_progress_timestamp_seconds:max`,
			`)`,
			// One that is silent has an alert of its own.
			`  and on (namespace, community, channel) (time() - channel:kith_connector_last_heartbeat_timestamp_seconds:max < 300)`)+running,
			channel+" gets no further",
			"The channel's reader is alive and has read no page for too long, or none at all yet."),
		alert("KithConnectorBadCredentials", Warning, "5m", `channel:kith_connector_state:max{state=~"BadCredentials|SecretKeyMissing"} == 1`,
			channel+" cannot be read: {{ $labels.state }}",
			"The platform refuses the channel's credentials, or the Secret lacks a key. Nothing is read until that is put right; nothing is lost that the platform still shows."),
		alert("KithConnectorRateLimited", Warning, "30m", lines(
			`channel:kith_connector_state:max{state="RateLimited"} == 1`,
			`or`,
			`label_replace(min by (namespace, community, channel, platform) (kith_connector_rate_limit_remaining) <= 0, "state", "RateLimited", "", "")`),
			channel+" has used up what the platform allows",
			"The platform has limited the channel's account for half an hour. Reading goes on as it allows; figures become late."),
		alert("KithConnectorLagging", Warning, "30m", lines(
			`channel:kith_connector_lag_seconds:min{platform!="archive"}`,
			`  > on (namespace, community, channel) group_left () channel:kith_channel_patience_seconds:max`)+running,
			channel+" is read late",
			"Reading is {{ $value | humanizeDuration }} behind, so that figures are as old as that."),
		alert("KithRecordsQuarantined", Ticket, "0m", `max by (namespace, community, channel) (increase(kith_ledger_quarantined_total[6h])) > 0`,
			channel+": records were left out that could not be understood",
			"About {{ $value | humanize }} records of the last six hours are in no figure: the platform shows something that the connector does not know."),
		alert("KithRecordsSetAside", Ticket, "15m", `max by (namespace, community, channel, what) (kith_ledger_set_aside) > 0`,
			channel+": {{ $labels.what }}s are set aside",
			"{{ $value }} could not be processed and wait for `kith ledger retry`. They are in no figure."),
	}
}
