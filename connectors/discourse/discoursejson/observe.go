// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursejson

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

// Discourse's post types and the actions that are read.
const (
	postRegular         = 1
	postModeratorAction = 2
	postWhisper         = 4

	actionLike = 2
)

// flagActions are off-topic, inappropriate, notify moderators, spam; shown to staff only.
var flagActions = []int{3, 4, 7, 8}

// Options are what a mapping needs to know beside the topic.
type Options struct {
	// Base is the forum's address without a trailing slash ("https://forum.example.org"): links within the forum are
	// made absolute with it, and links to its topics known by it. Empty: relative links are left out, only those at the
	// root of a host are known as links to topics, and threads have no URL.
	Base string
	// Room gives what is known of a category; nil, or a Room without a path: the category's id is the path ("10").
	Room func(categoryID int64) Room
	// AsOf is the platform's time up to which the answer is known to be complete; zero for exports. Messages created
	// later are not judged by the listing, because another lane may have read them meanwhile.
	AsOf time.Time
	// Whispers includes posts that only staff see.
	Whispers bool
}

// Observations maps a topic with all of its posts at hand: the thread, its messages in the order of the stream, the
// listing of what exists. Callers that hold more than event.MaxObservations split the result where they like.
func Observations(t *Topic, o Options) ([]event.Observation, []sdk.Quarantined) {
	out := make([]event.Observation, 0, len(t.PostStream.Posts)+2)
	out = append(out, ThreadOf(t, o))
	messages, bad := MessagesOf(t, t.PostStream.Posts, ParentsIn(t.PostStream.Posts), o)
	out = append(out, messages...)
	if l, ok := ListingOf(t, o); ok {
		out = append(out, l)
	}
	return out, append(slices.Clone(t.PostStream.Bad), bad...)
}

// ThreadOf maps the topic itself. It rests on the topic's fields and its first HeadPosts posts only.
func ThreadOf(t *Topic, o Options) event.Observation {
	head := t.PostStream.Posts[:min(HeadPosts, len(t.PostStream.Posts))]
	room := roomOf(t, o)
	th := &event.Thread{
		ID:           strconv.FormatInt(t.ID, 10),
		Room:         room.Path,
		Title:        cut(t.Title, event.MaxName),
		CreatedAt:    t.CreatedAt.UTC(),
		Author:       openerOf(t, head),
		Solvable:     solvable(t, head, room),
		Closed:       t.Closed || t.Archived,
		Pinned:       t.Pinned || t.PinnedGlobally,
		Announcement: t.Archetype == "banner",
		MergedInto:   mergedInto(t, head),
		Presence:     event.Visible,
		Views:        t.Views,
	}
	for _, tag := range t.Tags[:min(len(t.Tags), event.MaxTags)] {
		th.Tags = append(th.Tags, cut(string(tag), event.MaxName))
	}
	if o.Base != "" {
		th.URL = o.Base + "/t/" + th.ID
		if t.Slug != "" {
			th.URL = o.Base + "/t/" + t.Slug + "/" + th.ID
		}
	}
	if th.Solvable != nil && *th.Solvable {
		th.Type = "Question"
	}
	switch {
	case t.DeletedAt != nil:
		th.Presence, th.RemovedAt = event.Removed, t.DeletedAt.UTC()
		th.RemovedBy = removedBy(t.DeletedBy, t.UserID)
	case t.Visible != nil && !*t.Visible:
		// Unlisted: left out of every listing, by a moderator or because its opening was flagged.
		th.Presence = event.Held
	}
	return event.Observation{Thread: th}
}

// GoneThread is what a topic gives that no longer answers: deleted, or moved out of what this account can see.
func GoneThread(id int64) event.Observation {
	return event.Observation{Thread: &event.Thread{
		ID: strconv.FormatInt(id, 10), Presence: event.Removed, RemovedBy: event.ByUnknown,
	}}
}

// ParentsIn maps post numbers to post ids for resolving "in reply to".
func ParentsIn(posts []Post) map[int]int64 {
	parents := make(map[int]int64, len(posts))
	for i := range posts {
		parents[posts[i].PostNumber] = posts[i].ID
	}
	return parents
}

