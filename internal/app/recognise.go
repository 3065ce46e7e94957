// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kith-dev/kith/connectors/archive"
	"github.com/kith-dev/kith/connectors/sdk"
)

// place is something that can be read without a manifest.
type place struct {
	platform string
	// url is as a manifest would hold it; path is of a local archive.
	url, path string
}

// Names of platforms that addresses lead to.
const (
	platformDiscourse = "discourse"
	platformFeed      = "feed"
)

// recognise finds out what an address leads to: a folder or archive on this machine, any page of a Discourse, a feed or
// a page that names its feed.
func recognise(ctx context.Context, client *sdk.HTTP, target string) (place, error) {
	if p, ok, err := localPlace(target); ok || err != nil {
		return p, err
	}
	u, err := webAddress(target)
	if err != nil {
		return place{}, err
	}
	base, closed, err := findDiscourse(ctx, client, u)
	if err != nil {
		return place{}, err
	}
	if base != "" {
		return place{platform: platformDiscourse, url: base}, nil
	}
	if closed {
		return place{}, fmt.Errorf("%s is a Discourse that shows nothing without an account: make an API key there and "+
			"declare a Channel with credentialsSecretRef (see kith connectors discourse)", sdk.ScrubURL(target))
	}
	feed, err := findFeed(ctx, client, u)
	if err != nil {
		return place{}, err
	}
	return place{platform: platformFeed, url: feed}, nil
}

// localPlace recognises a file or folder; ok is false for what can only be an address.
func localPlace(target string) (place, bool, error) {
	name := target
	if rest, isFile := strings.CutPrefix(target, "file://"); isFile {
		unescaped, err := url.PathUnescape(strings.TrimPrefix(rest, "localhost"))
		if err != nil {
			return place{}, false, Usagef("%q is no file address: write file:///folder/name.zip or the path itself", target)
		}
		name = unescaped
	} else if strings.Contains(target, "://") {
		return place{}, false, nil
	}
	if _, err := os.Stat(name); err != nil {
		if name != target || looksLikePath(name) {
			return place{}, false, fmt.Errorf("there is nothing to read at %s (%w): give a folder, .zip or .tar of topics, or a web address", name, errors.Unwrap(err))
		}
		return place{}, false, nil
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return place{}, false, err
	}
	return place{platform: archive.Name, url: (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}).String(), path: abs}, true, nil
}

func looksLikePath(s string) bool {
	return strings.HasPrefix(s, "/") || strings.HasPrefix(s, ".") || strings.HasPrefix(s, "~") ||
		slices.ContainsFunc([]string{".zip", ".tar", ".gz", ".tgz"}, func(end string) bool { return strings.HasSuffix(s, end) })
}

// webAddress reads what people write: "forum.example.org" too.
func webAddress(target string) (*url.URL, error) {
	address := target
	if !strings.Contains(address, "://") {
		host, _, _ := strings.Cut(address, "/")
		scheme := "https"
		if isLoopback(host) {
			scheme = "http"
		}
		address = scheme + "://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, Usagef("%q is neither a web address nor a folder or archive: write https://forum.example.org, or a path", sdk.ScrubURL(target))
	}
	u.Fragment, u.User = "", nil
	return u, nil
}

func isLoopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// discourseRoutes are first parts of paths that lead into a Discourse.
var discourseRoutes = map[string]bool{
	"t": true, "c": true, "u": true, "g": true, "tag": true, "tags": true, "p": true, "latest": true, "top": true, "new": true, "unread": true,
	"hot": true, "categories": true, "about": true, "faq": true, "search": true, "badges": true, "groups": true, "posts": true, "site": true, "login": true,
}

// discourseBases are the addresses at which a Discourse may lie, given the address of any of its pages: what comes before
// one of its routes, the path itself, the host.
func discourseBases(u *url.URL) []string {
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	cut := len(parts)
	for i, p := range parts {
		first, _, _ := strings.Cut(p, ".") // latest.rss
		if discourseRoutes[first] {
			cut = i
			break
		}
	}
	var bases []string
	for _, path := range []string{strings.Join(parts[:cut], "/"), ""} {
		base := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}).String()
		if base = strings.TrimRight(base, "/"); !slices.Contains(bases, base) {
			bases = append(bases, base)
		}
	}
	return bases
}

// findDiscourse gives the base address of a Discourse; closed says that there is one which shows nothing.
func findDiscourse(ctx context.Context, client *sdk.HTTP, u *url.URL) (base string, closed bool, err error) {
	for _, base := range discourseBases(u) {
		const listing = "/latest.json"
		var answer struct {
			TopicList *struct {
				Topics []json.RawMessage `json:"topics"`
			} `json:"topic_list"`
		}
		resp, err := client.GetJSON(ctx, base+listing, nil, &answer)
		if err == nil && answer.TopicList != nil {
			// A forum that has moved is read where it is now.
			now := *resp.URL
			now.RawQuery, now.Fragment = "", ""
			if moved, ok := strings.CutSuffix(now.String(), listing); ok {
				base = moved
			}
			return base, false, nil
		}
		e, known := errors.AsType[*sdk.Error](err)
		switch {
		case err == nil, known && e.Reason == sdk.PlatformError && e.Status < http.StatusInternalServerError:
			closed = closed || (known && strings.Contains(e.Body, "not_logged_in"))
		case known && e.Status == http.StatusForbidden, known && e.Status == http.StatusUnauthorized:
			closed = closed || strings.Contains(e.Body, "not_logged_in")
		default:
			return "", false, err
		}
	}
	return "", closed, nil
}
