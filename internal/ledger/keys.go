// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Keys protect identities: one master key in use, and while rotating the one before it. From a master come a look-up
// key (a keyed hash is the only index of an identity) and a wrapping key (each identity has a key of its own, so that
// dropping that erases it).
type Keys struct {
	current, previous *masterKey
	// retired know the look-up keys of times gone by, under which the block-list knows whoever was erased then.
	retired []*masterKey
}

type masterKey struct {
	id     string
	lookup []byte
	wrap   cipher.AEAD
}

// NewKeys derives the keys from master secrets of at least 32 bytes; previous may be empty.
func NewKeys(current, previous []byte) (Keys, error) {
	c, err := deriveMaster(current)
	if err != nil {
		return Keys{}, err
	}
	k := Keys{current: c}
	if len(previous) > 0 {
		if k.previous, err = deriveMaster(previous); err != nil {
			return Keys{}, fmt.Errorf("previous key: %w", err)
		}
	}
	return k, nil
}

// Equal says whether both are the same keys.
func (k Keys) Equal(other Keys) bool {
	return k.current.same(other.current) && k.previous.same(other.previous)
}

func (m *masterKey) same(other *masterKey) bool {
	return m == other || m != nil && other != nil && m.id == other.id
}

func deriveMaster(secret []byte) (*masterKey, error) {
	if len(secret) < 32 {
		return nil, fmt.Errorf("the identity key has %d bytes and needs at least 32: make one with `openssl rand -hex 32`", len(secret))
	}
	part := func(info string) []byte {
		b, err := hkdf.Key(sha256.New, secret, []byte("kith.dev/identity/v1"), info, 32)
		if err != nil {
			panic(err) // only for lengths beyond 255 hashes
		}
		return b
	}
	aead, err := newAEAD(part("wrap"))
	if err != nil {
		return nil, err
	}
	return &masterKey{id: hex.EncodeToString(part("id")[:8]), lookup: part("lookup"), wrap: aead}, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// LoadOrMakeKey reads the master key at path (hex or raw), or makes one there, readable by its owner alone.
func LoadOrMakeKey(path string) ([]byte, error) {
	b, err := os.ReadFile(path) // #nosec G304 -- the operator names the key's place
	if errors.Is(err, fs.ErrNotExist) {
		fresh := make([]byte, 32)
		if _, err := rand.Read(fresh); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("make the folder of the identity key: %w", err)
		}
		if err := os.WriteFile(path, []byte(hex.EncodeToString(fresh)+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("write the identity key: %w", err)
		}
		return fresh, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the identity key: %w", err)
	}
	return DecodeKey(b), nil
}

// DecodeKey reads a master key as people keep it: hex where it is all hex digits, else its bytes.
func DecodeKey(b []byte) []byte {
	s := strings.TrimSpace(string(b))
	if raw, err := hex.DecodeString(s); err == nil && len(raw) >= 32 {
		return raw
	}
	return []byte(s)
}

// bind makes sure that the ledger was made with one of these keys, before anything is looked up in vain.
func (k Keys) bind(ctx context.Context, db *sql.DB) error {
	if k.current == nil {
		return errors.New("open the ledger: no identity key was given")
	}
	var id string
	err := db.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'key'").Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = db.ExecContext(ctx, "INSERT INTO meta (key, value) VALUES ('key', ?)", k.current.id)
		return err
	case err != nil:
		return err
	case id == k.current.id:
		return nil
	case k.previous != nil && id == k.previous.id:
		return nil // rotate moves it
	}
	return errors.New("the identity key does not fit this ledger: give the key it was made with (as `previous` beside a new `key` to rotate)")
}

// lookupSize is the length of a look-up hash in bytes.
const lookupSize = 20

func (m *masterKey) hash(channel int64, native string) []byte {
	h := hmac.New(sha256.New, m.lookup)
	fmt.Fprintf(h, "%d\x00%s", channel, native)
	return h.Sum(nil)[:lookupSize]
}

// seal encrypts with a fresh key of its own, and wraps that key.
func (m *masterKey) seal(plain []byte) (wrapped, sealed []byte, err error) {
	own := make([]byte, 32)
	if _, err := rand.Read(own); err != nil {
		return nil, nil, err
	}
	aead, err := newAEAD(own)
	if err != nil {
		return nil, nil, err
	}
	return m.wrap.Seal(nil, nil, own, nil), aead.Seal(nil, nil, plain, nil), nil // #nosec G407 -- the AEAD draws its own nonce
}

func (k Keys) open(keyID string, wrapped, sealed []byte) ([]byte, error) {
	m := k.byID(keyID)
	if m == nil {
		return nil, errors.New("an identity is under a key that was not given: add it as `previous`")
	}
	own, err := m.wrap.Open(nil, nil, wrapped, nil)
	if err != nil {
		return nil, fmt.Errorf("unwrap an identity's key: %w", err)
	}
	aead, err := newAEAD(own)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nil, sealed, nil)
}

func (k Keys) byID(id string) *masterKey {
	for _, m := range []*masterKey{k.current, k.previous} {
		if m != nil && m.id == id {
			return m
		}
	}
	return nil
}
