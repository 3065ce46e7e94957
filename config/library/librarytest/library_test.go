// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package librarytest_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/config/library"
	"github.com/kith-dev/kith/config/library/librarytest"
	"github.com/kith-dev/kith/internal/expr"
)

// behaviour is what these tests look at; the compiler checks the whole.
type behaviour struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		CommunityRef struct {
			Name string `json:"name"`
		} `json:"communityRef"`
		Title       map[string]string `json:"title"`
		Description map[string]string `json:"description"`
		On          []string          `json:"on"`
		Of          string            `json:"of"`
		Among       string            `json:"among"`
		When        string            `json:"when"`
		Confirm     string            `json:"confirm"`
		Variables   []struct {
			Name       string `json:"name"`
			Expression string `json:"expression"`
		} `json:"variables"`
	} `json:"spec"`
}

func behaviours(t *testing.T) map[string]behaviour {
	t.Helper()
	names, err := fs.Glob(library.Files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]behaviour{}
	for _, name := range names {
		text, err := fs.ReadFile(library.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		var b behaviour
		if err := yaml.Unmarshal(text, &b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, part := range []string{"# Why it matters: ", "# What it is for: ", "# What it is not: ", "# Not measurable: "} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s: the comment lacks %q", name, part)
			}
		}
		all[strings.TrimSuffix(name, ".yaml")] = b
	}
	return all
}

func TestEveryBehaviourIsComplete(t *testing.T) {
	env, err := expr.NewEnv()
	if err != nil {
		t.Fatal(err)
	}
	all := behaviours(t)
	for file, b := range all {
		t.Run(file, func(t *testing.T) {
			if b.Metadata.Name != file {
				t.Errorf("metadata.name is %q, want the file's name", b.Metadata.Name)
			}
			if b.Spec.CommunityRef.Name != library.Community {
				t.Errorf("communityRef.name is %q, want %q", b.Spec.CommunityRef.Name, library.Community)
			}
			for _, language := range []string{"de", "en"} {
				if b.Spec.Title[language] == "" || b.Spec.Description[language] == "" {
					t.Errorf("title or description is missing in %s", language)
				}
			}
			if (len(b.Spec.On) == 0) == (b.Spec.Of == "") {
				t.Errorf("on is %v and of is %q, want exactly one of them", b.Spec.On, b.Spec.Of)
			}
			if b.Spec.Of != "" && all[b.Spec.Of].Metadata.Name == "" {
				t.Errorf("of names %q, which is not in the library", b.Spec.Of)
			}
			var variables []expr.Variable
			for _, v := range b.Spec.Variables {
				variables = append(variables, expr.Variable{Name: v.Name, Expression: v.Expression})
			}
			typed, problems := env.WithVariables(variables)
			for _, p := range problems {
				t.Errorf("variables: %v", p)
			}
			for _, e := range []string{b.Spec.Among, b.Spec.When, b.Spec.Confirm} {
				if _, err := typed.Compile(e); err != nil {
					t.Errorf("%s: %v", e, err)
				}
			}
		})
	}
}

func TestEveryBehaviourHasConversations(t *testing.T) {
	files, err := librarytest.Load(os.DirFS("../testdata"))
	if err != nil {
		t.Fatal(err)
	}
	all := behaviours(t)
	tried := map[string]bool{}
	for _, file := range files {
		b, ok := all[file.Behaviour]
		if !ok {
			t.Errorf("%s: no such behaviour in the library", file.Behaviour)
		}
		tried[file.Behaviour] = true
		positive, negative := 0, 0
		for _, c := range file.Cases {
			if len(c.Expect) > 0 {
				positive++
			} else {
				negative++
			}
			if (c.Due != nil) != (b.Spec.Of != "") {
				t.Errorf("%s, %s: due is given exactly where the behaviour stands `of` another", file.Behaviour, c.Name)
			}
		}
		if positive < 3 || negative < 3 {
			t.Errorf("%s: %d cases that count and %d that do not, want at least 3 of each", file.Behaviour, positive, negative)
		}
	}
	for name := range all {
		if !tried[name] {
			t.Errorf("%s: no conversations in testdata", name)
		}
	}
}

func TestKustomizationListsEveryBehaviour(t *testing.T) {
	text, err := os.ReadFile("../kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var kustomization struct {
		Resources []string `json:"resources"`
	}
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		t.Fatal(err)
	}
	want, err := fs.Glob(library.Files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, kustomization.Resources); diff != "" {
		t.Errorf("resources of kustomization.yaml (-want +got):\n%s", diff)
	}
}

func TestLoadRejectsNamesThatLeadNowhere(t *testing.T) {
	const head = "behaviour: b\nchannel: {}\ncases:\n- name: c\n  parties: {mia: Member}\n"
	tests := map[string]struct {
		text, want string
	}{
		"unknown field":   {head + "  threads: []\n  expected: []\n", `unknown field "expected"`},
		"unknown speaker": {head + "  threads: [{id: t, room: r, title: x, messages: [{id: a, by: tom, text: x}]}]\n  expect: []\n", `"tom" is not among the parties`},
		"unknown thread":  {head + "  threads: []\n  expect: [{thread: t}]\n", `thread "t" is not there`},
		"dead link":       {head + "  threads: [{id: t, room: r, title: x, messages: [{id: a, by: mia, text: <thread:u>}]}]\n  expect: []\n", `links to thread "u"`},
		"late opening":    {head + "  threads: [{id: t, room: r, title: x, messages: [{id: a, by: mia, at: 1h, text: x}]}]\n  expect: []\n", "the first message opens the thread"},
		"bad offset":      {head + "  readThrough: soon\n  threads: []\n  expect: []\n", `offset "soon"`},
		"other name":      {"behaviour: a\nchannel: {}\ncases: []\n", "it must be the file's name"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := librarytest.Load(fstest.MapFS{"b.yaml": {Data: []byte(tc.text)}})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Load() error = %v, want one with %q", err, tc.want)
			}
		})
	}
}
