// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package catalogue_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kith-dev/kith/connectors/conformance"
	"github.com/kith-dev/kith/connectors/sdk"
)

func feedSuite(d sdk.Descriptor) conformance.Suite {
	return conformance.Suite{
		Descriptor: d, NoPrivateRooms: true,
		// A comments feed is one document, of which the newest 2,000 entries are looked at.
		Longest: 1900,
		NewPlatform: func(t testing.TB) conformance.Platform {
			b := &blog{clock: begin}
			b.server = httptest.NewServer(b)
			t.Cleanup(b.server.Close)
			return b
		},
	}
}

// blog is a server of an RSS feed with a comments feed for each item.
type blog struct {
	server *httptest.Server

	mu     sync.Mutex
	clock  time.Time
	lastID int
	items  []*post
	// every nth request fails.
	every, asked int
	how          conformance.Fault
	token        string
	guarded      bool
	body         []byte
}

type post struct {
	id       string
	at       time.Time
	text     string
	comments []*post
}

func (b *blog) Config() sdk.Config {
	return sdk.Config{URL: b.server.URL + "/feed", Settings: map[string]any{"maxItems": 2000}}
}

func (b *blog) Now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *blog) Advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

func (b *blog) Open(replies int) (thread string, messages []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	it := b.post()
	b.items = append(b.items, it)
	messages = []string{it.id}
	for range replies {
		c := b.post()
		it.comments = append(it.comments, c)
		messages = append(messages, c.id)
	}
	return it.id, messages
}

func (b *blog) Reply(thread string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.items, func(p *post) bool { return p.id == thread })
	c := b.post()
	b.items[i].comments = append(b.items[i].comments, c)
	return c.id
}

func (b *blog) Edit(message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range b.items {
		for _, p := range append([]*post{it}, it.comments...) {
			if p.id == message {
				p.text += " Edited."
			}
		}
	}
}

func (b *blog) Fail(every int, how conformance.Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.every, b.how, b.asked = every, how, 0
}

func (b *blog) Guard(secrets map[string]string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.guarded, b.token = true, secrets["token"]
}

func (b *blog) Revoke() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.token = "another"
}

func (b *blog) Answer(body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.body = body
}

func (b *blog) post() *post {
	b.lastID++
	b.clock = b.clock.Add(time.Second)
	return &post{id: "p" + strconv.Itoa(b.lastID), at: b.clock, text: fmt.Sprintf("<p>Post %d</p>", b.lastID)}
}

func (b *blog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w.Header().Set("Date", b.clock.Format(http.TimeFormat))
	if b.guarded && r.Header.Get("Authorization") != "Bearer "+b.token {
		// A careless server repeats what it was sent.
		http.Error(w, "not allowed: "+r.Header.Get("Authorization"), http.StatusUnauthorized)
		return
	}
	doc := b.document(r.URL.Path)
	if b.body != nil {
		doc = string(b.body)
	}
	if b.asked++; b.every > 0 && b.asked%b.every == 0 {
		switch b.how {
		case conformance.TooMany:
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		case conformance.ServerError:
			w.WriteHeader(http.StatusInternalServerError)
			return
		case conformance.Truncated:
			w.Header().Set("Content-Length", strconv.Itoa(len(doc)))
			_, _ = w.Write([]byte(doc[:len(doc)/2]))
			return
		}
	}
	_, _ = w.Write([]byte(doc))
}

func (b *blog) document(path string) string {
	var out strings.Builder
	out.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel><title>Blog</title>`)
	show := b.items
	for _, it := range b.items {
		if path == "/comments/"+it.id {
			show = it.comments
		}
	}
	for i := len(show) - 1; i >= 0; i-- {
		p := show[i]
		fmt.Fprintf(&out, `<item><guid isPermaLink="false">%s</guid><title>%s</title><link>%s/p/%s</link><pubDate>%s</pubDate><description>%s</description>`,
			p.id, p.id, b.server.URL, p.id, p.at.Format(time.RFC1123Z), html.EscapeString(p.text))
		if path == "/feed" {
			fmt.Fprintf(&out, `<wfw:commentRss>%s/comments/%s</wfw:commentRss><slash:comments>%d</slash:comments>`, b.server.URL, p.id, len(p.comments))
		}
		out.WriteString(`</item>`)
	}
	out.WriteString(`</channel></rss>`)
	return out.String()
}
