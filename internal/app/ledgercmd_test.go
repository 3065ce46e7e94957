// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"path/filepath"
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
