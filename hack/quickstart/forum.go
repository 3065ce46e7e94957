// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// base is the forum's address.
const base = "https://forum.quickstart.example"

// How many threads of which kind a year has.
const (
	questionThreads = 230
	ideaThreads     = 34
	guideThreads    = 16
	loungeThreads   = 34
)

var (
	start      = time.Date(2025, time.November, 1, 0, 0, 0, 0, time.UTC)
	exportedAt = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
)

// forum grows thread by thread, in the order of their openings.
type forum struct {
	random *rand.Rand
	people *people
	topics []*topic
	posts  []*post
	// solved are the threads with an accepted answer, by problem and language; guides the how-tos, by language.
	solved map[string][]*topic
	guides map[language][]*topic
}

// thread is a topic while it is being written.
type thread struct {
	*forum
	*topic
	language language
	fill     *strings.Replacer
	asker    *person
}

// newForum invents the whole year.
func newForum(seed uint64) *forum {
	random := rand.New(rand.NewPCG(seed, 2026))
	f := &forum{
		random: random,
		people: &people{random: random, taken: map[string]bool{}},
		solved: map[string][]*topic{},
		guides: map[language][]*topic{},
	}
	f.people.found()
	type opening struct {
		at   time.Time
		open func(time.Time)
	}
	var openings []opening
	for _, kind := range []struct {
		n    int
		open func(time.Time)
	}{
		{questionThreads, f.question}, {ideaThreads, f.idea}, {guideThreads, f.guide}, {loungeThreads, f.lounge},
	} {
		for i := range kind.n {
			openings = append(openings, opening{awake(f.moment(i, kind.n)), kind.open})
		}
	}
	slices.SortStableFunc(openings, func(a, b opening) int { return a.at.Compare(b.at) })
	for _, o := range openings {
		o.open(o.at)
	}
	f.finish()
	return f
}

// moment is the time of the i-th of n openings: more of them towards the end of the year, and by day.
func (f *forum) moment(i, n int) time.Time {
	part := math.Pow((float64(i)+f.random.Float64())/float64(n), 0.75)
	day := start.AddDate(0, 0, int(part*365))
	return day.Add(time.Duration(6*3600+f.random.IntN(16*3600)) * time.Second)
}

// chance is true in so many of a hundred cases.
func (f *forum) chance(percent int) bool { return f.random.IntN(100) < percent }

// delay is long-tailed, as people's answers are: half of them take less than the median, one in ten twelve times as
// long.
func (f *forum) delay(median time.Duration) time.Duration {
	d := time.Duration(math.Exp(f.random.NormFloat64()*1.9) * float64(median))
	return min(max(d, 2*time.Minute), 40*24*time.Hour).Truncate(time.Second)
}

// awake moves the small hours to the morning and keeps their order.
func awake(at time.Time) time.Time {
	midnight := at.Truncate(24 * time.Hour)
	if since := at.Sub(midnight); since < 8*time.Hour {
		return midnight.Add(5*time.Hour + since*3/8).Truncate(time.Second)
	}
	return at
}

// open begins a thread, with an opening by asker, whose language it has.
func (f *forum) open(at time.Time, asker *person, category int64, title, text phrase, tags ...string) *thread {
	room, device := pick(f.random, rooms), pick(f.random, devices)
	l := asker.language
	t := &thread{
		forum: f, language: l, asker: asker,
		fill: strings.NewReplacer("{room}", room[l], "{device}", device[l], "{n}", fmt.Sprint(2+f.random.IntN(7))),
		topic: &topic{
			ID: int64(101 + len(f.topics)), CreatedAt: stamp(at), Visible: true, Archetype: "regular",
			CategoryID: category, Tags: append([]string{}, tags...), UserID: asker.ID, Views: 20 + f.random.IntN(400),
		},
	}
	t.Title = t.fill.Replace(title[l])
	t.FancyTitle = html.EscapeString(t.Title)
	t.Slug = slug(t.Title)
	f.topics = append(f.topics, t.topic)
	t.say(asker, at, text, nil)
	return t
}

func slug(title string) string {
	title = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss").Replace(strings.ToLower(title))
	return strings.Join(strings.FieldsFunc(title, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }), "-")
}

