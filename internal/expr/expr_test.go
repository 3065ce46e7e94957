// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kith-dev/kith/api/event"
)

func newEnv(t testing.TB, variables ...Variable) *Env {
	t.Helper()
	env, err := NewEnv()
	if err != nil {
		t.Fatal(err)
	}
	env, problems := env.WithVariables(variables)
	if len(problems) > 0 {
		t.Fatalf("variables: %v", problems)
	}
	return env
}

// answered is a member's answer to a newcomer's question, four hours after it was asked.
func answered() *Input {
	at := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	asker := &Person{ID: "asker", Party: event.PartyMember, Level: event.Newcomer, HistoryKnown: true, At: at}
	author := &Person{
		ID: "helper", Party: event.PartyMember, Level: event.RegularL, HistoryKnown: true, Messages: 12,
		FirstAt: at.Add(-48 * time.Hour), LastAt: at.Add(-30 * time.Hour), At: at, Location: time.UTC, Roles: []string{"trusted"},
	}
	return &Input{
		Event: &Event{
			Kind: event.MessagePosted, Text: func() string { return "Have you tried turning it off and on again?" },
			Answer: true, Reply: true, FirstResponse: true, SinceOpened: 4 * time.Hour, Links: 1, By: nobody, Time: at,
		},
		Author:  author,
		Thread:  &Thread{ID: "t1", Room: "support/install", Tags: []string{"linux"}, Question: true, Author: asker, FirstResponseAfter: Never},
		Parent:  &Parent{Exists: true, Author: asker, Question: true, Age: 4 * time.Hour},
		Channel: &Channel{Name: "forum", Platform: "discourse"},
		Now:     at,
	}
}

