// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"testing"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/expr"
	"github.com/kith-dev/kith/internal/testing/builders"
)

// posted is a behaviour on messages with one expression.
func posted(when v1alpha1.Expression) *builders.BehaviourBuilder {
	return builders.MakeBehaviour("b").On(v1alpha1.MessagePosted).When(when)
}

func on(kind v1alpha1.EventType, when v1alpha1.Expression) *builders.BehaviourBuilder {
	b := builders.MakeBehaviour("b").On(kind).When(when)
	if kind == v1alpha1.ThreadAged {
		b.After("24h")
	}
	return b
}

func perMember(b *builders.BehaviourBuilder) *builders.BehaviourBuilder {
	return b.With(func(s *v1alpha1.BehaviourSpec) { s.Per.Scope = v1alpha1.ScopeMember })
}

// evasions count activity, however they are written.
var evasions = map[string]*builders.BehaviourBuilder{
	"nothing":                            builders.MakeBehaviour("b").On(v1alpha1.MessagePosted),
	"true":                               posted("true"),
	"a text":                             posted("size(event.text) > 0"),
	"a long text":                        posted("event.words > 100"),
	"or true":                            posted("event.accepted || true"),
	"true or":                            posted("true || event.answer"),
	"one or not":                         posted("event.answer || !event.answer"),
	"a question or not":                  posted("thread.question || !thread.question"),
	"text or not":                        posted("event.text != '' || event.text == ''"),
	"either arm":                         posted("thread.question ? true : true"),
	"arms that mean the same":            posted("event.answer ? author.party == 'Member' : author.party in ['Member']"),
	"an arm on text":                     posted("size(event.text) > 5 ? true : event.answer"),
	"numbers for true":                   posted("(event.answer ? 1 : 2) > 0"),
	"text for true":                      posted("string(event.answer) != ''"),
	"oneself":                            posted("author.id == author.id"),
	"oneself as somebody":                posted("author == author"),
	"anybody has an id":                  posted("size(thread.author.id) > 0"),
	"somebody else's name":               posted("thread.author.id != 'nobody'"),
	"an id's length":                     posted("size(author.id) == 26"),
	"nothing replied to":                 posted("author.id != parent.author.id"),
	"nobody accepted":                    posted("event.by.id != author.id"),
	"nobody is in a list":                posted("!(author.id in [parent.author.id, event.by.id])"),
	"more than none":                     posted("thread.responses >= 0"),
	"not many":                           posted("thread.responses < 1000000"),
	"not seven":                          posted("thread.usedBy != 7"),
	"never is long":                      posted("thread.firstResponseAfter > duration('1h')"),
	"all of nothing":                     posted("[].all(x, event.answer)"),
	"all of a list that is empty":        posted("[1].filter(x, event.answer).all(x, false)"),
	"any tag":                            posted("thread.tags.exists(t, size(t) > 0)"),
	"every level":                        posted("thread.author.level in ['newcomer', 'regular', 'other', 'unknown']"),
	"not a regular":                      posted("thread.author.level != 'regular'"),
	"every party":                        posted("thread.author.party in ['Member', 'Volunteer', 'Company', 'Agency', 'Bot']"),
	"own newcomers":                      posted("author.level == 'newcomer'"),
	"own first message":                  posted("author.firstContribution"),
	"own question":                       posted("event.question"),
	"own opening question":               posted("event.opening && thread.question"),
	"own reply":                          posted("event.reply"),
	"own thanks":                         posted("event.thanks"),
	"own links":                          posted("event.linksToSolved"),
	"own history":                        posted("author.messages >= 3"),
	"any second message":                 posted("author.sinceFirst > duration('0s')"),
	"an hour's absence":                  posted("author.silentFor > duration('1h')"),
	"any absence":                        perMember(posted("author.silentFor < duration('10s') || author.silentFor > duration('1d')")),
	"each message on later days":         posted("author.anotherDay"),
	"a variable hides it":                posted("variables.helps").Variable("helps", "size(event.text) > 0"),
	"variables hide it":                  posted("variables.b").Variable("a", "true").Variable("b", "variables.a || event.accepted"),
	"a variable that is not used":        posted("event.words > 3").Variable("helps", "event.answer"),
	"a question that is not meant":       posted("event.words > 3 && (thread.question || event.words > 2)"),
	"confirm that says nothing":          posted("event.words > 3").Confirm("event.accepted || true"),
	"no status is a status":              posted("event.status != 'done'"),
	"the kind it is on":                  posted("event.kind == 'MessagePosted'"),
	"members who join":                   on(v1alpha1.MemberJoined, "author.party == 'Member'"),
	"members are not threads":            on(v1alpha1.MemberJoined, "author.id != thread.author.id"),
	"members have no parents":            on(v1alpha1.MemberJoined, "parent.author.id != author.id && !parent.exists"),
	"likes":                              on(v1alpha1.ReactionAdded, "true"),
	"likes are for others":               on(v1alpha1.ReactionAdded, "author.id != thread.author.id"),
	"likes from others":                  on(v1alpha1.ReactionAdded, "event.by.id != author.id"),
	"threads":                            on(v1alpha1.ThreadOpened, "true"),
	"questions asked":                    on(v1alpha1.ThreadOpened, "thread.question"),
	"threads that are no duplicates":     on(v1alpha1.ThreadOpened, "!thread.duplicate"),
	"newcomers' threads":                 on(v1alpha1.ThreadOpened, "thread.author.level == 'newcomer'"),
	"threads grow old":                   on(v1alpha1.ThreadAged, "thread.age > duration('1h')"),
	"how-tos grow old":                   on(v1alpha1.ThreadAged, "thread.howTo"),
	"edits":                              on(v1alpha1.MessageEdited, "event.words > 10"),
	"edits by nobody":                    on(v1alpha1.MessageEdited, "event.by.id != author.id"),
	"one honest kind among others":       builders.MakeBehaviour("b").On(v1alpha1.AnswerAccepted, v1alpha1.MessagePosted),
	"an error in another's place":        posted("1 / (thread.responses + 1) == 1"),
	"a map that knows":                   posted("{false: true, true: true}[event.answer]"),
	"has() of what is always there":      posted("has(thread.responses)"),
	"type of":                            posted("type(event.answer) == bool"),
	"double negation":                    posted("!(!(size(event.text) > 0))"),
	"equal to itself":                    posted("thread.responses == thread.responses"),
	"a channel":                          posted("channel.platform == 'discourse'"),
	"a time of day":                      posted("now.getHours() > 8"),
	"the company in anybody's threads":   posted("author.party == 'Company'"),
	"short-circuit with another's state": posted("(event.answer && false) || event.words > 1"),
}

