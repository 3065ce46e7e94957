// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kith-dev/kith/internal/blueprint"
)

// The files of a community's configuration. The first two are compressed and cut into parts where they are large.
const (
	// FileBlueprint is what the hub runs (blueprint.Encode).
	FileBlueprint = "blueprint.json"
	// FileChannels is what connectors read (Channels).
	FileChannels = "channels.json"
	// FileAccess says who may call the hub (Access).
	FileAccess = "access.json"
	// FileCA is the root certificate, in PEM, that connectors trust for their hub.
	FileCA = "ca.crt"
)

// Bounds of a configuration. ConfigMaps take 1 MiB each.
const (
	// MaxParts is how many ConfigMaps one community's configuration may take.
	MaxParts = 4
	// maxPart is how many bytes of files one of them holds, with room left for names and labels.
	maxPart = 900 << 10
	// maxPlain is up to how many bytes a document stays readable as it is.
	maxPlain = 256 << 10
	// MaxDocument is how large one document may be before compression.
	MaxDocument = 64 << 20
)

// ErrTooLarge is wrapped by errors about a configuration beyond its bounds.
var ErrTooLarge = errors.New("the configuration is too large")

// ErrIncomplete is wrapped where parts are missing or do not belong together: they are mounted one after the other,
// and fit again within the kubelet's next sync.
var ErrIncomplete = errors.New("the configuration is not complete yet")

// Channels is FileChannels: the channels of a community as connectors need them.
type Channels struct {
	Namespace string    `json:"namespace,omitempty"`
	Community string    `json:"community"`
	Channels  []Channel `json:"channels,omitempty"`
}

// Channel is one of them, with the generation of its resource, which its reader's state repeats.
type Channel struct {
	Generation int64             `json:"generation"`
	Channel    blueprint.Channel `json:"channel"`
}

// Access is FileAccess: who may call a community's hub. Tokens are ServiceAccount tokens, bound to a pod, that the
// cluster signed; they are checked against the issuer's published keys, so that a hub needs no access to the cluster.
type Access struct {
	// Issuer and Keys (a JSON Web Key Set) are the cluster's own.
	Issuer string          `json:"issuer"`
	Keys   json.RawMessage `json:"keys"`
	// Namespace is where the accounts below live; Audience is what their tokens are for.
	Namespace string    `json:"namespace"`
	Audience  string    `json:"audience"`
	Accounts  []Account `json:"accounts,omitempty"`
	// Operator may read the whole status with a token for AudienceStatus.
	Operator OperatorAccount `json:"operator"`
}

// Account is the ServiceAccount of a connector, and the channels that it may speak for.
type Account struct {
	Name     string   `json:"name"`
	Channels []string `json:"channels"`
}

// OperatorAccount is the ServiceAccount of the operator.
type OperatorAccount struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// Files are everything that is delivered to one community.
type Files struct {
	Blueprint *blueprint.Blueprint
	Channels  Channels
	Access    Access
	// CA is PEM.
	CA []byte
}

// index tells how a document was cut: into Parts files from NAME.gz.FIRST on, whose concatenation is a gzip stream of a
// document with this digest. A file has the number of the ConfigMap that it is in, so that it is known beforehand which
// file can be in which: the items of a projected volume must not name one path twice.
type index struct {
	First  int    `json:"first,omitempty"`
	Parts  int    `json:"parts"`
	Digest string `json:"digest"`
}

// Encode gives the data of the ConfigMaps: the first always, more only where needed. The same files give the same bytes.
func (f *Files) Encode() ([]map[string][]byte, error) {
	bp, err := f.Blueprint.Encode()
	if err != nil {
		return nil, err
	}
	channels, err := json.Marshal(f.Channels)
	if err != nil {
		return nil, fmt.Errorf("encode the channels of %q: %w", f.Channels.Community, err)
	}
	access, err := json.Marshal(f.Access)
	if err != nil {
		return nil, fmt.Errorf("encode who may call the hub of %q: %w", f.Channels.Community, err)
	}
	maps := []map[string][]byte{{FileAccess: access, FileCA: f.CA}}
	used := len(access) + len(f.CA)
	put := func(name string, data []byte) {
		last := len(maps) - 1
		maps[last][name] = data
		used += len(name) + len(data)
	}
	for _, d := range []struct {
		name string
		doc  []byte
	}{{FileChannels, channels}, {FileBlueprint, bp}} {
		if len(d.doc) > MaxDocument {
			return nil, fmt.Errorf("%w: %s has %d bytes of at most %d", ErrTooLarge, d.name, len(d.doc), MaxDocument)
		}
		if len(d.doc) <= maxPlain && len(maps) == 1 && used+len(d.doc) <= maxPart {
			put(d.name, d.doc)
			continue
		}
		packed, err := pack(d.doc)
		if err != nil {
			return nil, fmt.Errorf("compress %s: %w", d.name, err)
		}
		if used >= maxPart {
			maps, used = append(maps, map[string][]byte{}), 0
		}
		ix := index{First: len(maps) - 1}
		for ; len(packed) > 0; ix.Parts++ {
			if ix.Parts > 0 {
				maps, used = append(maps, map[string][]byte{}), 0
			}
			n := min(maxPart-used, len(packed))
			put(part(d.name, len(maps)-1), packed[:n])
			packed = packed[n:]
		}
		if len(maps) > MaxParts {
			return nil, fmt.Errorf("%w: with %s it takes %d ConfigMaps (of 900 KiB) of at most %d; declare fewer or smaller channels and behaviours, or divide the community",
				ErrTooLarge, d.name, len(maps), MaxParts)
		}
		sum := sha256.Sum256(d.doc)
		ix.Digest = hex.EncodeToString(sum[:])
		head, err := json.Marshal(ix)
		if err != nil {
			return nil, fmt.Errorf("encode the index of %s: %w", d.name, err)
		}
		// It is small, and the room kept free in the first part is for it.
		maps[0][d.name+".index"] = head
	}
	return maps, nil
}

