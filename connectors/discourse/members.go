// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"net/url"
	"strconv"
	"time"

	"github.com/kith-dev/kith/api/event"
)

// directoryItem is a member as /directory_items.json lists it.
type directoryItem struct {
	TopicCount int `json:"topic_count"`
	// PostCount counts replies only, whatever its name says: topics' openings are in TopicCount.
	PostCount int `json:"post_count"`
	User      struct {
		ID         int64     `json:"id"`
		Username   string    `json:"username"`
		Name       string    `json:"name"`
		TrustLevel *int      `json:"trust_level"`
		CreatedAt  time.Time `json:"created_at"`
	} `json:"user"`
}

// directoryPage is the answer of /directory_items.json.
type directoryPage struct {
	DirectoryItems []directoryItem `json:"directory_items"`
	Meta           struct {
		LoadMoreDirectoryItems string `json:"load_more_directory_items"`
	} `json:"meta"`
}

// members reads one page of the directory; none where the forum does not show it.
func (r *reading) members(page int) (members []*event.Member, more bool, err error) {
	d, found, err := r.directoryPage(page)
	if err != nil || !found {
		return nil, false, err
	}
	for i := range d.DirectoryItems {
		if m := memberOf(&d.DirectoryItems[i]); m != nil {
			members = append(members, m)
		}
	}
	return members, d.Meta.LoadMoreDirectoryItems != "" && len(d.DirectoryItems) > 0, nil
}

func (r *reading) directoryPage(page int) (directoryPage, bool, error) {
	query := url.Values{"period": {"all"}, "order": {"post_count"}}
	if page > 0 {
		query.Set("page", strconv.Itoa(page))
	}
	var d directoryPage
	found, err := r.optional("/directory_items.json", query, &d)
	return d, found, err
}

// memberOf maps an entry of the directory. It leaves out roles: the directory shows fewer of them than posts do, and the
// two would take turns.
func memberOf(i *directoryItem) *event.Member {
	if i.User.ID == 0 {
		return nil
	}
	messages := max(i.TopicCount, 0) + max(i.PostCount, 0)
	m := &event.Member{
		Actor:    event.Actor{ID: idText(i.User.ID), Handle: i.User.Username, Bot: i.User.ID < 0},
		Name:     i.User.Name,
		Messages: &messages,
		JoinedAt: i.User.CreatedAt,
	}
	if t := i.User.TrustLevel; t != nil {
		m.Trust = strconv.Itoa(*t)
	}
	return m
}
