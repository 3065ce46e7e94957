// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package resources

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-dev/kith/api/v1alpha1"
)

// finding is what a condition must say of a resource.
type finding struct {
	resource string
	// want is the condition Accepted, or Owned where it begins with that.
	want  string
	words []string
}

// judged are the manifests of testdata/conditions, which any schema lets through, and what is said of them: where it is,
// what is wrong, what to do.
var judged = map[string][]finding{
	"unknown-platform":           {{"channel/forum", "False UnknownPlatform", []string{"spec.platform", `did you mean "discourse"?`}}},
	"unknown-setting":            {{"channel/forum", "False InvalidSettings", []string{"spec.settings.pageSize", "there are", "postsPerRequest"}}},
	"setting-of-a-wrong-type":    {{"channel/forum", "False InvalidSettings", []string{"spec.settings.path", "must be text"}}},
	"url-with-a-password":        {{"channel/forum", "False InvalidSpec", []string{"spec.url", "put credentials into a Secret"}}},
	"room-pattern":               {{"channel/forum", "False InvalidSpec", []string{"spec.rooms.include[0]", `"support/[a" is not a pattern`, "write the path of a room"}}},
	"one-account-twice":          {{"channel/forum", "True Accepted", nil}, {"channel/mirror", "False InvalidSpec", []string{"spec.url", `Channel "forum" reads the same account`, "keep one"}}},
	"unknown-team":               {{"channel/forum", "False ReferenceMissing", []string{"spec.team", `did you mean "community"?`}}, {"channel/forum", "Owned False OwnerMissing", []string{"declare it there"}}},
	"no-team":                    {{"channel/forum", "True Accepted", []string{"spec.team"}}, {"channel/forum", "Owned False OwnerMissing", []string{"name one of the community's teams"}}},
	"since-before-the-retention": {{"channel/forum", "True Accepted", []string{"spec.since", "activityRetention", "will not be read"}}},
	"webhook":                    {{"channel/forum", "True Accepted", []string{"webhook is not used", "takes no calls in this version"}}},

	"misspelt-variable":        {{"behaviour/solved", "False InvalidExpression", []string{"spec.when: line 1, column 1", `did you mean "author"?`}}},
	"unknown-cel-field":        {{"behaviour/solved", "False InvalidExpression", []string{"spec.when: line 1, column 25", `author has no field "rank"`, "known are"}}},
	"unbalanced-cel":           {{"behaviour/solved", "False InvalidExpression", []string{"spec.when: line 1, column 31", "missing ')'"}}},
	"cel-that-is-no-condition": {{"behaviour/solved", "False InvalidExpression", []string{"spec.when", "gives int, where true or false is needed"}}},
	"cel-of-wrong-types":       {{"behaviour/solved", "False InvalidExpression", []string{"spec.when: line 1, column 17", "(int, string)"}}},
	"cel-literal-not-in-enum":  {{"behaviour/solved", "False InvalidExpression", []string{"spec.when: line 1, column 17", `did you mean "Member"?`}}},
	"of-nothing":               {{"behaviour/solved", "False ReferenceMissing", []string{"spec.of", `did you mean "question-due"?`}}, {"behaviour/question-due", "True Accepted", nil}},
	"of-itself":                {{"behaviour/solved", "False InvalidSpec", []string{"spec.of", "solved → solved", "break the chain"}}},
	"of-in-a-circle":           {{"behaviour/a", "False InvalidSpec", []string{"a → b → a"}}, {"behaviour/b", "False InvalidSpec", []string{"b → a → b"}}},
	"unknown-factor":           {{"behaviour/solved", "True Accepted", []string{"spec.worth[0].factor", "declare the factor in the Community's spec.value.factors"}}},
	"pair-without-a-side":      {{"behaviour/solved", "False InvalidSpec", []string{"spec.per.scope", "give credit and benefits"}}},

	"unknown-behaviour":               {{"objective/helped", "False ReferenceMissing", []string{"spec.indicator.count", `did you mean "solved"?`}}},
	"behaviour-not-accepted":          {{"behaviour/solved", "False InvalidExpression", nil}, {"objective/helped", "False DependencyNotAccepted", []string{`Behaviour "solved" is not accepted`, "correct that one first"}}},
	"share-of-nothing":                {{"objective/helped", "False InvalidSpec", []string{"spec.indicator.share", "has no of", "or count this one"}}},
	"objective-on-a-basis":            {{"objective/helped", "False InvalidSpec", []string{"spec.indicator.count", "a denominator only", "role Value"}}},
	"activity":                        {{"behaviour/posted", "True Accepted", []string{"counts activity"}}, {"objective/busy", "False CountsActivity", []string{"spec.indicator.count", "make it depend on somebody else", "activityBecause"}}},
	"activity-for-a-reason":           {{"objective/busy", "True ActivityStated", []string{"The licence of the platform is by messages"}}},
	"unknown-goal":                    {{"objective/helped", "False ReferenceMissing", []string{"spec.goal", `"fewer-tickets"`, "declare it, or correct the name"}}},
	"unknown-stakeholder":             {{"objective/helped", "False ReferenceMissing", []string{"spec.stakeholders[0]", "declare it, or correct the name"}}},
	"unknown-channel-in-the-audience": {{"objective/helped", "False ReferenceMissing", []string{"spec.audience.channels[0]", `Channel "forum"`, "declare it"}}},
	"audience-without-a-side":         {{"objective/helped", "False InvalidSpec", []string{"spec.audience.who", "give the behaviour benefits"}}},
	"window-beyond-the-retention":     {{"objective/helped", "False InvalidSpec", []string{"spec.window.rolling", "750d", "shorten the window"}}},

	"unknown-time-zone":             {{"community/acme", "False InvalidSpec", []string{"spec.timeZone", "such as Europe/Berlin"}}, {"channel/forum", "False DependencyNotAccepted", []string{"the Community is not accepted"}}},
	"unknown-currency":              {{"community/acme", "False InvalidSpec", []string{"spec.value.currency", "such as EUR"}}},
	"amounts-out-of-order":          {{"community/acme", "False InvalidSpec", []string{"spec.value.factors[0]", "low 9, mid 6"}}},
	"segment-about-threads":         {{"community/acme", "False InvalidExpression", []string{"spec.segments[0].when", "use fields of author and channel only"}}},
	"segment-that-does-not-compile": {{"community/acme", "False InvalidExpression", []string{"spec.segments[0].when: line 1, column 20", `did you mean "roles"?`}}},
	"retention-of-two-centuries":    {{"community/acme", "False InvalidSpec", []string{"spec.privacy.activityRetention"}}},
	"unknown-lead":                  {{"community/acme", "False ReferenceMissing", []string{"spec.lead.team", `did you mean "community"?`}}},
	"nobody-accountable":            {{"community/acme", "True Accepted", nil}, {"community/acme", "Owned False OwnerMissing", []string{"Moderation", "the role Accountable"}}},
	"two-accountable":               {{"community/acme", "Owned False OwnerMissing", []string{"spec.responsibilities[1]", "leave one, or divide it"}}},
	// This version keeps ledgers in SQLite only, and says so, whatever the number of replicas.
	"postgres":                   {{"community/acme", "False InvalidSpec", []string{"spec.ledger.postgres", "declare ledger.sqlite instead"}}},
	"postgres-with-two-replicas": {{"community/acme", "False InvalidSpec", []string{"spec.ledger.postgres", "declare ledger.sqlite instead"}}},
	// What stands under pod is the API server's to judge.
	"label-that-is-none":            {{"community/acme", "False InvalidSpec", []string{"spec.hub.pod", "labels", "Acme & Sons"}}},
	"node-selector-that-is-none":    {{"channel/forum", "False InvalidSpec", []string{"spec.connectors.pod", "nodeSelector", `"disk type"`}}},
	"toleration-that-is-none":       {{"community/acme", "False InvalidSpec", []string{"spec.hub.pod", "tolerations[0]"}}},
	"more-requested-than-the-limit": {{"community/acme", "False InvalidSpec", []string{"spec.hub.pod", "resources.requests"}}},
	"unknown-resource":              {{"community/acme", "False InvalidSpec", []string{"spec.hub.pod", "memroy"}}},
}

func TestWhatNoSchemaKnowsIsSaidByACondition(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "conditions", "*.yaml"))
	if err != nil || len(files) != len(judged) {
		t.Errorf("there are %d manifests and %d expectations: %v", len(files), len(judged), err)
	}
	_, places := newWorld(t, len(judged))
	for name, findings := range judged {
		place := places[0]
		places = places[1:]
		t.Run(name, func(t *testing.T) {
			p := place.in(t)
			file := filepath.Join("conditions", name+".yaml")
			if manifest, err := os.ReadFile(filepath.Join("testdata", file)); err != nil {
				t.Fatal(err)
			} else if !strings.Contains(string(manifest), "kind: Community\n") {
				p.apply("community.yaml")
			}
			p.apply(file)
			for _, f := range findings {
				condition, want := v1alpha1.ConditionAccepted, f.want
				if rest, owned := strings.CutPrefix(want, "Owned "); owned {
					condition, want = v1alpha1.ConditionOwned, rest
				}
				message := p.stands(f.resource, condition, want, f.words...)
				if strings.Contains(message, "hunter2") {
					t.Errorf("a secret in a condition: %s", message)
				}
			}
		})
	}
}