// HubFiles are all keys that a hub is given.
func HubFiles() []string { return every(HubItems) }

// ConnectorFiles are all keys that a connector is given.
func ConnectorFiles() []string { return every(ConnectorItems) }

// HubItems are the keys that a hub is given of the ConfigMap with a number from 0 to MaxParts-1, for the items of a
// projected volume whose sources are optional: most are not there most of the time.
func HubItems(n int) []string {
	items := []string{part(FileBlueprint, n)}
	if n == 0 {
		items = append(items, FileBlueprint, FileBlueprint+".index", FileAccess)
	}
	return items
}

// ConnectorItems are those of connectors; see HubItems.
func ConnectorItems(n int) []string {
	items := []string{part(FileChannels, n)}
	if n == 0 {
		items = append(items, FileChannels, FileChannels+".index", FileCA)
	}
	return items
}

func every(items func(n int) []string) []string {
	var out []string
	for n := range MaxParts {
		out = append(out, items(n)...)
	}
	return out
}

// part is the name of the piece of a document in the ConfigMap with a number.
func part(name string, n int) string { return fmt.Sprintf("%s.gz.%d", name, n) }

// LoadBlueprint reads FileBlueprint from a folder.
func LoadBlueprint(dir string) (*blueprint.Blueprint, error) {
	doc, err := load(dir, FileBlueprint)
	if err != nil {
		return nil, err
	}
	return blueprint.Decode(doc)
}

// LoadChannels reads FileChannels from a folder.
func LoadChannels(dir string) (*Channels, error) {
	var out Channels
	return &out, loadJSON(dir, FileChannels, &out)
}

// LoadAccess reads FileAccess from a folder.
func LoadAccess(dir string) (*Access, error) {
	var out Access
	return &out, loadJSON(dir, FileAccess, &out)
}

func loadJSON(dir, name string, into any) error {
	doc, err := load(dir, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(doc, into); err != nil {
		return fmt.Errorf("read %s in %s: %w", name, dir, err)
	}
	return nil
}

// load gives a document as it was before it was cut.
func load(dir, name string) ([]byte, error) {
	plain, err := read(dir, name)
	if err == nil {
		return plain, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	head, err := read(dir, name+".index")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no %s in %s; the operator writes it", ErrIncomplete, name, dir)
	}
	if err != nil {
		return nil, err
	}
	var ix index
	if err := json.Unmarshal(head, &ix); err != nil || ix.Parts < 1 || ix.First < 0 || ix.Parts > MaxParts-ix.First || ix.First >= MaxParts {
		return nil, fmt.Errorf("read %s.index in %s: it is no index of 1 to %d parts", name, dir, MaxParts)
	}
	var packed bytes.Buffer
	for i := range ix.Parts {
		piece, err := read(dir, part(name, ix.First+i))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: part %d of %s is missing in %s", ErrIncomplete, i, name, dir)
		}
		if err != nil {
			return nil, err
		}
		packed.Write(piece)
	}
	doc, err := unpack(&packed)
	if err != nil {
		return nil, fmt.Errorf("%w: the parts of %s in %s cannot be joined: %w", ErrIncomplete, name, dir, err)
	}
	if sum := sha256.Sum256(doc); hex.EncodeToString(sum[:]) != ix.Digest {
		return nil, fmt.Errorf("%w: the parts of %s in %s are not of one writing", ErrIncomplete, name, dir)
	}
	return doc, nil
}

func read(dir, name string) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, filepath.Base(name))) //nolint:gosec // The folder is the operator's, the names are ours.
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	doc, err := io.ReadAll(io.LimitReader(f, MaxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	if len(doc) > MaxDocument {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, name, MaxDocument)
	}
	return doc, nil
}

// pack compresses without a time or a name, so that the same document gives the same bytes.
func pack(doc []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(doc); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpack(packed io.Reader) ([]byte, error) {
	r, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	doc, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(doc) > MaxDocument {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxDocument)
	}
	return doc, r.Close()
}

// SecretFile is where a key of a Secret is found below DirSecrets.
func SecretFile(secret, key string) string { return strings.Join([]string{secret, key}, "/") }
