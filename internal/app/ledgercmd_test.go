// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLedgerCommands(t *testing.T) {
	ctx := context.Background()
	o := LedgerOptions{DataDir: readQuickstart(t)}
	before := copyOut(t, o.DataDir)
	backup := filepath.Join(t.TempDir(), "backup.db")
	for _, step := range []struct {
		name string
		do   func(Stdio) error
		want string
	}{
		{"check", func(s Stdio) error { return LedgerCheck(ctx, s, o, 20) }, "The ledger is what its record of"},
		{"rebuild", func(s Stdio) error { return LedgerRebuild(ctx, s, o) }, "Counters have not moved"},
		{"retry", func(s Stdio) error { return LedgerRetry(ctx, s, o) }, "Tried 0 items again"},
		{"backup", func(s Stdio) error { return LedgerBackup(ctx, s, o, backup) }, "Backed up to"},
		{"restore", func(s Stdio) error { return LedgerRestore(ctx, s, o, backup, true) }, "Restored to"},
	} {
		std, out, said := stdio("")
		if err := step.do(std); err != nil || !strings.Contains(out.String(), step.want) {
			t.Fatalf("%s: %v\n%s%s", step.name, err, out, said)
		}
	}
	if diff := cmp.Diff(before, copyOut(t, o.DataDir)); diff != "" {
		t.Errorf("the ledger is another one (-before +after):\n%s", diff)
	}
}

// What the record comes to under other manifests is what reading under them from the start would have come to.
func TestRecomputeIsAsIfReadUnderTheManifests(t *testing.T) {
	ctx := context.Background()
	files := map[string]string{}
	for _, name := range []string{"community.yaml", "channel.yaml", "behaviours.yaml", "forum.zip"} {
		content, err := os.ReadFile(filepath.Join(quickstart, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(content)
	}
	// Before: questions fall due a day later, and there is little else.
	var few []string
	for _, doc := range strings.Split(files["behaviours.yaml"], "\n---\n") {
		if strings.Contains(doc, "\n  name: question-due\n") || strings.Contains(doc, "\n  name: answered-in-time\n") {
			few = append(few, strings.Replace(doc, "after: 24h", "after: 48h", 1))
		}
	}
	files["behaviours.yaml"] = strings.Join(few, "\n---\n")
	o := LedgerOptions{DataDir: t.TempDir()}
	std, _, said := stdio("")
	if err := Run(ctx, std, RunOptions{Folder: folder(t, files), DataDir: o.DataDir, ExitWhenRead: true, Output: OutputJSON}); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	before := copyOut(t, o.DataDir)

	std, read, said := stdio("")
	if err := Run(ctx, std, RunOptions{Folder: quickstart, DataDir: t.TempDir(), ExitWhenRead: true, Output: OutputJSON}); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var want report
	decode(t, read.String(), &want)
	std, out, said := stdio("")
	if err := LedgerRecompute(ctx, std, o, RecomputeOptions{Folder: quickstart, Output: OutputJSON}); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var got recomputed
	decode(t, out.String(), &got)
	if len(got.Behaviours) != len(want.Behaviours) || got.ActivityFrom.IsZero() {
		t.Fatalf("got %+v", got)
	}
	for i, w := range want.Behaviours {
		g := got.Behaviours[i]
		if g.ReadsText {
			continue // its texts are past their retention
		}
		if diff := cmp.Diff(w.All, g.Recomputed); diff != "" {
			t.Errorf("%s (-read under the manifests +recomputed):\n%s", w.Name, diff)
		}
		if known := slices.Contains([]string{"question-due", "answered-in-time"}, g.Name); g.Recorded != nil && (*g.Recorded > 0) != known {
			t.Errorf("%s: recorded %d", g.Name, *g.Recorded)
		}
	}
	if diff := cmp.Diff(before, copyOut(t, o.DataDir)); diff != "" {
		t.Errorf("the ledger is another one (-before +after):\n%s", diff)
	}

	std, out, _ = stdio("")
	if err := LedgerRecompute(ctx, std, o, RecomputeOptions{Folder: quickstart, Output: OutputText}); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"BEHAVIOUR ", "Activity is recorded from 2025-", "Nothing was changed."} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is not told:\n%s", line, out)
		}
	}
	for name, tc := range map[string]struct{ folder, output, want string }{
		"no folder":  {"", OutputText, "Give their folder with -f"},
		"bad output": {quickstart, "xml", "is not known"},
		"another community": {folder(t, map[string]string{"community.yaml": community("https://forum.example")["community.yaml"]}), OutputText,
			"the ledger is of community quickstart, the manifests are of acme"},
	} {
		std, _, _ := stdio("")
		if err := LedgerRecompute(ctx, std, o, RecomputeOptions{Folder: tc.folder, Output: tc.output}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestLedgerMustBeThere(t *testing.T) {
	std, _, _ := stdio("")
	if err := LedgerCheck(context.Background(), std, LedgerOptions{DataDir: t.TempDir()}, 1); err == nil || !strings.Contains(err.Error(), "there is no ledger") {
		t.Errorf("got %v", err)
	}
	if err := LedgerCheck(context.Background(), std, LedgerOptions{}, 1); ExitCode(err) != ExitUsage {
		t.Errorf("got %v, want an error of usage", err)
	}
}

// somebody is a member of the quickstart's forum.
const somebody = "nebelstone"

func TestMemberCommands(t *testing.T) {
	ctx := context.Background()
	o := LedgerOptions{DataDir: readQuickstart(t)}
	std, out, _ := stdio("")
	if err := MemberFind(ctx, std, o, somebody, OutputJSON); err != nil {
		t.Fatal(err)
	}
	var found []foundJSON
	decode(t, out.String(), &found)
	if len(found) != 1 || found[0].Handle != somebody {
		t.Fatalf("found %+v", found)
	}

	std, out, _ = stdio("")
	if err := MemberExport(ctx, std, o, found[0].Native); err != nil || !json.Valid([]byte(out.String())) || !strings.Contains(out.String(), somebody) {
		t.Errorf("export: %v", err)
	}

	for answer, want := range map[string]string{"no\n": "not confirmed", "": "--yes"} {
		std, _, _ = stdio(answer)
		if err := MemberErase(ctx, std, o, somebody, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("answered %q: %v", answer, err)
		}
	}
	std, out, _ = stdio("yes\n")
	if err := MemberErase(ctx, std, o, somebody, false); err != nil || !strings.Contains(out.String(), "What stays") {
		t.Fatalf("erase: %v\n%s", err, out)
	}
	std, _, _ = stdio("")
	if err := MemberFind(ctx, std, o, somebody, OutputText); err == nil {
		t.Error("an erased member was found")
	}
	if err := LedgerCheck(ctx, std, o, 20); err != nil {
		t.Errorf("after erasing: %v", err)
	}

	std, out, _ = stdio("")
	if err := MemberObject(ctx, std, o, "nebellampe"); err != nil || !strings.Contains(out.String(), "Noted") {
		t.Errorf("object: %v", err)
	}
}
