// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os/exec"
	"strings"
	"time"
	"unicode/utf8"
)

// recording is what a terminal showed, line by line.
type recording struct {
	lines []shown
	took  time.Duration
}

// shown is one line, when it appeared, and whether somebody typed it.
type shown struct {
	at    time.Duration
	text  string
	typed bool
	note  bool
}

// Bounds of a recording, so that a picture stays one.
const (
	maxLines   = 400
	maxCommand = 5 * time.Minute
	// reading is the pause in which the output of a command can be read.
	reading = 1500 * time.Millisecond
	// typing is what one character takes.
	typing = 18 * time.Millisecond
)

// record runs commands one after the other. The time of an output is when the command was done: long waits are kept,
// shortened to two seconds.
func record(ctx context.Context, script []string) (*recording, error) {
	r := &recording{}
	for _, line := range script {
		line = strings.TrimRight(line, " ")
		switch {
		case line == "":
			r.add(shown{})
		case strings.HasPrefix(line, "#"):
			r.add(shown{text: line, note: true})
			r.took += reading / 2
		default:
			if err := r.command(ctx, line); err != nil {
				return nil, err
			}
		}
	}
	if len(r.lines) > maxLines {
		return nil, fmt.Errorf("the recording has %d lines of at most %d: show less", len(r.lines), maxLines)
	}
	return r, nil
}

func (r *recording) command(ctx context.Context, line string) error {
	r.add(shown{text: "$ " + line, typed: true})
	r.took += time.Duration(utf8.RuneCountInString(line)) * typing
	ctx, cancel := context.WithTimeout(ctx, maxCommand)
	defer cancel()
	began := time.Now()
	out, err := exec.CommandContext(ctx, "bash", "-c", line).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", line, err, out)
	}
	r.took += min(time.Since(began), 2*time.Second)
	for _, text := range strings.Split(strings.TrimRight(string(out), "\n"), "\n") {
		r.add(shown{text: strings.ReplaceAll(text, "\t", "    ")})
	}
	r.took += reading
	return nil
}

func (r *recording) add(s shown) {
	s.at = r.took
	r.lines = append(r.lines, s)
}

// cast is the recording as an asciicast, version 2.
func (r *recording) cast(title string) ([]byte, error) {
	width, _ := r.size()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string]any{"version": 2, "width": width, "height": 40, "title": title}); err != nil {
		return nil, err
	}
	for _, l := range r.lines {
		if err := encoder.Encode([]any{l.at.Seconds(), "o", l.text + "\r\n"}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// size is in characters.
func (r *recording) size() (width, height int) {
	for _, l := range r.lines {
		width = max(width, utf8.RuneCountInString(l.text))
	}
	return max(width, 80), len(r.lines)
}

// svg shows the lines as they came. Who shows no animation sees all of them.
func (r *recording) svg(title string) []byte {
	const charWidth, lineHeight, margin, bar = 7.23, 18, 16, 30
	columns, rows := r.size()
	w, h := int(float64(columns)*charWidth)+2*margin, rows*lineHeight+2*margin+bar
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title">`+"\n", w, h)
	fmt.Fprintf(&b, `<title id="title">%s</title>`+"\n", html.EscapeString(title))
	b.WriteString(`<style>text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d5dae0;white-space:pre}
.t{fill:#fff;font-weight:600}.n{fill:#8fb573;font-style:italic}.h{fill:#9aa5b1;font-family:system-ui,sans-serif}
.l{animation:appear 1ms backwards}@keyframes appear{from{opacity:0}}@media (prefers-reduced-motion){.l{animation:none}}</style>` + "\n")
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="#1d2329"/><circle cx="20" cy="17" r="5" fill="#e0685c"/><circle cx="38" cy="17" r="5" fill="#d9b04c"/><circle cx="56" cy="17" r="5" fill="#72ad5b"/>`+"\n", w, h)
	fmt.Fprintf(&b, `<text class="h" x="%d" y="21" text-anchor="middle">%s</text>`+"\n", w/2, html.EscapeString(title))
	for i, l := range r.lines {
		if l.text == "" {
			continue
		}
		class := "l"
		switch {
		case l.typed:
			class += " t"
		case l.note:
			class += " n"
		}
		fmt.Fprintf(&b, `<text class="%s" style="animation-delay:%dms" x="%d" y="%d" xml:space="preserve">%s</text>`+"\n",
			class, l.at.Milliseconds(), margin, bar+margin+i*lineHeight, html.EscapeString(l.text))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
