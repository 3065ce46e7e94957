// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/behaviour"
)

// writeTry shows a try to people. Everything is a share of all threads, the unanswered ones included; there is no mean,
// and nothing is said of anybody's posts or likes.
func writeTry(w io.Writer, t *tried) error {
	s := t.summary
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s\n", heading(t))
	if s.Threads == 0 {
		fmt.Fprintf(b, "No threads%s were found. --since all looks at everything that the place shows.\n", sinceWords(t.since))
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(b, "Looked at %s: %s by %s.\n", count(s.Threads, "thread", "threads")+sinceWords(t.since),
		count(s.Messages, "message", "messages"), count(s.Authors, "person", "people"))
	writeWithin(b, s)
	writeWho(b, s)
	writeSolved(b, t)
	for _, lack := range t.state.Lacks {
		fmt.Fprintf(b, "Not visible: %s.\n", strings.TrimSuffix(lack, "."))
	}
	manifest, err := manifestFor(t)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\nTo keep an eye on it, put this into a folder, say community/kith.yaml, and kith run -f community:\n\n%s", manifest)
	_, err = io.WriteString(w, b.String())
	return err
}

func heading(t *tried) string {
	name := t.state.Title
	where := sdk.ScrubURL(t.place.url)
	if t.place.path != "" {
		where = t.place.path
	}
	if name == "" || name == where {
		return where
	}
	return fmt.Sprintf("%s, %s", name, where)
}

func sinceWords(since time.Time) string {
	if since.IsZero() {
		return ""
	}
	return " opened since " + since.Format(time.DateOnly)
}

func count[N ~int | ~int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

func percent(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(n)/float64(of))
}

func writeWithin(b *strings.Builder, s behaviour.Summary) {
	b.WriteString("\nFirst answer by somebody else\n")
	tab := newTable("  ", 1, 2)
	for _, x := range s.Within {
		tab.row("within "+hours(x.Hours), percent(x.Threads, s.Threads), number(x.Threads))
	}
	tab.row("later", percent(s.Answered-within(s), s.Threads), number(s.Answered-within(s)))
	tab.row("not so far", percent(s.Unanswered, s.Threads), number(s.Unanswered))
	b.WriteString(tab.String())

	b.WriteString("\nWaiting for it\n")
	tab = newTable("  ", 1, 2)
	tab.row("", "half within", "90% within")
	tab.row("all threads", span(s.FirstResponseAll.P50Seconds), span(s.FirstResponseAll.P90Seconds))
	tab.row("answered threads", span(s.FirstResponse.P50Seconds), span(s.FirstResponse.P90Seconds))
	b.WriteString(tab.String())
}

// within is how many threads the longest bound covers.
func within(s behaviour.Summary) int {
	if len(s.Within) == 0 {
		return 0
	}
	return s.Within[len(s.Within)-1].Threads
}

func hours(h int) string {
	if h > 72 && h%24 == 0 {
		return fmt.Sprintf("%d d", h/24)
	}
	return fmt.Sprintf("%d h", h)
}

// span writes seconds as people say them; nil is never.
func span(seconds *float64) string {
	if seconds == nil {
		return "never"
	}
	switch d := time.Duration(*seconds * float64(time.Second)); {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 90*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 72*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	default:
		return fmt.Sprintf("%.1f d", d.Hours()/24)
	}
}

func writeWho(b *strings.Builder, s behaviour.Summary) {
	b.WriteString("\nWho answers\n")
	fmt.Fprintf(b, "  members, as opposed to staff, answered in %s of %s threads (%s)\n",
		number(s.AnsweredByMember), number(s.Threads), percent(s.AnsweredByMember, s.Threads))
	switch {
	case s.Answered == 0:
	case s.Answerers <= 3:
		b.WriteString("  first answers came from three people or fewer: if one leaves, much is gone\n")
	default:
		fmt.Fprintf(b, "  %s people gave the %s first answers; the three most active gave %s of them\n",
			number(s.Answerers), number(s.Answered), percent(s.TopThree, s.Answered))
	}
}

func writeSolved(b *strings.Builder, t *tried) {
	s := t.summary
	b.WriteString("\nSolved\n")
	if !s.Solvable {
		b.WriteString("  not measurable: the place shows no accepted answers\n")
		return
	}
	fmt.Fprintf(b, "  %s of %s threads have an accepted answer (%s): %s by somebody else, %s by the asker\n",
		number(s.Solved), number(s.Threads), percent(s.Solved, s.Threads), number(s.SolvedByOthers), number(s.SolvedByAsker))
}
