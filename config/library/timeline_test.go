// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package library_test

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/config/library/librarytest"
)

// platform is an invented platform on which a case takes place: it shows each thread and message as it stands.
type platform struct {
	parties  map[string]event.Party
	threads  map[string]*event.Thread
	messages map[string]*event.Message
	steps    []step
}

// step is something that happens on the platform. It says which observations a reader then makes.
type step struct {
	at time.Time
	do func() (threads, messages []string)
	// unseen is set where the platform shows what came of it, but not when: only who watches can tell.
	unseen bool
}

func newPlatform(c *librarytest.Case) *platform {
	p := &platform{parties: c.Parties, threads: map[string]*event.Thread{}, messages: map[string]*event.Message{}}
	for _, who := range slices.Sorted(maps.Keys(c.Earlier)) {
		p.past(who, c.Earlier[who])
	}
	for i := range c.Threads {
		p.thread(&c.Threads[i])
	}
	slices.SortStableFunc(p.steps, func(a, b step) int { return a.at.Compare(b.at) })
	return p
}

func (p *platform) actor(who string) event.Actor {
	party := p.parties[who]
	a := event.Actor{ID: who, Handle: who, Bot: party == event.PartyBot}
	if party != event.PartyMember && party != event.PartyBot {
		a.Roles = []string{string(party)}
	}
	return a
}

func (p *platform) add(at time.Time, do func() (threads, messages []string)) {
	p.steps = append(p.steps, step{at: at, do: do})
}

// past lets somebody reply in a thread that a bot opened: Messages replies on Days days, evenly from First to Last.
func (p *platform) past(who string, e librarytest.Earlier) {
	first := librarytest.Start.Add(-time.Duration(e.First))
	apart := time.Duration(0)
	if e.Days > 1 {
		apart = time.Duration(e.First-e.Last) / time.Duration(e.Days-1)
	}
	id := "earlier-" + who
	p.post(&event.Thread{ID: id, Room: "earlier", Title: "Earlier", CreatedAt: first.Add(-time.Minute), Author: event.Actor{ID: "bot", Bot: true}},
		&event.Message{ID: id + "/0", Author: event.Actor{ID: "bot", Bot: true}, CreatedAt: first.Add(-time.Minute), Text: "Here you go."})
	for n := range e.Messages {
		day := n * e.Days / e.Messages
		p.post(p.threads[id], &event.Message{ID: fmt.Sprintf("%s/%d", id, n+1), Author: p.actor(who),
			CreatedAt: first.Add(time.Duration(day)*apart + time.Duration(n)*time.Second), Text: "As said."})
	}
}

// post adds a message to a thread, which it opens where the thread is new.
func (p *platform) post(t *event.Thread, m *event.Message) {
	m.Thread, m.Accepted = t.ID, new(bool)
	m.Opening = p.threads[t.ID] == nil
	if m.Opening {
		p.threads[t.ID] = t
	}
	p.add(m.CreatedAt, func() (threads, messages []string) {
		p.messages[m.ID] = m
		if m.Opening {
			threads = []string{t.ID}
		}
		return threads, []string{m.ID}
	})
}

var link = regexp.MustCompile(`<thread:([^>]*)>`)

func (p *platform) thread(c *librarytest.Thread) {
	opened := librarytest.Start.Add(time.Duration(c.At))
	t := &event.Thread{ID: c.ID, Room: c.Room, Title: c.Title, Tags: c.Tags, Pinned: c.Pinned, CreatedAt: opened, Author: p.actor(c.Messages[0].By)}
	after := func(o librarytest.Offset) time.Time { return opened.Add(time.Duration(o)) }
	for i := range c.Messages {
		p.message(t, &c.Messages[i], after)
	}
	for _, s := range c.Status {
		p.steps = append(p.steps, step{at: after(s.At), unseen: true, do: func() (threads, messages []string) {
			t.Status, t.StatusReason = s.Status, s.Reason
			return []string{t.ID}, nil
		}})
	}
	if d := c.Duplicate; d != nil {
		p.add(after(d.At), func() (threads, messages []string) {
			t.DuplicateOf = d.Of
			return []string{t.ID}, nil
		})
	}
}

