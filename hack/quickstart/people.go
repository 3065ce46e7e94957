// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// language of a member or a thread.
type language int

const (
	german language = iota
	english
)

// side is on whose side somebody stands.
type side int

const (
	member side = iota
	volunteer
	company
	agency
)

// person is one account of the forum.
type person struct {
	user
	side     side
	language language
	// bilingual people answer in both languages.
	bilingual bool
	// weight is how often this member answers, compared with others; 0: does not answer.
	weight int
	// active spans the times in which this member takes part.
	active []span
	// posts so far, for the trust level.
	posts int
}

type span struct{ from, to time.Time }

func (p *person) at(t time.Time) bool {
	for _, s := range p.active {
		if !t.Before(s.from) && t.Before(s.to) {
			return true
		}
	}
	return false
}

func (p *person) speaks(l language) bool { return p.bilingual || p.language == l }

// group is the primary group that Discourse shows beside a post.
func (p *person) group() *string {
	var name string
	switch p.side {
	case company:
		name = "tukani"
	case agency:
		name = "studio"
	default:
		return nil
	}
	return &name
}

func (p *person) trust() int {
	switch {
	case p.side != member, p.posts > 60:
		return 3
	case p.posts > 15:
		return 2
	case p.posts > 3:
		return 1
	}
	return 0
}

// people is everybody, with handles that are two words and never a name.
type people struct {
	random *rand.Rand
	all    []*person
	taken  map[string]bool
}

func (ps *people) add(p person) *person {
	p.ID = int64(len(ps.all) + 1)
	if p.Username == "" {
		p.Username = ps.handle()
	}
	ps.all = append(ps.all, &p)
	return &p
}

func (ps *people) handle() string {
	for {
		h := pick(ps.random, handleFirst) + pick(ps.random, handleSecond)
		if ps.taken[h] {
			h = fmt.Sprintf("%s%d", h, 2+ps.random.IntN(88))
		}
		if !ps.taken[h] {
			ps.taken[h] = true
			return h
		}
	}
}

// found makes those who are there from the first day: staff, the agency, volunteers, regulars, and some who fall silent
// and come back.
func (ps *people) found() {
	always := []span{{from: start, to: exportedAt}}
	for _, h := range []string{"tukani-service", "tukani-product", "tukani-lab"} {
		ps.add(person{user: user{Username: h}, side: company, bilingual: true, active: always})
	}
	for range 2 {
		ps.add(person{side: agency, bilingual: true, active: always})
	}
	for i := range 3 {
		ps.add(person{side: volunteer, language: language(i % 2), bilingual: true, weight: 8, active: always})
	}
	for i := range 16 {
		ps.add(person{language: language(i % 3 / 2), bilingual: i%2 == 0, weight: 4 + i%5, active: always})
	}
	for i := range 9 {
		back := start.AddDate(0, 6+i%4, 3*i)
		ps.add(person{language: language(i % 2), bilingual: true, weight: 6, active: []span{
			{from: start, to: start.AddDate(0, 2, 0)},
			{from: back, to: back.AddDate(0, 1, 10)},
		}})
	}
}

// newcomer joins now. One in three stays for a while and helps others.
func (ps *people) newcomer(now time.Time) *person {
	p := person{language: german, active: []span{{from: now, to: now.AddDate(0, 0, 1)}}}
	if ps.random.IntN(100) < 42 {
		p.language = english
	}
	switch n := ps.random.IntN(100); {
	case n < 18:
		p.weight, p.bilingual = 2+ps.random.IntN(3), true
		p.active[0].to = exportedAt
	case n < 50:
		p.weight = 1
		p.active[0].to = now.AddDate(0, 0, 20+ps.random.IntN(60))
	}
	return ps.add(p)
}

// answerer chooses a member or volunteer who answers at this time in this language; nil where nobody is there.
func (ps *people) answerer(now time.Time, l language, not map[int64]bool) *person {
	total := 0
	for _, p := range ps.all {
		if p.weight > 0 && p.speaks(l) && p.at(now) && !not[p.ID] {
			total += p.weight
		}
	}
	if total == 0 {
		return nil
	}
	n := ps.random.IntN(total)
	for _, p := range ps.all {
		if p.weight > 0 && p.speaks(l) && p.at(now) && !not[p.ID] {
			if n -= p.weight; n < 0 {
				return p
			}
		}
	}
	return nil
}

// of chooses somebody of a side.
func (ps *people) of(s side) *person {
	var all []*person
	for _, p := range ps.all {
		if p.side == s {
			all = append(all, p)
		}
	}
	return pick(ps.random, all)
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }
