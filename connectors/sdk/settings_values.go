// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dayOrWeek finds the units that Go's durations lack.
var dayOrWeek = regexp.MustCompile(`(\d+(?:\.\d+)?)([dw])`)

// ParseDuration reads Go's durations and d and w for days of 24 hours and weeks ("90s", "1d12h", "2w").
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf(`%q is not a duration; write it such as "90s", "12h", "7d" or "2w"`, s)
	if len(s) > 64 {
		return 0, bad
	}
	hours := dayOrWeek.ReplaceAllStringFunc(s, func(part string) string {
		n, err := strconv.ParseFloat(part[:len(part)-1], 64)
		if err != nil {
			return part
		}
		n *= 24
		if part[len(part)-1] == 'w' {
			n *= 7
		}
		return strconv.FormatFloat(n, 'f', -1, 64) + "h"
	})
	d, err := time.ParseDuration(hours)
	if err != nil {
		return 0, bad
	}
	return d, nil
}

func wrongType(want string, got any) error {
	if s, ok := got.(string); ok {
		return fmt.Errorf("%q is not %s", s, want)
	}
	return fmt.Errorf("must be %s, not %v", want, got)
}

func toBool(raw any) (bool, error) {
	switch v := raw.(type) {
	case bool:
		return v, nil
	case string:
		switch v {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	}
	return false, wrongType("true or false", raw)
}

func toFloat(raw any) (float64, error) {
	switch v := raw.(type) {
	case float64:
		return v, nil
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case string:
		if n, err := strconv.ParseFloat(v, 64); err == nil && !math.IsNaN(n) {
			return n, nil
		}
	case fmt.Stringer: // json.Number
		return strconv.ParseFloat(v.String(), 64)
	}
	return 0, wrongType("a number", raw)
}

func toTime(raw any) (time.Time, error) {
	switch v := raw.(type) {
	case time.Time:
		return v, nil
	case string:
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if t, err := time.Parse(layout, v); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, wrongType(`a date such as "2026-01-31" or a time such as "2026-01-31T08:00:00Z"`, raw)
}

func toList(raw any) ([]string, error) {
	switch v := raw.(type) {
	case []string:
		return v, nil
	case string:
		var out []string
		for part := range strings.SplitSeq(v, "|") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
		return out, nil
	case []any:
		out := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, wrongType("a list of texts", raw)
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, wrongType("a list of texts", raw)
}

func keysOf(m map[string]any) iter.Seq[string] { return maps.Keys(m) }

func unknownSetting(key string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("settings.%s: this platform has no settings", key)
	}
	if hint := didYouMean(key, known); hint != "" {
		return fmt.Errorf("settings.%s is unknown%s", key, hint)
	}
	return errors.New("settings." + key + " is unknown; there are " + strings.Join(known, ", "))
}

// didYouMean proposes the nearest of the known words, if any is near.
func didYouMean(word string, known []string) string {
	best, nearest := len(word)/2+1, ""
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < best {
			best, nearest = d, k
		}
	}
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest)
}

// distance is Levenshtein's, on bytes, for words of at most 64.
func distance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
