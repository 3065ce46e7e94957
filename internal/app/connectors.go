// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Connectors lists the platforms that can be read, or describes one.
func Connectors(std Stdio, name, output string) error {
	if err := checkOutput(output, OutputText, OutputJSON, OutputMarkdown); err != nil {
		return err
	}
	all := catalogue.All()
	if name != "" {
		d, err := catalogue.Get(name)
		if err != nil {
			return &UsageError{err}
		}
		all = []sdk.Descriptor{d}
	}
	var docs []connectorDoc
	for _, d := range all {
		doc, err := describe(d)
		if err != nil {
			return err
		}
		docs = append(docs, doc)
	}
	switch {
	case output == OutputJSON:
		e := json.NewEncoder(std.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if name != "" {
			return e.Encode(docs[0])
		}
		return e.Encode(docs)
	case output == OutputMarkdown:
		var pages []string
		for i := range docs {
			pages = append(pages, docs[i].Markdown())
		}
		_, err := fmt.Fprint(std.Out, strings.Join(pages, "\n"))
		return err
	case name != "":
		_, err := fmt.Fprint(std.Out, docs[0].text())
		return err
	}
	t := newTable("")
	t.row("NAME", "MATURITY", "READS")
	for _, d := range docs {
		t.row(d.Name, d.Maturity, d.Summary)
	}
	_, err := fmt.Fprintf(std.Out, "%s\nkith connectors NAME tells the settings, credentials and limits of one.\n", t)
	return err
}

// ConnectorPages gives the documentation page of every platform, by name.
func ConnectorPages() (map[string]string, error) {
	pages := map[string]string{}
	for _, d := range catalogue.All() {
		doc, err := describe(d)
		if err != nil {
			return nil, err
		}
		pages[d.Name] = doc.Markdown()
	}
	return pages, nil
}

// connectorDoc is what there is to know of a platform before declaring a channel.
type connectorDoc struct {
	Name       string        `json:"name"`
	Title      string        `json:"title"`
	Maturity   string        `json:"maturity"`
	Summary    string        `json:"summary"`
	RoomSyntax string        `json:"roomSyntax"`
	Lanes      []string      `json:"lanes"`
	Secrets    []secretDoc   `json:"secrets"`
	Settings   []settingDoc  `json:"settings"`
	Fidelity   []fidelityDoc `json:"fidelity"`
	// NotMeasurable is what no behaviour can be counted on where the platform's channels are the only ones.
	NotMeasurable []string `json:"notMeasurable"`
}

type secretDoc struct {
	Key      string `json:"key"`
	Required bool   `json:"required"`
	Help     string `json:"help"`
}

type settingDoc struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Required bool     `json:"required,omitempty"`
	Default  string   `json:"default,omitempty"`
	Min      string   `json:"min,omitempty"`
	Max      string   `json:"max,omitempty"`
	Enum     []string `json:"enum,omitempty"`
	Help     string   `json:"help"`
}

// fidelityDoc is how well one thing that happens on a platform can be seen.
type fidelityDoc struct {
	What    string `json:"what"`
	Grade   string `json:"grade"`
	Meaning string `json:"meaning"`
}

func describe(d sdk.Descriptor) (connectorDoc, error) {
	settings, err := sdk.Describe(d.Settings)
	if err != nil {
		return connectorDoc{}, fmt.Errorf("platform %s: %w", d.Name, err)
	}
	doc := connectorDoc{
		Name: d.Name, Title: d.Title, Maturity: d.Maturity, Summary: d.Summary, RoomSyntax: d.RoomSyntax,
		Secrets: []secretDoc{}, Settings: []settingDoc{}, Fidelity: fidelity(d.Fidelity),
		NotMeasurable: unseen(d.Fidelity),
	}
	for _, l := range d.Lanes {
		doc.Lanes = append(doc.Lanes, string(l))
	}
	for _, s := range d.Secrets {
		doc.Secrets = append(doc.Secrets, secretDoc{s.Name, s.Required, s.Help})
	}
	for _, s := range settings {
		doc.Settings = append(doc.Settings, settingDoc(s))
	}
	return doc, nil
}

// meanings say what a grade costs or gives.
var meanings = map[string]string{
	"edits/History":        "every version is seen",
	"edits/Latest":         "an edit is seen as such, versions between two readings are not",
	"edits/None":           "edits are not seen",
	"removals/Tombstone":   "the platform tells what was removed",
	"removals/Sweep":       "found by looking again, some time later",
	"removals/None":        "what was removed stays counted",
	"reactions/Actors":     "seen with who reacted",
	"reactions/Counts":     "seen as numbers, without who",
	"reactions/None":       "behaviours on reactions are not measurable",
	"acceptance/Platform":  "accepted answers with the platform's own time",
	"acceptance/Inferred":  "accepted answers are seen; when, is inferred",
	"acceptance/None":      "solved is not measurable",
	"moderation/Visible":   "moderation by people on the platform is seen",
	"moderation/Invisible": "moderation by people on the platform is not seen",
}

func fidelity(f sdk.Fidelity) []fidelityDoc {
	moderation := "Invisible"
	if f.Moderation {
		moderation = "Visible"
	}
	var out []fidelityDoc
	for _, x := range [][2]string{
		{"edits", string(f.Edits)}, {"removals", string(f.Removals)}, {"reactions", string(f.Reactions)},
		{"acceptance", string(f.Acceptance)}, {"moderation", moderation},
	} {
		out = append(out, fidelityDoc{x[0], x[1], meanings[x[0]+"/"+x[1]]})
	}
	return out
}

