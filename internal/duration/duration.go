// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package duration reads and writes lengths of time as people write them: "90s", "1h30m", "28d", "2w". What enters is
// text from manifests and expressions, so that both mean the same; days have 24 hours and weeks seven days, always. It
// never looks at a calendar.
package duration

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Max is the longest duration that parses: 100 years. Sums of two stay within the range of time.Duration.
const Max = 100 * 365 * day

var unitSizes = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day, "w": 7 * day,
}

// Parse reads one or more numbers with units, without spaces or signs. Units are ms, s, m (minutes), h, d and w;
// fractions are allowed up to h. It fails on an empty text and on anything longer than Max.
func Parse(text string) (time.Duration, error) {
	if text == "" {
		return 0, fmt.Errorf("an empty text is not a duration: write a number and a unit, such as 90s, 24h, 28d or 2w")
	}
	rest := text
	var total time.Duration
	for rest != "" {
		number := leading(rest, "0123456789.")
		unit := leading(rest[len(number):], "hmsdw")
		size, ok := unitSizes[unit]
		if number == "" || !ok {
			return 0, fmt.Errorf("%q is not a duration: write a number and a unit, such as 90s, 24h, 28d or 2w", text)
		}
		part, err := scale(number, size)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration: %w", text, err)
		}
		if total += part; total > Max {
			return 0, fmt.Errorf("%q is longer than 100 years", text)
		}
		rest = rest[len(number)+len(unit):]
	}
	return total, nil
}

// Format writes d in the largest units that express it exactly, weeks aside ("28d", "1h30m", "0s"). Anything below a
// millisecond is dropped.
func Format(d time.Duration) string {
	var b strings.Builder
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// scale multiplies whole numbers exactly; only fractions go through a float.
func scale(number string, size time.Duration) (time.Duration, error) {
	if whole, err := strconv.ParseInt(number, 10, 64); err == nil {
		if whole > int64(Max/size) {
			return 0, fmt.Errorf("%s is more than 100 years", number)
		}
		return time.Duration(whole) * size, nil
	}
	if size >= day {
		return 0, fmt.Errorf("%s: days and weeks take whole numbers", number)
	}
	fraction, err := strconv.ParseFloat(number, 64)
	if err != nil || fraction > float64(Max/size) {
		return 0, fmt.Errorf("%s is not a number of up to 100 years", number)
	}
	return time.Duration(math.Round(fraction * float64(size))), nil
}

func leading(s, chars string) string {
	return s[:len(s)-len(strings.TrimLeft(s, chars))]
}