// say adds a post; nil where it would come after the export. A link to another topic stands for {link}.
func (t *thread) say(who *person, at time.Time, text phrase, to *post, links ...*topic) *post {
	at = awake(at)
	if !at.Before(exportedAt) {
		return nil
	}
	cooked := html.EscapeString(t.fill.Replace(text[t.language]))
	p := &post{
		TopicID: t.ID, Username: who.Username, UserID: who.ID, CreatedAt: stamp(at), UpdatedAt: stamp(at),
		PostNumber: len(t.PostStream.Posts) + 1, PostType: regularPost, Version: 1, Reads: 5 + t.random.IntN(90),
		ActionsSummary: []actionCount{}, PrimaryGroupName: who.group(), TrustLevel: who.trust(),
		Moderator: who.side == volunteer, Admin: who.side == company, Staff: who.side == volunteer || who.side == company,
	}
	for _, link := range links {
		url := fmt.Sprintf("%s/t/%s/%d", base, link.Slug, link.ID)
		cooked = strings.Replace(cooked, "{link}", `<a href="`+url+`">`+html.EscapeString(link.Title)+"</a>", 1)
		p.LinkCounts = append(p.LinkCounts, linkCount{URL: url, Internal: true})
	}
	p.Cooked = "<p>" + cooked + "</p>"
	if to != nil && to.PostNumber > 1 {
		number := to.PostNumber
		p.ReplyToPostNumber = &number
		to.ReplyCount++
	}
	if t.chance(12) {
		p.Version, p.UpdatedAt = 2, stamp(at.Add(time.Duration(1+t.random.IntN(9))*time.Minute))
	}
	who.posts++
	t.PostStream.Posts = append(t.PostStream.Posts, p)
	return p
}

func (t *thread) like(p *post, n int) {
	if p != nil && n > 0 {
		p.ActionsSummary = []actionCount{{ID: likeAction, Count: n}}
	}
}

// accept marks the thread's answer. Discourse does not say when that was.
func (t *thread) accept(p *post) {
	if p == nil || t.AcceptedAnswer != nil {
		return
	}
	p.AcceptedAnswer = true
	t.AcceptedAnswer = &acceptedAnswer{PostNumber: p.PostNumber, Username: p.Username}
}

// opener is who starts a thread now: a newcomer, or somebody who has been here.
func (f *forum) opener(at time.Time, newcomers int) *person {
	if !f.chance(newcomers) {
		var here []*person
		for _, p := range f.people.all {
			if (p.side == member || p.side == volunteer) && p.at(at) {
				here = append(here, p)
			}
		}
		if len(here) > 0 {
			return pick(f.random, here)
		}
	}
	return f.people.newcomer(at)
}

func (f *forum) question(at time.Time) {
	problem := pick(f.random, problems)
	asker := f.opener(at, 42)
	t := f.open(at, asker, problem.category, problem.title, problem.question, problem.tag)
	key := fmt.Sprint(problem.tag, t.language)
	seen := map[int64]bool{asker.ID: true}

	if f.chance(7) {
		t.say(asker, at.Add(f.delay(20*time.Hour)), pick(f.random, ownSolutions), nil)
		t.acceptSometimes(t.PostStream.Posts[len(t.PostStream.Posts)-1], 60)
		return
	}
	if f.chance(12) {
		return
	}
	now := at.Add(f.delay(3 * time.Hour))
	var answer *post
	if f.chance(20) {
		service := f.people.of(company)
		answer = t.say(service, now, pick(f.random, serviceAnswers), nil)
		if !f.chance(50) {
			t.closing(asker, answer, now, key)
			return
		}
		now = now.Add(f.delay(2 * time.Hour))
	}
	if helper := f.people.answerer(now, t.language, seen); helper != nil {
		seen[helper.ID] = true
		answer = t.answer(helper, now, problem, key)
	}
	for range f.random.IntN(3) {
		now = now.Add(f.delay(3 * time.Hour))
		if other := f.people.answerer(now, t.language, seen); other != nil {
			seen[other.ID] = true
			t.like(t.say(other, now, pick(f.random, followUps), answer), f.random.IntN(2))
		}
	}
	t.closing(asker, answer, now, key)
}

// answer is a member's: of their own, or with a link to where it was solved, or to a guide.
func (t *thread) answer(helper *person, now time.Time, problem problem, key string) *post {
	var p *post
	solved, guides := t.solved[key], t.forum.guides[t.language]
	switch {
	case len(solved) > 0 && t.chance(18):
		p = t.say(helper, now, pick(t.random, pointers), nil, pick(t.random, solved))
	case len(guides) > 0 && t.chance(12):
		p = t.say(helper, now, pick(t.random, guidePointers), nil, pick(t.random, guides))
	default:
		p = t.say(helper, now, pick(t.random, problem.answers), nil)
	}
	t.like(p, t.random.IntN(4))
	return p
}

// closing is how a thread ends: with thanks, an acceptance, both or neither; sometimes a moderator closes it.
func (t *thread) closing(asker *person, answer *post, now time.Time, key string) {
	if answer == nil {
		return
	}
	if t.chance(45) {
		t.say(asker, now.Add(t.delay(4*time.Hour)), pick(t.random, thanks), answer)
	}
	t.acceptSometimes(answer, 42)
	if t.AcceptedAnswer != nil {
		t.solved[key] = append(t.solved[key], t.topic)
		if t.chance(10) {
			t.close(now.AddDate(0, 0, 14))
		}
	}
}

func (t *thread) acceptSometimes(p *post, percent int) {
	if p.PostNumber > 1 && t.chance(percent) {
		t.accept(p)
	}
}

