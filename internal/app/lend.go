// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kith-dev/kith/internal/ledger"
)

// lendFile is the socket beside a ledger over which a command in the same pod asks the hub for it. Whoever may connect
// may read the ledger's file too.
const lendFile = "hub.sock"

// lent is the hub's word that the ledger is closed, and the command's to open.
const lent = "lent\n"

// lender takes the requests of commands for the ledger of a hub. They wait for their turn.
type lender struct {
	listener net.Listener
	asked    chan net.Conn
	waiting  sync.WaitGroup
}

// newLender listens beside a ledger that this process holds, so that a socket there is left over from another time.
func newLender(ctx context.Context, dataDir string) (*lender, error) {
	path := filepath.Join(dataDir, lendFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the socket of a hub before: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen beside the ledger: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("keep others from the socket beside the ledger: %w", err), l.Close())
	}
	x := &lender{listener: l, asked: make(chan net.Conn)}
	x.waiting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case x.asked <- c:
			case <-ctx.Done():
				_ = c.Close() // the hub ends: its ledger is free
			}
		}
	})
	return x, nil
}

func (x *lender) close() {
	_ = x.listener.Close() // it takes the socket with it
	x.waiting.Wait()
}

// lend gives the closed ledger away until the command that asked has ended.
func lend(ctx context.Context, c net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() }) // which ends the reading below
	defer stop()
	defer func() { _ = c.Close() }() // as above, or the command has closed it
	if _, err := c.Write([]byte(lent)); err != nil {
		return
	}
	_, _ = c.Read(make([]byte, 1)) // nothing comes but the end
}

// borrow asks the hub that holds a ledger for it. The ledger is free until back is called.
func borrow(ctx context.Context, std Stdio, dataDir string) (back func(), err error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dataDir, lendFile))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() }) // which ends the reading below
	defer stop()
	word, err := bufio.NewReaderSize(c, len(lent)).ReadString('\n')
	if err != nil || word != lent {
		return nil, errors.Join(fmt.Errorf("the hub does not lend its ledger (%q)", strings.TrimSpace(word)), err, c.Close())
	}
	fmt.Fprintln(std.Err, "The hub has lent its ledger: pages wait until this command has ended.")
	return func() { _ = c.Close() }, nil
}

// alone runs something that needs the ledger of a folder for itself, and borrows it from a hub in the same pod.
func alone(ctx context.Context, std Stdio, dataDir string, do func() error) error {
	err := do()
	if !errors.Is(err, ledger.ErrLocked) {
		return err
	}
	back, lendErr := borrow(ctx, std, dataDir)
	if lendErr != nil {
		std.Log.V(1).Info("The ledger cannot be borrowed", "error", lendErr.Error())
		return err
	}
	defer back()
	return do()
}
