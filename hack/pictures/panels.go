// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"
)

// named values are what stats and bars show.
type namedValue struct {
	name  string
	value float64
	field field
}

func values(p panel, answers []answer) []namedValue {
	var out []namedValue
	for _, a := range answers {
		for _, s := range a.values {
			name := legend(a.target, s.Metric)
			out = append(out, namedValue{name, float64(s.Value), p.field(name, a.target.RefID)})
		}
	}
	return out
}

// field is the panel's, with what is overridden for a series or a query.
func (p panel) field(name, refID string) field {
	f := p.FieldConfig.Defaults
	for _, o := range p.FieldConfig.Overrides {
		matches := false
		switch o.Matcher.ID {
		case "byName":
			matches = o.Matcher.Options == name
		case "byFrameRefID":
			matches = o.Matcher.Options == refID
		case "byRegexp":
			text, _ := o.Matcher.Options.(string)
			expression, err := regexp.Compile(strings.Trim(text, "/"))
			matches = err == nil && expression.MatchString(name)
		}
		if !matches {
			continue
		}
		for _, property := range o.Properties {
			into := map[string]any{"unit": &f.Unit, "decimals": &f.Decimals, "mappings": &f.Mappings, "thresholds": &f.Thresholds}[property.ID]
			if into != nil {
				_ = json.Unmarshal(property.Value, into) // what is of another form stays as it was
			}
		}
	}
	return f
}

// stats are numbers beside each other.
func (b box) stats(p panel, answers []answer) {
	list := values(p, answers)
	if len(list) == 0 {
		if text := p.FieldConfig.Defaults.NoValue; text != "" {
			b.text(0, b.h/2, "none", text)
			return
		}
		b.nothing()
		return
	}
	list = list[:min(len(list), max(1, b.w/90)*max(1, b.h/40))]
	perRow := min(len(list), max(1, b.w/90))
	rows := (len(list) + perRow - 1) / perRow
	for i, v := range list {
		w, h := b.w/perRow, b.h/rows
		x, y := i%perRow*w, i/perRow*h
		b.colored(x+w/2, y+h/2+6, "big", v.field.color(v.value), "middle", format(v.field, v.value))
		if len(list) > 1 {
			b.colored(x+w/2, y+h/2+24, "small", named["gray"], "middle", fit(v.name, w))
		}
	}
}

// bars are values beside their names.
func (b box) bars(p panel, answers []answer) {
	list := values(p, answers)
	if len(list) == 0 {
		b.nothing()
		return
	}
	largest := 0.0
	for _, v := range list {
		if !math.IsInf(v.value, 0) && !math.IsNaN(v.value) {
			largest = max(largest, v.value)
		}
	}
	if m := p.FieldConfig.Defaults.Max; m != nil {
		largest = *m
	}
	step := min(26, b.h/len(list))
	label := b.w * 2 / 5
	for i, v := range list {
		y := i * step
		b.text(0, y+15, "", fit(v.name, label-8))
		full := b.w - label - 90
		b.rect(label, y+4, full, 14, "#edf0f2")
		if largest > 0 && !math.IsNaN(v.value) {
			b.rect(label, y+4, int(float64(full)*min(v.value/largest, 1)), 14, v.field.color(v.value))
		}
		b.colored(b.w, y+16, "", named["text"], "end", format(v.field, v.value))
	}
}

// table joins the queries' answers by the labels that they have in common.
func (b box) table(p panel, answers []answer) {
	columns, rows := join(p, answers)
	if len(rows) == 0 {
		b.nothing()
		return
	}
	at, width := widths(columns, rows, b.w)
	for i, c := range columns {
		b.text(at[i], 12, "small", fit(c, width[i]))
	}
	for i, row := range rows {
		y := 20 + i*22
		if y+22 > b.h+8 {
			b.text(0, b.h, "small", fmt.Sprintf("and %d more", len(rows)-i))
			return
		}
		b.line(0, y, b.w, y, "rule")
		for j, cell := range row {
			b.colored(at[j], y+16, "", cell.color, "start", fit(cell.text, width[j]))
		}
	}
}

