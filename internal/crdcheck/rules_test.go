// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package crdcheck

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ruleRow shows one CEL rule at work: pass is a change of the smallest manifest that it accepts, fail one that it alone
// refuses, at path. With old, both are changes of that (for rules about what cannot be changed).
type ruleRow struct {
	kind, path, message string
	pass, fail          string
	old                 string
}

const (
	nameRule63 = "metadata.name must be at most 63 lower-case letters, digits and hyphens: it is a metric label"
	languages  = "keys must be language tags, such as de, en or pt-BR"
	fromUntil  = "from must be before until"
	redeclare  = "cannot be changed: declare a new channel"
	ref52      = "must be at most 52 characters: no Community has a longer name"
	amount     = "must be a decimal number with at most four digits after the point, such as 9 or 0.35"
)

func ref(length int) string {
	return "{spec: {communityRef: {name: " + strings.Repeat("a", length) + "}}}"
}

func name(length int) string { return "{metadata: {name: " + strings.Repeat("a", length) + "}}" }

var ruleRows = map[string]ruleRow{
	"community name": {
		kind: "Community", message: "metadata.name must be at most 52 lower-case letters, digits and hyphens, and begin with a letter: Deployments, Services and labels are named after it",
		pass: name(52), fail: name(53),
	},
	"channel name": {
		kind: "Channel", message: "metadata.name must be at most 52 lower-case letters, digits and hyphens, and begin with a letter: Deployments and labels are named after it",
		pass: name(52), fail: "{metadata: {name: a.b}}",
	},
	"behaviour name": {kind: "Behaviour", message: nameRule63, pass: name(63), fail: name(64)},
	"objective name": {kind: "Objective", message: nameRule63, pass: name(63), fail: "{metadata: {name: a.b}}"},

	"community of a Channel": {
		kind: "Channel", path: "spec.communityRef.name", message: ref52,
		pass: ref(52), fail: ref(53),
	},
	"community of a Behaviour": {
		kind: "Behaviour", path: "spec.communityRef.name", message: ref52,
		pass: ref(52), fail: ref(53),
	},
	"community of a Objective": {
		kind: "Objective", path: "spec.communityRef.name", message: ref52,
		pass: ref(52), fail: ref(53),
	},
	"factor low": {
		kind: "Community", path: "spec.value.factors.low", message: amount,
		pass: "{spec: {value: {currency: EUR, factors: [{name: f, category: SupportCost, unit: Contact, low: '0.3500', mid: '1', high: '2', source: Estimated}]}}}",
		fail: "{spec: {value: {currency: EUR, factors: [{name: f, category: SupportCost, unit: Contact, low: '0,35', mid: '1', high: '2', source: Estimated}]}}}",
	},
	"worth low": {
		kind: "Behaviour", path: "spec.worth.amount.low", message: amount,
		pass: "{spec: {worth: [{factor: f, amount: {low: '0.3500', mid: '1', high: '2'}}]}}",
		fail: "{spec: {worth: [{factor: f, amount: {low: '0,35', mid: '1', high: '2'}}]}}",
	},
	"factor mid": {
		kind: "Community", path: "spec.value.factors.mid", message: amount,
		pass: "{spec: {value: {currency: EUR, factors: [{name: f, category: SupportCost, unit: Contact, low: '0', mid: '0.3500', high: '2', source: Estimated}]}}}",
		fail: "{spec: {value: {currency: EUR, factors: [{name: f, category: SupportCost, unit: Contact, low: '0', mid: '0,35', high: '2', source: Estimated}]}}}",
	},
	"worth mid": {
		kind: "Behaviour", path: "spec.worth.amount.mid", message: amount,
		pass: "{spec: {worth: [{factor: f, amount: {low: '0', mid: '0.3500', high: '2'}}]}}",
		fail: "{spec: {worth: [{factor: f, amount: {low: '0', mid: '0,35', high: '2'}}]}}",
	},
	"factor high": {
		kind: "Community", path: "spec.value.factors.high", message: amount,
		pass: "{spec: {value: {currency: EUR, factors: [{name: f, category: SupportCost, unit: Contact, low: '0', mid: '1', high: '0.3500', source: Estimated}]}}}",
		fail: "{spec: {value: {currency: EUR, factors: [{name: f, category: SupportCost, unit: Contact, low: '0', mid: '1', high: '0,35', source: Estimated}]}}}",
	},
	"worth high": {
		kind: "Behaviour", path: "spec.worth.amount.high", message: amount,
		pass: "{spec: {worth: [{factor: f, amount: {low: '0', mid: '1', high: '0.3500'}}]}}",
		fail: "{spec: {worth: [{factor: f, amount: {low: '0', mid: '1', high: '0,35'}}]}}",
	},
	"cost": {
		kind: "Community", path: "spec.value.costs.amount", message: amount,
		pass: "{spec: {value: {currency: EUR, costs: [{kind: People, amount: '0.3500', per: Month}]}}}",
		fail: "{spec: {value: {currency: EUR, costs: [{kind: People, amount: '0,35', per: Month}]}}}",
	},
	"at least": {
		kind: "Objective", path: "spec.target.atLeast", message: amount,
		pass: "{spec: {target: {atLeast: '0.3500'}}}",
		fail: "{spec: {target: {atLeast: '0,35'}}}",
	},
	"at most": {
		kind: "Objective", path: "spec.target.atMost", message: amount,
		pass: "{spec: {target: {atLeast: null, atMost: '0.3500'}}}",
		fail: "{spec: {target: {atLeast: null, atMost: '0,35'}}}",
	},
	"value": {
		kind: "Objective", path: "status.value", message: amount,
		pass: "{status: {value: '0.3500'}}",
		fail: "{status: {value: '0,35'}}",
	},
	"volume": {
		kind: "Community", path: "spec.ledger.sqlite.size", message: "must be a size of at least 1Mi, such as 10Gi",
		pass: "{spec: {ledger: {sqlite: {size: 1Mi}}}}", fail: "{spec: {ledger: {sqlite: {size: 100k}}}}",
	},
	"address": {
		kind: "Channel", path: "spec.url", message: "must be a whole address, such as https://forum.example.org",
		pass: "{spec: {url: 'file:///var/forum.zip'}}", fail: "{spec: {url: forum.example.org}}",
	},
	"since": {
		kind: "Channel", path: "spec.since", message: "must be a duration such as 90d, a date such as 2024-01-01, or all",
		pass: "{spec: {since: 2w}}", fail: "{spec: {since: forever}}",
	},
	"proxy": {
		kind: "Channel", path: "spec.network.proxyURL",
		message: "must be http://, https:// or socks5:// with a host and port, and without a user or password",
		pass:    "{spec: {network: {proxyURL: 'socks5://proxy.example:1080'}}}", fail: "{spec: {network: {proxyURL: proxy.example}}}",
	},

	"replicas need postgres": {
		kind: "Community", path: "spec.hub.replicas", message: "more than one replica needs ledger.postgres: an SQLite ledger has one writer",
		pass: "{spec: {hub: {replicas: 2}, ledger: {postgres: {dsnSecretRef: {name: db}}}}}",
		fail: "{spec: {hub: {replicas: 2}}}",
	},
	"one kind of ledger": {
		kind: "Community", path: "spec.ledger", message: "exactly one of the fields in [sqlite postgres] must be set",
		pass: "{spec: {ledger: {sqlite: {}}}}",
		fail: "{spec: {ledger: {sqlite: {}, postgres: {dsnSecretRef: {name: db}}}}}",
	},
	"a ledger of no kind": {
		kind: "Community", path: "spec.ledger", message: "exactly one of the fields in [sqlite postgres] must be set",
		pass: "{spec: {ledger: {postgres: {dsnSecretRef: {name: db}}}}}",
		fail: "{spec: {ledger: {reclaim: Delete}}}",
	},
	"regular within": {
		kind: "Community", path: "spec.levels.regular.within", message: "must be at least 1d",
		pass: "{spec: {levels: {regular: {within: 1d}}}}", fail: "{spec: {levels: {regular: {within: 23h}}}}",
	},
	"party matches something": {
		kind: "Community", path: "spec.parties.match", message: "at least one of the fields in [emailDomains roles handles] must be set",
		pass: "{spec: {parties: [{party: Bot, match: {handles: [helper]}}]}}",
		fail: "{spec: {parties: [{party: Bot, match: {}}]}}",
	},
	"party from before until": {
		kind: "Community", path: "spec.parties", message: fromUntil,
		pass: "{spec: {parties: [{party: Company, match: {roles: [admin]}, from: '2026-01-01', until: '2026-01-02'}]}}",
		fail: "{spec: {parties: [{party: Company, match: {roles: [admin]}, from: '2026-01-01', until: '2026-01-01'}]}}",
	},
	"responsibility from before until": {
		kind: "Community", path: "spec.responsibilities", message: fromUntil,
		pass: "{spec: {responsibilities: [{task: Content, team: a, role: CarriesOut, from: '2026-01-01', until: '2027-01-01'}]}}",
		fail: "{spec: {responsibilities: [{task: Content, team: a, role: CarriesOut, from: '2027-01-01', until: '2026-01-01'}]}}",
	},
	"cost from before until": {
		kind: "Community", path: "spec.value.costs", message: fromUntil,
		pass: "{spec: {value: {currency: EUR, costs: [{kind: People, amount: '9000', per: Month, from: '2026-01-01'}]}}}",
		fail: "{spec: {value: {currency: EUR, costs: [{kind: People, amount: '9000', per: Month, from: '2026-01-01', until: '2025-01-01'}]}}}",
	},
	"measured on": {
		kind: "Community", path: "spec.value.factors", message: "a measured factor needs measuredOn, so that it can be seen how old it is",
		pass: "{spec: {value: {currency: EUR, factors: [{name: f, category: SupportCost, unit: Contact, low: '1', mid: '1', high: '1', source: Measured, measuredOn: '2026-09-30'}]}}}",
		fail: "{spec: {value: {currency: EUR, factors: [{name: f, category: SupportCost, unit: Contact, low: '1', mid: '1', high: '1', source: Measured}]}}}",
	},
	"activity retention": {
		kind: "Community", path: "spec.privacy.activityRetention", message: "must be at least 30d",
		pass: "{spec: {privacy: {activityRetention: 30d, textRetention: 30d}}}",
		fail: "{spec: {privacy: {activityRetention: 29d, textRetention: 1d}}}",
	},
	"case retention": {
		kind: "Community", path: "spec.privacy.caseRetention", message: "must be at least 1d",
		pass: "{spec: {privacy: {caseRetention: 24h}}}", fail: "{spec: {privacy: {caseRetention: 1h}}}",
	},
	"text retention": {
		kind: "Community", path: "spec.privacy.textRetention", message: "must be at least 1d: deadlines and recognition need texts for a while",
		pass: "{spec: {privacy: {textRetention: 1d}}}", fail: "{spec: {privacy: {textRetention: 0s}}}",
	},
	"texts not longer than activity": {
		kind: "Community", path: "spec.privacy", message: "textRetention must not be longer than activityRetention",
		pass: "{spec: {privacy: {textRetention: 60d, activityRetention: 60d}}}",
		fail: "{spec: {privacy: {textRetention: 61d, activityRetention: 60d}}}",
	},
	"segment names": {
		kind: "Community", path: "spec.segments.name", message: "other and none are taken for members outside of every segment",
		pass: "{spec: {segments: [{name: partner, when: 'true'}]}}", fail: "{spec: {segments: [{name: other, when: 'true'}]}}",
	},
	"segment titles": {
		kind: "Community", path: "spec.segments.title", message: languages,
		pass: "{spec: {segments: [{name: partner, title: {de-AT: Partner}, when: 'true'}]}}",
		fail: "{spec: {segments: [{name: partner, title: {german: Partner}, when: 'true'}]}}",
	},
	"teams are people": {
		kind: "Community", path: "spec.teams.party", message: "a team consists of people: Member, Volunteer, Company or Agency",
		pass: "{spec: {teams: [{name: a, party: Agency}]}}", fail: "{spec: {teams: [{name: a, party: Bot}]}}",
	},

	"channel's community stays": {
		kind: "Channel", path: "spec.communityRef.name", message: "cannot be changed: delete the channel and declare it for the other community",
		old: "{}", pass: "{}", fail: "{spec: {communityRef: {name: other}}}",
	},
	"platform stays": {
		kind: "Channel", path: "spec.platform", message: redeclare,
		old: "{}", pass: "{spec: {suspend: true}}", fail: "{spec: {platform: feed}}",
	},
	"url stays": {
		kind: "Channel", path: "spec.url", message: redeclare,
		old: "{}", pass: "{spec: {since: all}}", fail: "{spec: {url: 'https://other.example'}}",
	},
	"shortest poll": {
		kind: "Channel", path: "spec.pollInterval", message: "must be between 10s and 1d",
		pass: "{spec: {pollInterval: 10s}}", fail: "{spec: {pollInterval: 9s}}",
	},
	"longest poll": {
		kind: "Channel", path: "spec.pollInterval", message: "must be between 10s and 1d",
		pass: "{spec: {pollInterval: 1d}}", fail: "{spec: {pollInterval: 25h}}",
	},

	"behaviour's community stays": {
		kind: "Behaviour", path: "spec.communityRef.name", message: "cannot be changed: declare the behaviour again for the other community",
		old: "{}", pass: "{spec: {settle: 7d}}", fail: "{spec: {communityRef: {name: other}}}",
	},
	"on and of": {
		kind: "Behaviour", path: "spec", message: "exactly one of the fields in [on of] must be set",
		pass: "{spec: {\"on\": null, of: basis}}", fail: "{spec: {of: basis}}",
	},
	"neither on nor of": {
		kind: "Behaviour", path: "spec", message: "exactly one of the fields in [on of] must be set",
		pass: "{}", fail: "{spec: {\"on\": null}}",
	},
	"after is needed": {
		kind: "Behaviour", path: "spec.after", message: "after is required with ThreadAged in on, and has no meaning without",
		pass: "{spec: {\"on\": [ThreadAged], after: 24h}}", fail: "{spec: {\"on\": [ThreadAged]}}",
	},
	"after without meaning": {
		kind: "Behaviour", path: "spec.after", message: "after is required with ThreadAged in on, and has no meaning without",
		pass: "{spec: {\"on\": [ThreadAged, MessagePosted], after: 24h}}", fail: "{spec: {after: 24h}}",
	},
	"after is bounded": {
		kind: "Behaviour", path: "spec.after", message: "must be between 1m and 365d",
		pass: "{spec: {\"on\": [ThreadAged], after: 52w}}", fail: "{spec: {\"on\": [ThreadAged], after: 53w}}",
	},
	"among needs of": {
		kind: "Behaviour", path: "spec.among", message: "among narrows the cases of another behaviour, and needs of",
		pass: "{spec: {\"on\": null, of: basis, among: thread.question}}", fail: "{spec: {among: thread.question}}",
	},
	"completedBy needs of": {
		kind: "Behaviour", path: "spec.completedBy", message: "completedBy says what fulfils a case of another behaviour, and needs of",
		pass: "{spec: {\"on\": null, of: basis, completedBy: [AnswerAccepted]}}", fail: "{spec: {completedBy: [MessagePosted]}}",
	},
	"within needs of": {
		kind: "Behaviour", path: "spec.within", message: "within is the deadline of a case of another behaviour, and needs of (per.within is the time in which something counts once)",
		pass: "{spec: {\"on\": null, of: basis, within: 4h}}", fail: "{spec: {within: 4h}}",
	},
	"within is bounded": {
		kind: "Behaviour", path: "spec.within", message: "must be more than 0s and at most 365d",
		pass: "{spec: {\"on\": null, of: basis, within: 365d}}", fail: "{spec: {\"on\": null, of: basis, within: 0s}}",
	},
	"titles by language": {
		kind: "Behaviour", path: "spec.title", message: languages,
		pass: "{spec: {title: {pt-BR: Resolvido}}}", fail: "{spec: {title: {EN: Solved}}}",
	},
	"descriptions by language": {
		kind: "Behaviour", path: "spec.description", message: languages,
		pass: "{spec: {description: {de: Gut}}}", fail: "{spec: {description: {d: Gut}}}",
	},
	"per.within of events": {
		kind: "Behaviour", path: "spec.per.within", message: "within has no meaning for scope Event, where every event counts",
		pass: "{spec: {per: {scope: Member, within: 365d}}}", fail: "{spec: {per: {scope: Event, within: 365d}}}",
	},
	"per.within is bounded": {
		kind: "Behaviour", path: "spec.per.within", message: "must be more than 0s and at most 1000d",
		pass: "{spec: {per: {scope: Member, within: 1000d}}}", fail: "{spec: {per: {scope: Member, within: 1001d}}}",
	},
	"settle is bounded": {
		kind: "Behaviour", path: "spec.settle", message: "must be at most 365d",
		pass: "{spec: {settle: 0s}}", fail: "{spec: {settle: 366d}}",
	},
	"worth of a basis": {
		kind: "Behaviour", path: "spec.worth", message: "a basis is a denominator and never worth anything: only role Value has worth",
		pass: "{spec: {role: Value, worth: [{factor: f, amount: {low: '1', mid: '1', high: '1'}}]}}",
		fail: "{spec: {role: Basis, worth: [{factor: f, amount: {low: '1', mid: '1', high: '1'}}]}}",
	},
	"credit of a basis": {
		kind: "Behaviour", path: "spec", message: "a basis is nobody's deed: leave credit and benefits out, or None",
		pass: "{spec: {role: Basis, credit: None}}", fail: "{spec: {role: Basis, credit: Author}}",
	},
	"benefits of a basis": {
		kind: "Behaviour", path: "spec", message: "a basis is nobody's deed: leave credit and benefits out, or None",
		pass: "{spec: {role: Basis, benefits: None}}", fail: "{spec: {role: Basis, benefits: ThreadAuthor}}",
	},

	"objective's community stays": {
		kind: "Objective", path: "spec.communityRef.name", message: "cannot be changed: declare the objective again for the other community",
		old: "{}", pass: "{spec: {minimumCases: 30}}", fail: "{spec: {communityRef: {name: other}}}",
	},
	"share and count": {
		kind: "Objective", path: "spec.indicator", message: "exactly one of the fields in [share count] must be set",
		pass: "{spec: {indicator: {share: null, count: solved}}}", fail: "{spec: {indicator: {count: solved}}}",
	},
	"neither share nor count": {
		kind: "Objective", path: "spec.indicator", message: "exactly one of the fields in [share count] must be set",
		pass: "{}", fail: "{spec: {indicator: {share: null}}}",
	},
	"at least and at most": {
		kind: "Objective", path: "spec.target", message: "exactly one of the fields in [atLeast atMost] must be set",
		pass: "{spec: {target: {atLeast: null, atMost: '0.1'}}}", fail: "{spec: {target: {atMost: '0.9'}}}",
	},
	"neither at least nor at most": {
		kind: "Objective", path: "spec.target", message: "exactly one of the fields in [atLeast atMost] must be set",
		pass: "{}", fail: "{spec: {target: {atLeast: null}}}",
	},
	"a share is a ratio": {
		kind: "Objective", path: "spec.target", message: "the target of a share is a ratio between 0 and 1, such as 0.80",
		pass: "{spec: {target: {atLeast: '1'}}}", fail: "{spec: {target: {atLeast: '80'}}}",
	},
	"a count is none": {
		kind: "Objective", path: "spec.target", message: "the target of a share is a ratio between 0 and 1, such as 0.80",
		pass: "{spec: {indicator: {share: null, count: solved}, target: {atLeast: null, atMost: '80'}}}",
		fail: "{spec: {target: {atLeast: null, atMost: '1.01'}}}",
	},
	"rolling and calendar": {
		kind: "Objective", path: "spec.window", message: "exactly one of the fields in [rolling calendar] must be set",
		pass: "{spec: {window: {rolling: null, calendar: Quarter}}}", fail: "{spec: {window: {calendar: Quarter}}}",
	},
	"neither rolling nor calendar": {
		kind: "Objective", path: "spec.window", message: "exactly one of the fields in [rolling calendar] must be set",
		pass: "{}", fail: "{spec: {window: {rolling: null}}}",
	},
	"rolling is bounded": {
		kind: "Objective", path: "spec.window.rolling", message: "must be between 1d and 3650d",
		pass: "{spec: {window: {rolling: 24h}}}", fail: "{spec: {window: {rolling: 12h}}}",
	},
}

