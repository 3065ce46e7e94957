// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kith-dev/kith/internal/crdcheck"
)

const (
	acme    = "apiVersion: kith.dev/v1alpha1\nkind: Community\nmetadata: {name: acme}\nspec:\n  title: Acme\n"
	secret  = "apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\nstringData: {token: hunter2}\n"
	solved  = "apiVersion: kith.dev/v1alpha1\nkind: Behaviour\nmetadata: {name: solved}\nspec:\n  communityRef: {name: acme}\n  title: {en: Solved}\n  family: PeerSupport\n"
	channel = `{"apiVersion": "kith.dev/v1alpha1", "kind": "Channel", "metadata": {"name": "forum", "namespace": "other"},
  "spec": {"communityRef": {"name": "acme"}, "platform": "feed", "url": "https://acme.example/feed"}}`
)

func TestLoadDir(t *testing.T) {
	tests := map[string]struct {
		files     map[string]string
		want      []Key
		wantSaid  []string
		wantNotes []string
	}{
		"several files": {
			files: map[string]string{"a.yaml": "\ufeff" + acme, "b.json": channel, "c.yml": "---\n# nothing\n---\n"},
			want:  []Key{{"Community", "default", "acme"}, {"Channel", "other", "forum"}},
		},
		"several documents": {
			files: map[string]string{"a.yaml": "# a comment\n--- # another\n" + acme + "---\n" + solved + "  \"on\": [AnswerAccepted]\n"},
			want:  []Key{{"Community", "default", "acme"}, {"Behaviour", "default", "solved"}},
		},
		"other people's": {
			files: map[string]string{
				"a.yaml": secret + "---\n" + acme, "kustomization.yaml": "resources: [a.yaml]\n", "notes.txt": "hello", ".hidden.yaml": "[",
			},
			want: []Key{{"Community", "default", "acme"}},
			wantNotes: []string{
				"kustomization.yaml: skipped: kustomizations are not built, each file is read as it is",
				"a.yaml:1: skipped: Secret is none of Kith's kinds",
			},
		},
		"malformed": {
			files: map[string]string{"a.yaml": acme + "---\nkind: [\n", "b.yaml": "- a\n- b\n", "c.yaml": "just words\n"},
			want:  []Key{{"Community", "default", "acme"}},
			wantSaid: []string{
				"a.yaml:7: error: it is no YAML: line 7: did not find expected node content; correct it: nothing of this document is read",
				"b.yaml:1: error: it is no resource; write apiVersion, kind, metadata and spec",
				"c.yaml:1: error: it is no resource; write apiVersion, kind, metadata and spec",
			},
		},
		"invalid UTF-8": {
			files:    map[string]string{"a.yaml": "kind: \xff\xfe\n"},
			wantSaid: []string{"a.yaml:1: error: it is no YAML: invalid leading UTF-8 octet; correct it: nothing of this document is read"},
		},
		"a key twice": {
			files:    map[string]string{"a.yaml": acme + "  title: Again\n"},
			wantSaid: []string{`a.yaml:6: error: it is no YAML: line 6: key "title" already set in map; correct it: nothing of this document is read`},
		},
		"unknown fields": {
			files: map[string]string{"a.yaml": acme + "  privacy:\n    minimumGroupsize: 5\n    textRetention: 90 days\n"},
			wantSaid: []string{
				`a.yaml:7: error: Community acme: spec.privacy.minimumGroupsize: unknown field; did you mean "minimumGroupSize"?`,
				`a.yaml:8: error: Community acme: spec.privacy.textRetention: "90 days": should match '^(([0-9]{1,5}(\.[0-9]{1,3})?(ms|s|m|h)){1,4}|([0-9]{1,4}(w|d|h|m|s|ms)){1,6})$'`,
			},
		},
		"a bare on": {
			files:    map[string]string{"a.yaml": solved + "  on: [AnswerAccepted]\n"},
			want:     []Key{{"Behaviour", "default", "solved"}},
			wantSaid: []string{`a.yaml:8: warning: Behaviour solved: spec.on: a bare on is true to YAML, and kubectl refuses the field; write "on" in quotes`},
		},
		"two of one name": {
			files:    map[string]string{"a.yaml": acme, "b.yaml": acme},
			want:     []Key{{"Community", "default", "acme"}},
			wantSaid: []string{`b.yaml:3: error: Community acme: metadata.name: Community "acme" is also in DIR/a.yaml, line 1, which is used; rename or remove one of them`},
		},
		"no kind": {
			files:    map[string]string{"a.yaml": "metadata: {name: x}\n"},
			wantSaid: []string{"a.yaml:1: error: it is no resource: apiVersion and kind are missing; write apiVersion: kith.dev/v1alpha1 and a kind"},
		},
		"our kind, another group": {
			files:    map[string]string{"a.yaml": "kind: Community\napiVersion: kith.example/v1\n"},
			wantSaid: []string{"a.yaml:2: error: a Community of kith.example/v1 is none of Kith's; write apiVersion: kith.dev/v1alpha1"},
		},
		"our group, no such kind": {
			files:    map[string]string{"a.yaml": "apiVersion: kith.dev/v1alpha1\nkind: Behavior\nmetadata: {name: x}\n"},
			wantSaid: []string{`a.yaml:2: error: Behavior x: kind: "Behavior" is not a kind of kith.dev; did you mean "Behaviour"?`},
		},
		"too large": {
			files:    map[string]string{"a.yaml": strings.Repeat("#", MaxFileBytes+1)},
			wantSaid: []string{"a.yaml: error: has more than 4 MiB: divide it"},
		},
		"metadata that is none": {
			files:    map[string]string{"a.yaml": "apiVersion: kith.dev/v1alpha1\nkind: Community\nmetadata: [x]\nspec: 1\n"},
			wantSaid: []string{"a.yaml:3"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range tc.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			loaded, err := LoadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var keys []Key
			for key := range loaded.Resources.Origins {
				keys = append(keys, key)
			}
			if diff := cmp.Diff(tc.want, keys, cmpopts.SortSlices(func(a, b Key) bool { return a.Name < b.Name }), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("resources (-want +got):\n%s", diff)
			}
			if count := count(loaded.Resources); count != len(tc.want) {
				t.Errorf("there are %d resources, want %d", count, len(tc.want))
			}
			var said, notes []string
			for _, p := range loaded.Problems {
				line := strings.TrimPrefix(p.String(), dir+"/")
				said = append(said, strings.ReplaceAll(line, dir, "DIR"))
			}
			for _, n := range loaded.Notes {
				notes = append(notes, strings.TrimPrefix(n.String(), dir+"/"))
			}
			if name == "metadata that is none" {
				if len(said) == 0 {
					t.Error("nothing is said")
				}
				return
			}
			if diff := cmp.Diff(tc.wantSaid, said); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantNotes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			if strings.Contains(strings.Join(append(said, notes...), "\n"), "hunter2") {
				t.Error("a secret is told")
			}
		})
	}
}