type cell struct{ text, color string }

// widths shares the width among columns by their longest text, and says where each begins.
func widths(columns []string, rows [][]cell, total int) (at, width []int) {
	const most, space = 30, 8
	longest, sum := make([]int, len(columns)), 0
	for i, c := range columns {
		longest[i] = utf8.RuneCountInString(c)
		for _, row := range rows {
			longest[i] = max(longest[i], utf8.RuneCountInString(row[i].text))
		}
		longest[i] = min(longest[i]+1, most)
		sum += longest[i]
	}
	x := 0
	for _, n := range longest {
		w := total * n / sum
		at, width = append(at, x), append(width, w-space)
		x += w
	}
	return at, width
}

func join(p panel, answers []answer) (columns []string, rows [][]cell) {
	exclude, rename, order := map[string]bool{"Time": true, "__name__": true, "job": true, "instance": true}, map[string]string{}, map[string]int{}
	var only []string
	for _, t := range p.Transformations {
		only = append(only, t.Options.Include.Names...)
		maps.Copy(exclude, t.Options.ExcludeByName)
		maps.Copy(rename, t.Options.RenameByName)
		maps.Copy(order, t.Options.IndexByName)
	}
	// The labels that every answer has are what a row is told by; further ones of single answers are columns too.
	var common map[model.LabelName]bool
	labels := map[model.LabelName]bool{}
	for _, a := range answers {
		for _, s := range a.values {
			here := map[model.LabelName]bool{}
			for name := range s.Metric {
				if !exclude[string(name)] {
					here[name], labels[name] = true, true
				}
			}
			if common == nil {
				common = here
			}
			maps.DeleteFunc(common, func(name model.LabelName, _ bool) bool { return !here[name] })
		}
	}
	type record struct {
		labels model.Metric
		values map[string]float64
	}
	byKey := map[string]*record{}
	var keys []string
	for _, a := range answers {
		for _, s := range a.values {
			var key strings.Builder
			for _, name := range slices.Sorted(maps.Keys(common)) {
				key.WriteString(string(name) + "=" + string(s.Metric[name]) + ",")
			}
			r := byKey[key.String()]
			if r == nil {
				r = &record{labels: model.Metric{}, values: map[string]float64{}}
				byKey[key.String()] = r
				keys = append(keys, key.String())
			}
			for name, value := range s.Metric {
				if labels[name] {
					r.labels[name] = value
				}
			}
			r.values["Value #"+a.target.RefID] = float64(s.Value)
		}
	}
	var fields []string
	for name := range labels {
		fields = append(fields, string(name))
	}
	for _, a := range answers {
		if name := "Value #" + a.target.RefID; len(answers) > 1 {
			if !exclude[name] {
				fields = append(fields, name)
			}
		} else if !exclude["Value"] && !exclude[name] {
			fields = append(fields, name)
		}
	}
	slices.SortFunc(fields, func(x, y string) int {
		ox, knownX := order[x]
		oy, knownY := order[y]
		if !knownX {
			ox = 1000
		}
		if !knownY {
			oy = 1000
		}
		return cmp.Or(cmp.Compare(ox, oy), cmp.Compare(x, y))
	})
	fields = slices.DeleteFunc(fields, func(name string) bool {
		return len(only) > 0 && !slices.Contains(only, name) && !slices.Contains(only, strings.TrimSuffix(name, " #A"))
	})
	shown := func(name string) string { return cmp.Or(rename[name], rename[strings.TrimSuffix(name, " #A")], name) }
	for _, name := range fields {
		columns = append(columns, shown(name))
	}
	slices.Sort(keys)
	for _, key := range keys {
		var row []cell
		for _, name := range fields {
			r := byKey[key]
			if !strings.HasPrefix(name, "Value #") {
				row = append(row, p.field(shown(name), "").label(string(r.labels[model.LabelName(name)])))
				continue
			}
			v, ok := r.values[name]
			if !ok {
				row = append(row, cell{"–", named["gray"]})
				continue
			}
			f := p.field(shown(name), strings.TrimPrefix(name, "Value #"))
			row = append(row, cell{format(f, v), f.color(v)})
		}
		rows = append(rows, row)
	}
	return columns, rows
}