func TestRules(t *testing.T) {
	c := newChecker(t)
	for rowName, tc := range ruleRows {
		t.Run(rowName, func(t *testing.T) {
			var old *unstructured.Unstructured
			if tc.old != "" {
				old = manifest(t, tc.kind, tc.old)
				c.Default(old)
			}
			validate := func(change string) []Problem {
				obj := manifest(t, tc.kind, change)
				c.Default(obj)
				return c.Validate(obj, old)
			}
			if got := validate(tc.pass); len(got) != 0 {
				t.Errorf("%s is refused: %v", tc.pass, got)
			}
			var got []rule
			for _, p := range validate(tc.fail) {
				_, message, hasValue := strings.Cut(p.Message, `": `)
				if !hasValue {
					message = p.Message
				}
				got = append(got, rule{tc.kind, indexes.ReplaceAllString(p.Path, ""), message})
			}
			if diff := cmp.Diff([]rule{{tc.kind, tc.path, tc.message}}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.fail, diff)
			}
		})
	}
}

// TestEveryRuleHasARow keeps the table above complete.
func TestEveryRuleHasARow(t *testing.T) {
	covered := map[rule]bool{}
	for _, row := range ruleRows {
		covered[rule{row.kind, row.path, row.message}] = true
	}
	declared := declaredRules(t)
	if len(declared) < 30 {
		t.Fatalf("only %d rules found: the definitions are not read as a server reads them", len(declared))
	}
	for r, expression := range declared {
		if !covered[r] {
			t.Errorf("%s %s: no row for rule %s (%q)", r.Kind, r.Path, expression, r.Message)
		}
	}
	for r := range covered {
		if _, exists := declared[r]; !exists {
			t.Errorf("%s %s: a row for a rule that does not exist: %q", r.Kind, r.Path, r.Message)
		}
	}
}

