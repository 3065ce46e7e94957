// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/ledger"
)

// Commands beside a hub in a pod get its ledger, one after the other, and it goes on after each.
func TestAHubLendsItsLedger(t *testing.T) {
	_, server := forum(t)
	p := newPods(t, server.URL, nil)
	p.deliver()
	hubProcess := p.startHub()
	connector, _ := p.startConnector(p.token("forum-connector"), nil)
	first := p.awaitStatus("the forum has been read", connected)
	if _, err := ledger.Open(t.Context(), filepath.Join(p.data, ledgerFile), ledger.Options{}); !errors.Is(err, ledger.ErrLocked) {
		t.Fatalf("the hub does not hold its ledger: %v", err)
	}
	o := LedgerOptions{DataDir: p.data}
	var commands sync.WaitGroup
	for range 3 {
		commands.Go(func() {
			std, out, said := stdio("")
			if err := LedgerCheck(t.Context(), std, o, 5); err != nil || !strings.Contains(out.String(), "The ledger is what its record") {
				t.Errorf("check: %v\n%s%s", err, out, said)
			}
			if !strings.Contains(said.String(), "has lent its ledger") {
				t.Errorf("it is not said that pages wait:\n%s", said)
			}
		})
	}
	commands.Wait()
	p.awaitStatus("the hub goes on", func(s wire.Status) bool { return s.ProblemReason == "" && s.LedgerID == first.LedgerID })

	// A command that is killed gives the ledger back too.
	ctx, kill := context.WithCancel(t.Context())
	std, _, _ := stdio("")
	back, err := borrow(ctx, std, p.data)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := p.status(t); err != nil || s.ProblemReason != wire.Maintenance {
		t.Errorf("status while a command has the ledger: %s %s %v", s.ProblemReason, s.Problem, err)
	}
	kill()
	back()
	p.awaitStatus("the hub goes on", func(s wire.Status) bool { return s.ProblemReason == "" })

	// A backup leaves by standard output and comes back by standard input; the hub need not stop for the first.
	std, backup, said := stdio("")
	if err := LedgerBackup(t.Context(), std, o, Standard); err != nil {
		t.Fatal(err, said)
	}
	std, _, said = stdio(backup.String())
	if err := LedgerRestore(t.Context(), std, o, Standard, true); err != nil {
		t.Fatal(err, said)
	}
	p.awaitStatus("the restored ledger is read on", func(s wire.Status) bool { return s.LedgerID == first.LedgerID && s.Channels[0].History == "Complete" })

	connector.end(t)
	hubProcess.end(t)
	std, _, _ = stdio("")
	if _, err := borrow(t.Context(), std, p.data); err == nil {
		t.Error("a hub that has ended lends its ledger")
	}
}
