// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package event

// Party is whose side somebody is on at the time of an event.
type Party string

// The parties. Everybody that no rule names is a Member.
const (
	PartyMember    Party = "Member"
	PartyVolunteer Party = "Volunteer"
	PartyCompany   Party = "Company"
	PartyAgency    Party = "Agency"
	PartyBot       Party = "Bot"
)

// Level is how experienced the author was when the event happened.
type Level string

// The levels. Unknown is what somebody has whose history is not known.
const (
	Newcomer Level = "newcomer"
	RegularL Level = "regular"
	OtherL   Level = "other"
	UnknownL Level = "unknown"
)

// Facts are derived from an event when it is first processed and stored with it, because texts go after a while and
// parties and levels change. Times are Unix milliseconds; zero means none.
type Facts struct {
	Party Party `json:"party,omitempty"`
	Level Level `json:"level,omitempty"`
	// Segments are the names of the community's segments that hold for the author.
	Segments []string `json:"segments,omitempty"`
	// Messages is how many contributions the author had made before this one, as far as known.
	Messages int `json:"messages,omitempty"`
	// HistoryKnown says whether Messages counts all of them.
	HistoryKnown bool `json:"historyKnown,omitempty"`
	// FirstAt and LastAt are the author's first and latest contribution before this one.
	FirstAt int64 `json:"firstAt,omitempty"`
	LastAt  int64 `json:"lastAt,omitempty"`
	// Objected is set where the author objected to being looked at: no credit, no level.
	Objected bool `json:"objected,omitempty"`

	// Language is "de", "en" or empty where the text does not tell.
	Language string `json:"language,omitempty"`
	// QuestionText is whether the text reads as a question (estimated; de and en).
	QuestionText bool `json:"questionText,omitempty"`
	// Thanks is whether the text thanks somebody.
	Thanks bool `json:"thanks,omitempty"`
	// AutoReply is whether the text is an automatic reply.
	AutoReply bool `json:"autoReply,omitempty"`
	// LinksTo are native ids of threads of the same channel that the text points at, at most 20.
	LinksTo []string `json:"linksTo,omitempty"`
	// Links is how many links the text has; Words its length in words.
	Links int `json:"links,omitempty"`
	Words int `json:"words,omitempty"`
}
