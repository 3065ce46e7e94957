// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// format writes a value as Grafana's unit says; what it does not know is a plain number.
func format(f field, v float64) string {
	switch {
	case math.IsNaN(v):
		return "no data"
	case math.IsInf(v, 0):
		return "never"
	}
	if m, ok := f.mapped(v); ok && m.Text != "" {
		return m.Text
	}
	switch {
	case f.Unit == "percentunit":
		return number(v*100, f.decimals(1)) + " %"
	case f.Unit == "percent":
		return number(v, f.decimals(1)) + " %"
	case f.Unit == "s" || f.Unit == "dtdurations":
		return span(v)
	case f.Unit == "bytes" || f.Unit == "decbytes":
		return bytesOf(v)
	case strings.HasPrefix(f.Unit, "dateTime"):
		return time.UnixMilli(int64(v)).UTC().Format("2006-01-02 15:04")
	case strings.HasPrefix(f.Unit, "currency"):
		return number(v, f.decimals(0)) + " " + strings.TrimPrefix(f.Unit, "currency")
	case strings.HasPrefix(f.Unit, "suffix:"):
		return number(v, f.decimals(-1)) + strings.TrimPrefix(f.Unit, "suffix:")
	}
	return number(v, f.decimals(-1))
}

// label is a cell with the text of a label.
func (f field) label(text string) cell {
	if m, ok := f.mapping(text); ok {
		return cell{cmp.Or(m.Text, text), colorOf(m.Color)}
	}
	return cell{text, named["text"]}
}

// mapped is what a value mapping makes of a value.
func (f field) mapped(v float64) (mapped, bool) {
	return f.mapping(strconv.FormatFloat(v, 'g', -1, 64))
}

func (f field) mapping(value string) (mapped, bool) {
	for _, m := range f.Mappings {
		if m.Type != "value" {
			continue
		}
		var options map[string]mapped
		if err := json.Unmarshal(m.Options, &options); err != nil {
			continue
		}
		if o, ok := options[value]; ok {
			return o, true
		}
	}
	return mapped{}, false
}

func (f field) decimals(otherwise int) int {
	if f.Decimals != nil {
		return *f.Decimals
	}
	return otherwise
}

// number with so many decimals; -1: as many as matter.
func number(v float64, decimals int) string {
	if decimals < 0 {
		switch {
		case v == math.Trunc(v):
			decimals = 0
		case math.Abs(v) >= 10:
			decimals = 1
		default:
			decimals = 2
		}
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	sign := strings.HasPrefix(whole, "-")
	whole = strings.TrimPrefix(whole, "-")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if sign {
		whole = "-" + whole
	}
	return whole
}

func span(seconds float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"d", 86400}, {"h", 3600}, {"min", 60}} {
		if math.Abs(seconds) >= u.size {
			return number(seconds/u.size, -1) + " " + u.name
		}
	}
	return number(seconds, -1) + " s"
}

func bytesOf(v float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if v >= u.size {
			return fmt.Sprintf("%.1f %s", v/u.size, u.name)
		}
	}
	return number(v, 0) + " B"
}

// palette for series, and the colours that Grafana calls by name.
var palette = []string{"#3b6ea5", "#2f7d46", "#b8651b", "#8a4f9e", "#b03a48", "#3f8f8f", "#8a6d1f", "#59636d", "#6b8fd6", "#76a35c"}

var named = map[string]string{
	"green": "#2f7d46", "red": "#b03a48", "orange": "#b8651b", "yellow": "#9a7b0a", "blue": "#3b6ea5", "purple": "#8a4f9e",
	"text": "#3a434c", "gray": "#66717c", "grey": "#66717c", "transparent": "#3a434c",
}

// color of a value by its thresholds.
func (f field) color(v float64) string {
	if m, ok := f.mapped(v); ok && m.Color != "" {
		return colorOf(m.Color)
	}
	if len(f.Thresholds.Steps) == 0 {
		return palette[0]
	}
	out := named["text"]
	for _, s := range f.Thresholds.Steps {
		if s.Value != nil && v < *s.Value {
			break
		}
		out = colorOf(s.Color)
	}
	return out
}

func colorOf(name string) string {
	for _, prefix := range []string{"dark-", "semi-dark-", "light-", "super-light-"} {
		name = strings.TrimPrefix(name, prefix)
	}
	if c, ok := named[name]; ok {
		return c
	}
	if strings.HasPrefix(name, "#") {
		return name
	}
	return named["text"]
}