// MessagesOf maps posts of a topic, in the order of their numbers, which is the stream's. Parents must know every
// number that a post replies to and that still exists; an unknown one leaves Parent empty.
func MessagesOf(t *Topic, posts []Post, parents map[int]int64, o Options) ([]event.Observation, []sdk.Quarantined) {
	posts = slices.Clone(posts)
	slices.SortStableFunc(posts, func(a, b Post) int { return cmp.Compare(a.PostNumber, b.PostNumber) })
	var (
		out  = make([]event.Observation, 0, len(posts))
		bad  []sdk.Quarantined
		seen = make(map[int64]bool, len(posts))
	)
	for i := range posts {
		p := &posts[i]
		if seen[p.ID] {
			bad = append(bad, sdk.Quarantined{Kind: "post", ID: strconv.FormatInt(p.ID, 10), Reason: "listed twice in one topic"})
			continue
		}
		seen[p.ID] = true
		if p.PostType == postWhisper && !o.Whispers {
			continue
		}
		out = append(out, event.Observation{Message: messageOf(t, p, parents, o)})
	}
	return out, bad
}

// ListingOf says which posts the topic has; false where it has too many to list or does not say.
func ListingOf(t *Topic, o Options) (event.Observation, bool) {
	ids := t.IDs()
	if len(ids) == 0 || len(ids) > event.MaxListing || (len(t.PostStream.Stream) == 0 && t.PostsCount > len(ids)) {
		return event.Observation{}, false
	}
	l := &event.Listing{Thread: strconv.FormatInt(t.ID, 10), IDs: make([]string, 0, len(ids)), RemovedBy: event.ByUnknown}
	if !o.AsOf.IsZero() {
		l.To = o.AsOf.UTC()
	}
	for _, id := range ids {
		l.IDs = append(l.IDs, strconv.FormatInt(id, 10))
	}
	return event.Observation{Listing: l}, true
}

func messageOf(t *Topic, p *Post, parents map[int]int64, o Options) *event.Message {
	m := &event.Message{
		ID:         strconv.FormatInt(p.ID, 10),
		Thread:     strconv.FormatInt(t.ID, 10),
		Opening:    p.PostNumber == 1,
		Kind:       kindOf(p),
		Author:     authorOf(p),
		CreatedAt:  p.CreatedAt.UTC(),
		TextFormat: "html",
		Presence:   event.Visible,
		Accepted:   accepted(t, p),
		Flags:      flagsOf(p),
		Poll:       len(p.Polls) > 0,
	}
	if p.Version > 1 && !p.UpdatedAt.IsZero() {
		m.EditedAt = p.UpdatedAt.UTC()
	}
	if p.ReplyToPostNumber != nil {
		if id, ok := parents[*p.ReplyToPostNumber]; ok && id != p.ID {
			m.Parent = strconv.FormatInt(id, 10)
		}
	}
	if m.Accepted != nil && *m.Accepted {
		m.AcceptedBy = accepterOf(t)
	}
	if n := countOf(p, actionLike); n > 0 {
		m.Reactions = []event.Reaction{{Name: "like", Count: n}}
	}
	setPresence(m, p)
	// What stands in place of a deleted or hidden post is the platform's text, not the author's.
	if !p.UserDeleted && !p.CookedHidden {
		m.Text, m.TextHash = cutText(p.Cooked)
		m.Links = linksOf(p, o.Base)
		m.Refs = refsOf(t, p, o.Base)
	}
	return m
}

// kindOf: small actions and unknown types are notices; a moderator action is a contribution where somebody wrote
// something with it; the platform's own accounts contribute nothing.
func kindOf(p *Post) event.MessageKind {
	switch {
	case p.PostType == postWhisper:
		return event.Whisper
	case p.UserID != nil && *p.UserID <= 0:
		return event.Notice
	case p.PostType == postRegular:
		return event.Regular
	case p.PostType == postModeratorAction && hasText(p.Cooked):
		return event.Regular
	default:
		return event.Notice
	}
}

func setPresence(m *event.Message, p *Post) {
	switch {
	case p.UserDeleted:
		m.Presence, m.RemovedBy, m.RemovedAt = event.Removed, event.ByAuthor, p.UpdatedAt.UTC()
		if p.DeletedAt != nil {
			m.RemovedAt = p.DeletedAt.UTC()
		}
	case p.DeletedAt != nil:
		m.Presence, m.RemovedAt = event.Removed, p.DeletedAt.UTC()
		m.RemovedBy = removedBy(p.DeletedBy, p.UserID)
		if p.DeletedBy != nil {
			m.Remover = &event.Actor{ID: strconv.FormatInt(p.DeletedBy.ID, 10), Handle: p.DeletedBy.Username, Bot: p.DeletedBy.ID <= 0}
		}
	case p.Hidden:
		m.Presence = event.Held
	}
}

func removedBy(who *User, author *int64) event.RemovedBy {
	switch {
	case who == nil:
		return event.ByUnknown
	case author != nil && who.ID == *author:
		return event.ByAuthor
	case who.ID <= 0:
		return event.ByPlatform
	default:
		return event.ByModerator
	}
}