func TestEvaluate(t *testing.T) {
	tests := map[string]struct {
		variables []Variable
		want      bool
	}{
		"":     {want: true},
		"true": {want: true},
		"author.party in ['Member', 'Volunteer'] && author.id != thread.author.id": {want: true},
		"author == thread.author":                                                {want: false},
		"thread.author == parent.author":                                         {want: true},
		"event.text.contains('off and on')":                                      {want: true},
		"thread.author.level == 'newcomer'":                                      {want: true},
		"event.sinceOpened <= duration('24h')":                                   {want: true},
		"event.sinceAsked <= duration('3h59m')":                                  {want: false},
		"author.silentFor >= duration('1d')":                                     {want: true},
		"parent.age <= duration('4h') && parent.age > duration('3h')":            {want: true},
		"author.silentFor >= duration('2d')":                                     {want: false},
		"author.sinceFirst == duration('48h')":                                   {want: true},
		"author.anotherDay":                                                      {want: true},
		"author.messages < 20 && author.messages > 11":                           {want: true},
		"thread.firstResponseAfter <= duration('7d')":                            {want: false},
		"thread.tags.exists(t, t == 'linux')":                                    {want: true},
		"'trusted' in author.roles":                                              {want: true},
		"has(event.by)":                                                          {want: false},
		"has(thread.author)":                                                     {want: true},
		"event.by.id == ''":                                                      {want: true},
		"event.kind == 'MessagePosted'":                                          {want: true},
		"thread.room.startsWith('support/')":                                     {want: true},
		"now - author.lastAt == duration('30h')":                                 {want: true},
		"thread.author.firstContribution":                                        {want: true},
		"[author, thread.author].exists(p, p.id == 'xy')":                        {want: false},
		"[author, thread.author].exists(p, p.party == 'Member' && has(p.roles))": {want: true},
		"variables.helps && !variables.own": {
			variables: []Variable{{"own", "author.id == thread.author.id"}, {"helps", "thread.question && !variables.own"}},
			want:      true,
		},
		"variables.limit > event.sinceOpened && size(variables.tags) == 1": {
			variables: []Variable{{"limit", "duration('1d')"}, {"tags", "thread.tags"}}, want: true,
		},
	}
	for expression, tc := range tests {
		t.Run(expression, func(t *testing.T) {
			p, err := newEnv(t, tc.variables...).Compile(expression)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Eval(answered())
			if err != nil || got != tc.want {
				t.Errorf("got %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

func TestUnknownHistoryIsNeverFew(t *testing.T) {
	in := answered()
	in.Author.HistoryKnown, in.Author.Messages = false, 0
	for _, expression := range []string{"author.messages < 3", "author.messages == 0", "author.firstContribution"} {
		p, err := newEnv(t).Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Eval(in); err != nil || got {
			t.Errorf("%s: got %v, %v; want false", expression, got, err)
		}
	}
}

func TestAnotherDayIsOfTheCommunitysCalendar(t *testing.T) {
	berlin := time.FixedZone("Berlin", 3600)
	first := time.Date(2026, 1, 10, 22, 30, 0, 0, time.UTC) // 23:30 in Berlin
	p := Person{FirstAt: first, At: first.Add(time.Hour), Location: berlin}
	if !p.anotherDay() {
		t.Error("an hour later, past midnight in Berlin, is the same day")
	}
	if p.Location = time.UTC; p.anotherDay() {
		t.Error("an hour later, before midnight in UTC, is another day")
	}
}

func TestCompileErrors(t *testing.T) {
	tests := map[string]struct {
		variables []Variable
		want      Errors
	}{
		"author.partty == 'Member'": {want: Errors{{1, 7, `author has no field "partty"`, `did you mean "party"?`}}},
		"true &&\n  thread.author.levl == 'newcomer'": {
			want: Errors{{2, 16, `thread.author has no field "levl"`, `did you mean "level"?`}}},
		"autor.id == 'x'": {want: Errors{{1, 1, `"autor" is not known`, `did you mean "author"?`}}},
		"author.party in ['Member', 'Volonteer']": {
			want: Errors{{1, 28, `party is never "Volonteer"`, `did you mean "Volunteer"?`}}},
		"thread.author.level == 'Newcomer'": {
			want: Errors{{1, 24, `level is never "Newcomer"`, `did you mean "newcomer"?`}}},
		"event.sinceOpened > duration('1 day')": {
			want: Errors{{1, 30, `"1 day" is not a duration: write a number and a unit, such as 90s, 24h, 28d or 2w`, ""}}},
		"event.text.matches('(')":          {want: Errors{{1, 20, "\"(\" is not a pattern: error parsing regexp: missing closing ): `(`", ""}}},
		"author.messages == 'many'":        {want: Errors{{1, 17, "== cannot be used with (int, string)", ""}}},
		"author.messages":                  {want: Errors{{0, 0, "the expression gives int, where true or false is needed", ""}}},
		"thread.tags.exists(author, true)": {want: Errors{{1, 19, `"author" is taken: name the list's element differently`, ""}}},
		"variables.helps":                  {want: Errors{{1, 10, `variables has no field "helps"`, ""}}},
		"variables.hepls":                  {variables: []Variable{{"helps", "true"}}, want: Errors{{1, 10, `variables has no field "hepls"`, `did you mean "helps"?`}}},
		"has(variables.helps)":             {variables: []Variable{{"helps", "true"}}, want: Errors{{0, 0, "has(variables.helps): a variable is always there", ""}}},
		"author.id ==":                     {want: Errors{{1, 13, "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}", ""}}},
		strings.Repeat("a", MaxLength+1):   {want: Errors{{0, 0, "the expression has 4097 bytes; at most 4096 can be used", ""}}},
		"author.roles.all(a, author.roles.all(b, author.roles.all(c, a + b + c != event.text)))": {
			want: Errors{{0, 0, "the expression may cost", ""}}},
		"variables.f": {variables: doubling(12), want: Errors{{0, 0, "with its variables put in, the expression has more than 5000 parts: use fewer variables", ""}}},
	}
	for expression, tc := range tests {
		name := expression[:min(len(expression), 60)]
		t.Run(name, func(t *testing.T) {
			env, err := NewEnv()
			if err != nil {
				t.Fatal(err)
			}
			env, problems := env.WithVariables(tc.variables)
			if len(problems) > 0 {
				err = problems[0].Err
			} else {
				_, err = env.Compile(expression)
			}
			var got Errors
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want Errors", err)
			}
			prefix := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Message" },
				cmp.Comparer(func(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }))
			if diff := cmp.Diff(tc.want, got, prefix); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// doubling are variables each of which uses the one before twice.
func doubling(n int) []Variable {
	variables := []Variable{{"a", "size(event.text) > 0"}}
	for i := 1; i < n; i++ {
		before, name := string(rune('a'+i-1)), string(rune('a'+i))
		variables = append(variables, Variable{name, "variables." + before + " && variables." + before})
	}
	return variables
}

func TestReads(t *testing.T) {
	tests := map[string]struct {
		variables []Variable
		want      []string
		wantText  bool
	}{
		"true": {},
		"author.id != thread.author.id && event.answer": {want: []string{"author.id", "event.answer", "thread.author.id"}},
		"size(event.text) > 10":                         {want: []string{"event.text"}, wantText: true},
		"thread.title != ''":                            {want: []string{"thread.title"}, wantText: true},
		"author == parent.author":                       {want: []string{"author", "parent.author"}},
		"variables.long": {
			variables: []Variable{{"long", "event.words > 50"}}, want: []string{"event.words"}, wantText: true},
		"thread.question": {
			variables: []Variable{{"long", "event.words > 50"}}, want: []string{"thread.question"}},
		"thread.tags.exists(t, t == thread.room) && now > event.time": {
			want: []string{"event.time", "now", "thread.room", "thread.tags"}},
		"has(event.by)": {want: []string{"event.by"}},
	}
	for expression, tc := range tests {
		t.Run(expression, func(t *testing.T) {
			p, err := newEnv(t, tc.variables...).Compile(expression)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, p.Reads(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("reads (-want +got):\n%s", diff)
			}
			if p.ReadsText() != tc.wantText {
				t.Errorf("ReadsText() = %v, want %v", p.ReadsText(), tc.wantText)
			}
		})
	}
}

func TestVariablesThatDoNotCompile(t *testing.T) {
	env, err := NewEnv()
	if err != nil {
		t.Fatal(err)
	}
	env, problems := env.WithVariables([]Variable{
		{"good", "thread.question"}, {"bad", "thread.qestion"}, {"good", "true"}, {"whole", "thread.author"},
		{"later", "variables.bad"},
	})
	var got []string
	for _, p := range problems {
		got = append(got, string(rune('0'+p.Index))+": "+p.Err.Error())
	}
	want := []string{
		`1: line 1, column 7: thread has no field "qestion"; did you mean "question"?`,
		`2: variable "good" is there twice: leave one of them`,
		`3: variable "whole" is a whole Person: name one of its fields`,
		`4: line 1, column 10: variables has no field "bad"; known are good`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if _, err := env.Compile("variables.good"); err != nil {
		t.Errorf("a good variable is taken down by a bad one: %v", err)
	}
}

func TestNoAnswerIsAnError(t *testing.T) {
	p, err := newEnv(t).Compile("1 / thread.responses > 0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Eval(answered()); err == nil || !strings.Contains(err.Error(), "division by zero") {
		t.Errorf("got %v, want a division by zero", err)
	}
}

func BenchmarkEval(b *testing.B) {
	tests := map[string]string{
		"typical":  "event.answer && author.party in ['Member', 'Volunteer'] && author.id != thread.author.id && event.sinceOpened <= duration('24h')",
		"one":      "event.firstResponse",
		"tags":     "thread.tags.exists(t, t == 'linux')",
		"contains": "event.text.contains('again')",
	}
	env := newEnv(b)
	in := answered()
	for name, expression := range tests {
		p, err := env.Compile(expression)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"true", "author.id != thread.author.id", "event.text.matches('a+')", "thread.tags.exists(t, t == 'x')",
		"has(event.by) ? 1 : 2", "variables.v", "\"\\u00e9\"", "[[[[", "author.roles.map(r, r).size() > 0", "a.b.c.d.e",
	} {
		f.Add(seed)
	}
	env := newEnv(f, Variable{"v", "thread.question"})
	in := answered()
	f.Fuzz(func(t *testing.T, expression string) {
		p, err := env.Compile(expression)
		if err != nil {
			var errs Errors
			if !errors.As(err, &errs) || len(errs) == 0 {
				t.Fatalf("%q: %T is no list of errors", expression, err)
			}
			return
		}
		_, _ = p.Eval(in) // an error is an answer; a panic is not
		for _, path := range p.Reads() {
			root, _, _ := strings.Cut(path, ".")
			if _, known := roots[root]; !known {
				t.Fatalf("%q reads %q, which is none of our variables", expression, path)
			}
		}
	})
}
