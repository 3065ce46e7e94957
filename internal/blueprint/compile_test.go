// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/testing/builders"
)

var update = flag.Bool("update", false, "write the golden files anew")

// platforms is a catalogue of two platforms, of which feed has no settings.
type platforms struct{}

func (platforms) Known() []string { return []string{"discourse", "feed"} }

func (platforms) Check(platform string, settings map[string]any) []FieldProblem {
	if platform == "feed" && len(settings) > 0 {
		return []FieldProblem{{Path: "bogus", Message: "unknown setting", Remedy: "feed has none"}}
	}
	return nil
}

func load(t testing.TB, name string) *Loaded {
	t.Helper()
	loaded, err := LoadDir(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// TestCompileGolden compares blueprint and problems of whole folders.
func TestCompileGolden(t *testing.T) {
	for _, name := range []string{"complete", "broken"} {
		t.Run(name, func(t *testing.T) {
			loaded := load(t, name)
			if len(loaded.Problems) > 0 {
				t.Fatalf("a cluster would refuse it: %v", loaded.Problems)
			}
			b, problems := Compile(loaded.Resources, platforms{})
			document, err := b.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, document, "", "  "); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".blueprint.json", pretty.String()+"\n")
			var lines strings.Builder
			for _, p := range problems {
				fmt.Fprintln(&lines, p)
			}
			golden(t, name+".problems.txt", lines.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update accepts it):\n%s", file, diff)
	}
}

func TestEncodeAndDecode(t *testing.T) {
	b, _ := Compile(load(t, "complete").Resources, platforms{})
	document, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(document)
	if err != nil {
		t.Fatal(err)
	}
	// Settings come back as JSON's own numbers, and so do the bytes.
	if diff := cmp.Diff(b, again, cmpopts.IgnoreFields(Channel{}, "Settings")); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	if b.Digest() != again.Digest() || len(b.Digest()) != 64 {
		t.Errorf("digests differ: %s and %s", b.Digest(), again.Digest())
	}
	for name, broken := range map[string]string{
		"a newer version":   strings.Replace(string(document), `"version":1`, `"version":2`, 1),
		"an unknown field":  strings.Replace(string(document), `"version":1`, `"version":1,"colour":"red"`, 1),
		"something behind":  string(document) + "{}",
		"half of it":        string(document[:len(document)/2]),
		"no version at all": "{}",
	} {
		if _, err := Decode([]byte(broken)); err == nil {
			t.Errorf("%s is decoded", name)
		}
	}
}

// TestOrderMeansNothing shuffles resources: the same bytes and the same problems come out.
func TestOrderMeansNothing(t *testing.T) {
	for _, name := range []string{"complete", "broken"} {
		t.Run(name, func(t *testing.T) {
			r := load(t, name).Resources
			want, wantProblems := Compile(r, platforms{})
			wantDocument, err := want.Encode()
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(t *rapid.T) {
				shuffled := Resources{
					Communities: r.Communities,
					Channels:    rapid.Permutation(r.Channels).Draw(t, "channels"),
					Behaviours:  rapid.Permutation(r.Behaviours).Draw(t, "behaviours"),
					Objectives:  rapid.Permutation(r.Objectives).Draw(t, "objectives"),
					Origins:     r.Origins,
				}
				got, gotProblems := Compile(shuffled, platforms{})
				gotDocument, err := got.Encode()
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(wantDocument, gotDocument) {
					t.Fatalf("another blueprint:\n%s", cmp.Diff(string(wantDocument), string(gotDocument)))
				}
				if diff := cmp.Diff(wantProblems, gotProblems); diff != "" {
					t.Fatalf("other problems:\n%s", diff)
				}
			})
		})
	}
}

// TestOneBadResourceTakesNoGoodOneDown compares with a compilation that never saw the bad ones.
func TestOneBadResourceTakesNoGoodOneDown(t *testing.T) {
	r := load(t, "complete").Resources
	want, _ := Compile(r, platforms{})
	bad := []*v1alpha1.Behaviour{
		builders.MakeBehaviour("bad-of").Of("nowhere").Obj(),
		builders.MakeBehaviour("bad-when").On(v1alpha1.MessagePosted).When("autor").Obj(),
		builders.MakeBehaviour("on-bad").Of("bad-when").Obj(),
		builders.MakeBehaviour("nothing").Obj(),
	}
	for _, order := range [][]*v1alpha1.Behaviour{append(slices.Clone(bad), r.Behaviours...), append(slices.Clone(r.Behaviours), bad...)} {
		with := r
		with.Behaviours = order
		with.Channels = append([]*v1alpha1.Channel{builders.MakeChannel("bad").Platform("fax").Obj()}, r.Channels...)
		with.Objectives = append([]*v1alpha1.Objective{builders.MakeObjective("bad").Count("bad-when").Obj()}, r.Objectives...)
		got, problems := Compile(with, platforms{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the good ones changed (-without +with):\n%s", diff)
		}
		names := map[string]bool{}
		for _, p := range problems {
			if p.Severity == Error {
				names[p.Kind+"/"+p.Name] = true
			}
		}
		for _, name := range []string{
			"Behaviour/bad-of", "Behaviour/bad-when", "Behaviour/on-bad", "Behaviour/nothing", "Channel/bad", "Objective/bad",
		} {
			if !names[name] {
				t.Errorf("nothing is said of %s", name)
			}
		}
	}
}

func TestCompileWithoutACommunity(t *testing.T) {
	acme := builders.MakeCommunity("acme").Obj()
	tests := map[string]struct {
		resources Resources
		want      []string
	}{
		"none at all": {
			want: []string{"error: Community: there is no Community; declare one: everything else belongs to it"}},
		"two": {
			resources: Resources{Communities: []*v1alpha1.Community{builders.MakeCommunity("b").Obj(), builders.MakeCommunity("a").Obj()}},
			want:      []string{"error: Community: there are several communities: a, b; give one at a time"}},
		"one twice": {
			resources: Resources{Communities: []*v1alpha1.Community{acme, acme}, Channels: []*v1alpha1.Channel{builders.MakeChannel("c").Obj()}},
			want: []string{
				`error: Channel c: spec.communityRef.name: there is no Community "acme"; declare it, or correct the name`,
				"error: Community acme: metadata.name: there are 2 of this name; rename or remove the others",
			}},
		"in another namespace": {
			resources: Resources{
				Communities: []*v1alpha1.Community{acme}, Channels: []*v1alpha1.Channel{builders.MakeChannel("c").Namespace("elsewhere").Obj()}},
			want: []string{`error: Channel c: spec.communityRef.name: there is no Community "acme"; declare it, or correct the name`}},
		"in no time zone": {
			resources: Resources{Communities: []*v1alpha1.Community{builders.MakeCommunity("acme").TimeZone("Mars/Olympus").Obj()}},
			want:      []string{`error: Community acme: spec.timeZone: "Mars/Olympus" is not a time zone; write an IANA name, such as Europe/Berlin or UTC`}},
		"in this machine's time zone": {
			resources: Resources{Communities: []*v1alpha1.Community{builders.MakeCommunity("acme").TimeZone("Local").Obj()}},
			want:      []string{`error: Community acme: spec.timeZone: "Local" is not a time zone; write an IANA name, such as Europe/Berlin or UTC`}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b, problems := Compile(tc.resources, nil)
			if (b == nil) == (name == "in another namespace") {
				t.Errorf("blueprint: %v", b)
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGenerationIsOfWhatCounts(t *testing.T) {
	generations := func(change func(*v1alpha1.BehaviourSpec), basis v1alpha1.Expression) string {
		t.Helper()
		b, problems := Compile(Resources{
			Communities: []*v1alpha1.Community{builders.MakeCommunity("acme").Factor("f", "1", "1", "1").Obj()},
			Behaviours: []*v1alpha1.Behaviour{
				builders.MakeBehaviour("due").Basis().On(v1alpha1.ThreadAged).After("1d").When(basis).Obj(),
				builders.MakeBehaviour("answered").Of("due").When("event.answer").With(change).Obj(),
			},
		}, nil)
		if b == nil || b.Behaviour("answered") == nil {
			t.Fatalf("problems: %v", problems)
		}
		return b.Behaviour("answered").Generation
	}
	nothing := func(*v1alpha1.BehaviourSpec) {}
	before := generations(nothing, "thread.question")
	if len(before) != 12 {
		t.Errorf("generation %q has not 12 digits", before)
	}
	same := map[string]func(*v1alpha1.BehaviourSpec){
		"title":  func(s *v1alpha1.BehaviourSpec) { s.Title["de"] = "Beantwortet" },
		"family": func(s *v1alpha1.BehaviourSpec) { s.Family = v1alpha1.FamilyWelcome },
		"worth": func(s *v1alpha1.BehaviourSpec) {
			s.Worth = []v1alpha1.Worth{{Factor: "f", Amount: v1alpha1.AmountRange{Low: "1", Mid: "1", High: "1"}}}
		},
		"what was the default": func(s *v1alpha1.BehaviourSpec) { s.Within, s.Credit = "24h", v1alpha1.CreditAuthor },
	}
	for name, change := range same {
		if generations(change, "thread.question") != before {
			t.Errorf("%s makes another generation", name)
		}
	}
	other := map[string]func(*v1alpha1.BehaviourSpec){
		"when":   func(s *v1alpha1.BehaviourSpec) { s.When = "event.firstResponse" },
		"within": func(s *v1alpha1.BehaviourSpec) { s.Within = "4h" },
		"settle": func(s *v1alpha1.BehaviourSpec) { s.Settle = "1h" },
		"scope":  func(s *v1alpha1.BehaviourSpec) { s.Per.Scope = v1alpha1.ScopeEvent },
	}
	for name, change := range other {
		if generations(change, "thread.question") == before {
			t.Errorf("%s makes no other generation", name)
		}
	}
	if generations(nothing, "thread.question && !thread.pinned") == before {
		t.Error("another basis makes no other generation")
	}
}
