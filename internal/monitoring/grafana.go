// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// schemaVersion is Grafana 11's; later ones read it and bring it up to theirs.
const schemaVersion = 39

// object is a JSON object; its keys are written in their order, so that the same page gives the same bytes.
type object = map[string]any

// JSON gives a page as Grafana's classic dashboard.
func (d Dashboard) JSON() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(object{
		"uid": d.UID, "title": d.Title, "description": d.Description, "tags": []string{"kith"}, "schemaVersion": schemaVersion, "version": 1,
		"editable": true, "graphTooltip": 1, "timezone": "browser", "refresh": d.Refresh, "time": object{"from": d.From, "to": "now"},
		"links": pageLinks(), "templating": object{"list": d.variables()}, "annotations": object{"list": d.annotations()}, "panels": d.panels(),
	})
	if err != nil {
		return nil, fmt.Errorf("encode dashboard %s: %w", d.UID, err)
	}
	return out.Bytes(), nil
}

func source() object { return object{"type": "prometheus", "uid": "${datasource}"} }

// pageLinks lead from each page to the others with what was chosen, and to the documentation.
func pageLinks() []object {
	return []object{
		{"title": "Kith", "tooltip": "The other dashboards of Kith", "icon": "external link", "type": "dashboards", "tags": []string{"kith"}, "asDropdown": false, "includeVars": true, "keepTime": true, "targetBlank": false},
		{"title": "What this shows", "type": "link", "url": Docs + "dashboards.md", "icon": "doc", "targetBlank": true},
		{"title": "Every metric", "type": "link", "url": Docs + "metrics.md", "icon": "doc", "targetBlank": true},
	}
}

func (d Dashboard) variables() []object {
	out := make([]object, 0, len(d.Variables))
	for _, v := range d.Variables {
		if v.Datasource {
			out = append(out, object{"name": v.Name, "label": v.Label, "description": v.Description, "type": "datasource", "query": "prometheus", "hide": 0})
			continue
		}
		o := object{
			"name": v.Name, "label": v.Label, "description": v.Description, "type": "query", "datasource": source(), "hide": 0,
			"definition": v.Query, "query": object{"query": v.Query, "refId": v.Name}, "refresh": 2, "sort": 1, "multi": v.Many, "includeAll": v.Many,
		}
		if v.Many {
			o["allValue"] = ".*"
			o["current"] = object{"text": "All", "value": []string{"$__all"}}
		}
		out = append(out, o)
	}
	return out
}

func (d Dashboard) annotations() []object {
	out := []object{{"builtIn": 1, "datasource": object{"type": "grafana", "uid": "-- Grafana --"}, "enable": true, "hide": true,
		"iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard"}}
	for _, a := range d.Annotations {
		out = append(out, object{
			"name": a.Name, "datasource": source(), "enable": true, "hide": false, "iconColor": a.Color,
			"target":      object{"expr": a.Expr, "interval": "60s", "refId": "Anno"},
			"titleFormat": a.Title, "textFormat": a.Text, "tagKeys": "", "useValueForTime": false,
		})
	}
	return out
}

// panels lays the page out: each row from left to right, then down.
func (d Dashboard) panels() []object {
	var out []object
	id, y := 0, 0
	for _, row := range d.Rows {
		id++
		out = append(out, object{"id": id, "type": "row", "title": row.Title, "collapsed": false, "panels": []object{}, "gridPos": grid(0, y, 24, 1)})
		y++
		x, height := 0, 0
		for _, p := range row.Panels {
			if x+p.Width > 24 {
				x, y, height = 0, y+height, 0
			}
			id++
			o := p.object()
			o["id"], o["gridPos"] = id, grid(x, y, p.Width, p.Height)
			out = append(out, o)
			x, height = x+p.Width, max(height, p.Height)
		}
		y += height
	}
	return out
}

func grid(x, y, w, h int) object { return object{"x": x, "y": y, "w": w, "h": h} }
