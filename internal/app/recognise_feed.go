// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"github.com/kith-dev/kith/connectors/sdk"
)

// feedTypes are the media types of feeds, as pages name them.
var feedTypes = map[string]bool{"application/rss+xml": true, "application/atom+xml": true, "application/feed+json": true}

// findFeed gives the address of a feed, given itself or a page that names it.
func findFeed(ctx context.Context, client *sdk.HTTP, u *url.URL) (string, error) {
	resp, err := client.Do(ctx, sdk.Request{URL: u.String(), Header: http.Header{
		"Accept": {"application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5"},
	}})
	if err != nil {
		return "", err
	}
	if isFeed(resp.Body) {
		return u.String(), nil
	}
	if link := alternateFeed(resp.Body, resp.URL); link != "" {
		return link, nil
	}
	return "", fmt.Errorf("%s is no forum or feed that kith can read, and names no feed: give the address of a Discourse, "+
		"of an RSS, Atom or JSON feed, or a folder, .zip or .tar of exported topics (kith connectors lists all platforms)", sdk.ScrubURL(u.String()))
}

// isFeed looks at how a document begins.
func isFeed(body []byte) bool {
	head := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	head = head[:min(len(head), 4<<10)]
	if bytes.HasPrefix(head, []byte("{")) {
		return bytes.Contains(head, []byte("jsonfeed.org/version"))
	}
	if !bytes.HasPrefix(head, []byte("<")) || bytes.HasPrefix(bytes.ToLower(head), []byte("<!doctype html")) {
		return false
	}
	for _, root := range []string{"<rss", "<feed", "<rdf:RDF"} {
		if bytes.Contains(head, []byte(root)) {
			return true
		}
	}
	return false
}

// alternateFeed finds the first feed that a page links to, one of comments only where there is no other.
func alternateFeed(page []byte, at *url.URL) string {
	comments := ""
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return comments
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.Data != "link" {
				continue
			}
			a := attributes(t)
			link, err := at.Parse(strings.TrimSpace(a["href"]))
			if err != nil || a["href"] == "" || !feedTypes[strings.ToLower(strings.TrimSpace(a["type"]))] ||
				!strings.Contains(" "+strings.ToLower(a["rel"])+" ", " alternate ") || (link.Scheme != "http" && link.Scheme != "https") {
				continue
			}
			if !strings.Contains(strings.ToLower(a["title"]+link.Path), "comment") {
				return link.String()
			}
			if comments == "" {
				comments = link.String()
			}
		}
	}
}

func attributes(t html.Token) map[string]string {
	m := make(map[string]string, len(t.Attr))
	for _, a := range t.Attr {
		m[a.Key] = a.Val
	}
	return m
}