func (p *platform) message(t *event.Thread, c *librarytest.Message, after func(librarytest.Offset) time.Time) {
	m := &event.Message{ID: t.ID + "/" + c.ID, Author: p.actor(c.By), CreatedAt: after(c.At)}
	if c.ReplyTo != "" {
		m.Parent = t.ID + "/" + c.ReplyTo
	}
	m.Text = link.ReplaceAllStringFunc(c.Text, func(s string) string {
		id := link.FindStringSubmatch(s)[1]
		m.Refs, m.Links = append(m.Refs, id), append(m.Links, "https://forum.example/t/"+id)
		return "https://forum.example/t/" + id
	})
	p.post(t, m)
	change := func(at time.Time, f func()) {
		p.add(at, func() (threads, messages []string) { f(); return nil, []string{m.ID} })
	}
	if at := after(c.AcceptedAt); c.AcceptedAt != 0 {
		change(at, func() { *m.Accepted, m.AcceptedAt = true, at })
	}
	if c.UnacceptedAt != 0 {
		change(after(c.UnacceptedAt), func() { *m.Accepted, m.AcceptedAt = false, time.Time{} })
	}
	if at := after(c.RemovedAt); c.RemovedAt != 0 {
		change(at, func() {
			m.Presence, m.RemovedAt = event.Removed, at
			m.RemovedBy = event.RemovedBy(cmp.Or(c.RemovedBy, string(event.ByAuthor)))
		})
	}
	for _, r := range c.Reactions {
		change(after(r.At), func() {
			i := slices.IndexFunc(m.Reactions, func(x event.Reaction) bool { return x.Name == r.Name })
			if i < 0 {
				i, m.Reactions = len(m.Reactions), append(m.Reactions, event.Reaction{Name: r.Name})
			}
			m.Reactions[i].Count++
			m.Reactions[i].By = append(slices.Clone(m.Reactions[i].By), p.actor(r.By))
		})
	}
}

// begins is before anything happens.
func (p *platform) begins() time.Time { return p.steps[0].at.Add(-time.Hour) }

// onlyWatched is when the first thing happens whose time the platform does not keep; the given time where nothing does.
func (p *platform) onlyWatched(end time.Time) time.Time {
	for _, s := range p.steps {
		if s.unseen && s.at.Before(end) {
			return s.at.Add(-time.Second)
		}
	}
	return end
}

// until lets everything up to a time happen and shows all of it, with the times that the platform keeps.
func (p *platform) until(end time.Time) []event.Observation {
	var out []event.Observation
	for len(p.steps) > 0 && !p.steps[0].at.After(end) {
		p.steps[0].do()
		p.steps = p.steps[1:]
	}
	opened := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(p.messages)) {
		if m := *p.messages[id]; m.Opening {
			opened[m.Thread] = true
			t := *p.threads[m.Thread]
			out = append(out, event.Observation{Thread: &t})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.messages)) {
		m := *p.messages[id]
		accepted := *m.Accepted
		m.Accepted = &accepted
		out = append(out, event.Observation{Message: &m})
	}
	return out
}

// next lets happen what happens next and shows it to a watcher, who has to tell the time of changes by the clock.
func (p *platform) next() (at time.Time, out []event.Observation) {
	at = p.steps[0].at
	for len(p.steps) > 0 && p.steps[0].at.Equal(at) {
		threads, messages := p.steps[0].do()
		p.steps = p.steps[1:]
		for _, id := range threads {
			t := *p.threads[id]
			out = append(out, event.Observation{Thread: &t})
		}
		for _, id := range messages {
			m := *p.messages[id]
			accepted := *m.Accepted
			m.Accepted, m.AcceptedAt, m.RemovedAt = &accepted, time.Time{}, time.Time{}
			out = append(out, event.Observation{Message: &m})
		}
	}
	return at, out
}
