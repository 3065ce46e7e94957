// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/json"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/suggest"
)

// MaxSettings is how many bytes of JSON a channel's settings may have.
const MaxSettings = 64 << 10

func (u *unit) compileChannels() {
	readers := map[string]string{}
	for _, channel := range u.channels {
		a := u.at(v1alpha1.KindChannel, channel)
		out := u.channel(a, &channel.Spec)
		account := strings.Join([]string{out.Platform, instance(out.URL), out.CredentialsSecret}, " ")
		if other, taken := readers[account]; taken {
			a.invalid("spec.url", fmt.Sprintf("Channel %q reads the same account of the same instance", other),
				"keep one of them: what both read would count twice")
		}
		if a.bad() {
			continue
		}
		readers[account] = channel.Name
		out.Name = channel.Name
		u.out.Channels = append(u.out.Channels, out)
	}
}

func (u *unit) channel(a at, spec *v1alpha1.ChannelSpec) Channel {
	out := Channel{
		Platform: spec.Platform, URL: spec.URL, Team: string(spec.Team), Hosting: string(spec.Hosting),
		Poll: a.duration("spec.pollInterval", orDuration(spec.PollInterval, "1m")), Since: u.since(a, spec.Since),
		Suspend: spec.Suspend,
	}
	u.team(a, spec.Team)
	a.url("spec.url", spec.URL)
	out.Rooms = u.rooms(a, spec.Rooms)
	out.Settings = u.settings(a, spec)
	if spec.CredentialsSecretRef != nil {
		out.CredentialsSecret = spec.CredentialsSecretRef.Name
	}
	if n := spec.Network; n != nil {
		if n.ProxyURL != "" {
			a.url("spec.network.proxyURL", n.ProxyURL)
		}
		out.ProxyURL = n.ProxyURL
		if n.CARef != nil {
			out.CASecret, out.CAKey = n.CARef.Name, n.CARef.Key
			if out.CAKey == "" {
				out.CAKey = "ca.crt"
			}
		}
	}
	return out
}

// instance is an address as far as it tells instances apart.
func instance(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.ToLower(parsed.Host) + strings.TrimRight(parsed.Path, "/") + parsed.Opaque + "?" + parsed.RawQuery
}

func (u *unit) team(a at, team v1alpha1.Name) {
	teams := names(u.community.Spec.Teams, func(t v1alpha1.Team) v1alpha1.Name { return t.Name })
	switch {
	case team == "":
		a.warn("spec.team", v1alpha1.ReasonOwnerMissing, "no team answers for this channel", "name one of the community's teams")
	case !slices.Contains(teams, string(team)):
		a.missing("spec.team", "team", team, teams)
	}
}

func (a at) url(path, address string) {
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Scheme == "":
		// The address itself is not repeated: it may hold a password.
		a.invalid(path, "it is not an address", "write it in full, such as https://forum.example.org")
	case parsed.User != nil && parsed.Scheme != "file":
		if _, hasPassword := parsed.User.Password(); hasPassword {
			a.invalid(path, "it holds a password", "put credentials into a Secret, and name that in credentialsSecretRef")
		}
	case parsed.Host == "" && (parsed.Scheme == "http" || parsed.Scheme == "https"):
		a.invalid(path, "it names no host", "write it in full, such as https://forum.example.org")
	}
}

func (u *unit) since(a at, since v1alpha1.Since) Since {
	text := string(since)
	switch {
	case text == "":
		return Since{Duration: 90 * 24 * time.Hour}
	case since == v1alpha1.SinceAll:
		return Since{All: true}
	case len(text) == len(time.DateOnly) && text[4] == '-':
		return Since{Date: a.date("spec.since", v1alpha1.Date(text), u.location)}
	}
	d := a.duration("spec.since", v1alpha1.Duration(text))
	if d > u.out.Privacy.ActivityRetention {
		a.warn("spec.since", v1alpha1.ReasonInvalidSpec, "it reaches further back than the community's activityRetention",
			"what is older will not be read")
	}
	return Since{Duration: d}
}

func (u *unit) rooms(a at, rooms *v1alpha1.Rooms) Rooms {
	if rooms == nil {
		return Rooms{}
	}
	check := func(field string, patterns []v1alpha1.Pattern) []string {
		for i, p := range patterns {
			if _, err := path.Match(string(p), ""); err != nil {
				a.invalid(fmt.Sprintf("spec.rooms.%s[%d]", field, i), fmt.Sprintf("%q is not a pattern", p),
					"write the path of a room, with * for anything within a part")
			}
		}
		return set(patterns)
	}
	return Rooms{
		Include: check("include", rooms.Include), Exclude: check("exclude", rooms.Exclude),
		Questions: check("questions", rooms.Questions), Feedback: check("feedback", rooms.Feedback), HowTo: check("howTo", rooms.HowTo),
	}
}

func (u *unit) settings(a at, spec *v1alpha1.ChannelSpec) map[string]any {
	var settings map[string]any
	if spec.Settings != nil && len(spec.Settings.Raw) > 0 {
		if len(spec.Settings.Raw) > MaxSettings {
			a.error("spec.settings", v1alpha1.ReasonInvalidSettings,
				fmt.Sprintf("they have %d bytes", len(spec.Settings.Raw)), fmt.Sprintf("at most %d can be used", MaxSettings))
			return nil
		}
		if err := json.Unmarshal(spec.Settings.Raw, &settings); err != nil {
			a.error("spec.settings", v1alpha1.ReasonInvalidSettings, "they are not an object", "write fields and their values")
			return nil
		}
	}
	if u.catalogue == nil {
		return settings
	}
	if known := u.catalogue.Known(); !slices.Contains(known, spec.Platform) {
		a.error("spec.platform", v1alpha1.ReasonUnknownPlatform, fmt.Sprintf("there is no platform %q", spec.Platform),
			suggest.For(spec.Platform, known))
		return settings
	}
	for _, p := range u.catalogue.Check(spec.Platform, settings) {
		field := "spec.settings"
		if p.Path != "" {
			field += "." + p.Path
		}
		a.error(field, v1alpha1.ReasonInvalidSettings, p.Message, p.Remedy)
	}
	return settings
}
