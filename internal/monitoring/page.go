// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"fmt"
	"strings"
)

// Documentation lists every panel, recorded series and alert, as Markdown.
func Documentation() string {
	var b strings.Builder
	b.WriteString("<!-- Written by `make generate` from internal/monitoring. Change it there. -->\n# Panels, recorded series and alerts\n\n")
	b.WriteString("What each shows. [dashboards.md](dashboards.md) says how to install and how to read them.\n")
	for _, d := range Dashboards() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", d.Title, d.Description)
		for _, r := range d.Rows {
			fmt.Fprintf(&b, "\n### %s\n\n| panel | what it shows |\n| --- | --- |\n", r.Title)
			for _, p := range r.Panels {
				fmt.Fprintf(&b, "| %s | %s |\n", p.Title, p.Description)
			}
		}
	}
	b.WriteString("\n## Recorded series\n\n| series | what it is |\n| --- | --- |\n")
	each(func(r Rule) {
		if r.Record != "" {
			fmt.Fprintf(&b, "| `%s` | %s |\n", r.Record, r.About)
		}
	})
	b.WriteString("\n## Alerts\n\n| alert | severity | after | what it says |\n| --- | --- | --- | --- |\n")
	each(func(r Rule) {
		if r.Alert != "" {
			name := fmt.Sprintf("[%s](runbooks/%s.md)", r.Alert, r.Alert)
			if w := r.Labels["window"]; w != "" {
				name += ", " + w
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, r.Labels["severity"], r.For, r.Annotations["description"])
		}
	})
	return b.String()
}

func each(f func(Rule)) {
	for _, g := range Rules().Groups {
		for _, r := range g.Rules {
			f(r)
		}
	}
}
