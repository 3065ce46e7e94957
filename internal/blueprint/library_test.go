// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"path/filepath"
	"testing"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/config/library"
	"github.com/kith-dev/kith/internal/testing/builders"
)

// TestLibraryIsHonest compiles the ready-made behaviours, each with an objective on it: none is refused, and the guard
// has nothing to say.
func TestLibraryIsHonest(t *testing.T) {
	loaded, err := LoadDir(filepath.Join("..", "..", "config", "library"))
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Problems) > 0 {
		t.Fatalf("a cluster would refuse it: %v", loaded.Problems)
	}
	r := loaded.Resources
	if len(r.Behaviours) < 14 {
		t.Fatalf("there are only %d behaviours", len(r.Behaviours))
	}
	r.Communities = []*v1alpha1.Community{builders.MakeCommunity(library.Community).Factor("support-contact", "6", "9", "14").Obj()}
	for _, b := range r.Behaviours {
		o := builders.MakeObjective("on-" + b.Name).Count(v1alpha1.Name(b.Name))
		if b.Spec.Of != "" {
			o.Share(v1alpha1.Name(b.Name))
		}
		if b.Spec.Role != v1alpha1.RoleBasis {
			r.Objectives = append(r.Objectives, o.With(func(s *v1alpha1.ObjectiveSpec) { s.CommunityRef.Name = library.Community }).Obj())
		}
	}
	compiled, problems := Compile(r, nil)
	for _, p := range problems {
		t.Error(p)
	}
	if len(compiled.Behaviours) != len(r.Behaviours) || len(compiled.Objectives) != len(r.Objectives) {
		t.Errorf("%d of %d behaviours and %d of %d objectives are left", len(compiled.Behaviours), len(r.Behaviours),
			len(compiled.Objectives), len(r.Objectives))
	}
}
