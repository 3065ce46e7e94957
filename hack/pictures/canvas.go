// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// The grid of a dashboard: 24 columns, rows of 30 pixels.
const (
	columnWidth = 50
	rowHeight   = 30
	gap         = 4
	header      = 54
	charWidth   = 6.4
)

// canvas collects the drawing of one dashboard. Panels are placed as the dashboard says.
type canvas struct {
	body   bytes.Buffer
	title  string
	about  string
	bottom int
}

func newCanvas(d dashboard, v variables) *canvas {
	var with []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if value := v[name]; value != ".*" && value != ".+" && name != "datasource" {
			with = append(with, name+": "+value)
		}
	}
	c := &canvas{title: d.Title, about: strings.Join(with, "   ")}
	return c
}

// draw adds one panel.
func (c *canvas) draw(p panel, answers []answer, q *querier) {
	g := p.GridPos
	b := box{c: c, x: g.X*columnWidth + gap, y: header + g.Y*rowHeight + gap, w: g.W*columnWidth - 2*gap, h: g.H*rowHeight - 2*gap}
	c.bottom = max(c.bottom, header+(g.Y+g.H)*rowHeight)
	if p.Type == "row" {
		b.text(4, 18, "row", p.Title)
		return
	}
	fmt.Fprintf(&c.body, `<rect class="panel" x="%d" y="%d" width="%d" height="%d" rx="4"/>`+"\n", b.x, b.y, b.w, b.h)
	b.text(10, 19, "title", fit(p.Title, (b.w-20)*9/10))
	inner := box{c: c, x: b.x + 10, y: b.y + 28, w: b.w - 20, h: b.h - 36}
	switch p.Type {
	case "text":
		inner.prose(p.Options.Content)
	case "timeseries":
		inner.lines(p, answers, q)
	case "state-timeline":
		inner.bands(p, answers, q)
	case "table":
		inner.table(p, answers)
	case "bargauge", "barchart":
		inner.bars(p, answers)
	default:
		inner.stats(p, answers)
	}
}

func (c *canvas) svg() []byte {
	var out bytes.Buffer
	w, h := 24*columnWidth, c.bottom+gap
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title">`+"\n", w, h)
	fmt.Fprintf(&out, `<title id="title">%s</title>`+"\n", html.EscapeString(c.title))
	out.WriteString(`<style>text{font:12px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:#3a434c}.panel{fill:#fff;stroke:#d8dde2}
.title{font-weight:600;fill:#1c2329}.row{font-size:15px;font-weight:600;fill:#1c2329}.big{font-size:26px;font-weight:600}.head{font-size:20px;font-weight:600;fill:#1c2329}
.small{font-size:10.5px;fill:#66717c}.grid{stroke:#e6e9ec}.rule{stroke:#eceff1}.none{fill:#8a949e;font-style:italic}</style>` + "\n")
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#f4f5f7"/><text class="head" x="12" y="32">%s</text><text class="small" x="%d" y="32" text-anchor="end">%s</text>`+"\n",
		w, h, html.EscapeString(c.title), w-12, html.EscapeString(c.about))
	out.Write(c.body.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// box is a part of the canvas; what is drawn into it is relative to its corner.
type box struct {
	c          *canvas
	x, y, w, h int
}

func (b box) text(x, y int, class, s string) {
	fmt.Fprintf(&b.c.body, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, b.x+x, b.y+y, html.EscapeString(s))
}

func (b box) colored(x, y int, class, color, anchor, s string) {
	fmt.Fprintf(&b.c.body, `<text class="%s" style="fill:%s" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", class, color, b.x+x, b.y+y, anchor, html.EscapeString(s))
}

func (b box) rect(x, y, w, h int, fill string) {
	fmt.Fprintf(&b.c.body, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", b.x+x, b.y+y, max(w, 1), max(h, 1), fill)
}

func (b box) line(x1, y1, x2, y2 int, class string) {
	fmt.Fprintf(&b.c.body, `<line class="%s" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", class, b.x+x1, b.y+y1, b.x+x2, b.y+y2)
}

func (b box) nothing() { b.text(0, b.h/2, "none", "no data") }

// prose shows text without its marks, as far as it fits.
func (b box) prose(s string) {
	y := 12
	for _, paragraph := range strings.Split(s, "\n") {
		paragraph = strings.TrimLeft(strings.NewReplacer("**", "", "`", "", "*", "").Replace(paragraph), "# ")
		for _, line := range wrap(paragraph, b.w) {
			if y > b.h {
				return
			}
			b.text(0, y, "", line)
			y += 16
		}
	}
}

func wrap(s string, width int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && float64(utf8.RuneCountInString(line+" "+word))*charWidth > float64(width) {
			out = append(out, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(out, line)
}

// fit shortens what is wider than so many pixels.
func fit(s string, width int) string {
	n := int(float64(width) / charWidth)
	if utf8.RuneCountInString(s) <= n || n < 2 {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
