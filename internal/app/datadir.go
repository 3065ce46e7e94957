// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/ledger"
)

// Names in a data folder.
const (
	ledgerFile = "ledger.db"
	keyFile    = "identity.key"
)

// DefaultDataDir is where a community's ledger lies unless somebody says otherwise: the place for state of the XDG base
// directory specification, else a hidden folder where kith was started.
func DefaultDataDir(community string) string {
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "kith", community)
	}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "kith", community)
	}
	return filepath.Join(".kith", community)
}

var (
	// errKey is wrapped where the identity keys cannot be used, errLedger where the ledger cannot.
	errKey    = errors.New("the identity key cannot be used")
	errLedger = errors.New("the ledger cannot be used")
)

// ledgerKeys finds the keys that protect identities: those of the Secret that the community names, else one of the data
// folder's own, made when it is first needed.
func ledgerKeys(dataDir, secretsDir string, community *v1alpha1.Community) (ledger.Keys, error) {
	var secret string
	if community != nil && community.Spec.Privacy.KeySecretRef != nil {
		secret = community.Spec.Privacy.KeySecretRef.Name
	}
	return identityKeys(dataDir, secretsDir, secret)
}

// identityKeys finds the keys of a Secret below a folder, else one of the data folder's own.
func identityKeys(dataDir, secretsDir, secret string) (ledger.Keys, error) {
	if secret == "" || secretsDir == "" {
		if err := keyBelongs(dataDir); err != nil {
			return ledger.Keys{}, err
		}
		current, err := ledger.LoadOrMakeKey(filepath.Join(dataDir, keyFile))
		if err != nil {
			return ledger.Keys{}, err
		}
		return ledger.NewKeys(current, nil)
	}
	folder := filepath.Join(secretsDir, secret)
	current, err := os.ReadFile(filepath.Join(folder, "key")) //nolint:gosec // the folder is the operator's
	if err != nil {
		return ledger.Keys{}, fmt.Errorf("the community's privacy.keySecretRef names %s: put a key of at least 32 random bytes into %s: %w",
			secret, filepath.Join(folder, "key"), err)
	}
	previous, err := os.ReadFile(filepath.Join(folder, "previous")) //nolint:gosec // as above
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ledger.Keys{}, fmt.Errorf("read the previous identity key: %w", err)
	}
	if len(previous) > 0 {
		previous = ledger.DecodeKey(previous)
	}
	return ledger.NewKeys(ledger.DecodeKey(current), previous)
}

// keyBelongs keeps a new key from being made for an old ledger, whose identities it could not read.
func keyBelongs(dataDir string) error {
	if _, err := os.Stat(filepath.Join(dataDir, ledgerFile)); err != nil {
		return nil // a new ledger
	}
	key := filepath.Join(dataDir, keyFile)
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the ledger in %s was made with an identity key that is not at %s: put it back, or name its Secret in "+
			"privacy.keySecretRef and give --secrets-dir", dataDir, key)
	}
	return nil
}

// openLedger opens the ledger of a data folder, and erases again whoever asked for it while a backup was kept.
func openLedger(ctx context.Context, dataDir string, keys ledger.Keys) (*ledger.Ledger, error) {
	l, err := ledger.Open(ctx, filepath.Join(dataDir, ledgerFile), ledger.Options{Keys: keys})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dataDir, err)
	}
	if _, err := l.ReplayErasures(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("erase again whoever asked for it: %w", err), l.Close())
	}
	return l, nil
}