// close adds the note that the platform writes itself.
func (t *thread) close(at time.Time) {
	system := &person{user: user{ID: -1, Username: "system"}}
	if p := t.say(system, at, phrase{}, nil); p != nil {
		p.PostType, p.ActionCode, p.Cooked, p.Moderator, p.Version = smallAction, "closed.enabled", "", true, 1
		p.UpdatedAt = p.CreatedAt
		t.Closed = true
	}
}

func (f *forum) idea(at time.Time) {
	idea := pick(f.random, ideas)
	author := f.opener(at, 25)
	if f.chance(6) {
		author = f.people.of(company)
	}
	t := f.open(at, author, categoryIdeas, idea.title, idea.text)
	t.like(t.PostStream.Posts[0], f.random.IntN(12))
	seen := map[int64]bool{author.ID: true}
	now := at
	for range f.random.IntN(4) {
		now = now.Add(f.delay(8 * time.Hour))
		if other := f.people.answerer(now, t.language, seen); other != nil {
			seen[other.ID] = true
			t.say(other, now, pick(f.random, ideaReplies), nil)
		}
	}
	if author.side != company && f.chance(68) {
		t.say(f.people.of(company), later(at.Add(f.delay(4*24*time.Hour)), now), pick(f.random, ideaAnswers), nil)
	}
}

func (f *forum) guide(at time.Time) {
	guide := pick(f.random, guides)
	author := f.people.answerer(at, language(f.random.IntN(2)), nil)
	if author == nil {
		author = f.people.newcomer(at)
	}
	t := f.open(at, author, categoryGuides, guide.title, guide.text)
	t.like(t.PostStream.Posts[0], f.random.IntN(15))
	seen := map[int64]bool{author.ID: true}
	now := at
	for range f.random.IntN(5) {
		now = now.Add(f.delay(30 * time.Hour))
		if other := f.people.answerer(now, t.language, seen); other != nil {
			seen[other.ID] = true
			t.say(other, now, pick(f.random, guideReplies), nil)
		}
	}
	f.guides[t.language] = append(f.guides[t.language], t.topic)
}

// lounge is an introduction, which others welcome, or small talk.
func (f *forum) lounge(at time.Time) {
	if f.chance(35) {
		talk := pick(f.random, talks)
		t := f.open(at, f.opener(at, 0), categoryLounge, talk.title, talk.text)
		t.replies(at, smallTalk, f.random.IntN(5))
		return
	}
	newcomer := f.people.newcomer(at)
	title := phrase{"Hallo aus dem {room}", "Hello from the {room}"}
	t := f.open(at, newcomer, categoryLounge, title, pick(f.random, introductions))
	if t.replies(at, welcomes, f.random.IntN(4)) && f.chance(40) {
		last := time.Time(t.PostStream.Posts[len(t.PostStream.Posts)-1].CreatedAt)
		t.say(newcomer, last.Add(f.delay(20*time.Hour)), pick(f.random, thanks), nil)
	}
}

// replies adds up to n replies by different people; true where there was one.
func (t *thread) replies(now time.Time, texts []phrase, n int) bool {
	seen := map[int64]bool{t.asker.ID: true}
	for range n {
		now = now.Add(t.delay(4 * time.Hour))
		if other := t.people.answerer(now, t.language, seen); other != nil {
			seen[other.ID] = true
			t.say(other, now, pick(t.random, texts), nil)
		}
	}
	return len(t.PostStream.Posts) > 1
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b.Add(time.Hour)
}

// finish numbers the posts in the order of time, as a forum does, and sums the topics up. One post in a hundred was
// deleted by its author.
func (f *forum) finish() {
	for _, t := range f.topics {
		f.posts = append(f.posts, t.PostStream.Posts...)
	}
	slices.SortStableFunc(f.posts, func(a, b *post) int {
		return cmp.Or(time.Time(a.CreatedAt).Compare(time.Time(b.CreatedAt)), cmp.Compare(a.TopicID, b.TopicID))
	})
	for i, p := range f.posts {
		p.ID = int64(1001 + i)
		if p.PostNumber > 1 && p.PostType == regularPost && !p.AcceptedAnswer && f.chance(1) {
			p.UserDeleted, p.Cooked, p.Version = true, "<p>(post deleted by author)</p>", 2
			p.UpdatedAt = stamp(time.Time(p.CreatedAt).Add(time.Hour))
		}
	}
	for _, t := range f.topics {
		t.sum()
	}
}

func (t *topic) sum() {
	posts := t.PostStream.Posts
	t.PostsCount, t.HighestPostNumber = len(posts), len(posts)
	t.LastPostedAt = posts[len(posts)-1].CreatedAt
	for _, p := range posts {
		t.PostStream.Stream = append(t.PostStream.Stream, p.ID)
		who := user{p.UserID, p.Username}
		if !slices.Contains(t.Details.Participants, who) {
			t.Details.Participants = append(t.Details.Participants, who)
		}
		for _, a := range p.ActionsSummary {
			t.LikeCount += a.Count
		}
		if p.ReplyToPostNumber != nil {
			t.ReplyCount++
		}
	}
	t.Details.CreatedBy = t.Details.Participants[0]
	t.ParticipantCount = len(t.Details.Participants)
}