// authorOf: an account that has been deleted leaves posts without a user.
func authorOf(p *Post) event.Actor {
	if p.UserID == nil {
		return event.Actor{}
	}
	a := event.Actor{ID: strconv.FormatInt(*p.UserID, 10), Handle: p.Username, Bot: *p.UserID <= 0}
	if p.Admin {
		a.Roles = append(a.Roles, "admin")
	}
	if p.Moderator {
		a.Roles = append(a.Roles, "moderator")
	}
	if p.Staff {
		a.Roles = append(a.Roles, "staff")
	}
	if g := p.PrimaryGroupName; g != "" && !slices.Contains(a.Roles, g) {
		a.Roles = append(a.Roles, g)
	}
	if p.TrustLevel != nil {
		a.Roles = append(a.Roles, "tl"+strconv.Itoa(*p.TrustLevel))
	}
	return a
}

func openerOf(t *Topic, head []Post) event.Actor {
	if len(head) > 0 && head[0].PostNumber == 1 && sameID(head[0].UserID, t.UserID) {
		return authorOf(&head[0])
	}
	switch by := t.Details.CreatedBy; {
	case by != nil && (t.UserID == nil || by.ID == *t.UserID):
		return event.Actor{ID: strconv.FormatInt(by.ID, 10), Handle: by.Username, Bot: by.ID <= 0}
	case t.UserID != nil:
		return event.Actor{ID: strconv.FormatInt(*t.UserID, 10), Bot: *t.UserID <= 0}
	}
	return event.Actor{}
}

func sameID(a, b *int64) bool {
	return a != nil && (b == nil || *a == *b)
}

// accepterOf finds who accepted the answer, where the topic names somebody whose account it also shows.
func accepterOf(t *Topic) *event.Actor {
	name := t.AcceptedAnswer.AccepterUsername
	if name == "" {
		return nil
	}
	users := t.Details.Participants
	if t.Details.CreatedBy != nil {
		users = append(slices.Clone(users), *t.Details.CreatedBy)
	}
	for _, u := range users {
		if strings.EqualFold(u.Username, name) {
			return &event.Actor{ID: strconv.FormatInt(u.ID, 10), Handle: u.Username, Bot: u.ID <= 0}
		}
	}
	return nil
}

// accepted is nil where neither the topic nor the post shows whether answers can be accepted.
func accepted(t *Topic, p *Post) *bool {
	if !t.AcceptedAnswer.Shown && p.AcceptedAnswer == nil {
		return nil
	}
	is := t.AcceptedAnswer.PostNumber == p.PostNumber || (p.AcceptedAnswer != nil && *p.AcceptedAnswer)
	return &is
}

// solvable: the category says so, or the topic shows it by having, or offering, an accepted answer.
func solvable(t *Topic, head []Post, room Room) *bool {
	yes := true
	if t.AcceptedAnswer.PostNumber > 0 {
		return &yes
	}
	for i := range head {
		p := &head[i]
		if p.CanAcceptAnswer || p.CanUnacceptAnswer || (p.AcceptedAnswer != nil && *p.AcceptedAnswer) {
			return &yes
		}
	}
	return room.Solvable
}

func roomOf(t *Topic, o Options) Room {
	if t.CategoryID == nil {
		return Room{}
	}
	var r Room
	if o.Room != nil {
		r = o.Room(*t.CategoryID)
	}
	if r.Path == "" {
		r.Path = strconv.FormatInt(*t.CategoryID, 10)
	}
	return r
}

// mergedInto finds where a topic went whose posts have all been moved: what is left is its closed opening and a notice
// of the move that links to the other topic.
func mergedInto(t *Topic, head []Post) string {
	if !t.Closed || len(t.IDs()) > HeadPosts {
		return ""
	}
	into := ""
	for i := range head {
		p := &head[i]
		switch {
		case p.ActionCode == "split_topic":
			if id := linkedTopic(p.Cooked); id != "" && id != strconv.FormatInt(t.ID, 10) {
				into = id
			}
		case p.PostNumber > 1 && kindOf(p) == event.Regular && p.DeletedAt == nil && !p.UserDeleted:
			return ""
		}
	}
	return into
}

func flagsOf(p *Post) int {
	n := 0
	for _, id := range flagActions {
		n += countOf(p, id)
	}
	return n
}

func countOf(p *Post, action int) int {
	for _, a := range p.ActionsSummary {
		if a.ID == action {
			return max(a.Count, 0)
		}
	}
	return 0
}

// cutText bounds a text at event.MaxText and keeps a hash of the whole where it was cut.
func cutText(s string) (text, hash string) {
	if len(s) <= event.MaxText {
		return s, ""
	}
	sum := sha256.Sum256([]byte(s))
	return cut(s, event.MaxText), hex.EncodeToString(sum[:])
}

// cut shortens to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
