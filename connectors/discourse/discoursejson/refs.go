// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursejson

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kith-dev/kith/api/event"
)

// refsOf are the ids of other topics of the same forum that a post points at, in the order of the text: by links, by
// oneboxes, by quoting from them; then what the server counted. As with linksOf, links within what is quoted are
// somebody else's.
func refsOf(t *Topic, p *Post, base string) []string {
	r := refSet{forum: forumAt(base), own: strconv.FormatInt(t.ID, 10)}
	eachPointer(p.Cooked, func(l pointer) bool {
		if l.within != quotedText && !navigation(l.class) {
			r.add(r.forum.topic(l.href))
			r.add(number(l.quotedTopic))
		}
		return len(r.refs) < event.MaxRefs
	})
	for _, c := range p.LinkCounts {
		if !c.Reflection {
			r.add(r.forum.topic(c.URL))
		}
	}
	return r.refs
}

// refSet collects ids once each, in order, up to event.MaxRefs.
type refSet struct {
	forum forum
	own   string
	refs  []string
}

func (r *refSet) add(id string) {
	if id != "" && id != r.own && len(r.refs) < event.MaxRefs && !slices.Contains(r.refs, id) {
		r.refs = append(r.refs, id)
	}
}

// forum is where a forum's own addresses lie. The zero value knows relative addresses at the root only.
type forum struct{ host, port, folder string }

func forumAt(base string) forum {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return forum{}
	}
	return forum{host: strings.ToLower(u.Hostname()), port: portOf(u), folder: strings.TrimRight(u.EscapedPath(), "/")}
}

// portOf is empty for a scheme's usual port, so that http and https lead to the same forum.
func portOf(u *url.URL) string {
	if p := u.Port(); (u.Scheme != "http" || p != "80") && (u.Scheme != "https" || p != "443") {
		return p
	}
	return ""
}

// topic is the id of the topic that an address within the forum leads to; else empty.
func (f forum) topic(href string) string {
	u, err := url.Parse(strings.TrimSpace(href))
	if err != nil || (u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	if u.Host != "" && (f.host == "" || strings.ToLower(u.Hostname()) != f.host || portOf(u) != f.port) {
		return ""
	}
	rest, ok := strings.CutPrefix(path.Clean(u.EscapedPath()), f.folder+"/t/")
	if !ok {
		return ""
	}
	return topicIn(rest)
}

// topicIn reads what follows "/t/" in a topic's address: "slug/12", "12", "slug/12/4", "12/4".
func topicIn(rest string) string {
	first, rest, _ := strings.Cut(rest, "/")
	if id := number(first); id != "" || first == "external_id" {
		return id
	}
	second, _, _ := strings.Cut(rest, "/")
	return number(second)
}

// number is an id as the platform writes it; empty where s is none.
func number(s string) string {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