func TestBoundsAndEnums(t *testing.T) {
	c := newChecker(t)
	tests := map[string]struct {
		kind, change string
		want         []Problem
	}{
		"an event that does not exist": {
			kind: "Behaviour", change: `{spec: {"on": [AnswerAcepted]}}`,
			want: []Problem{{Path: "spec.on[0]", Message: `"AnswerAcepted" is not one of its values`, Remedy: `did you mean "AnswerAccepted"?`}},
		},
		"an event twice": {
			kind: "Behaviour", change: `{spec: {"on": [AnswerAccepted, AnswerAccepted]}}`,
			want: []Problem{{Path: "spec.on[1]", Message: `"AnswerAccepted" is there twice`, Remedy: "leave one of them"}},
		},
		"a ratio as a number": {
			kind: "Objective", change: "{spec: {target: {atLeast: 0.8}}}",
			want: []Problem{{Path: "spec.target.atLeast", Message: `must be of type string: "number"`}},
		},
		"too many segments": {
			kind: "Community", change: `{spec: {segments: [` + strings.Join(segments(9), ", ") + `]}}`,
			want: []Problem{{Path: "spec.segments", Message: "Too many: 9: must have at most 8 items"}},
		},
		"a day that does not exist": {
			kind: "Objective", change: "{spec: {approach: {reviewOn: '2026-02-30'}}}",
			want: []Problem{{Path: "spec.approach.reviewOn", Message: `must be of type date: "2026-02-30"`}},
		},
		"a group too small": {
			kind: "Community", change: "{spec: {privacy: {minimumGroupSize: 1}}}",
			want: []Problem{{Path: "spec.privacy.minimumGroupSize", Message: "should be greater than or equal to 3"}},
		},
		"no title": {
			kind: "Community", change: "{spec: {title: null}}",
			want: []Problem{{Path: "spec.title", Message: "is required"}},
		},
		"a duration without a unit": {
			kind: "Channel", change: "{spec: {pollInterval: '60'}}",
			want: []Problem{
				{Path: "spec.pollInterval", Message: `"60": should match '^(([0-9]{1,5}(\.[0-9]{1,3})?(ms|s|m|h)){1,4}|([0-9]{1,4}(w|d|h|m|s|ms)){1,6})$'`},
				{Path: "spec.pollInterval", Message: `must be of type duration: "60"`},
			},
		},
		"a password in the proxy": {
			kind: "Channel", change: "{spec: {network: {proxyURL: 'http://u:p@proxy.example'}}}",
			want: []Problem{{Path: "spec.network.proxyURL", Message: "must be http://, https:// or socks5:// with a host and port, and without a user or password"}},
		},
		"two goals of one name": {
			kind: "Community", change: "{spec: {goals: [{name: a, title: A}, {name: a, title: B}]}}",
			want: []Problem{{Path: "spec.goals[1]", Message: `"map[name:a]" is there twice`, Remedy: "leave one of them"}},
		},
		"a since of its own": {kind: "Channel", change: "{spec: {since: '2024-01-01'}}"},
		"since everything":   {kind: "Channel", change: "{spec: {since: all}}"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			obj := manifest(t, tc.kind, tc.change)
			c.Default(obj)
			if diff := cmp.Diff(append([]Problem(nil), tc.want...), append([]Problem(nil), c.Validate(obj, nil)...)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func segments(n int) []string {
	var list []string
	for i := range n {
		list = append(list, "{name: s"+string(rune('a'+i))+", when: 'true'}")
	}
	return list
}
