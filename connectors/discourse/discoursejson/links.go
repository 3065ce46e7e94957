// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursejson

import (
	"net/url"
	"path"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/kith-dev/kith/api/event"
)

// linksOf are the addresses that a post points at: what its author linked in the text, then what the server counted.
// Links inside quotes are somebody else's; mentions, hashtags and profiles are people and rooms, no links.
func linksOf(p *Post, base string) []string {
	l := linkSet{base: base}
	eachAnchor(p.Cooked, func(href, class string) bool {
		if !navigation(class) {
			l.add(href)
		}
		return len(l.links) < event.MaxLinks
	})
	for _, c := range p.LinkCounts {
		if !c.Reflection && len(l.links) < event.MaxLinks {
			l.add(c.URL)
		}
	}
	return l.links
}

// linkSet collects absolute addresses once each, in order.
type linkSet struct {
	base  string
	links []string
	seen  map[string]bool
}

func (l *linkSet) add(href string) {
	href = strings.TrimSpace(href)
	switch {
	case href == "" || strings.HasPrefix(href, "#"):
		return
	case strings.HasPrefix(href, "//"):
		href = "https:" + href
	case strings.HasPrefix(href, "/"):
		if l.base == "" || strings.HasPrefix(href, "/u/") {
			return
		}
		u, err := url.Parse(l.base)
		if err != nil {
			return
		}
		href = u.Scheme + "://" + u.Host + href
	}
	if !strings.HasPrefix(href, "https://") && !strings.HasPrefix(href, "http://") {
		return
	}
	if l.seen[href] {
		return
	}
	if l.seen == nil {
		l.seen = make(map[string]bool)
	}
	l.seen[href] = true
	l.links = append(l.links, href)
}

// navigation says whether a link's class marks what the platform itself adds.
func navigation(class string) bool {
	for c := range strings.FieldsSeq(class) {
		switch c {
		case "mention", "mention-group", "hashtag", "hashtag-cooked", "anchor", "lightbox", "badge-wrapper":
			return true
		}
	}
	return false
}

// eachAnchor calls f for the links of a text outside of quotes until f says false. It works on tokens, in one pass and
// without a tree, so that a hostile text costs no more than its length.
func eachAnchor(cooked string, f func(href, class string) bool) {
	z := html.NewTokenizer(strings.NewReader(cooked))
	var quotes asideDepth
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "aside" {
				quotes.leave()
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch string(name) {
			case "aside":
				_, class := anchorAttributes(z, more)
				quotes.enter(hasClass(class, "quote"))
			case "a":
				href, class := anchorAttributes(z, more)
				if !quotes.inside() && !f(href, class) {
					return
				}
			}
		}
	}
}

// asideDepth tracks nesting from the outermost quote inwards.
type asideDepth struct{ open, quotedSince int }

func (d *asideDepth) enter(quote bool) {
	d.open++
	if quote && d.quotedSince == 0 {
		d.quotedSince = d.open
	}
}

func (d *asideDepth) leave() {
	if d.open == d.quotedSince {
		d.quotedSince = 0
	}
	d.open = max(d.open-1, 0)
}

func (d *asideDepth) inside() bool { return d.quotedSince > 0 }

func anchorAttributes(z *html.Tokenizer, more bool) (href, class string) {
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		switch string(k) {
		case "href":
			href = string(v)
		case "class":
			class = string(v)
		}
	}
	return href, class
}

func hasClass(class, want string) bool {
	for c := range strings.FieldsSeq(class) {
		if c == want {
			return true
		}
	}
	return false
}

// linkedTopic is the id of the first topic that a notice links to ("/t/slug/12" or "/t/12").
func linkedTopic(cooked string) string {
	id := ""
	eachAnchor(cooked, func(href, _ string) bool {
		u, err := url.Parse(href)
		if err != nil {
			return true
		}
		_, rest, ok := strings.Cut(path.Clean("/"+u.Path), "/t/")
		if !ok {
			return true
		}
		for part := range strings.SplitSeq(rest, "/") {
			if n, err := strconv.ParseInt(part, 10, 64); err == nil && n > 0 {
				id = part
				return false
			}
		}
		return true
	})
	return id
}

// hasText says whether anything but tags and white space is in a text.
func hasText(cooked string) bool {
	z := html.NewTokenizer(strings.NewReader(cooked))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return false
		case html.TextToken:
			if strings.TrimSpace(string(z.Text())) != "" {
				return true
			}
		}
	}
}