func count(r Resources) int {
	return len(r.Communities) + len(r.Channels) + len(r.Behaviours) + len(r.Objectives)
}

func TestLoadDirThatCannotBeRead(t *testing.T) {
	if _, err := LoadDir(filepath.Join(t.TempDir(), "missing")); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("got %v, want an error that names the folder", err)
	}
}

func TestLines(t *testing.T) {
	const content = "a: 1\nspec:\n  on:\n  - x\n  - y: &anchor\n      z: 1\n  again: *anchor\n  \"a.b\": 2\n"
	l := newLines(document{[]byte(content), 10})
	tests := map[string]int{
		"": 10, "a": 10, "spec": 11, "spec.on": 12, "spec.on[0]": 13, "spec.on[1].y.z": 15, "spec.on[1].y.missing": 14,
		"spec.on[7]": 12, "spec.again.z": 15, "spec[a.b]": 17, "nowhere": 10,
	}
	for path, want := range tests {
		if got := l.of(path); got != want {
			t.Errorf("%q is on line %d, want %d", path, got, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		acme, secret, channel, solved + "  on: [AnswerAccepted]\n", "---\n---\n", "0:\n0", "a: &a [*a]\n", "- \xff", "{", "kind: Community\n",
		"apiVersion: kith.dev/v1alpha1\nkind: Behaviour\nspec: {on: {}}\n", "? [a]\n: b\n", "!!binary x: y\n",
	} {
		f.Add([]byte(seed))
	}
	checker, err := crdcheck.New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		l := newLoader(checker)
		l.file("fuzz.yaml", content)
		if got := count(l.out.Resources); got != len(l.out.Resources.Origins) {
			t.Fatalf("%d resources, %d origins", got, len(l.out.Resources.Origins))
		}
		last := 1
		for _, lineBreak := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} { // all of them are breaks to YAML
			last += strings.Count(string(content), lineBreak)
		}
		for _, p := range l.out.Problems {
			if p.Line < 0 || p.Line > last {
				t.Fatalf("a problem on line %d of %d: %v", p.Line, last, p)
			}
		}
		Compile(l.out.Resources, nil)
	})
}
