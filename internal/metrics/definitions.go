// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Kind is a metric's Prometheus type.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Endpoint is where a metric is shown.
type Endpoint string

// The endpoints: operations of each process; what members do for each other, on the leading hub only.
const (
	Operations Endpoint = "/metrics"
	Behaviour  Endpoint = "/metrics/community"
)

// Definition is all that is to be known of a metric. No label ever names a person.
type Definition struct {
	Name     string
	Kind     Kind
	Endpoint Endpoint
	// Help is a sentence with the unit, the meaning, and when the series is absent.
	Help   string
	Labels []string
}

// The names of metrics that the operator collects.
const (
	ResourceCondition = "kith_resource_condition"
	HubUp             = "kith_hub_up"
)

// The names of metrics.
const (
	buildInfo = "kith_build_info"

	hubRequests        = "kith_hub_requests_total"
	hubRequestDuration = "kith_hub_request_duration_seconds"
	hubRequestsNow     = "kith_hub_requests_in_flight"
	hubForbidden       = "kith_hub_forbidden_total"

	pollInterval          = "kith_channel_poll_interval_seconds"
	connectorState        = "kith_connector_state"
	connectorHeartbeat    = "kith_connector_last_heartbeat_timestamp_seconds"
	connectorProgress     = "kith_connector_last_progress_timestamp_seconds"
	connectorLag          = "kith_connector_lag_seconds"
	connectorErrors       = "kith_connector_errors_total"
	connectorRemaining    = "kith_connector_rate_limit_remaining"
	connectorObservations = "kith_connector_observations_total"
	connectorQuarantined  = "kith_connector_quarantined_total"
	connectorLaneDone     = "kith_connector_lane_done"
	connectorLaneSize     = "kith_connector_lane_size"

	ledgerSize        = "kith_ledger_size_bytes"
	ledgerFree        = "kith_ledger_free_bytes"
	ledgerWatermark   = "kith_ledger_watermark_timestamp_seconds"
	ledgerHistory     = "kith_ledger_history_state"
	ledgerDrained     = "kith_ledger_history_processed_ratio"
	ledgerSetAside    = "kith_ledger_set_aside"
	ledgerDroppedOld  = "kith_ledger_dropped_old_total"
	ledgerQuarantined = "kith_ledger_quarantined_total"
	ledgerReadable    = "kith_ledger_readable"

	behaviours        = "kith_behaviours_total"
	behavioursUndone  = "kith_behaviours_undone_total"
	firstResponse     = "kith_first_response_seconds"
	firstMember       = "kith_first_member_answer_seconds"
	questions         = "kith_questions"
	questionsOverdue  = "kith_questions_overdue"
	behaviourInfo     = "kith_behaviour_info"
	behaviourWorth    = "kith_behaviour_worth"
	valueFactor       = "kith_value_factor"
	objectiveShare    = "kith_objective_share_ratio"
	objectiveCount    = "kith_objective_count"
	objectiveTarget   = "kith_objective_target"
	objectiveMet      = "kith_objective_met"
	objectiveCases    = "kith_objective_cases"
	objectiveTime     = "kith_objective_data_timestamp_seconds"
	objectiveInfo     = "kith_objective_info"
	communityReadable = "kith_community_readable"
	seriesDropped     = "kith_series_dropped"
)

var (
	ofChannel   = []string{"community", "channel"}
	ofConnector = []string{"community", "channel", "platform"}
	ofObjective = []string{"community", "objective"}
)

func and(labels []string, more ...string) []string { return append(slices.Clone(labels), more...) }

