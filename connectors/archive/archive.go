// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Name is the platform's name in the catalogue.
const Name = "archive"

// Connector reads one archive. What it remembers between calls is a listing that it could make again at any time.
type Connector struct {
	cfg      sdk.Config
	settings Settings
	path     string
	now      func() time.Time

	// mu makes calls wait for each other: they share the open archive.
	mu    sync.Mutex
	index *index
}

// newConnector checks what can be checked without looking at the archive.
func newConnector(cfg sdk.Config) (sdk.Connector, error) {
	var s Settings
	if err := sdk.ParseSettings(&s, cfg.Settings); err != nil {
		return nil, err
	}
	p, err := localPath(s.Path, cfg.URL)
	if err != nil {
		return nil, err
	}
	c := &Connector{cfg: cfg, settings: s, path: p, now: cfg.Now}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// localPath takes the setting, else the channel's address where that is a file. Both may be file:// URLs.
func localPath(setting, address string) (string, error) {
	p := setting
	if p == "" && (strings.HasPrefix(address, "file:") || filepath.IsAbs(address)) {
		p = address
	}
	if strings.HasPrefix(p, "file:") {
		u, err := url.Parse(p)
		if err != nil || u.Path == "" || (u.Host != "" && u.Host != "localhost") {
			return "", settingsError("settings.path is no usable file URL; write file:///absolute/path or a plain path")
		}
		p = u.Path
	}
	if p == "" {
		return "", settingsError("settings.path is missing: name the folder, .zip, .tar or .tar.gz with the topics")
	}
	return filepath.Clean(filepath.FromSlash(p)), nil
}

// maxRooms bounds the rooms that a probe names.
const maxRooms = 1000

// Probe lists the archive.
func (c *Connector) Probe(ctx context.Context) (sdk.Account, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x, err := c.open(ctx, true)
	if err != nil {
		return sdk.Account{}, err
	}
	a := sdk.Account{
		Channel: event.ChannelRef{Platform: c.settings.Platform, Instance: c.instance()},
		Title:   filepath.Base(c.path),
		Sees:    []string{fmt.Sprintf("%d topics", len(x.entries))},
		Lacks:   []string{"what happened after the export"},
	}
	if x.rooms.Known {
		a.Sees = append(a.Sees, "categories")
		for _, r := range x.rooms.Readable(c.cfg.Rooms) {
			a.Rooms = append(a.Rooms, r.Path)
		}
		slices.Sort(a.Rooms)
		a.Rooms = a.Rooms[:min(len(a.Rooms), maxRooms)]
	} else {
		a.Lacks = append(a.Lacks, "categories: neither "+categoriesFile+" nor "+siteFile+" is in it; rooms are called by their numbers")
	}
	if len(x.entries) == 0 {
		return a, c.failure("holds no topics; wanted are files named after the topic's number, as in t/123.json")
	}
	return a, nil
}

// instance is whose topics these are, so that a live channel of the same forum continues the same ledger.
func (c *Connector) instance() string {
	if c.settings.Instance != "" {
		return strings.ToLower(c.settings.Instance)
	}
	if u, err := url.Parse(c.cfg.URL); err == nil && u.Host != "" && u.Scheme != "file" {
		return strings.ToLower(u.Host) + strings.TrimRight(u.Path, "/")
	}
	return filepath.Base(c.path)
}

// base is the forum's address for links, empty where only a file is known.
func (c *Connector) base() string {
	u, err := url.Parse(c.cfg.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		if c.settings.Instance == "" {
			return ""
		}
		return "https://" + strings.TrimRight(c.instance(), "/")
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	u.Path = strings.TrimRight(u.Path, "/")
	return u.String()
}

// Read gives the next topics of Backfill, and in Live only up to when the archive speaks.
func (c *Connector) Read(ctx context.Context, lane event.Lane, cursor sdk.Cursor) (sdk.Page, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x, err := c.open(ctx, false)
	if err != nil {
		return sdk.Page{}, err
	}
	switch lane {
	case event.Live:
		return c.readLive(x, cursor)
	case event.Backfill:
		return c.readBackfill(ctx, x, cursor)
	}
	return sdk.Page{}, c.failure("has no lane " + string(lane))
}

// livePosition remembers when an archive was first seen, since a file does not say when it was exported.
type livePosition struct {
	Version int       `json:"v"`
	Listing string    `json:"listing"`
	Through time.Time `json:"through"`
}

func (c *Connector) readLive(x *index, cursor sdk.Cursor) (sdk.Page, error) {
	var pos livePosition
	if err := decodeCursor(cursor, &pos, func() bool { return pos.Version == cursorVersion }); err != nil {
		return sdk.Page{}, err
	}
	listing := x.digest(len(x.entries))
	if pos.Listing != listing {
		pos = livePosition{Version: cursorVersion, Listing: listing, Through: c.now().UTC().Truncate(time.Millisecond)}
	}
	if !c.settings.ExportedAt.IsZero() {
		pos.Through = c.settings.ExportedAt.UTC()
	}
	next, err := json.Marshal(pos)
	if err != nil {
		return sdk.Page{}, err
	}
	return sdk.Page{Next: next, CompleteThrough: pos.Through}, nil
}

// open gives the listing: the one at hand while the archive is as it was, or with again a new look in any case where a
// quick one cannot tell (files of a folder that were changed in place). The caller holds the lock.
func (c *Connector) open(ctx context.Context, again bool) (*index, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.index != nil && c.index.fresh() {
		if _, isFolder := c.index.source.(*folder); !again || !isFolder {
			return c.index, nil
		}
	}
	s, err := openSource(c.path, int64(c.settings.MaxTotalMiB)<<20)
	if err != nil {
		return nil, c.failureOf("cannot be read", err)
	}
	if c.index != nil {
		c.index.close()
		c.index = nil
	}
	x, err := newIndex(s)
	if err != nil {
		s.close()
		return nil, c.failureOf("does not tell its categories", err)
	}
	c.index = x
	return x, nil
}

// failure is an error about the archive that no repeat helps.
func (c *Connector) failure(what string) error { return c.failureOf(what, nil) }

func (c *Connector) failureOf(what string, err error) error {
	e := &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Err: err, Message: fmt.Sprintf("archive %s %s", c.path, what)}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Reason, e.Message = sdk.BadSettings, fmt.Sprintf("archive %s does not exist; correct settings.path", c.path)
	case errors.Is(err, fs.ErrPermission):
		e.Reason, e.Message = sdk.BadSettings, fmt.Sprintf("archive %s may not be read; give this user the right to", c.path)
	case err != nil:
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			err = pe.Err
		}
		e.Message += ": " + err.Error()
	}
	return e
}

func settingsError(message string) error {
	return &sdk.Error{Reason: sdk.BadSettings, Permanent: true, Message: message}
}
