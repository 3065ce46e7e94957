// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SettingDoc describes one setting, for documentation and `kith connectors NAME`.
type SettingDoc struct {
	Name string
	// Type is text, true/false, whole number, number, duration, time or list.
	Type     string
	Required bool
	// Default, Min, Max are as a person writes them; empty: none.
	Default, Min, Max string
	Enum              []string
	Help              string
}

// ParseSettings fills the struct that into points at from the settings of a channel. Fields are declared by tags:
//
//	PageSize int           `kith:"name=pageSize,default=50,min=1,max=100,help=How many at once."`
//	Order    string        `kith:"name=order,default=newest,enum=newest|oldest,help=Which first."`
//	Every    time.Duration `kith:"name=every,default=1d,min=1m,help=…"`
//
// Types: string, bool, int, int64, float64, time.Duration (Go's form, and d and w for days and weeks), time.Time (RFC
// 3339 or a date) and []string. Keys of a tag: name, default, required, min, max (of a number or duration; of a
// length for text and lists), enum (values separated by |), help (last: it may hold commas).
//
// All that is wrong is reported at once, joined, each naming the setting and what would be right. The error is an
// *Error with reason BadSettings. A nil into takes no settings at all.
func ParseSettings(into any, settings map[string]any) error {
	fields, v, err := settingFields(into)
	if err != nil {
		return err
	}
	var problems []error
	known := make([]string, 0, len(fields))
	for _, f := range fields {
		known = append(known, f.doc.Name)
	}
	for _, key := range slices.Sorted(keysOf(settings)) {
		if !slices.Contains(known, key) {
			problems = append(problems, unknownSetting(key, known))
		}
	}
	for _, f := range fields {
		raw, given := settings[f.doc.Name]
		switch {
		case given && raw != nil:
			// As declared.
		case f.doc.Required:
			problems = append(problems, fmt.Errorf("settings.%s is required: %s", f.doc.Name, f.doc.Help))
			continue
		case f.doc.Default == "":
			v.FieldByIndex(f.index).SetZero()
			continue
		default:
			raw = f.doc.Default
		}
		if err := f.set(v.FieldByIndex(f.index), raw); err != nil {
			problems = append(problems, fmt.Errorf("settings.%s: %w", f.doc.Name, err))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	all := errors.Join(problems...)
	return &Error{Reason: BadSettings, Permanent: true, Message: strings.ReplaceAll(all.Error(), "\n", "; "), Err: all}
}

// Describe documents the settings that a struct declares; nil for nil. It fails on a tag that cannot work, such as a
// default outside of its range, so that a test of the catalogue finds it.
func Describe(settings any) ([]SettingDoc, error) {
	fields, v, err := settingFields(settings)
	if err != nil {
		return nil, err
	}
	var docs []SettingDoc
	for _, f := range fields {
		if f.doc.Default != "" {
			if err := f.set(reflect.New(v.FieldByIndex(f.index).Type()).Elem(), f.doc.Default); err != nil {
				return nil, fmt.Errorf("default of setting %s: %w", f.doc.Name, err)
			}
		}
		docs = append(docs, f.doc)
	}
	return docs, nil
}

// settingField is one declared setting and where it goes.
type settingField struct {
	doc   SettingDoc
	index []int
}

func settingFields(into any) ([]settingField, reflect.Value, error) {
	if into == nil {
		return nil, reflect.Value{}, nil
	}
	p := reflect.ValueOf(into)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return nil, reflect.Value{}, fmt.Errorf("settings must be a pointer to a struct, not %T", into)
	}
	v := p.Elem()
	var fields []settingField
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		tag, ok := sf.Tag.Lookup("kith")
		if !ok {
			continue
		}
		doc, err := parseSettingTag(tag)
		if err != nil {
			return nil, v, fmt.Errorf("%s.%s: %w", v.Type().Name(), sf.Name, err)
		}
		if doc.Type = settingType(sf.Type); doc.Type == "" {
			return nil, v, fmt.Errorf("%s.%s: settings cannot be of type %s", v.Type().Name(), sf.Name, sf.Type)
		}
		fields = append(fields, settingField{doc: doc, index: sf.Index})
	}
	return fields, v, nil
}

