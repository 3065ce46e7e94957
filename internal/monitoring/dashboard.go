// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import "strings"

// Dashboard is one page of Grafana.
type Dashboard struct {
	// UID is part of the page's address: it stays as it is. Name is that of its file.
	UID, Name string
	Title     string
	// Description says whom the page is for.
	Description string
	Variables   []Variable
	Annotations []Annotation
	Rows        []Row
	// From is how far back the page looks when it is opened, as Grafana writes it: now-28d.
	From string
	// Refresh is how often it asks again.
	Refresh string
}

// Row is a titled part of a page, from left to right, then down.
type Row struct {
	Title  string
	Panels []Panel
}

// Kind is how a panel draws.
type Kind string

// The kinds, by Grafana's names.
const (
	Stat       Kind = "stat"
	TimeSeries Kind = "timeseries"
	Timeline   Kind = "state-timeline"
	Table      Kind = "table"
	Bars       Kind = "bargauge"
)

// Unit is what a panel's numbers are in, by Grafana's names.
type Unit string

// The units. The currency is the community's own, which no metric holds.
const (
	Ratio    Unit = "percentunit"
	Number   Unit = "short"
	Seconds  Unit = "s"
	Bytes    Unit = "bytes"
	CasesDay Unit = "suffix: cases/d"
	Cases    Unit = "suffix: cases"
	Currency Unit = "locale"
	PerSec   Unit = "reqps"
	Text     Unit = "none" // words by mappings
)

// Panel is one picture.
type Panel struct {
	Title string
	// Description says what is seen, what it is not, and when it is empty.
	Description   string
	Kind          Kind
	Unit          Unit
	Width, Height int // in Grafana's grid of 24 columns
	Targets       []Target
	Mappings      []Mapping
	Thresholds    []Threshold
	Overrides     []Override
	// Stacked time series add up to a whole; Bounded ones lie between 0 and 1.
	Stacked, Bounded bool
	// Columns of a table from left to right, by label or by Value #A and so on; others are hidden. Names maps them to what
	// is shown.
	Columns []Column
	Links   []Link
}

// Column is a column of a table.
type Column struct {
	Field, Name string
}

// Target is a query.
type Target struct {
	Expr string
	// Legend names the series, with labels as {{label}}.
	Legend string
	// Instant queries look at the end of the time range alone.
	Instant bool
	// MayBeEmpty says why there may be nothing to see where all is well; empty where there must be something as soon as
	// the community has been read.
	MayBeEmpty string
}

// Mapping shows a word for a value.
type Mapping struct {
	Value string
	Text  string
	Color string
}

// Threshold colours numbers from From on; nil is from the lowest.
type Threshold struct {
	From  *float64
	Color string
}

// Override changes how one field is shown: a column of a table, or series whose names fit a pattern.
type Override struct {
	// Field is a name, or a pattern where it begins and ends with a slash; Ref is a target's letter. One of them is set.
	Field, Ref string
	Unit       Unit
	Mappings   []Mapping
	Dashed     bool
	// Coloured fills a table's cell by its mapping.
	Coloured bool
	// FillBelowTo fills the band down to another series, by name.
	FillBelowTo string
	Link        *Link
}

// Link leads elsewhere.
type Link struct {
	Title, URL string
}

// Variable is what a reader chooses at the top of a page.
type Variable struct {
	Name, Label, Description string
	// Metric and On are where the values come from: those of label Label of series On.
	Query string
	// Many allows several and all.
	Many bool
	// Datasource variables choose a Prometheus.
	Datasource bool
}

// Annotation marks moments on all of a page's charts.
type Annotation struct {
	Name, Expr, Title, Text, Color string
	MayBeEmpty                     string
}

// Panels gives all panels of a page.
func (d Dashboard) Panels() []Panel {
	var out []Panel
	for _, r := range d.Rows {
		out = append(out, r.Panels...)
	}
	return out
}

// Dashboards gives all pages.
func Dashboards() []Dashboard {
	return []Dashboard{communityPage(), objectivePage(), connectorsPage()}
}

// Range are values for Grafana's own variables in a query, where no Grafana fills them in: a time range, and the
// interval over which a rate is taken.
type Range struct {
	// Range and RateInterval are Prometheus durations.
	Range, RateInterval string
}

// Query fills the variables of an expression in, as Grafana does. Variables that are not given stay as they are; where
// several values are allowed, a pattern such as ".*" can be given.
func Query(expr string, variables map[string]string, r Range) string {
	pairs := []string{"$__rate_interval", r.RateInterval, "$__range", r.Range}
	for name, value := range variables {
		pairs = append(pairs, "${"+name+"}", value, "$"+name, value)
	}
	return strings.NewReplacer(pairs...).Replace(expr)
}
