// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

// object is the panel without its place.
func (p Panel) object() object {
	targets := make([]object, 0, len(p.Targets))
	for i, t := range p.Targets {
		o := object{"refId": string(rune('A' + i)), "datasource": source(), "expr": t.Expr, "legendFormat": t.Legend, "editorMode": "code", "instant": t.Instant, "range": !t.Instant}
		if t.Legend == "" {
			o["legendFormat"] = "__auto"
		}
		if p.Kind == Table {
			o["format"] = "table"
		}
		targets = append(targets, o)
	}
	o := object{
		"type": string(p.Kind), "title": p.Title, "description": p.Description, "datasource": source(), "targets": targets,
		"fieldConfig": object{"defaults": p.defaults(), "overrides": p.overrides()}, "options": p.options(),
	}
	if p.Kind == Table {
		o["transformations"] = p.transformations()
	}
	return o
}

func (p Panel) defaults() object {
	o := object{"unit": string(p.Unit), "custom": p.custom(), "mappings": mappings(p.Mappings), "color": object{"mode": "palette-classic"}}
	if len(p.Thresholds) > 0 {
		steps := make([]object, 0, len(p.Thresholds))
		for _, t := range p.Thresholds {
			step := object{"color": t.Color, "value": nil}
			if t.From != nil {
				step["value"] = *t.From
			}
			steps = append(steps, step)
		}
		o["thresholds"] = object{"mode": "absolute", "steps": steps}
	} else {
		o["thresholds"] = object{"mode": "absolute", "steps": []object{{"color": grey, "value": nil}}}
	}
	if p.Kind == Stat && (len(p.Thresholds) > 0 || len(p.Mappings) > 0) {
		o["color"] = object{"mode": "thresholds"}
	}
	if p.Unit == Ratio {
		o["decimals"] = 0
	}
	if p.Bounded {
		o["min"], o["max"] = 0, 1
	}
	return o
}

func (p Panel) custom() object {
	switch p.Kind {
	case TimeSeries:
		o := object{"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 2, "fillOpacity": 0, "showPoints": "never",
			"spanNulls": false, "stacking": object{"mode": "none", "group": "A"}, "thresholdsStyle": object{"mode": "off"}}
		if p.Stacked {
			o["fillOpacity"], o["stacking"] = 40, object{"mode": "normal", "group": "A"}
		}
		if len(p.Thresholds) > 0 {
			o["thresholdsStyle"] = object{"mode": "line"}
		}
		return o
	case Timeline:
		return object{"fillOpacity": 70, "lineWidth": 0, "spanNulls": false}
	case Table:
		return object{"align": "auto", "filterable": true, "cellOptions": object{"type": "auto"}}
	case Stat, Bars:
	}
	return object{}
}

func (p Panel) options() object {
	last := object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch p.Kind {
	case Stat:
		return object{"reduceOptions": last, "colorMode": "value", "graphMode": "none", "textMode": "value_and_name", "justifyMode": "auto", "orientation": "auto", "wideLayout": true}
	case Bars:
		return object{"reduceOptions": last, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": true, "valueMode": "color"}
	case TimeSeries:
		return object{"legend": object{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{"lastNotNull"}}, "tooltip": object{"mode": "multi", "sort": "desc"}}
	case Timeline:
		return object{"mergeValues": true, "showValue": "auto", "alignValue": "left", "rowHeight": 0.8, "legend": object{"displayMode": "list", "placement": "bottom", "showLegend": false},
			"tooltip": object{"mode": "single", "sort": "none"}}
	case Table:
	}
	return object{"showHeader": true, "cellHeight": "sm"}
}

// mappings show words for values; null is a value of its own, for silence.
func mappings(list []Mapping) []object {
	out := []object{}
	values := object{}
	for i, m := range list {
		result := object{"text": m.Text, "color": m.Color, "index": i}
		if m.Value == "null" {
			out = append(out, object{"type": "special", "options": object{"match": "null+nan", "result": result}})
			continue
		}
		values[m.Value] = result
	}
	if len(values) > 0 {
		out = append([]object{{"type": "value", "options": values}}, out...)
	}
	return out
}

func (p Panel) overrides() []object {
	out := []object{}
	for _, o := range p.Overrides {
		var properties []object
		set := func(id string, value any) { properties = append(properties, object{"id": id, "value": value}) }
		if o.Unit != "" {
			set("unit", string(o.Unit))
		}
		if len(o.Mappings) > 0 {
			set("mappings", mappings(o.Mappings))
		}
		if o.Dashed {
			set("custom.lineStyle", object{"fill": "dash", "dash": []int{8, 8}})
			set("custom.fillOpacity", 0)
		}
		if o.Coloured {
			set("custom.cellOptions", object{"type": "color-text"})
		}
		if o.FillBelowTo != "" {
			set("custom.fillBelowTo", o.FillBelowTo)
			set("custom.fillOpacity", 20)
		}
		if o.Link != nil {
			set("links", []object{{"title": o.Link.Title, "url": o.Link.URL, "targetBlank": false}})
		}
		out = append(out, object{"matcher": o.matcher(), "properties": properties})
	}
	return out
}

func (o Override) matcher() object {
	switch {
	case o.Ref != "":
		return object{"id": "byFrameRefID", "options": o.Ref}
	case len(o.Field) > 1 && o.Field[0] == '/' && o.Field[len(o.Field)-1] == '/':
		return object{"id": "byRegexp", "options": o.Field}
	}
	return object{"id": "byName", "options": o.Field}
}

// transformations join the queries of a table into rows, and show the columns that are wanted in their order.
func (p Panel) transformations() []object {
	fields, order, names := make([]string, 0, len(p.Columns)), object{}, object{}
	for i, c := range p.Columns {
		fields = append(fields, c.Field)
		order[c.Field], names[c.Field] = i, c.Name
	}
	return []object{
		{"id": "merge", "options": object{}},
		{"id": "filterFieldsByName", "options": object{"include": object{"names": fields}}},
		{"id": "organize", "options": object{"indexByName": order, "renameByName": names, "excludeByName": object{}}},
	}
}
