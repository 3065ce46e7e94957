// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursejson

import (
	"net/url"
	"path"
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

// place is where in a text something stands.
type place int

const (
	ownText place = iota
	// quoteTitle is the heading of a quote: it says where the quote is from, and is the quoting author's.
	quoteTitle
	// quotedText is what somebody else wrote.
	quotedText
)

// pointer is what points elsewhere in a text: a link, or a quote that names the topic it is from.
type pointer struct {
	href, class string
	quotedTopic string
	within      place
}

// eachPointer calls f for the links and quotes of a text until f says false. It works on tokens, in one pass and
// without a tree, so that a hostile text costs no more than its length.
func eachPointer(cooked string, f func(pointer) bool) {
	z := html.NewTokenizer(strings.NewReader(cooked))
	var quotes quoteDepth
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.EndTagToken:
			switch name, _ := z.TagName(); string(name) {
			case "aside":
				quotes.leave()
			case "blockquote":
				quotes.leaveText()
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch string(name) {
			case "aside":
				p := pointerAt(z, more, quotes.at())
				p.href = ""
				quote := hasClass(p.class, "quote")
				quotes.enter(quote)
				if quote && p.quotedTopic != "" && !f(p) {
					return
				}
			case "blockquote":
				quotes.enterText()
			case "a":
				p := pointerAt(z, more, quotes.at())
				p.quotedTopic = ""
				if !f(p) {
					return
				}
			}
		}
	}
}

// eachAnchor calls f for the links of a text outside of quotes until f says false.
func eachAnchor(cooked string, f func(href, class string) bool) {
	eachPointer(cooked, func(p pointer) bool {
		return p.within != ownText || p.href == "" || f(p.href, p.class)
	})
}

// quoteDepth tracks nesting from the outermost quote inwards, and whether that has come to the quoted text.
type quoteDepth struct {
	open, quotedSince int
	texts             int
}

func (d *quoteDepth) enter(quote bool) {
	d.open++
	if quote && d.quotedSince == 0 {
		d.quotedSince = d.open
	}
}

func (d *quoteDepth) leave() {
	if d.open == d.quotedSince {
		d.quotedSince, d.texts = 0, 0
	}
	d.open = max(d.open-1, 0)
}

func (d *quoteDepth) enterText() {
	if d.quotedSince > 0 {
		d.texts++
	}
}

func (d *quoteDepth) leaveText() { d.texts = max(d.texts-1, 0) }

func (d *quoteDepth) at() place {
	switch {
	case d.quotedSince == 0:
		return ownText
	case d.texts == 0:
		return quoteTitle
	}
	return quotedText
}

func pointerAt(z *html.Tokenizer, more bool, within place) pointer {
	p := pointer{within: within}
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		switch string(k) {
		case "href":
			p.href = string(v)
		case "class":
			p.class = string(v)
		case "data-topic":
			p.quotedTopic = string(v)
		}
	}
	return p
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
		if _, rest, ok := strings.Cut(path.Clean("/"+u.EscapedPath()), "/t/"); ok {
			id = topicIn(rest)
		}
		return id == ""
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