// honestOnes depend on somebody else. All ready-made behaviours are among them.
var honestOnes = map[string]*builders.BehaviourBuilder{
	"solved-by-member":     on(v1alpha1.AnswerAccepted, "author.party in ['Member', 'Volunteer'] && author.id != thread.author.id"),
	"long-waiting-rescued": posted("event.firstResponse && event.sinceAsked > duration('72h') && author.party in ['Member', 'Volunteer']"),
	"pointed-to-answer": posted("event.reply && event.linksToSolved && author.party in ['Member', 'Volunteer'] && author.id != thread.author.id").
		Confirm("event.accepted || event.thankedByAsker || thread.duplicate"),
	"pointed-to-answer by what comes of it": posted("event.reply && event.linksToSolved").
		Confirm("event.accepted || event.thankedByAsker || thread.duplicate"),
	"regular-helps-newcomer":         posted("event.answer && author.level == 'regular' && thread.author.level == 'newcomer'"),
	"newcomer-returned":              perMember(posted("author.anotherDay && author.sinceFirst <= duration('28d')")),
	"returned-after-silence":         perMember(posted("author.messages >= 3 && author.silentFor >= duration('90d') && (event.answer || thread.howTo || thread.feedback)")),
	"welcome-given":                  posted("parent.firstContribution && parent.author.id != author.id && !parent.question && event.sinceOpened <= duration('48h')"),
	"welcome-given by levels":        posted("author.level == 'regular' && parent.author.level == 'newcomer' && parent.firstContribution"),
	"how-to-shared":                  on(v1alpha1.ThreadAged, "!thread.question && (thread.howTo || 'how-to' in thread.tags) && thread.usedBy >= 2"),
	"feedback-given":                 on(v1alpha1.ThreadOpened, "thread.feedback && author.party in ['Member', 'Volunteer'] && !thread.duplicate"),
	"feedback-taken-up":              on(v1alpha1.ThreadAged, "thread.feedback && thread.answered"),
	"feedback-taken-up by status":    on(v1alpha1.ThreadUpdated, "thread.feedback && event.status != '' && event.statusReason"),
	"flag-upheld":                    on(v1alpha1.ModerationApplied, "true"),
	"question-due as basis":          on(v1alpha1.ThreadAged, "thread.question").Basis(),
	"feedback as basis":              on(v1alpha1.ThreadOpened, "thread.feedback").Basis(),
	"messages in questions as basis": posted("event.opening && thread.question").Basis(),
	"another author":                 posted("author.id != thread.author.id"),
	"another author, turned":         posted("!(thread.author.id == author.id)"),
	"another author, whole":          posted("author != thread.author"),
	"not among the others":           posted("!(author.id in [thread.author.id])"),
	"another party":                  posted("author.party == 'Member' && thread.author.party == 'Company'"),
	"an answer":                      posted("event.answer"),
	"a variable":                     posted("variables.helps && event.words > 5").Variable("helps", "event.answer || event.accepted"),
	"both arms":                      posted("size(event.text) > 100 ? event.accepted : event.firstResponse"),
	"an arm":                         posted("size(event.text) > 100 ? event.accepted : false"),
	"later use":                      posted("true").Confirm("thread.usedBy >= 2"),
	"a return":                       posted("author.silentFor >= duration('30d')"),
	"thanks by the asker":            posted("event.reply").Confirm("event.thankedByAsker"),
	"many responders":                on(v1alpha1.ThreadAged, "thread.responders >= 3"),
	"an outcome's kind":              builders.MakeBehaviour("b").On(v1alpha1.AnswerAccepted, v1alpha1.MessagePosted).When("event.kind == 'AnswerAccepted'"),
}