// lines are series over time, with a legend below.
func (b box) lines(p panel, answers []answer, q *querier) {
	type line struct {
		name   string
		points []model.SamplePair
		field  field
	}
	var all []line
	low, high := math.Inf(1), math.Inf(-1)
	for _, a := range answers {
		for _, s := range a.series {
			name := legend(a.target, s.Metric)
			l := line{name, s.Values, p.field(name, a.target.RefID)}
			for _, v := range s.Values {
				if f := float64(v.Value); !math.IsNaN(f) && !math.IsInf(f, 0) {
					low, high = min(low, f), max(high, f)
				}
			}
			all = append(all, l)
		}
	}
	if len(all) == 0 || math.IsInf(low, 1) {
		b.nothing()
		return
	}
	d := p.FieldConfig.Defaults
	low = min(low, 0)
	if d.Min != nil {
		low = *d.Min
	}
	if d.Max != nil {
		high = max(high, *d.Max)
	}
	if high <= low {
		high = low + 1
	}
	const left, legendHeight = 62, 16
	plot := box{c: b.c, x: b.x + left, y: b.y, w: b.w - left, h: b.h - legendHeight*min(3, (len(all)+1)/2) - 22}
	for i := range 4 {
		y := plot.h * i / 3
		plot.line(0, y, plot.w, y, "grid")
		plot.colored(-6, y+4, "small", named["gray"], "end", format(d, high-(high-low)*float64(i)/3))
	}
	begin := q.end.Add(-q.span)
	for i := range 5 {
		at := begin.Add(q.span * time.Duration(i) / 4)
		layout := "15:04"
		if q.span > 48*time.Hour {
			layout = "01-02"
		}
		plot.colored(plot.w*i/4, plot.h+14, "small", named["gray"], [...]string{"start", "middle", "middle", "middle", "end"}[i], at.UTC().Format(layout))
	}
	for i, l := range all {
		color := palette[i%len(palette)]
		var path strings.Builder
		for _, v := range l.points {
			f := float64(v.Value)
			if math.IsNaN(f) || math.IsInf(f, 0) {
				continue
			}
			x := float64(plot.x) + float64(plot.w)*v.Timestamp.Time().Sub(begin).Seconds()/q.span.Seconds()
			y := float64(plot.y) + float64(plot.h)*(high-f)/(high-low)
			fmt.Fprintf(&path, "%.1f,%.1f ", x, y)
		}
		fmt.Fprintf(&b.c.body, `<polyline fill="none" stroke="%s" stroke-width="1.6" points="%s"/>`+"\n", color, strings.TrimSpace(path.String()))
		if row := i / 2; row < 3 {
			x, y := i%2*(b.w/2), plot.h+22+row*legendHeight
			b.rect(x, y+3, 12, 4, color)
			b.text(x+18, y+10, "small", fit(l.name, b.w/2-24))
		}
	}
}

// bands are series over time of which each value is a state.
func (b box) bands(p panel, answers []answer, q *querier) {
	n := 0
	for _, a := range answers {
		n += len(a.series)
	}
	if n == 0 {
		b.nothing()
		return
	}
	const left = 150
	height := min(26, (b.h-16)/n)
	begin, i := q.end.Add(-q.span), 0
	width := int(float64(b.w-left)*q.step().Seconds()/q.span.Seconds()) + 1
	for _, a := range answers {
		for _, s := range a.series {
			name := legend(a.target, s.Metric)
			f := p.field(name, a.target.RefID)
			b.text(0, i*height+height*2/3, "small", fit(name, left-8))
			for _, v := range s.Values {
				x := left + int(float64(b.w-left)*v.Timestamp.Time().Sub(begin).Seconds()/q.span.Seconds())
				b.rect(x, i*height+2, min(width, b.w-x), height-4, f.color(float64(v.Value)))
			}
			i++
		}
	}
}
