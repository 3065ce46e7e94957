// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package librarytest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kith-dev/kith/api/event"
)

// TimeZone is the community's in every case.
const TimeZone = "Europe/Berlin"

// Start is when a case begins: a Monday morning in TimeZone, in winter time. Offsets of threads count from here.
var Start = time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)

// DefaultReadThrough is how long after Start a channel has been read where a case says nothing.
const DefaultReadThrough = 60 * 24 * time.Hour

// File is one file of testdata: the conversations for one behaviour.
type File struct {
	// Behaviour is the name of the behaviour under test; the behaviours that it stands `of` are loaded with it.
	Behaviour string `json:"behaviour"`
	// Channel declares what the rooms are for, as Channel.spec.rooms does.
	Channel Channel `json:"channel"`
	Cases   []Case  `json:"cases"`
}

// Channel declares rooms by their paths or globs.
type Channel struct {
	Questions []string `json:"questions,omitempty"`
	Feedback  []string `json:"feedback,omitempty"`
	HowTo     []string `json:"howTo,omitempty"`
}

// Case is one small history of a channel, and what the behaviour must make of it.
type Case struct {
	Name string `json:"name"`
	// Parties says on whose side everybody is who takes part: Member, Volunteer, Company, Agency or Bot.
	Parties map[string]event.Party `json:"parties"`
	// Earlier is what some of them did before Start. Whoever is missing here has done nothing before.
	Earlier map[string]Earlier `json:"earlier,omitempty"`
	// History is Known (the default: the channel was read from its beginning) or Unknown (a horizon cut it off).
	History History  `json:"history,omitempty"`
	Threads []Thread `json:"threads"`
	// ReadThrough is how long after Start the channel has been read; DefaultReadThrough where left out.
	ReadThrough Offset `json:"readThrough,omitempty"`
	// Due is how many cases of the basis count in the denominator; only for behaviours with `of`.
	Due *int `json:"due,omitempty"`
	// Expect lists every occurrence that counts at ReadThrough in the threads of this case; empty: none.
	Expect []Expected `json:"expect"`
}

// History says whether the channel was read from its beginning.
type History string

// The values of History.
const (
	HistoryKnown   History = "Known"
	HistoryUnknown History = "Unknown"
)

// Earlier is somebody's past: Messages contributions on Days different days, evenly between First and Last before Start.
// They are replies in threads of the room "earlier" that a bot opened; what they bring about is not compared.
type Earlier struct {
	Messages int    `json:"messages"`
	Days     int    `json:"days"`
	First    Offset `json:"first"`
	Last     Offset `json:"last"`
}

// Thread is one conversation. Its first message opens it.
type Thread struct {
	ID    string   `json:"id"`
	Room  string   `json:"room"`
	Title string   `json:"title"`
	Tags  []string `json:"tags,omitempty"`
	// At is the opening's offset from Start.
	At       Offset    `json:"at,omitempty"`
	Pinned   bool      `json:"pinned,omitempty"`
	Messages []Message `json:"messages"`
	// Status are the steps of an idea's status, in order.
	Status []Status `json:"status,omitempty"`
	// Duplicate is set where the thread is marked as a duplicate of another.
	Duplicate *Duplicate `json:"duplicate,omitempty"`
}

// Message is one contribution. Offsets count from the opening of its thread.
type Message struct {
	ID string `json:"id"`
	By string `json:"by"`
	At Offset `json:"at,omitempty"`
	// Text may hold <thread:ID>, which stands for the address of another thread of the case.
	Text string `json:"text"`
	// ReplyTo is the id of the message that it answers; empty: the platform names none.
	ReplyTo string `json:"replyTo,omitempty"`
	// AcceptedAt, UnacceptedAt: when the thread's author took it as the answer, and took that back.
	AcceptedAt   Offset `json:"acceptedAt,omitempty"`
	UnacceptedAt Offset `json:"unacceptedAt,omitempty"`
	// RemovedAt, RemovedBy: when it was removed, and by whose hand (Author, the default, or Moderator).
	RemovedAt Offset     `json:"removedAt,omitempty"`
	RemovedBy string     `json:"removedBy,omitempty"`
	Reactions []Reaction `json:"reactions,omitempty"`
}

// Reaction is a one-click response.
type Reaction struct {
	Name string `json:"name"`
	By   string `json:"by"`
	At   Offset `json:"at"`
}

// Status is a platform's own status of an idea from At on.
type Status struct {
	At     Offset `json:"at"`
	Status string `json:"status"`
	// Reason is true where an explanation came with it.
	Reason bool `json:"reason,omitempty"`
}

// Duplicate says when a thread was marked as a duplicate of which.
type Duplicate struct {
	At Offset `json:"at"`
	Of string `json:"of"`
}

// Expected is one kind of occurrence that must come out, Count times.
type Expected struct {
	Thread string `json:"thread"`
	// Credit and Benefits name people of the case; empty: nobody.
	Credit   string `json:"credit,omitempty"`
	Benefits string `json:"benefits,omitempty"`
	// Count is 1 where left out.
	Count int `json:"count,omitempty"`
}

// Offset is a length of time, written as the resources write it ("90m", "26h", "3d", "3d4h"); zero means none.
type Offset time.Duration

// UnmarshalJSON reads an offset from its text.
func (o *Offset) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("offset %s: write a text such as 26h or 3d", text)
	}
	var days time.Duration
	rest := s
	if number, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return fmt.Errorf("offset %q: write a text such as 26h or 3d", s)
		}
		days, rest = time.Duration(n)*24*time.Hour, after
	}
	var hours time.Duration
	if rest != "" {
		var err error
		if hours, err = time.ParseDuration(rest); err != nil || hours < 0 {
			return fmt.Errorf("offset %q: write a text such as 26h or 3d", s)
		}
	}
	*o = Offset(days + hours)
	return nil
}
