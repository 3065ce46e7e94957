// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

const (
	cursorVersion = 1
	// followed is how many items' comments feeds are looked at, the newest first; atOnce how many of them in one pass
	// of Live beside those whose number of comments has changed.
	followed = 100
	atOnce   = 10
	// maxComments is how many comments of one feed are remembered.
	maxComments = 200
	// maxHops bounds how many older documents are followed: in Live after a gap, and in Backfill.
	maxLiveHops, maxBackHops = 5, 10_000
)

// livePosition is what Live knows of the feed: a short digest of each item that it shows. A pass is the document and then
// the comments feeds in Queue; between passes Queue is empty and AsOf zero.
type livePosition struct {
	Version int `json:"v"`
	// URL is where the feed has moved to for good; empty: the channel's address.
	URL  string `json:"url,omitempty"`
	ETag string `json:"etag,omitempty"`
	Last string `json:"last,omitempty"`
	// Known are the items that the feed shows, by digest of their ids.
	Known map[string]known `json:"known"`

	// AsOf is the server's clock at the beginning of the running pass.
	AsOf time.Time `json:"asOf,omitzero"`
	// Stock is set on the first pass, which only takes stock: what is there already is Backfill's.
	Stock bool `json:"stock,omitempty"`
	// Gap is set while older documents are followed because none of the items was known; Follow is the one that is read.
	Gap    bool   `json:"gap,omitempty"`
	Follow string `json:"follow,omitempty"`
	Hops   int    `json:"hops,omitempty"`
	// Queue holds the keys of items whose comments are still to be read in this pass.
	Queue []string `json:"queue,omitempty"`
}

// known is what is remembered of an item.
type known struct {
	// Digest of its content.
	Digest string `json:"d"`
	// Seen is when an item without a date was first shown, Unix seconds.
	Seen int64 `json:"s,omitempty"`
	// Comments is its comments feed and ID the item's id; empty where it is not followed.
	Comments string `json:"c,omitempty"`
	ID       string `json:"i,omitempty"`
	// Count is how many comments the feed said there were; ETag and Last of the comments feed.
	Count int    `json:"n,omitempty"`
	ETag  string `json:"e,omitempty"`
	Last  string `json:"l,omitempty"`
	// New is set while the pass runs in which the item was first shown; Changed until its comments are queued.
	New     bool `json:"new,omitempty"`
	Changed bool `json:"-"`
	// Read is the digests of the comments that have been given, keyLength bytes each.
	Read string `json:"r,omitempty"`
}

// backPosition is where Backfill stands.
type backPosition struct {
	Version int `json:"v"`
	// URL is the document that is read next, channelAddress the first one; empty: only Queue is left.
	URL string `json:"url,omitempty"`
	// After is the last thing given of the document or comments feed that is being read.
	After place `json:"after,omitzero"`
	// AsOf is the server's clock when the first thing without a date was met.
	AsOf time.Time `json:"asOf,omitzero"`
	// Queue are comments feeds to read before URL.
	Queue []queued `json:"queue,omitempty"`
	Hops  int      `json:"hops,omitempty"`
	// Since is the horizon of this pass, Done that it has ended, Whole that it has reached the feed's first item.
	Since time.Time `json:"since,omitzero"`
	Done  bool      `json:"done,omitempty"`
	Whole bool      `json:"whole,omitempty"`
	// Items is how many have been given, for people.
	Items int64 `json:"items,omitempty"`
}

// channelAddress stands for the channel's own address, which may hold what does not belong into a cursor.
const channelAddress = "."

// place is a position in a document by date and id.
type place struct {
	At time.Time `json:"at,omitzero"`
	ID string    `json:"id,omitempty"`
}

// before says whether an item comes after the place.
func (p place) before(it item) bool {
	if c := it.at.Compare(p.At); c != 0 {
		return c > 0
	}
	return strings.Compare(it.id, p.ID) > 0
}

// queued is a comments feed and the item that it belongs to.
type queued struct {
	URL  string `json:"u"`
	Item string `json:"i"`
}

const keyLength = 8

// key is a short digest: collisions would need some 2^24 items of one feed.
func key(parts ...string) string {
	sum := sha256.Sum256([]byte(digest(parts...)))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// content is a digest of all that an item says.
func content(it item) string {
	edited := ""
	if !it.edited.IsZero() {
		edited = it.edited.Format(time.RFC3339)
	}
	return key(it.title, it.url, it.text, it.author.ID, edited, strings.Join(it.tags, "\x00"))
}

// position is one lane's cursor.
type position interface {
	// valid says whether this connector can have written it.
	valid() bool
}

func (p *livePosition) valid() bool {
	for _, k := range p.Known {
		if k.Comments != "" && !validID(k.ID) {
			return false
		}
	}
	return p.Version == cursorVersion
}

func (p *backPosition) valid() bool {
	for _, q := range p.Queue {
		if q.URL == "" || !validID(q.Item) {
			return false
		}
	}
	return p.Version == cursorVersion
}

func validID(id string) bool { return id != "" && len(id) <= event.MaxID }

// decode reads a cursor that this connector has written; a nil one leaves into as it is.
func decode(cursor sdk.Cursor, into position) error {
	if len(cursor) == 0 || string(cursor) == "null" {
		return nil
	}
	if err := json.Unmarshal(cursor, into); err != nil || !into.valid() {
		return &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Err: err, Message: fmt.Sprintf(
			"the stored position is none of connector %s (version %d); it was written by another version or connector", Name, cursorVersion)}
	}
	return nil
}
