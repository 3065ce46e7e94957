// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kith-dev/kith/internal/ledger"
)

// MemberFind shows the accounts whose native id, handle or member id somebody gave.
func MemberFind(ctx context.Context, std Stdio, o LedgerOptions, who, output string) error {
	if err := checkOutput(output, OutputText, OutputJSON); err != nil {
		return err
	}
	return o.with(ctx, std, func(l *ledger.Ledger) error {
		found, err := findPeople(ctx, l, who)
		if err != nil {
			return err
		}
		if output == OutputJSON {
			return writeFoundJSON(std, found)
		}
		t := newTable("")
		t.row("MEMBER", "CHANNEL", "HANDLE", "NATIVE ID", "STATUS")
		for _, f := range found {
			t.row(f.ID, f.Channel, f.Handle, f.Native, f.Status.String())
		}
		_, err = fmt.Fprint(std.Out, t)
		return err
	})
}

func findPeople(ctx context.Context, l *ledger.Ledger, who string) ([]ledger.Found, error) {
	found, err := l.FindPeople(ctx, who)
	if err == nil && len(found) == 0 {
		err = ledger.ErrNoMember
	}
	return found, err
}

type foundJSON struct {
	Member  string `json:"member"`
	Channel string `json:"channel"`
	Handle  string `json:"handle,omitempty"`
	Native  string `json:"native"`
	Status  string `json:"status"`
}

func writeFoundJSON(std Stdio, found []ledger.Found) error {
	out := []foundJSON{}
	for _, f := range found {
		out = append(out, foundJSON{f.ID, f.Channel, f.Handle, f.Native, f.Status.String()})
	}
	e := json.NewEncoder(std.Out)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// MemberExport writes everything that is held about a person, as JSON.
func MemberExport(ctx context.Context, std Stdio, o LedgerOptions, who string) error {
	return o.with(ctx, std, func(l *ledger.Ledger) error {
		if err := onlyOne(ctx, l, who); err != nil {
			return err
		}
		export, err := l.ExportMember(ctx, who)
		if err != nil {
			return err
		}
		e := json.NewEncoder(std.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(export)
	})
}

// onlyOne keeps one person's affairs from being mixed with another's of the same handle.
func onlyOne(ctx context.Context, l *ledger.Ledger, who string) error {
	found, err := findPeople(ctx, l, who)
	if err != nil {
		return err
	}
	ids := map[string]bool{}
	var list []string
	for _, f := range found {
		if !ids[f.ID] {
			ids[f.ID] = true
			list = append(list, fmt.Sprintf("%s on %s", f.ID, f.Channel))
		}
	}
	if len(list) > 1 {
		return fmt.Errorf("that is more than one member (%s): give the member id of the one that is meant", strings.Join(list, ", "))
	}
	return nil
}

// MemberErase forgets a person, and says what is forgotten and what stays.
func MemberErase(ctx context.Context, std Stdio, o LedgerOptions, who string, yes bool) error {
	return o.with(ctx, std, func(l *ledger.Ledger) error {
		if err := onlyOne(ctx, l, who); err != nil {
			return err
		}
		if err := confirm(std, yes, "The member's accounts, texts and what waits are erased. It cannot be undone."); err != nil {
			return err
		}
		messages, err := l.EraseMember(ctx, who)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(std.Out, `Forgotten: the accounts with their ids, handles and names; the texts of %s; whatever waited to be processed.
What stays: that something was asked, answered or solved, as numbers under a random id that leads to nobody.
The accounts are blocked: what the platform still shows of them is not read again. Backups are erased when restored.
Not reached from here: the platform itself, and copies that others made of exports or reports.
`, count(messages, "message", "messages"))
		return err
	})
}

// MemberObject records that a person objects to being counted.
func MemberObject(ctx context.Context, std Stdio, o LedgerOptions, who string) error {
	return o.with(ctx, std, func(l *ledger.Ledger) error {
		if err := onlyOne(ctx, l, who); err != nil {
			return err
		}
		if err := l.ObjectMember(ctx, who); err != nil {
			return err
		}
		_, err := fmt.Fprintln(std.Out, "Noted: from now on the member has no level, is credited with nothing and counted as nobody's benefit. "+
			"What was counted before stays as numbers; kith member erase forgets the accounts.")
		return err
	})
}
