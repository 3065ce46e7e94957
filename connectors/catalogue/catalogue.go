// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/archive"
	"github.com/kith-dev/kith/connectors/discourse"
	"github.com/kith-dev/kith/connectors/feed"
	"github.com/kith-dev/kith/connectors/sdk"
)

// All gives every platform, by name. A new connector is one more line.
func All() []sdk.Descriptor {
	return []sdk.Descriptor{
		archive.Descriptor(),
		discourse.Descriptor(),
		feed.Descriptor(),
	}
}

// Known gives the names of all platforms, ordered.
func Known() []string {
	all := All()
	names := make([]string, 0, len(all))
	for _, d := range all {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return names
}

// Get finds a platform. The error names those that there are.
func Get(name string) (sdk.Descriptor, error) {
	for _, d := range All() {
		if d.Name == name {
			return d, nil
		}
	}
	return sdk.Descriptor{}, fmt.Errorf("platform %q is not known; there are %s", name, strings.Join(Known(), ", "))
}

// Check gives all that is wrong with a channel's settings for a platform, one error each, naming the setting and what
// would be right; nil where nothing is wrong.
func Check(platform string, settings map[string]any) []error {
	d, err := Get(platform)
	if err != nil {
		return []error{err}
	}
	// All makes new descriptors each time, so the struct is this call's own.
	err = sdk.ParseSettings(d.Settings, settings)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*sdk.Error](err); ok && e.Err != nil {
		err = e.Err
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// namePattern is what spec.platform can hold.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}[a-z0-9]$`)

// Validate gives all that is wrong with a list of descriptors: two of one name, a name that no manifest can hold, no way
// to make a connector, lanes that cannot be read, settings whose declaration cannot work.
func Validate(all []sdk.Descriptor) error {
	var problems []error
	seen := map[string]bool{}
	for _, d := range all {
		problem := func(format string, args ...any) {
			problems = append(problems, fmt.Errorf("platform %q: %s", d.Name, fmt.Sprintf(format, args...)))
		}
		if seen[d.Name] {
			problem("listed twice")
		}
		seen[d.Name] = true
		if !namePattern.MatchString(d.Name) {
			problem("the name must be lower case letters, digits and dashes")
		}
		if d.New == nil || d.Title == "" || d.Summary == "" || d.RoomSyntax == "" {
			problem("New, Title, Summary and RoomSyntax are required")
		}
		if !slices.Contains([]string{"Alpha", "Beta", "Stable"}, d.Maturity) {
			problem("maturity %q is none of Alpha, Beta, Stable", d.Maturity)
		}
		if len(d.Lanes) == 0 || d.Lanes[0] != event.Live {
			problem("the lanes begin with %s", event.Live)
		}
		if _, err := sdk.Describe(d.Settings); err != nil {
			problem("settings: %v", err)
		}
	}
	return errors.Join(problems...)
}
