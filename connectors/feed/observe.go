// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// observeItem gives an item as a thread and its opening message.
func observeItem(it item) []event.Observation {
	m := messageOf(it, it.id)
	m.Opening = true
	t := &event.Thread{
		ID: it.id, Title: it.title, Tags: it.tags, URL: bounded(it.url, 2048), CreatedAt: it.at, Author: it.author, Presence: event.Visible,
	}
	return []event.Observation{{Thread: t}, {Message: m}}
}

// observeComment gives a comment as a message in its item's thread.
func observeComment(it item, thread string) event.Observation {
	m := messageOf(it, thread)
	if it.replyTo != it.id {
		m.Parent = it.replyTo
	}
	return event.Observation{Message: m}
}

func messageOf(it item, thread string) *event.Message {
	m := &event.Message{
		ID: it.id, Thread: thread, Author: it.author, CreatedAt: it.at, EditedAt: it.edited,
		TextFormat: it.format, Presence: event.Visible,
	}
	text := strings.ToValidUTF8(it.text, "\ufffd")
	if it.format == "html" {
		base, _ := url.Parse(it.url)
		m.Links = linksIn(text, base)
	}
	m.Text = text
	if len(text) > event.MaxText {
		sum := sha256.Sum256([]byte(text))
		m.Text, m.TextHash = cut(text, event.MaxText), hex.EncodeToString(sum[:])
	}
	return m
}

// linksIn finds where a text's anchors lead, each address once, in order.
func linksIn(text string, base *url.URL) []string {
	if base == nil {
		base = &url.URL{}
	}
	var links []string
	z := html.NewTokenizer(strings.NewReader(text))
	for len(links) < event.MaxLinks {
		switch z.Next() {
		case html.ErrorToken:
			return links
		case html.StartTagToken:
			name, more := z.TagName()
			if string(name) != "a" {
				continue
			}
			for more {
				var k, v []byte
				k, v, more = z.TagAttr()
				if string(k) != "href" {
					continue
				}
				if l := absolute(base, string(v)); l != "" && len(l) <= 2048 && !slices.Contains(links, l) {
					links = append(links, l)
				}
			}
		}
	}
	return links
}

// cut shortens to at most n bytes without splitting a character.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// budget bounds what goes into one page.
type budget struct {
	observations []event.Observation
	bytes        int
}

// pageBytes leaves room for what goes around the observations.
const pageBytes = event.MaxPageBytes * 3 / 4

// take adds observations that belong together, or says that the page is full.
func (b *budget) take(obs ...event.Observation) bool {
	size := 0
	for i := range obs {
		size += sdk.SizeOf(&obs[i])
	}
	full := len(b.observations)+len(obs) > event.MaxObservations || (b.bytes+size > pageBytes && b.bytes > 0)
	if full {
		return false
	}
	b.observations = append(b.observations, obs...)
	b.bytes += size
	return true
}
