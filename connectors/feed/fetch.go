// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"github.com/kith-dev/kith/connectors/sdk"
)

// condition makes a request conditional: the answer is "not modified" where the document is still the same.
type condition struct{ etag, modified string }

var accept = strings.Join([]string{
	"application/atom+xml", "application/rss+xml", "application/feed+json", "application/xml;q=0.9", "text/xml;q=0.9", "*/*;q=0.1",
}, ", ")

// fetch gets and parses a document. A document that is cut off is fetched again.
func (c *Connector) fetch(ctx context.Context, address string, cond condition) (*document, error) {
	head := http.Header{"Accept": {accept}}
	if cond.etag != "" {
		head.Set("If-None-Match", cond.etag)
	}
	if cond.modified != "" {
		head.Set("If-Modified-Since", cond.modified)
	}
	var parsed *gofeed.Feed
	resp, err := c.http.Do(ctx, sdk.Request{URL: address, Header: head, Check: func(r *sdk.Response) (err error) {
		if r.StatusCode == http.StatusNotModified {
			return nil
		}
		parsed, err = parse(decoded(r))
		if errors.Is(err, gofeed.ErrFeedTypeNotDetected) {
			return nil // Said below: another attempt would not make a feed of it.
		}
		return err
	}})
	if err != nil {
		return nil, c.fetchError(address, err)
	}
	d := &document{
		url: resp.URL, served: c.served(resp.Header), movedTo: resp.MovedTo,
		cond:      condition{etag: bounded(resp.Header.Get("Etag"), 200), modified: bounded(resp.Header.Get("Last-Modified"), 64)},
		unchanged: resp.StatusCode == http.StatusNotModified,
	}
	if d.unchanged {
		return d, nil
	}
	if parsed == nil {
		return nil, notAFeed(address, resp)
	}
	d.fill(parsed, c.settings)
	return d, nil
}

// decoded gives UTF-8 where only the header says that the document is something else; what an XML document says of
// itself is the parser's.
func decoded(r *sdk.Response) []byte {
	head := r.Body[:min(len(r.Body), 200)]
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["charset"] == "" || bytes.Contains(head, []byte("encoding=")) {
		return r.Body
	}
	enc, name := charset.Lookup(params["charset"])
	if enc == nil || name == "utf-8" {
		return r.Body
	}
	if b, err := enc.NewDecoder().Bytes(r.Body); err == nil {
		return b
	}
	return r.Body
}

// errMalformed keeps the parser's own words out, which may quote the feed.
var errMalformed = errors.New("cut off or malformed")

// parse never panics, whatever the parser makes of a hostile document.
func parse(body []byte) (f *gofeed.Feed, err error) {
	defer func() {
		if v := recover(); v != nil {
			f, err = nil, errMalformed
		}
	}()
	p := gofeed.NewParser()
	p.KeepOriginalFeed = true
	if f, err = p.Parse(bytes.NewReader(body)); err != nil {
		if errors.Is(err, gofeed.ErrFeedTypeNotDetected) {
			return nil, err
		}
		return nil, errMalformed
	}
	return f, nil
}

// served is the server's clock at the answer.
func (c *Connector) served(h http.Header) time.Time {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		return t.UTC()
	}
	return c.now().UTC().Truncate(time.Second)
}

// fetchError says what the plain HTTP error means for a feed.
func (c *Connector) fetchError(address string, err error) error {
	if errors.Is(err, errMalformed) {
		return &sdk.Error{Reason: sdk.PlatformError, Err: err, Message: fmt.Sprintf(
			"%s answers a feed that is cut off or malformed; look at it with a feed validator", sdk.ScrubURL(address))}
	}
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok || e.Status != http.StatusGone {
		return err
	}
	gone := *e
	gone.Reason, gone.Permanent = sdk.PlatformError, true
	gone.Message = fmt.Sprintf("the feed %s is gone for good (410); remove the channel, or make one with the feed's new address", sdk.ScrubURL(address))
	return &gone
}

func notAFeed(address string, resp *sdk.Response) error {
	e := &sdk.Error{Reason: sdk.PlatformError, Permanent: true, Status: resp.StatusCode, Message: fmt.Sprintf(
		"%s answers something that is neither RSS, Atom nor JSON Feed", sdk.ScrubURL(address))}
	if found := discover(resp); found != "" {
		e.Message = fmt.Sprintf("%s is a web page; its feed is at %s", sdk.ScrubURL(address), sdk.ScrubURL(found))
	}
	return e
}

// discover finds the feed that a web page names in its head.
func discover(resp *sdk.Response) string {
	z := html.NewTokenizer(bytes.NewReader(resp.Body))
	for range 5000 {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.Data == "body" {
				return ""
			}
			if t.Data != "link" {
				continue
			}
			attrs := map[string]string{}
			for _, a := range t.Attr {
				attrs[a.Key] = a.Val
			}
			isFeed := slices.ContainsFunc([]string{"rss+xml", "atom+xml", "feed+json"}, func(s string) bool {
				return strings.HasSuffix(strings.ToLower(attrs["type"]), s)
			})
			if isFeed && strings.EqualFold(attrs["rel"], "alternate") {
				if u, err := resp.URL.Parse(attrs["href"]); err == nil {
					return u.String()
				}
			}
		}
	}
	return ""
}

// near resolves an address against the document's and gives it only where it is on the same host: a feed must not be
// able to have other places asked.
func near(base *url.URL, ref string) string {
	if ref = strings.TrimSpace(ref); ref == "" || len(ref) > maxAddress {
		return ""
	}
	u, err := base.Parse(ref)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || !strings.EqualFold(u.Host, base.Host) {
		return ""
	}
	u.User, u.Fragment = nil, ""
	return u.String()
}

// maxAddress bounds addresses that go into the cursor.
const maxAddress = 500

// bounded gives a short value, and nothing in place of an absurd one.
func bounded(s string, n int) string {
	if len(s) > n {
		return ""
	}
	return s
}