// Definitions lists every metric once, in the order of the documentation.
var Definitions = []Definition{
	{behaviours, Counter, Behaviour, "Cases of a behaviour that counted while Kith was watching, history and rebuilds left out, by level and segment of the member to whom they are credited; other where fewer people than the minimum group size stand behind a label.", and(ofChannel, "behaviour", "level", "segment")},
	{behavioursUndone, Counter, Behaviour, "Cases of a behaviour that had counted and were undone later (removed, no longer accepted), under the labels under which they had counted.", and(ofChannel, "behaviour", "level", "segment")},
	{firstResponse, Histogram, Behaviour, "Seconds from a question to its first response by somebody else, bots and automatic replies left out; a question without one after 7 days counts as infinite. The sum is not kept: a mean would leave out those who still wait.", ofChannel},
	{firstMember, Histogram, Behaviour, "Seconds from a question to its first answer by a member or volunteer who is not the asker, before or after the company's; a question without one after 7 days counts as infinite. The sum is not kept.", ofChannel},
	{questions, Gauge, Behaviour, "Questions opened within 90 days before the channel's watermark, each in exactly one state: solved, answered_by_member, answered (by others alone), unanswered. Absent before the channel's history has been processed; solved is absent where answers cannot be accepted.", and(ofChannel, "state")},
	{questionsOverdue, Gauge, Behaviour, "Questions opened within 90 days before the channel's watermark that have been waiting for a first response for more than 24 hours. Absent before the channel's history has been processed.", ofChannel},
	{objectiveShare, Gauge, Behaviour, "Share of an objective's cases that were fulfilled, as a ratio from 0 to 1, over its window. Absent where there are too few cases or people, or where it cannot be known.", ofObjective},
	{objectiveCount, Gauge, Behaviour, "Cases that an objective counts in its window. Absent where there are too few cases or people, or where it cannot be known.", ofObjective},
	{objectiveTarget, Gauge, Behaviour, "What an objective is to reach, or not to exceed: a ratio from 0 to 1 for shares, a number of cases for counts.", ofObjective},
	{objectiveMet, Gauge, Behaviour, "1 where an objective is met, 0 where it is not. Absent where there are too few cases or people, or where it cannot be known.", ofObjective},
	{objectiveCases, Gauge, Behaviour, "Cases in an objective's window. Absent where it cannot be known, and where fewer people than the minimum group size stand behind them.", ofObjective},
	{objectiveTime, Gauge, Behaviour, "Time up to which the data of an objective have been read, in seconds since 1970 (UTC).", ofObjective},
	{objectiveInfo, Gauge, Behaviour, "Always 1: what an objective looks at (behaviour, goal, window), on which side of its target it is to be (atLeast, atMost), and how it stands (Met, NotMet, TooFew, Unknown).", and(ofObjective, "goal", "behaviour", "window", "target", "standing")},
	{behaviourInfo, Gauge, Behaviour, "Always 1: which definition of a behaviour is in force. Its generation changes where what counts changes, and not where a title does.", []string{"community", "behaviour", "family", "role", "generation"}},
	{behaviourWorth, Gauge, Behaviour, "Units of a factor that one case of a behaviour stands for, by scenario (low, mid, high).", []string{"community", "behaviour", "factor", "scenario"}},
	{valueFactor, Gauge, Behaviour, "What one unit of a declared value factor is worth, in the community's currency, by scenario (low, mid, high).", []string{"community", "factor", "scenario"}},
	{communityReadable, Gauge, Behaviour, "1 where a part of a community's figures (behaviours, histograms, questions, objectives) could be read from its ledger, 0 where it could not and its series are absent.", []string{"community", "part"}},
	{seriesDropped, Gauge, Behaviour, "Series of a community that are not shown because its budget of series is used up.", []string{"community"}},

	{pollInterval, Gauge, Operations, "Seconds that a channel's declaration leaves between two looks at what is new; a channel without news is looked at more seldom, down to a tenth as often.", ofChannel},
	{connectorState, Gauge, Operations, "1 for the state that a channel's reader is in, 0 for all others. Absent while the reader has not been heard of for 5 minutes.", and(ofConnector, "state")},
	{connectorHeartbeat, Gauge, Operations, "Time of the last sign of life of a channel's reader, in seconds since 1970 (UTC).", ofConnector},
	{connectorProgress, Gauge, Operations, "Time when a channel's reader last read a page, in seconds since 1970 (UTC). Absent before the first one.", ofConnector},
	{connectorLag, Gauge, Operations, "Seconds by which the reading of a channel is behind now. Absent before the first page.", ofConnector},
	{connectorErrors, Counter, Operations, "Errors while reading a channel since its reader started, by reason.", and(ofConnector, "reason")},
	{connectorRemaining, Gauge, Operations, "Requests that the platform last said are left before it limits the channel's account. Absent where it does not say.", ofConnector},
	{connectorObservations, Counter, Operations, "Observations committed to the hub since the channel's reader started, by lane.", and(ofConnector, "lane")},
	{connectorQuarantined, Counter, Operations, "Records left out since the channel's reader started because the connector could not understand them.", ofConnector},
	{connectorLaneDone, Gauge, Operations, "Items done in the running pass of a lane, in the lane's own unit (topics, files).", and(ofConnector, "lane")},
	{connectorLaneSize, Gauge, Operations, "Items in the running pass of a lane, in the lane's own unit (topics, files). Absent where not known.", and(ofConnector, "lane")},

	{ledgerReadable, Gauge, Operations, "1 where the figures of the ledger could be read, 0 where they could not and are absent.", []string{"community"}},
	{ledgerSize, Gauge, Operations, "Bytes that the ledger takes on its volume, its log of writes included.", []string{"community"}},
	{ledgerFree, Gauge, Operations, "Bytes that the volume of the ledger has left. Pages are refused, and wait at their platforms, before it is used up.", []string{"community"}},
	{ledgerWatermark, Gauge, Operations, "Time up to which a channel has been read and processed, in seconds since 1970 (UTC). Absent before its history has been processed.", ofChannel},
	{ledgerHistory, Gauge, Operations, "1 for how far a channel's history has come (reading, processing, complete), 0 for all others.", and(ofChannel, "state")},
	{ledgerDrained, Gauge, Operations, "Share of a channel's history that has been processed, as a ratio from 0 to 1. Absent while none is being processed.", ofChannel},
	{ledgerSetAside, Gauge, Operations, "Observations, timers and behaviours' cases that could not be processed and wait for a retry by command.", and(ofChannel, "what")},
	{ledgerDroppedOld, Counter, Operations, "Threads left out because they are older than the activity retention.", ofChannel},
	{ledgerQuarantined, Counter, Operations, "Records of a channel that its connector could not understand and left out, in all.", ofChannel},

	{HubUp, Gauge, Operations, "1 where the operator could ask a community's hub for its status at the last try, 0 where it could not. Absent without an operator.", []string{"namespace", "community"}},
	{ResourceCondition, Gauge, Operations, "Always 1: the status (True, False, Unknown) and the reason of a condition of a resource of Kith. Absent without an operator.", []string{"resource_kind", "resource_namespace", "resource_name", "type", "status", "reason"}},
	{hubRequests, Counter, Operations, "Calls of the hub's API, by path and status code.", []string{"path", "code"}},
	{hubRequestDuration, Histogram, Operations, "Seconds that calls of the hub's API took, the wait for their turn included.", []string{"path"}},
	{hubRequestsNow, Gauge, Operations, "Calls of the hub's API in work.", nil},
	{hubForbidden, Counter, Operations, "Calls of the hub's API refused because the caller spoke for a channel that is not its own, by the account that called. Absent for accounts of which none was refused.", []string{"account"}},
	{buildInfo, Gauge, Operations, "Always 1: the version of Kith that runs, its source revision and the Go release that built it.", []string{"version", "revision", "goversion"}},
}

// descs are the definitions in the library's form.
var descs = func() map[string]*prometheus.Desc {
	m := make(map[string]*prometheus.Desc, len(Definitions))
	for _, d := range Definitions {
		m[d.Name] = prometheus.NewDesc(d.Name, d.Help, d.Labels, nil)
	}
	return m
}()

// Desc gives a definition in the library's form, for collectors in other packages. It panics on a name that is not in
// the table, which only a programmer can write.
func Desc(name string) *prometheus.Desc {
	d, ok := descs[name]
	if !ok {
		panic("metrics: " + name + " is not defined")
	}
	return d
}

// helpOf gives a definition's sentence.
func helpOf(name string) string {
	for _, d := range Definitions {
		if d.Name == name {
			return d.Help
		}
	}
	return ""
}

// describe sends the definitions whose metrics a collector may send.
func describe(ch chan<- *prometheus.Desc, names ...string) {
	for _, n := range names {
		ch <- descs[n]
	}
}