func parseSettingTag(tag string) (SettingDoc, error) {
	var d SettingDoc
	for rest := tag; rest != ""; {
		if help, ok := strings.CutPrefix(rest, "help="); ok {
			d.Help = help
			break
		}
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		k, v, _ := strings.Cut(part, "=")
		switch k {
		case "name":
			d.Name = v
		case "default":
			d.Default = v
		case "required":
			d.Required = true
		case "min":
			d.Min = v
		case "max":
			d.Max = v
		case "enum":
			d.Enum = strings.Split(v, "|")
		default:
			return d, fmt.Errorf("unknown key %q in the kith tag", k)
		}
	}
	if d.Name == "" || d.Help == "" {
		return d, errors.New("the kith tag needs a name and a help")
	}
	return d, nil
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
	listType     = reflect.TypeFor[[]string]()
)

func settingType(t reflect.Type) string {
	switch {
	case t == durationType:
		return "duration"
	case t == timeType:
		return "time"
	case t == listType:
		return "list"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true/false"
	case reflect.Int, reflect.Int64:
		return "whole number"
	case reflect.Float64:
		return "number"
	}
	return ""
}

// set converts, checks and stores one value.
func (f *settingField) set(v reflect.Value, raw any) error {
	switch f.doc.Type {
	case "text":
		s, ok := raw.(string)
		if !ok {
			return wrongType("text", raw)
		}
		v.SetString(s)
		return errors.Join(f.oneOf(s), f.inRange(float64(len(s)), "characters", parseNumber))
	case "true/false":
		b, err := toBool(raw)
		if err != nil {
			return err
		}
		v.SetBool(b)
		return nil
	case "whole number":
		n, err := toFloat(raw)
		if err != nil || n != math.Trunc(n) || math.Abs(n) > 1<<53 {
			return wrongType("a whole number", raw)
		}
		v.SetInt(int64(n))
		return f.inRange(n, "", parseNumber)
	case "number":
		n, err := toFloat(raw)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return wrongType("a number", raw)
		}
		v.SetFloat(n)
		return f.inRange(n, "", parseNumber)
	case "duration":
		s, ok := raw.(string)
		if !ok {
			return wrongType(`a duration such as "90s", "12h", "7d" or "2w"`, raw)
		}
		d, err := ParseDuration(s)
		if err != nil {
			return err
		}
		v.SetInt(int64(d))
		return f.inRange(float64(d), "", parseDurationBound)
	case "time":
		t, err := toTime(raw)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t))
		return nil
	default:
		l, err := toList(raw)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(l))
		problems := []error{f.inRange(float64(len(l)), "entries", parseNumber)}
		for _, s := range l {
			problems = append(problems, f.oneOf(s))
		}
		return errors.Join(problems...)
	}
}

func (f *settingField) oneOf(s string) error {
	if len(f.doc.Enum) == 0 || slices.Contains(f.doc.Enum, s) {
		return nil
	}
	return fmt.Errorf("%q is none of %s%s", s, strings.Join(f.doc.Enum, ", "), didYouMean(s, f.doc.Enum))
}

func (f *settingField) inRange(n float64, unit string, parse func(string) (float64, error)) error {
	if unit != "" {
		unit = " " + unit
	}
	if f.doc.Min != "" {
		if least, err := parse(f.doc.Min); err != nil || n < least {
			return fmt.Errorf("must be at least %s%s", f.doc.Min, unit)
		}
	}
	if f.doc.Max != "" {
		if most, err := parse(f.doc.Max); err != nil || n > most {
			return fmt.Errorf("must be at most %s%s", f.doc.Max, unit)
		}
	}
	return nil
}

func parseNumber(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

func parseDurationBound(s string) (float64, error) {
	d, err := ParseDuration(s)
	return float64(d), err
}
