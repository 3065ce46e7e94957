// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Version is the version of the form that this package writes, and the newest that it reads.
const Version = 1

// Encode gives the canonical JSON: the same blueprint always gives the same bytes.
func (b *Blueprint) Encode() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(b); err != nil {
		return nil, fmt.Errorf("encode the blueprint of %q: %w", b.Name, err)
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

// Digest is the SHA-256 of Encode, in hexadecimal. It is empty for a blueprint that cannot be encoded, which Compile
// never makes.
func (b *Blueprint) Digest() string {
	document, err := b.Encode()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

// Decode reads what Encode wrote. It refuses a newer version, and fields that it does not know: to leave them out would
// change what is counted.
func Decode(document []byte) (*Blueprint, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(document, &head); err != nil {
		return nil, fmt.Errorf("decode a blueprint: %w", err)
	}
	if head.Version < 1 || head.Version > Version {
		return nil, fmt.Errorf("decode a blueprint: it has version %d, and this program reads up to %d: use a newer one", head.Version, Version)
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	var b Blueprint
	if err := decoder.Decode(&b); err != nil {
		return nil, fmt.Errorf("decode a blueprint: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("decode a blueprint: there is something behind it")
	}
	return &b, nil
}

// Behaviour finds a behaviour by name; nil where there is none.
func (b *Blueprint) Behaviour(name string) *Behaviour {
	for i := range b.Behaviours {
		if b.Behaviours[i].Name == name {
			return &b.Behaviours[i]
		}
	}
	return nil
}