// unseen says what cannot be measured on a platform, in the words of behaviours. It follows catalogue.CannotShow.
func unseen(f sdk.Fidelity) []string {
	out := []string{}
	for _, x := range []struct {
		lacks bool
		text  string
	}{
		{f.Acceptance == sdk.AcceptanceNone, "What was solved: behaviours on `AnswerAccepted`, such as `solved-by-member`, and the state `solved` of `kith_questions`."},
		{f.Reactions == sdk.ReactionsNone, "Reactions: behaviours on `ReactionAdded`, and thanks that are given by a reaction."},
		{f.Reactions == sdk.ReactionsCounts, "Who reacted: a reaction is a number here, so that nobody can be credited with it."},
		{f.Edits == sdk.EditsNone, "Edits: behaviours on `MessageEdited`."},
		{f.Removals == sdk.RemovalsNone, "Removals: behaviours on `MessageRemoved`. What was removed there stays counted."},
		{!f.Moderation, "Moderation by people on the platform: behaviours on `ModerationApplied`, such as flags that were upheld."},
	} {
		if x.lacks {
			out = append(out, x.text)
		}
	}
	return out
}

// neverZero says how what cannot be seen is shown.
const neverZero = `A behaviour on an event that is named here is shown as "not measurable", never as 0, unless another channel of the community shows such events.`

func (s *settingDoc) bounds() string {
	var parts []string
	if s.Required {
		parts = append(parts, "required")
	}
	if s.Default != "" {
		parts = append(parts, "default "+s.Default)
	}
	if len(s.Enum) > 0 {
		parts = append(parts, "one of "+strings.Join(s.Enum, ", "))
	}
	switch {
	case s.Min != "" && s.Max != "":
		parts = append(parts, s.Min+" to "+s.Max)
	case s.Min != "":
		parts = append(parts, "at least "+s.Min)
	case s.Max != "":
		parts = append(parts, "at most "+s.Max)
	}
	return strings.Join(parts, "; ")
}

func (s *secretDoc) need() string {
	if s.Required {
		return "required"
	}
	return "optional"
}

func (d *connectorDoc) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s, %s)\n%s\n\nRooms: %s\n", d.Title, d.Name, d.Maturity, d.Summary, d.RoomSyntax)
	b.WriteString("\nSettings (spec.settings)\n")
	if len(d.Settings) == 0 {
		b.WriteString("  none\n")
	}
	for i := range d.Settings {
		s := &d.Settings[i]
		fmt.Fprintf(&b, "  %s: %s", s.Name, s.Type)
		if bounds := s.bounds(); bounds != "" {
			fmt.Fprintf(&b, " (%s)", bounds)
		}
		fmt.Fprintf(&b, "\n      %s\n", s.Help)
	}
	b.WriteString("\nCredentials (the keys of the Secret that spec.credentialsSecretRef names)\n")
	if len(d.Secrets) == 0 {
		b.WriteString("  none\n")
	}
	for i := range d.Secrets {
		s := &d.Secrets[i]
		fmt.Fprintf(&b, "  %s (%s)\n      %s\n", s.Key, s.need(), s.Help)
	}
	b.WriteString("\nWhat can be seen\n")
	t := newTable("  ")
	for _, f := range d.Fidelity {
		t.row(f.What, f.Grade, f.Meaning)
	}
	b.WriteString(t.String())
	b.WriteString("\nNot measurable here\n")
	if len(d.NotMeasurable) == 0 {
		b.WriteString("  nothing\n")
		return b.String()
	}
	for _, x := range d.NotMeasurable {
		fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(x, "`", ""))
	}
	fmt.Fprintf(&b, "  %s\n", neverZero)
	return b.String()
}

// Markdown is the platform's page in the documentation.
func (d *connectorDoc) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Written by `make generate` from the connector's descriptor. Change it there. -->\n# %s\n\n%s\n\n", d.Title, d.Summary)
	fmt.Fprintf(&b, "- `platform: %s`\n- Maturity: %s\n- Rooms: %s\n", d.Name, d.Maturity, d.RoomSyntax)
	b.WriteString("\n## Settings\n\nUnder `spec.settings` of a Channel.\n\n")
	if len(d.Settings) == 0 {
		b.WriteString("None.\n")
	} else {
		b.WriteString("| setting | type | bounds | meaning |\n| --- | --- | --- | --- |\n")
		for i := range d.Settings {
			s := &d.Settings[i]
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Name, s.Type, cell(s.bounds()), cell(s.Help))
		}
	}
	b.WriteString("\n## Credentials\n\nKeys of the Secret that `spec.credentialsSecretRef` names.\n\n")
	if len(d.Secrets) == 0 {
		b.WriteString("None are needed.\n")
	} else {
		b.WriteString("| key | | meaning |\n| --- | --- | --- |\n")
		for i := range d.Secrets {
			s := &d.Secrets[i]
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Key, s.need(), cell(s.Help))
		}
	}
	b.WriteString("\n## What can be seen\n\n| what | grade | meaning |\n| --- | --- | --- |\n")
	for _, f := range d.Fidelity {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.What, f.Grade, f.Meaning)
	}
	b.WriteString("\n## Not measurable here\n\n")
	if len(d.NotMeasurable) == 0 {
		b.WriteString("Nothing: everything that behaviours look at can be seen.\n")
		return b.String()
	}
	for _, x := range d.NotMeasurable {
		fmt.Fprintf(&b, "- %s\n", x)
	}
	fmt.Fprintf(&b, "\n%s\n", neverZero)
	return b.String()
}

// cell keeps a text inside of a table's cell.
func cell(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", "\\|"), "\n", " ") }
