// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kith-dev/kith/connectors/archive"
	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/reader"
)

// channels makes of declared channels what a reader needs, and remembers what it made so that only what has changed gets
// a new generation.
type channels struct {
	std        Stdio
	version    string
	secretsDir string
	now        func() time.Time

	made map[string]madeChannel
	// clients are one for each credential, so that channels of one account share its limits.
	clients map[string]*client
}

type madeChannel struct {
	generation int64
	digest     uint64
}

// client is an HTTP client with what the platform last said of its limits.
type client struct {
	http      *sdk.HTTP
	remaining atomic.Pointer[float64]
}

func newChannels(std Stdio, version, secretsDir string, now func() time.Time) *channels {
	return &channels{std: std, version: version, secretsDir: secretsDir, now: now, made: map[string]madeChannel{}, clients: map[string]*client{}}
}

// resolver turns a declared horizon into a date, once.
type resolver interface {
	ResolveSince(ctx context.Context, channel string, s blueprint.Since) (time.Time, error)
}

// readers gives what is to be read now.
func (cs *channels) readers(ctx context.Context, c *compiled, hub resolver) ([]reader.Channel, error) {
	out := make([]reader.Channel, 0, len(c.blueprint.Channels))
	for i := range c.blueprint.Channels {
		declared := &c.blueprint.Channels[i]
		since, err := hub.ResolveSince(ctx, declared.Name, declared.Since)
		if err != nil {
			return nil, fmt.Errorf("channel %s: %w", declared.Name, err)
		}
		r, err := cs.reader(declared, since, c.origins[declared.Name])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (cs *channels) reader(c *blueprint.Channel, since time.Time, origin blueprint.Origin) (reader.Channel, error) {
	d, err := catalogue.Get(c.Platform)
	if err != nil {
		return reader.Channel{}, err
	}
	secrets := cs.secrets(c.CredentialsSecret)
	ca, caErr := cs.certificate(c)
	d.New = cs.checked(c, d.New, caErr)
	shared := cs.client(c, ca)
	settings := localSettings(c, origin)
	r := reader.Channel{
		Name: c.Name, Descriptor: d, Suspended: c.Suspend, PollInterval: c.Poll, SweepInterval: sweepInterval(c.Poll), Generation: cs.generation(c, since, settings, ca),
		Config: sdk.Config{
			Name: c.Name, URL: c.URL, Since: since, Settings: settings, Secrets: secrets, HTTP: shared.http, Now: cs.now,
			Rooms: sdk.Rooms{Include: c.Rooms.Include, Exclude: c.Rooms.Exclude},
		},
		RateLimitRemaining: func() (int64, bool) {
			if left := shared.remaining.Load(); left != nil {
				return int64(*left), true
			}
			return 0, false
		},
	}
	return r, nil
}

// generation grows when anything about a channel changes.
func (cs *channels) generation(c *blueprint.Channel, since time.Time, settings map[string]any, ca []byte) int64 {
	h := fnv.New64a()
	// What is encoded came from JSON.
	_ = json.NewEncoder(h).Encode([]any{c, since, settings, ca})
	m := cs.made[c.Name]
	if digest := h.Sum64(); m.generation == 0 || m.digest != digest {
		m = madeChannel{m.generation + 1, digest}
		cs.made[c.Name] = m
	}
	return m.generation
}

// generations are those of the channels as they are declared now.
func (cs *channels) generations() map[string]int64 {
	out := make(map[string]int64, len(cs.made))
	for name, m := range cs.made {
		out[name] = m.generation
	}
	return out
}

// secrets gives the content of a Secret's files; none where no Secret is named.
func (cs *channels) secrets(name string) func(string) (string, bool) {
	if name == "" || cs.secretsDir == "" || name != filepath.Base(name) {
		return func(string) (string, bool) { return "", false }
	}
	return reader.FileSecrets(filepath.Join(cs.secretsDir, name))
}

// certificate reads the private authority that a channel trusts.
func (cs *channels) certificate(c *blueprint.Channel) ([]byte, error) {
	if c.CASecret == "" {
		return nil, nil
	}
	pem, ok := cs.secrets(c.CASecret)(c.CAKey)
	if !ok {
		return nil, cs.missing("network.caRef", c.CASecret, c.CAKey)
	}
	return []byte(pem), nil
}

// checked makes a connector wait for credentials that were declared and are not there: without them it would read
// something else than was meant.
func (cs *channels) checked(c *blueprint.Channel, connect func(sdk.Config) (sdk.Connector, error), caErr error) func(sdk.Config) (sdk.Connector, error) {
	return func(cfg sdk.Config) (sdk.Connector, error) {
		if caErr != nil {
			return nil, caErr
		}
		if c.CredentialsSecret != "" && !cs.anySecret(c, cfg) {
			return nil, cs.missing("credentialsSecretRef", c.CredentialsSecret, "the keys of kith connectors "+c.Platform)
		}
		return connect(cfg)
	}
}

func (cs *channels) anySecret(c *blueprint.Channel, cfg sdk.Config) bool {
	d, err := catalogue.Get(c.Platform)
	if err != nil {
		return false
	}
	for _, k := range d.Secrets {
		if _, ok := cfg.Secrets(k.Name); ok {
			return true
		}
	}
	return false
}

func (cs *channels) missing(field, secret, key string) error {
	message := fmt.Sprintf("%s names the Secret %s, which is not there: put %s into files of %s", field, secret, key, filepath.Join(cs.secretsDir, secret))
	if cs.secretsDir == "" {
		message = fmt.Sprintf("%s names the Secret %s: give its folder's parent with --secrets-dir (files %s/KEY: %s)", field, secret, secret, key)
	}
	return &sdk.Error{Reason: sdk.SecretKeyMissing, Permanent: true, Message: message}
}

// client gives the one client of a credential at a host.
func (cs *channels) client(c *blueprint.Channel, ca []byte) *client {
	host := c.URL
	if u, err := url.Parse(c.URL); err == nil && u.Host != "" {
		host = strings.ToLower(u.Host)
	}
	key := strings.Join([]string{c.CredentialsSecret, host, c.ProxyURL, string(ca)}, "\x00")
	if have := cs.clients[key]; have != nil {
		return have
	}
	made := &client{}
	o := httpOptions(cs.std, cs.version)
	o.ProxyURL, o.CA = c.ProxyURL, ca
	o.Hooks.RateLimitRemaining = func(left float64) { made.remaining.Store(&left) }
	made.http = sdk.NewHTTP(o)
	cs.clients[key] = made
	return made
}

func httpOptions(std Stdio, version string) sdk.HTTPOptions {
	return sdk.HTTPOptions{Version: BuildVersion(version), Log: std.Log.WithName("http")}
}

// localSettings finds files beside the manifest that names them. The blueprint keeps what was declared, so that it is the
// same on every machine.
func localSettings(c *blueprint.Channel, origin blueprint.Origin) map[string]any {
	if c.Platform != archive.Name || origin.File == "" {
		return c.Settings
	}
	path, ok := c.Settings["path"].(string)
	if !ok || path == "" || filepath.IsAbs(path) || strings.Contains(path, "://") {
		return c.Settings
	}
	out := make(map[string]any, len(c.Settings))
	for k, v := range c.Settings {
		out[k] = v
	}
	out["path"] = filepath.Join(filepath.Dir(origin.File), filepath.FromSlash(path))
	return out
}

// sweepInterval is how often what has been read is looked at again for edits, removals and acceptances: every tenth
// poll, and at least once an hour.
func sweepInterval(poll time.Duration) time.Duration {
	return min(max(10*poll, time.Minute), time.Hour)
}
