// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"context"
	"net/http"
	"slices"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// maxRooms bounds the rooms that a probe names.
const maxRooms = 1000

// Probe implements sdk.Connector. The forum must show its topics and its newest posts; all else may be missing, and is
// then named in Lacks with what it costs.
func (c *Connector) Probe(ctx context.Context) (sdk.Account, error) {
	a := sdk.Account{Channel: event.ChannelRef{Platform: "discourse", Instance: c.instance}, Title: c.instance}
	if err := c.checkSecrets(); err != nil {
		return a, err
	}
	r := &reading{c: c, ctx: ctx}
	if err := r.probeAccount(&a); err != nil {
		return a, err
	}
	l, err := r.topics(nil, 0)
	if err != nil {
		return a, err
	}
	_, resp, err := r.latestPosts(0)
	if err != nil {
		return a, err
	}
	if t, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		a.ServerTime = t.UTC()
	} else {
		a.Lacks = append(a.Lacks, "clock: answers bear no date, so that nothing can be said to be complete; questions do not fall due")
	}
	for _, step := range []func(*sdk.Account) error{
		r.probeTitle, r.probeRooms, r.probeMembers, func(a *sdk.Account) error { return r.probeSolved(a, l) },
	} {
		if err := step(&a); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (r *reading) probeAccount(a *sdk.Account) error {
	if !r.c.hasKey() {
		a.Sees = append(a.Sees, "what visitors see")
		return nil
	}
	var session struct {
		CurrentUser *struct {
			Admin     bool `json:"admin"`
			Moderator bool `json:"moderator"`
		} `json:"current_user"`
	}
	_, err := r.get("/session/current.json", nil, &session)
	if isStatus(err, http.StatusNotFound) || (err == nil && session.CurrentUser == nil) {
		// A key with few scopes may not ask who it is; a wrong one fails at the topics.
		a.Sees = append(a.Sees, "what the key's account sees")
		return nil
	}
	if err != nil {
		return err
	}
	if session.CurrentUser.Admin || session.CurrentUser.Moderator {
		a.Sees = append(a.Sees, "what staff see, removed posts included")
		return nil
	}
	a.Sees = append(a.Sees, "what members see")
	a.Lacks = append(a.Lacks, "removed posts: the key is not staff's; who removed a post stays unknown")
	return nil
}

func (r *reading) probeTitle(a *sdk.Account) error {
	var info struct {
		Title string `json:"title"`
	}
	if found, err := r.optional("/site/basic-info.json", nil, &info); err != nil {
		return err
	} else if found && info.Title != "" {
		a.Title = info.Title
	}
	var about struct {
		About struct {
			Title string `json:"title"`
		} `json:"about"`
	}
	found, err := r.optional("/about.json", nil, &about)
	switch {
	case err != nil:
		return err
	case !found:
		a.Lacks = append(a.Lacks, "the page about the forum (/about.json): nothing depends on it but the title")
	case about.About.Title != "":
		a.Title = about.About.Title
	}
	return nil
}

func (r *reading) probeRooms(a *sdk.Account) error {
	d, err := r.directory()
	if err != nil {
		return err
	}
	if !d.Known {
		a.Lacks = append(a.Lacks, "categories: neither /categories.json nor /site.json is shown; rooms are called by their numbers")
		return nil
	}
	for _, c := range d.Readable(r.c.roomSpec) {
		a.Rooms = append(a.Rooms, c.Path)
	}
	slices.Sort(a.Rooms)
	a.Rooms = a.Rooms[:min(len(a.Rooms), maxRooms)]
	a.Sees = append(a.Sees, "categories")
	return nil
}

func (r *reading) probeMembers(a *sdk.Account) error {
	_, found, err := r.directoryPage(0)
	if err != nil {
		return err
	}
	if found {
		a.Sees = append(a.Sees, "the member directory")
		return nil
	}
	a.Lacks = append(a.Lacks, "the member directory (/directory_items.json): who is new is known only as far as history is read")
	return nil
}

// probeSolved looks for the accept function in the rooms and in what is listed.
func (r *reading) probeSolved(a *sdk.Account, l listing) error {
	d, err := r.directory()
	if err != nil {
		return err
	}
	for _, c := range d.Rooms {
		if c.Solvable != nil && *c.Solvable {
			a.Sees = append(a.Sees, "accepted answers")
			return nil
		}
	}
	if slices.ContainsFunc(l.topics, func(t listedTopic) bool { return t.HasAcceptedAnswer != nil }) {
		a.Sees = append(a.Sees, "accepted answers")
		return nil
	}
	a.Lacks = append(a.Lacks, "accepted answers: no category offers them; solved is not measurable")
	return nil
}

var _ sdk.Connector = (*Connector)(nil)
