// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package resources

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-dev/kith/internal/testing/envtest"
)

// refused are the manifests of testdata/refused, with what kubectl must say: the field, and the reason.
var refused = map[string][]string{
	"community-name-53":                 {"metadata.name must be at most 52"},
	"community-name-with-dot":           {"metadata.name must be at most 52 lower-case letters, digits and hyphens"},
	"community-name-upper-case":         {"metadata.name", "lower-case"},
	"community-name-digit-first":        {"metadata.name", "begin with a letter"},
	"community-name-starts-with-hyphen": {"metadata.name", "begin with a letter"},
	"channel-name-53":                   {"metadata.name must be at most 52"},
	"channel-name-with-dot":             {"metadata.name", "lower-case letters, digits and hyphens"},
	"channel-name-digit-first":          {"metadata.name", "begin with a letter"},
	"behaviour-name-64":                 {"metadata.name must be at most 63"},
	"behaviour-name-with-dot":           {"metadata.name", "lower-case letters, digits and hyphens"},
	"objective-name-64":                 {"metadata.name must be at most 63"},
	"community-ref-53":                  {"spec.communityRef.name", "at most 52 characters"},

	"without-a-title":          {"spec.title: Required value"},
	"title-too-long":           {"spec.title: Too long"},
	"title-empty":              {"spec.title", "at least 1 properties"},
	"title-in-no-language":     {"spec.title", "keys must be language tags, such as de, en or pt-BR"},
	"misspelt-field":           {`unknown field "spec.stakeholder"`},
	"misspelt-field-deep-down": {`unknown field "spec.privacy.minimalGroupSize"`},

	"sqlite-with-two-replicas":         {"spec.hub.replicas", "needs ledger.postgres"},
	"default-ledger-with-two-replicas": {"spec.hub.replicas", "needs ledger.postgres"},
	"too-many-replicas":                {"spec.hub.replicas", "less than or equal to 5"},
	"two-ledgers":                      {"spec.ledger", "exactly one of the fields in [sqlite postgres]"},
	"no-ledger":                        {"spec.ledger", "exactly one of the fields in [sqlite postgres]"},
	"ledger-of-no-size":                {"spec.ledger.sqlite.size", "at least 1Mi, such as 10Gi"},
	"ledger-of-a-negative-size":        {"spec.ledger.sqlite.size", "at least 1Mi, such as 10Gi"},
	"ledger-size-with-a-wrong-unit":    {"spec.ledger.sqlite.size", "such as 10Gi"},
	"storage-class-that-is-no-name":    {"spec.ledger.sqlite.storageClassName", `"Fast SSD"`},
	"priority-that-is-no-name":         {"spec.hub.pod.priorityClassName", `"Very High"`},

	"unknown-stage":                  {"spec.stage", `"Exploring", "Growing", "InHouse", "Embedded"`},
	"unknown-party":                  {"spec.teams[0].party", `"Member", "Volunteer", "Company", "Agency", "Bot"`},
	"team-of-bots":                   {"spec.teams[0].party", "a team consists of people"},
	"team-twice":                     {"spec.teams[1]: Duplicate value"},
	"party-rule-that-matches-nobody": {"spec.parties[0].match", "at least one of the fields in [emailDomains roles handles]"},
	"dates-the-wrong-way-round":      {"spec.parties[0]", "from must be before until"},
	"date-that-is-none":              {"spec.value.costs[0].from", "must be of type date"},
	"too-many-segments":              {"spec.segments: Too many", "at most 8"},
	"segment-named-other":            {"spec.segments[0].name", "taken for members outside of every segment"},
	"stakeholder-without-an-address": {"spec.stakeholders[0].contact.email", "must be of type email"},

	"group-of-two":                    {"spec.privacy.minimumGroupSize", "greater than or equal to 3"},
	"texts-kept-longer-than-activity": {"spec.privacy", "textRetention must not be longer than activityRetention"},
	"text-retention-of-an-hour":       {"spec.privacy.textRetention", "at least 1d"},
	"measured-factor-without-a-day":   {"spec.value.factors[0]", "needs measuredOn"},
	"amount-with-a-comma":             {"spec.value.factors[0].low", "a decimal number", "such as 9 or 0.35"},
	"amount-that-is-a-number":         {"spec.value.factors[0].low", "must be of type string"},
	"currency-in-words":               {"spec.value.currency: Too long"},

	"channel-without-a-platform": {"spec.platform: Required value"},
	"channel-without-a-url":      {"spec.url: Required value"},
	"url-without-a-scheme":       {"spec.url", "a whole address, such as https://forum.example.org"},
	"duration-in-words":          {"spec.pollInterval", "must be of type duration"},
	"duration-without-a-unit":    {"spec.pollInterval", "must be of type duration"},
	"duration-that-is-negative":  {"spec.pollInterval", "between 10s and 1d"},
	"poll-interval-too-short":    {"spec.pollInterval", "between 10s and 1d"},
	"poll-interval-too-long":     {"spec.pollInterval", "between 10s and 1d"},
	"since-in-words":             {"spec.since", "a duration such as 90d, a date such as 2024-01-01, or all"},
	"too-many-rooms":             {"spec.rooms.include: Too many: 65", "at most 64"},
	"room-twice":                 {"spec.rooms.include[1]: Duplicate value"},
	"room-too-long":              {"spec.rooms.include[0]: Too long"},
	"settings-that-are-a-list":   {"spec.settings", "must be of type object"},
	"secret-that-is-a-path":      {"spec.credentialsSecretRef.name", `"../other/secret"`},
	"secret-without-a-name":      {"spec.credentialsSecretRef.name: Required value"},
	"key-that-is-a-path":         {"spec.network.caRef.key", `"../ca.crt"`},
	"proxy-with-a-password":      {"spec.network.proxyURL", "without a user or password"},
	"hosting-unknown":            {"spec.hosting", `"Own", "Platform"`},

	// YAML 1.1 takes the bare word for true: explain says so at the field.
	"bare-on":                   {`unknown field "spec.true"`},
	"bare-on-in-an-agreement":   {`unknown field "spec.agreed[0].true"`},
	"neither-on-nor-of":         {"spec", "exactly one of the fields in [on of]"},
	"both-on-and-of":            {"spec", "exactly one of the fields in [on of]"},
	"unknown-event":             {"spec.on[0]", `"AnswerAccepted"`},
	"after-without-thread-aged": {"spec.after", "required with ThreadAged in on, and has no meaning without"},
	"thread-aged-without-after": {"spec.after", "required with ThreadAged in on, and has no meaning without"},
	"within-without-of":         {"spec.within", "needs of"},
	"basis-with-worth":          {"spec.worth", "only role Value has worth"},
	"basis-with-credit":         {"spec", "leave credit and benefits out"},
	"expression-too-long":       {"spec.when: Too long", "2048"},
	"settle-of-two-years":       {"spec.settle", "at most 365d"},

	"share-as-a-percentage": {"spec.target.atLeast", "a decimal number", "0.35"},
	"share-of-eighty":       {"spec.target", "between 0 and 1, such as 0.80"},
	"target-of-two-points":  {"spec.target.atLeast", "a decimal number"},
	"no-target":             {"spec.target", "exactly one of the fields in [atLeast atMost]"},
	"two-targets":           {"spec.target", "exactly one of the fields in [atLeast atMost]"},
	"no-indicator":          {"spec.indicator", "exactly one of the fields in [share count]"},
	"two-indicators":        {"spec.indicator", "exactly one of the fields in [share count]"},
	"no-window":             {"spec.window", "exactly one of the fields in [rolling calendar]"},
	"window-of-an-hour":     {"spec.window.rolling", "between 1d and 3650d"},
	"window-of-a-decade":    {"spec.window.calendar", `"Week", "Month", "Quarter", "Year"`},
	"no-case-needed":        {"spec.minimumCases", "greater than or equal to 1"},
}

