// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/reader"
)

// text is the report as people read it.
func (r *report) text() string {
	var b strings.Builder
	r.writeObjectives(&b)
	r.writeBehaviours(&b)
	r.writeWorth(&b)
	r.writeChannels(&b)
	return b.String()
}

func (r *report) writeObjectives(b *strings.Builder) {
	if len(r.Objectives) == 0 {
		return
	}
	t := newTable("")
	t.row("OBJECTIVE", "STANDS", "VALUE", "TARGET", "WINDOW", "STATEMENT")
	for _, o := range r.Objectives {
		t.row(o.Name, standing(o.Standing), o.value(), o.target(), o.Window, o.Statement)
	}
	b.WriteString(t.String())
	for _, o := range r.Objectives {
		if o.Reason != "" {
			fmt.Fprintf(b, "  %s: %s\n", o.Name, o.Reason)
		}
		if o.Provisional > 0 {
			fmt.Fprintf(b, "  %s: %s, not decided yet and not counted\n", o.Name, count(o.Provisional, "case is provisional", "cases are provisional"))
		}
		if o.ProvisionalFew {
			fmt.Fprintf(b, "  %s: a few cases are provisional, not decided yet and not counted\n", o.Name)
		}
		if o.ActivityBecause != "" {
			fmt.Fprintf(b, "  %s counts activity because: %s\n", o.Name, o.ActivityBecause)
		}
	}
	b.WriteString("\n")
}

func standing(s behaviour.Standing) string {
	switch s {
	case behaviour.NotMet:
		return "not met"
	case behaviour.TooFew:
		return "too few"
	}
	return strings.ToLower(string(s))
}

// value is a percentage with its cases, a count, or what there is where that would say too much.
func (o *reportObjective) value() string {
	switch {
	case o.Hits == nil || o.Cases == nil:
		return "–"
	case o.Share && o.Value == nil:
		return fmt.Sprintf("%s of %s", number(*o.Hits), number(*o.Cases))
	case o.Share:
		return fmt.Sprintf("%s (%s of %s)", percent(*o.Hits, *o.Cases), number(*o.Hits), number(*o.Cases))
	}
	return number(*o.Hits)
}

func (o *reportObjective) target() string {
	sign, text := "≥ ", o.AtLeast
	if o.AtMost != "" {
		sign, text = "≤ ", o.AtMost
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil && o.Share {
		text = strconv.FormatFloat(v*100, 'f', -1, 64) + "%"
	}
	return sign + text
}

func (r *report) writeBehaviours(b *strings.Builder) {
	if len(r.Behaviours) == 0 {
		return
	}
	t := newTable("", 2, 3, 4, 5)
	t.row("BEHAVIOUR", "FAMILY", "28 D", "PENDING", "UNDONE", "EVER")
	var why []string
	withheld := ""
	for _, x := range byFamily(r.Behaviours) {
		if x.NotMeasurable != "" {
			t.row(x.Name, x.Family, "not measurable")
			why = append(why, fmt.Sprintf("  %s is not measurable: %s\n", x.Name, x.NotMeasurable))
			continue
		}
		if x.Withheld != "" {
			withheld = x.Withheld
		}
		n := told(x.Counted)
		if x.Share && !(x.Of != nil && *x.Of == 0) && !(x.Of == nil && x.Counted == nil) {
			n += " of " + told(x.Of)
		}
		name := x.Name
		if x.Role == blueprint.RoleBasis {
			name += " (basis)"
		}
		t.row(name, x.Family, n, told(x.Pending), told(x.Undone), told(x.All))
	}
	b.WriteString(t.String())
	b.WriteString(strings.Join(why, ""))
	if withheld != "" {
		fmt.Fprintf(b, "  %s: the figure would be %s\n", few, withheld)
	}
	b.WriteString("\n")
}

// few stands for a number about fewer people than the minimum group.
const few = "few"

func told(n *int) string {
	if n == nil {
		return few
	}
	return number(*n)
}

// byFamily keeps the order of families' first appearance, and in a family that of names.
func byFamily(list []reportBehaviour) []reportBehaviour {
	var families []string
	of := map[string][]reportBehaviour{}
	for _, x := range list {
		if of[x.Family] == nil {
			families = append(families, x.Family)
		}
		of[x.Family] = append(of[x.Family], x)
	}
	var out []reportBehaviour
	for _, f := range families {
		out = append(out, of[f]...)
	}
	return out
}

func (r *report) writeWorth(b *strings.Builder) {
	if len(r.Worth) == 0 {
		return
	}
	withheld := ""
	t := newTable("", 2, 3, 4)
	t.row("WORTH IN 28 D", "UNIT", "LOW", "MID", "HIGH", "")
	for _, w := range r.Worth {
		if w.Withheld != "" {
			t.row(w.Factor, w.Unit, few, few, few, r.Currency)
			withheld = w.Withheld
			continue
		}
		t.row(w.Factor, w.Unit, amount(*w.Low), amount(*w.Mid), amount(*w.High), r.Currency)
	}
	b.WriteString(t.String())
	if withheld != "" {
		fmt.Fprintf(b, "  %s: the amount would be %s\n", few, withheld)
	}
	b.WriteString("\n")
}

func amount(v float64) string { return number(int64(v + 0.5)) }

func (r *report) writeChannels(b *strings.Builder) {
	if len(r.Channels) == 0 {
		b.WriteString("No channel is declared: nothing is read.\n")
		return
	}
	t := newTable("", 4)
	t.row("CHANNEL", "PLATFORM", "STATE", "READ THROUGH", "MESSAGES")
	var more []string
	for _, c := range r.Channels {
		through := "–"
		if !c.ReadThrough.IsZero() {
			through = c.ReadThrough.UTC().Format("2006-01-02 15:04 UTC")
		}
		t.row(c.Name, c.Platform, phase(c.State), through, number(c.Messages))
		more = append(more, c.remarks()...)
	}
	b.WriteString(t.String())
	for _, m := range more {
		b.WriteString("  " + m + "\n")
	}
}

// phase is a state in words that need no manual.
func phase(p reader.Phase) string {
	switch p {
	case reader.Connected:
		return "Reading"
	case reader.Backfilling:
		return "Reading history"
	}
	return string(p)
}

// remarks are what went wrong or was left out, each with the next step.
func (c *reportChannel) remarks() []string {
	var out []string
	if c.Message != "" {
		out = append(out, fmt.Sprintf("%s: %s", c.Name, c.Message))
	}
	if c.DroppedOld > 0 {
		out = append(out, fmt.Sprintf("%s: %s left out, older than privacy.activityRetention", c.Name, count(c.DroppedOld, "thread was", "threads were")))
	}
	if c.Quarantined > 0 {
		out = append(out, fmt.Sprintf("%s: %s not be understood and were left out; -v names them, please report it", c.Name, count(c.Quarantined, "record could", "records could")))
	}
	if c.SetAside > 0 {
		out = append(out, fmt.Sprintf("%s: %s set aside since processing failed; stop kith, then kith ledger retry", c.Name, count(c.SetAside, "item was", "items were")))
	}
	for _, l := range c.Lacks {
		out = append(out, fmt.Sprintf("%s lacks %s", c.Name, strings.TrimSuffix(l, ".")))
	}
	return out
}

// line is what is said when an objective's standing changes.
func (o *reportObjective) line(before behaviour.Standing, at time.Time) string {
	return fmt.Sprintf("%s objective %s: %s, was %s (%s, target %s)", at.Format(time.TimeOnly), o.Name, standing(o.Standing), standing(before), o.value(), o.target())
}
