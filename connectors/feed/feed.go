// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Name is the platform's name in the catalogue.
const Name = "feed"

// Values of Settings.Comments.
const (
	CommentsFollow = "Follow"
	CommentsIgnore = "Ignore"
)

// Settings of a feed.
type Settings struct {
	Comments string `kith:"name=comments,default=Follow,enum=Follow|Ignore,help=Whether the comments feeds that items name are read too."`
	MaxItems int    `kith:"name=maxItems,default=500,min=1,max=2000,help=How many items of one document are looked at, the newest first."`
}

// Descriptor declares the platform.
func Descriptor() sdk.Descriptor {
	return sdk.Descriptor{
		Name: Name, Title: "RSS, Atom or JSON Feed", Maturity: "Beta",
		Summary:  "What a feed shows, with its comments feeds.",
		Settings: &Settings{},
		Secrets: []sdk.SecretKey{
			{Name: "token", Help: "A token that the feed wants as Authorization: Bearer."},
			{Name: "username", Help: "A user name for feeds that ask for one (HTTP Basic)."},
			{Name: "password", Help: "The password that belongs to username."},
		},
		RoomSyntax: "a feed has no rooms",
		Fidelity: sdk.Fidelity{
			Edits: sdk.EditsLatest, Removals: sdk.RemovalsNone, Reactions: sdk.ReactionsNone, Acceptance: sdk.AcceptanceNone,
		},
		New:   newConnector,
		Lanes: []event.Lane{event.Live, event.Backfill},
	}
}

// Connector reads one feed.
type Connector struct {
	cfg      sdk.Config
	settings Settings
	http     *sdk.HTTP
	address  *url.URL
	now      func() time.Time
}

func newConnector(cfg sdk.Config) (sdk.Connector, error) {
	c := &Connector{cfg: cfg, http: cfg.HTTP, now: cfg.Now}
	if err := sdk.ParseSettings(&c.settings, cfg.Settings); err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, &sdk.Error{Reason: sdk.BadSettings, Permanent: true, Message: "url is no http or https address: " + sdk.ScrubURL(cfg.URL)}
	}
	c.address = u
	if c.http == nil {
		c.http = sdk.NewHTTP(sdk.HTTPOptions{})
	}
	if c.now == nil {
		c.now = time.Now
	}
	if cfg.Secrets != nil {
		c.http = c.http.WithCredential(cfg.URL, c.credential)
	}
	return c, nil
}

// credential adds what the Secret holds now.
func (c *Connector) credential(h http.Header) bool {
	if token, ok := c.cfg.Secrets("token"); ok {
		h.Set("Authorization", "Bearer "+token)
		return true
	}
	user, ok := c.cfg.Secrets("username")
	if !ok {
		return false
	}
	password, _ := c.cfg.Secrets("password")
	h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	return true
}

// Probe fetches the feed once.
func (c *Connector) Probe(ctx context.Context) (sdk.Account, error) {
	d, err := c.fetch(ctx, c.cfg.URL, condition{})
	if err != nil {
		return sdk.Account{}, err
	}
	a := sdk.Account{
		Channel: event.ChannelRef{Platform: Name, Instance: c.instance()}, Title: d.title, ServerTime: d.served,
		Sees:  []string{fmt.Sprintf("%d items of %s", len(d.items), d.kind)},
		Lacks: []string{"removals, reactions and accepted answers: feeds do not show them"},
	}
	switch withComments := d.commented(); {
	case withComments > 0 && c.settings.Comments == CommentsFollow:
		a.Sees = append(a.Sees, fmt.Sprintf("the comments of %d items", withComments))
	case withComments == 0:
		a.Lacks = append(a.Lacks, "comments: the items name no comments feed on the feed's own host")
	}
	if d.next == "" {
		a.Lacks = append(a.Lacks, "items older than those that the feed shows")
	}
	if d.movedTo != "" {
		a.Lacks = append(a.Lacks, "the feed has moved for good to "+sdk.ScrubURL(d.movedTo)+"; it is followed, set url to it")
	}
	return a, nil
}

// instance names the feed without what may be secret in its address.
func (c *Connector) instance() string {
	name := strings.ToLower(c.address.Host) + strings.TrimRight(c.address.EscapedPath(), "/")
	if q := c.address.RawQuery; q != "" {
		sum := sha256.Sum256([]byte(q))
		name += "?" + hex.EncodeToString(sum[:6])
	}
	return name
}

// Read gives what is new in the feed (Live), or what it showed when it was first read, and older pages where the feed
// offers them (Backfill).
func (c *Connector) Read(ctx context.Context, lane event.Lane, cursor sdk.Cursor) (sdk.Page, error) {
	switch lane {
	case event.Live:
		return c.readLive(ctx, cursor)
	case event.Backfill:
		return c.readBackfill(ctx, cursor)
	}
	return sdk.Page{}, &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Message: "a feed has no lane " + string(lane)}
}