func TestWhatCannotBeIsRefusedWithFieldAndReason(t *testing.T) {
	k := newKubectl(t, envtest.Namespace(t, envtest.Client(t)))
	files, err := filepath.Glob(filepath.Join("testdata", "refused", "*.yaml"))
	if err != nil || len(files) != len(refused) {
		t.Errorf("there are %d manifests and %d expectations: %v", len(files), len(refused), err)
	}
	for name, want := range refused {
		t.Run(name, func(t *testing.T) {
			out, ok := k.try("apply", "-f", filepath.Join("testdata", "refused", name+".yaml"))
			if ok {
				t.Fatalf("the server took it: %s", out)
			}
			says(t, out, want...)
			// A rule that fails to evaluate says nothing that anybody could act on.
			if strings.Contains(out, "evaluating rule") {
				t.Error(out)
			}
		})
	}
}

// immutable are fields that say what a resource is: another value would make it another resource.
var immutable = map[string]struct {
	resource, patch string
	want            []string
}{
	"a channel's community":       {"channel/forum", `{"spec": {"communityRef": {"name": "other"}}}`, []string{"spec.communityRef.name", "delete the channel and declare it for the other community"}},
	"a channel's platform":        {"channel/forum", `{"spec": {"platform": "feed"}}`, []string{"spec.platform", "cannot be changed: declare a new channel"}},
	"a channel's address":         {"channel/forum", `{"spec": {"url": "https://new.acme.example"}}`, []string{"spec.url", "cannot be changed: declare a new channel"}},
	"a behaviour's community":     {"behaviour/solved", `{"spec": {"communityRef": {"name": "other"}}}`, []string{"spec.communityRef.name", "declare the behaviour again for the other community"}},
	"an objective's community":    {"objective/helped", `{"spec": {"communityRef": {"name": "other"}}}`, []string{"spec.communityRef.name", "declare the objective again for the other community"}},
	"a channel's name":            {"channel/forum", `{"metadata": {"name": "other"}}`, []string{"the name of the object", "does not match"}},
	"two replicas, afterwards":    {"community/acme", `{"spec": {"hub": {"replicas": 2}}}`, []string{"spec.hub.replicas", "needs ledger.postgres"}},
	"a second ledger, afterwards": {"community/acme", `{"spec": {"ledger": {"postgres": {"dsnSecretRef": {"name": "db"}}}}}`, []string{"spec.ledger", "exactly one of the fields in [sqlite postgres]"}},
}

func TestWhatAResourceIsCannotBeChanged(t *testing.T) {
	k := newKubectl(t, envtest.Namespace(t, envtest.Client(t)))
	k.apply("community.yaml", "channel.yaml", "behaviour.yaml", "objective.yaml")
	for name, tc := range immutable {
		t.Run(name, func(t *testing.T) {
			out, ok := k.try("patch", tc.resource, "--type=merge", "--patch", tc.patch)
			if ok {
				t.Fatalf("the server took it: %s", out)
			}
			says(t, out, tc.want...)
		})
	}
}
