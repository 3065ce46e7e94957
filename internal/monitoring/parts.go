// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"fmt"
	"strings"
)

// Colours by Grafana's names. What is not known has none: grey is not bad.
const (
	green  = "green"
	yellow = "yellow"
	orange = "orange"
	red    = "red"
	blue   = "blue"
	grey   = "text"
)

// Reasons why a query may have no result where all is well.
const (
	noneYet     = "nothing of the kind has been seen, or the community has not been read yet"
	noneOfKind  = "no objective is of this kind"
	notKnown    = "an objective with too few cases, or that cannot be known, has no value"
	noProblem   = "empty is good"
	noOperator  = "only where an operator runs"
	noChange    = "nothing has changed"
	noWorth     = "no behaviour declares what it is worth"
	notSaid     = "the platform does not say"
	notFromNow  = "only while history is being read or processed"
	needsRules  = "the recording rules have to be loaded, and need two samples"
	noCalls     = "nobody has called the hub lately"
	noQuestions = "no question was decided in the time range"
)

func from(v float64) *float64 { return &v }

// one and many choose a community: a page about one, or about any number.
const (
	oneCommunity = `namespace="$namespace",community="$community"`
	communities  = `namespace=~"$namespace",community=~"$community"`
)

func datasource() Variable {
	return Variable{Name: "datasource", Label: "Data source", Description: "The Prometheus that scrapes Kith.", Datasource: true}
}

// choose gives the variables for a community; many allows several.
func choose(many bool) []Variable {
	within := `namespace="$namespace"`
	if many {
		within = `namespace=~"$namespace"`
	}
	return []Variable{
		datasource(),
		{Name: "namespace", Label: "Namespace", Description: "The namespace of the Community.", Query: "label_values(kith_community_readable, namespace)", Many: many},
		{Name: "community", Label: "Community", Description: "The Community by name.", Query: "label_values(kith_community_readable{" + within + "}, community)", Many: many},
	}
}

// Standings as numbers, for charts that can show numbers alone. They are names, not a scale.
var standings = []struct {
	value           int
	standing, color string
}{{3, "Met", green}, {2, "NotMet", orange}, {1, "TooFew", grey}, {0, "Unknown", grey}}

func standingMappings() []Mapping {
	var out []Mapping
	for _, s := range standings {
		out = append(out, Mapping{Value: fmt.Sprint(s.value), Text: s.standing, Color: s.color})
	}
	return append(out, Mapping{Value: "null", Text: "no data", Color: grey})
}

// standingWords colours the standing where it is a word.
func standingWords() []Mapping {
	var out []Mapping
	for _, s := range standings {
		out = append(out, Mapping{Value: s.standing, Text: s.standing, Color: s.color})
	}
	return out
}

func standingCode(matchers string) string {
	var terms []string
	for _, s := range standings {
		terms = append(terms, fmt.Sprintf(`%d * max by (objective) (kith_objective_info{%s,standing=%q})`, s.value, matchers, s.standing))
	}
	return strings.Join(terms, "\nor\n")
}

// states are the phases of a reader as numbers: names, not a scale.
var states = []struct {
	state, color string
}{
	{"Connected", green}, {"Backfilling", blue}, {"Connecting", yellow}, {"RateLimited", orange}, {"HubUnavailable", orange},
	{"BadCredentials", red}, {"SecretKeyMissing", red}, {"Unreachable", red}, {"PlatformError", red}, {"BadSettings", red},
	{"TakenOver", grey}, {"Suspended", grey},
}

func stateMappings() []Mapping {
	var out []Mapping
	for i, s := range states {
		out = append(out, Mapping{Value: fmt.Sprint(i), Text: s.state, Color: s.color})
	}
	return append(out, Mapping{Value: "null", Text: "nobody knows", Color: grey})
}

// stateCode has the hub's and the connector's word for a channel's state. Where for a moment they differ, the worse wins.
func stateCode(matchers string) string {
	var terms []string
	for i := len(states) - 1; i >= 0; i-- {
		terms = append(terms, fmt.Sprintf(`%d * (max by (namespace, community, channel) (kith_connector_state{%s,state=%q}) == 1)`, i, matchers, states[i].state))
	}
	return strings.Join(terms, "\nor\n")
}

// bucket matches a histogram's bucket: Prometheus writes the bound as 3600 until version 2, and as 3600.0 since 3.
func bucket(seconds int) string { return fmt.Sprintf(`le=~"%d(\\.0)?"`, seconds) }

// within are the times within which answers are looked at.
var within = []struct {
	seconds int
	name    string
}{{3600, "within 1 h"}, {4 * 3600, "within 4 h"}, {24 * 3600, "within 24 h"}, {72 * 3600, "within 72 h"}, {7 * 24 * 3600, "within 7 d"}}

// shares asks for the share of questions that were answered within each time. Never a mean: who still waits has none.
func shares(metric, window string, instant bool) []Target {
	var out []Target
	for _, w := range within {
		out = append(out, Target{
			Expr: lines(
				fmt.Sprintf(`sum(increase(%s_bucket{%s,%s}[%s]))`, metric, oneCommunity, bucket(w.seconds), window),
				fmt.Sprintf(`/ (sum(increase(%s_count{%s}[%s])) > 0)`, metric, oneCommunity, window)),
			Legend: w.name, Instant: instant, MayBeEmpty: noQuestions,
		})
	}
	return out
}

// releases marks when a version of Kith began to run.
func releases(matchers string) Annotation {
	now := "count by (version) (kith_build_info{" + matchers + "})"
	before := "count by (version) (kith_build_info{" + matchers + "} offset 5m)"
	return Annotation{
		Name: "Releases", Color: blue, Title: "Kith {{version}}", Text: "This version of Kith began to run.", MayBeEmpty: noChange,
		Expr: lines(now, "  unless "+before, "  and on () (count("+before+") > 0)"),
	}
}

// definitions marks when what a behaviour counts was changed.
func definitions(matchers, narrowed string) Annotation {
	const by = "namespace, community, behaviour"
	info := "kith_behaviour_info{" + matchers + "}"
	return Annotation{
		Name: "Definitions of behaviours", Color: yellow, Title: "{{behaviour}} is defined anew", MayBeEmpty: noChange,
		Text: "From here on it counts what the new definition says; what was counted stays.",
		Expr: lines(
			"max by ("+by+", generation) ("+info+")",
			"  unless max by ("+by+", generation) ("+info+" offset 5m)",
			"  and on ("+by+") ("+info+" offset 5m)"+narrowed),
	}
}

// targets marks when an objective's target was changed.
func targets(matchers string) Annotation {
	return Annotation{
		Name: "Targets of objectives", Color: orange, Title: "{{objective}} has a new target", Text: "It was agreed anew.", MayBeEmpty: noChange,
		Expr: "max by (objective) (changes(kith_objective_target{" + matchers + "}[5m])) > 0",
	}
}
