// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/atom"
	ext "github.com/mmcdole/gofeed/extensions"
	jsonfeed "github.com/mmcdole/gofeed/json"

	"github.com/kith-dev/kith/api/event"
)

// document is a feed as it was answered, in one form for all formats.
type document struct {
	url       *url.URL
	title     string
	kind      string
	items     []item
	next      string
	complete  bool
	served    time.Time
	movedTo   string
	cond      condition
	unchanged bool
}

// item is one entry: a thread with its opening, or a comment.
type item struct {
	id, title, url string
	author         event.Actor
	// at is zero where the entry has no date.
	at, edited   time.Time
	text, format string
	tags         []string
	// comments is the address of its comments feed, empty where there is none on this host.
	comments string
	// count is how many comments the feed says there are; -1 where it does not say.
	count int
	// replyTo is the id of what it replies to, where the feed says so.
	replyTo string
}

// fill takes the newest items, without repetitions, ordered by date and id.
func (d *document) fill(f *gofeed.Feed, s Settings) {
	d.title, d.kind = cut(strings.TrimSpace(f.Title), event.MaxName), kindOf(f)
	d.next = near(d.url, nextOf(f))
	_, d.complete = f.Extensions["fh"]["complete"]
	seen := map[string]bool{}
	for i, raw := range f.Items {
		if raw == nil || len(d.items) >= s.MaxItems {
			continue
		}
		it := itemOf(f, i, d.url)
		if seen[it.id] {
			continue
		}
		seen[it.id] = true
		if s.Comments == CommentsFollow {
			it.comments = near(d.url, commentsOf(f, i))
		}
		d.items = append(d.items, it)
	}
}

// commented counts the items that have a comments feed.
func (d *document) commented() int {
	n := 0
	for i := range d.items {
		if d.items[i].comments != "" {
			n++
		}
	}
	return n
}

// oldestFirst gives the items by date; those without one stand where asOf puts them.
func (d *document) oldestFirst(asOf time.Time) []item {
	items := slices.Clone(d.items)
	for i := range items {
		if items[i].at.IsZero() {
			items[i].at = asOf
		}
	}
	slices.SortStableFunc(items, func(a, b item) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.id, b.id))
	})
	return items
}

func itemOf(f *gofeed.Feed, i int, base *url.URL) item {
	raw := f.Items[i]
	it := item{
		title: cut(strings.TrimSpace(raw.Title), event.MaxName), url: absolute(base, raw.Link), author: authorOf(f, raw),
		format: "html", count: countOf(raw.Extensions), replyTo: replyTo(raw.Extensions),
	}
	it.text = cmp.Or(raw.Content, raw.Description)
	if plain(f, i) {
		it.format = "text"
	}
	if raw.PublishedParsed != nil {
		it.at = raw.PublishedParsed.UTC()
	}
	if raw.UpdatedParsed != nil {
		switch updated := raw.UpdatedParsed.UTC(); {
		case it.at.IsZero():
			it.at = updated
		case updated.After(it.at):
			it.edited = updated
		}
	}
	for _, t := range raw.Categories {
		if t = strings.TrimSpace(t); t != "" && len(it.tags) < event.MaxTags {
			it.tags = append(it.tags, cut(t, event.MaxName))
		}
	}
	it.id = idOf(raw, it)
	return it
}

// idOf is the feed's own id, else the link, else a digest of what the entry says.
func idOf(raw *gofeed.Item, it item) string {
	id := strings.TrimSpace(cmp.Or(raw.GUID, it.url))
	if id == "" {
		id = "sha256:" + digest(it.title, it.text, it.at.Format(time.RFC3339))
	}
	if len(id) > event.MaxID {
		id = "sha256:" + digest(id)
	}
	return id
}

// authorOf: feeds give names and sometimes addresses; an entry without any has the feed's only author, else nobody.
func authorOf(f *gofeed.Feed, raw *gofeed.Item) event.Actor {
	people := raw.Authors
	if len(people) == 0 && len(f.Authors) == 1 {
		people = f.Authors
	}
	for _, p := range people {
		if p == nil {
			continue
		}
		name, email := strings.TrimSpace(p.Name), strings.ToLower(strings.TrimSpace(p.Email))
		if id := cmp.Or(email, name); id != "" {
			return event.Actor{ID: cut(id, event.MaxID), Handle: cut(cmp.Or(name, email), event.MaxID)}
		}
	}
	return event.Actor{}
}

func kindOf(f *gofeed.Feed) string {
	switch f.FeedType {
	case "rss":
		return "an RSS feed"
	case "atom":
		return "an Atom feed"
	}
	return "a JSON Feed"
}

func nextOf(f *gofeed.Feed) string {
	switch o := f.OriginalFeed().(type) {
	case *atom.Feed:
		for _, l := range o.Links {
			if l != nil && (l.Rel == "next" || l.Rel == "prev-archive") {
				return l.Href
			}
		}
	case *jsonfeed.Feed:
		return o.NextURL
	}
	for _, prefix := range []string{"atom", "atom10"} {
		for _, l := range f.Extensions[prefix]["link"] {
			if l.Attrs["rel"] == "next" || l.Attrs["rel"] == "prev-archive" {
				return l.Attrs["href"]
			}
		}
	}
	return ""
}

// commentsOf finds an entry's comments feed: wfw:commentRss, or a link to the replies in Atom.
func commentsOf(f *gofeed.Feed, i int) string {
	for _, name := range []string{"commentRss", "commentRSS"} {
		for _, e := range f.Items[i].Extensions["wfw"][name] {
			if v := strings.TrimSpace(e.Value); v != "" {
				return v
			}
		}
	}
	o, ok := f.OriginalFeed().(*atom.Feed)
	if !ok || i >= len(o.Entries) || len(o.Entries) != len(f.Items) {
		return ""
	}
	for _, l := range o.Entries[i].Links {
		if l != nil && l.Rel == "replies" && (strings.Contains(l.Type, "xml") || strings.Contains(l.Type, "json")) {
			return l.Href
		}
	}
	return ""
}

func countOf(e ext.Extensions) int {
	for _, field := range [][2]string{{"slash", "comments"}, {"thr", "total"}} {
		for _, x := range e[field[0]][field[1]] {
			if n, err := strconv.Atoi(strings.TrimSpace(x.Value)); err == nil && n >= 0 {
				return n
			}
		}
	}
	return -1
}

func replyTo(e ext.Extensions) string {
	for _, x := range e["thr"]["in-reply-to"] {
		if ref := strings.TrimSpace(x.Attrs["ref"]); ref != "" && len(ref) <= event.MaxID {
			return ref
		}
	}
	return ""
}

// plain says whether an entry's text is no HTML: only JSON Feed can say so.
func plain(f *gofeed.Feed, i int) bool {
	o, ok := f.OriginalFeed().(*jsonfeed.Feed)
	return ok && len(o.Items) == len(f.Items) && o.Items[i] != nil && o.Items[i].ContentHTML == "" && o.Items[i].ContentText != ""
}

// absolute resolves a link; what is no web address is left out.
func absolute(base *url.URL, ref string) string {
	ref = strings.TrimSpace(ref)
	if ref == "" {
		return ""
	}
	u, err := base.Parse(ref)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return ""
	}
	return u.String()
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p))))
		h.Write([]byte{':'})
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}
