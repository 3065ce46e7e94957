// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/kith-dev/kith/config/library"
)

// wantedBehaviours are what the objective needs and what shows most about a place that nobody knows yet.
var wantedBehaviours = []string{"question-due", "answered-in-time", "answered-by-member"}

const solvedBehaviour = "solved-by-member"

// The manifest is filled in by fmt rather than by text/template: that looks methods up by name, so that the linker must
// keep every method of every type, a fifth of the binary.
const (
	manifestCommunity = `apiVersion: kith.dev/v1alpha1
kind: Community
metadata:
  name: %s
spec:
  title: %q
  audience: {kind: Public} # or Customers, Employees, Partners
  timeZone: UTC # the community's own, such as Europe/Berlin
  languages: [en]
  teams:
  - {name: community, party: Company}
  parties: # whose side somebody is on; everybody else is a Member
  - {party: Company, match: {roles: [admin, staff]}}
  - {party: Volunteer, match: {roles: [moderator]}}
---
`
	manifestChannel = `apiVersion: kith.dev/v1alpha1
kind: Channel
metadata:
  name: %s
spec:
  communityRef: {name: %s}
  team: community
  platform: %s
  url: %q
  since: %s
`
	manifestPath = `  settings: {path: %q}
`
	manifestRooms = `  # Where questions are asked is recognised from their texts. Naming the rooms is better:
  # rooms: {questions: [%s]}
`
	manifestObjective = `---
apiVersion: kith.dev/v1alpha1
kind: Objective
metadata:
  name: answers-within-a-day
spec:
  communityRef: {name: %s}
  statement: %s questions get a first answer within a day
  indicator: {share: answered-in-time}
  target: {atLeast: "%s"} # today it is %s of all threads; agree on it with those who want to see it
  minimumCases: 20
  window: {rolling: 90d}
`
	manifestBehaviour = `---
%s
`
)

type target struct{ Words, Ratio string }

// targets are what a first objective may aim at: the next one above what is so today.
var targets = []target{
	{"Half of all", "0.50"}, {"Six in ten", "0.60"}, {"Seven in ten", "0.70"}, {"Four in five", "0.80"}, {"Nine in ten", "0.90"},
}

// manifestFor is what would watch the place from now on: everything that it needs, and nothing that it cannot show.
func manifestFor(t *tried) (string, error) {
	s := t.summary
	names := wantedBehaviours
	if s.Solvable {
		names = append(names[:len(names):len(names)], solvedBehaviour)
	}
	name := communityName(t)
	var behaviours []string
	for _, b := range names {
		text, err := libraryBehaviour(b, name)
		if err != nil {
			return "", err
		}
		behaviours = append(behaviours, text)
	}
	share := float64(s.AnsweredWithin24h) / math.Max(1, float64(s.Threads))
	aim := targets[len(targets)-1]
	for i := len(targets) - 1; i >= 0; i-- {
		if fmt.Sprintf("%.2f", share) < targets[i].Ratio {
			aim = targets[i]
		}
	}
	since := "all"
	if !t.since.IsZero() {
		since = "365d"
	}
	title := t.state.Title
	if title == "" {
		title = name
	}
	var b strings.Builder
	fmt.Fprintf(&b, manifestCommunity, name, title)
	fmt.Fprintf(&b, manifestChannel, triedChannel, name, t.place.platform, t.place.url, since)
	if t.place.path != "" {
		fmt.Fprintf(&b, manifestPath, t.place.path)
	}
	if rooms := someRooms(t.state.Rooms); rooms != "" {
		fmt.Fprintf(&b, manifestRooms, rooms)
	}
	fmt.Fprintf(&b, manifestObjective, name, aim.Words, aim.Ratio, percent(s.AnsweredWithin24h, s.Threads))
	for _, x := range behaviours {
		fmt.Fprintf(&b, manifestBehaviour, x)
	}
	return b.String(), nil
}

// communityName makes a resource's name from an address or a file's name.
func communityName(t *tried) string {
	from := filepath.Base(t.place.path)
	if t.place.path == "" {
		u, err := url.Parse(t.place.url)
		if err != nil || isLoopback(u.Host) {
			return "community"
		}
		from = strings.TrimPrefix(u.Hostname(), "www.")
	}
	var b strings.Builder
	for _, r := range strings.ToLower(from) {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			r = '-'
		}
		b.WriteRune(r)
	}
	name := b.String()
	if len(name) > 40 {
		name = name[:40]
	}
	if name = strings.Trim(name, "-"); name == "" {
		return "community"
	}
	return name
}

// someRooms are enough to show what belongs there.
func someRooms(rooms []string) string {
	rooms = rooms[:min(len(rooms), 6)]
	quoted := make([]string, len(rooms))
	for i, r := range rooms {
		quoted[i] = fmt.Sprintf("%q", r)
	}
	return strings.Join(quoted, ", ")
}

// libraryBehaviour gives a ready-made behaviour for a community, without the comments on what it is for, and without its
// worth: that needs a factor which only the community can name.
func libraryBehaviour(name, community string) (string, error) {
	raw, err := fs.ReadFile(library.Files, name+".yaml")
	if err != nil {
		return "", fmt.Errorf("there is no ready-made behaviour %q: %w", name, err)
	}
	var b strings.Builder
	inWorth := false
	for line := range strings.Lines(string(raw)) {
		key := strings.HasPrefix(line, "  ") && line[2] != ' ' && line[2] != '-'
		inWorth = (inWorth && !key) || strings.HasPrefix(line, "  worth:")
		if !strings.HasPrefix(line, "#") && !inWorth {
			b.WriteString(line)
		}
	}
	return strings.TrimSpace(forCommunity(b.String(), community)), nil
}