// doubtfulOnes depend on a question or a newcomer, who may be the author.
var doubtfulOnes = map[string]*builders.BehaviourBuilder{
	"in any question":         posted("thread.question"),
	"in a newcomer's thread":  posted("thread.author.level == 'newcomer'"),
	"after a first message":   posted("parent.firstContribution && !parent.question"),
	"replying to a question":  posted("parent.question && author.party == 'Member'"),
	"in threads for feedback": posted("thread.feedback && !event.opening"),
}

func TestGuard(t *testing.T) {
	groups := map[string]struct {
		rows map[string]*builders.BehaviourBuilder
		want finding
	}{
		"evasion":  {evasions, activity},
		"honest":   {honestOnes, honest},
		"doubtful": {doubtfulOnes, doubtful},
	}
	for group, g := range groups {
		for name, b := range g.rows {
			t.Run(group+"/"+name, func(t *testing.T) {
				if got := judged(t, b); got != g.want {
					t.Errorf("got %d, want %d for %v when %q", got, g.want, b.Obj().Spec.On, b.Obj().Spec.When)
				}
			})
		}
	}
}

func judged(t *testing.T, b *builders.BehaviourBuilder) finding {
	t.Helper()
	env, err := expr.NewEnv()
	if err != nil {
		t.Fatal(err)
	}
	c := &compiler{env: env, rejected: map[Key]bool{}}
	u := &unit{compiler: c, community: builders.MakeCommunity("acme").Obj(), out: &Blueprint{}, behaviours: []*v1alpha1.Behaviour{b.Obj()}}
	u.compileBehaviours()
	for _, p := range c.problems {
		if p.Severity == Error {
			t.Fatalf("the row itself is wrong: %v", p)
		}
	}
	return u.compiled["b"].finding
}
