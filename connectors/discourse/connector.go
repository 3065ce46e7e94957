// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Settings are what a channel may declare for a Discourse forum.
type Settings struct {
	RequestsPerMinute float64       `kith:"name=requestsPerMinute,default=60,min=0,max=6000,help=How many requests a minute the forum is asked at most. 0 means unlimited and is for forums on this machine only, which are never slowed down."`
	PostsPerRequest   int           `kith:"name=postsPerRequest,default=100,min=20,max=200,help=How many posts of a long topic are asked for at once. Forums that accept fewer are asked for 20."`
	SweepWindow       time.Duration `kith:"name=sweepWindow,default=30d,min=1d,max=3650d,help=For how long after its last activity a topic is looked at again for edits, removals and acceptances."`
	SweepTopics       int           `kith:"name=sweepTopics,default=10,min=1,max=500,help=How many topics are looked at again in each pass though their listing shows no change."`
	Whispers          bool          `kith:"name=whispers,default=false,help=Whether posts that only staff can see are read too. Needs an API key of staff."`
}

// The keys of the credentials Secret.
const (
	secretKey  = "apiKey"
	secretUser = "apiUsername"
)

// Descriptor declares the platform.
func Descriptor() sdk.Descriptor {
	return sdk.Descriptor{
		Name:     "discourse",
		Title:    "Discourse",
		Maturity: "Beta",
		Summary:  "Reads a Discourse forum, public or with an API key: topics, replies, edits, removals, accepted answers, likes.",
		Settings: &Settings{},
		Secrets: []sdk.SecretKey{
			{Name: secretKey, Help: "An API key with the scopes topics:read, posts:read (optional: public forums need none)."},
			{Name: secretUser, Help: "The account that the key acts as; required where there is a key."},
		},
		RoomSyntax: "The category's slug, or parent/child for a subcategory, as in its address (/c/support/install); its number where the forum does not show its categories.",
		// With a key of staff, removed posts stay visible as tombstones; the sweep finds them without one.
		Fidelity: sdk.Fidelity{
			Edits: sdk.EditsLatest, Removals: sdk.RemovalsSweep, Reactions: sdk.ReactionsCounts, Acceptance: sdk.AcceptanceInferred,
		},
		New:   New,
		Lanes: []event.Lane{event.Live, event.Backfill, event.Sweep},
	}
}

// Connector reads one forum.
type Connector struct {
	settings Settings
	base     string
	instance string
	since    time.Time
	roomSpec sdk.Rooms
	secrets  func(string) (string, bool)
	http     *sdk.HTTP
	now      func() time.Time
}

// New makes a connector; it calls nobody.
func New(c sdk.Config) (sdk.Connector, error) {
	var s Settings
	if err := sdk.ParseSettings(&s, c.Settings); err != nil {
		return nil, err
	}
	u, err := url.Parse(strings.TrimSpace(c.URL))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, badSettings("url: %q is not a forum's address; write it such as https://forum.example.org", sdk.ScrubURL(c.URL))
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	u.Path = strings.TrimRight(u.Path, "/")
	d := &Connector{
		settings: s, base: u.String(), instance: strings.ToLower(u.Host) + u.Path,
		since: c.Since, roomSpec: c.Rooms, secrets: c.Secrets, now: c.Now,
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.secrets == nil {
		d.secrets = func(string) (string, bool) { return "", false }
	}
	client := c.HTTP
	if client == nil {
		client = sdk.NewHTTP(sdk.HTTPOptions{})
	}
	d.http = client.WithCredential(d.base, d.addCredential)
	switch {
	case loopback(u.Hostname()):
		// A forum on this machine need not be spared.
	case s.RequestsPerMinute == 0:
		return nil, badSettings("settings.requestsPerMinute: 0 (unlimited) is for forums on this machine only; %s is not", u.Hostname())
	default:
		client.Limit(s.RequestsPerMinute)
	}
	return d, nil
}

func badSettings(format string, args ...any) error {
	return &sdk.Error{Reason: sdk.BadSettings, Permanent: true, Message: fmt.Sprintf(format, args...)}
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// secret gives a credential without the line break that files end with.
func (c *Connector) secret(key string) string {
	v, _ := c.secrets(key)
	return strings.TrimSpace(v)
}

// hasKey says whether the forum is read as somebody.
func (c *Connector) hasKey() bool { return c.secret(secretKey) != "" }

func (c *Connector) addCredential(h http.Header) bool {
	key := c.secret(secretKey)
	if key == "" {
		return false
	}
	h.Set("Api-Key", key)
	h.Set("Api-Username", c.secret(secretUser))
	return true
}

func (c *Connector) checkSecrets() error {
	if c.hasKey() && c.secret(secretUser) == "" {
		return &sdk.Error{
			Reason: sdk.SecretKeyMissing, Permanent: true,
			Message: "the credentials hold apiKey but no apiUsername; add the account that the key acts as",
		}
	}
	return nil
}

// Read implements sdk.Connector.
func (c *Connector) Read(ctx context.Context, lane event.Lane, cursor sdk.Cursor) (sdk.Page, error) {
	if err := c.checkSecrets(); err != nil {
		return sdk.Page{}, err
	}
	r := &reading{c: c, ctx: ctx}
	switch lane {
	case event.Live:
		return r.live(cursor)
	case event.Backfill:
		return r.backfill(cursor)
	case event.Sweep:
		return r.sweep(cursor)
	}
	return sdk.Page{}, badSettings("there is no lane %q", lane)
}
