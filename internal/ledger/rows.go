// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"

	"github.com/kith-dev/kith/api/event"
)

// Channel is a channel's row. Ref is its identity for good; Name the resource that declares it now.
type Channel struct {
	N                int64
	Ref              event.ChannelRef
	Name             string
	LiveFrom         int64
	Since            int64
	History          History
	FromBeginning    bool
	Watermark        int64
	PendingWatermark int64
	Epoch            int64
	Holder           string
	DroppedOld       int64
	Quarantined      int64
}

// History says how far the reading of a channel's past has come.
type History int

// The stages of a channel's past: being read into the staging area, being processed in its own order, complete.
const (
	HistoryReading History = iota
	HistoryProcessing
	HistoryComplete
)

// Event is a recorded event. Times are Unix milliseconds; Thread, Message, Author and Actor are row numbers, 0 for none.
type Event struct {
	Seq      int64
	Channel  int64
	Kind     event.Kind
	Native   string
	Revision int
	At       int64
	Observed int64
	Inferred bool
	Imported bool
	Thread   int64
	Message  int64
	// Author is who did what the event is about; Actor who accepted, removed or flagged it (event.by).
	Author int64
	Actor  int64
	Data   Data
	Facts  event.Facts
}

// Data is what an event carries beyond its columns, so that state can be rebuilt from events alone.
type Data struct {
	// MessagePosted, MessageEdited
	Hash    uint64 `json:"hash,omitempty"`
	Parent  int64  `json:"parent,omitempty"`
	Opening bool   `json:"opening,omitempty"`
	Bot     bool   `json:"bot,omitempty"`
	Poll    bool   `json:"poll,omitempty"`
	// MessageRemoved
	By event.RemovedBy `json:"by,omitempty"`
	// ReactionAdded, ReactionRemoved, MessageFlagged
	Name  string `json:"name,omitempty"`
	Count int    `json:"count,omitempty"`
	// MessageMoved: the thread it came from.
	From int64 `json:"from,omitempty"`
	// ThreadOpened, ThreadUpdated: the whole state that came with it.
	Thread *ThreadState `json:"thread,omitempty"`
	// ThreadAged
	After int64 `json:"after,omitempty"`
	// MemberJoined, MemberUpdated
	Member *MemberState `json:"member,omitempty"`
	// BlueprintApplied
	Digest string `json:"digest,omitempty"`
	// ModerationApplied
	Outcome string `json:"outcome,omitempty"`
}

// ThreadState is what the platform says of a thread, as far as it is compared between observations.
type ThreadState struct {
	Room         string    `json:"room,omitempty"`
	Tags         []string  `json:"tags,omitempty"`
	Type         string    `json:"type,omitempty"`
	Solvable     *bool     `json:"solvable,omitempty"`
	Closed       bool      `json:"closed,omitempty"`
	Pinned       bool      `json:"pinned,omitempty"`
	Announcement bool      `json:"announcement,omitempty"`
	Status       string    `json:"status,omitempty"`
	StatusReason bool      `json:"statusReason,omitempty"`
	MergedInto   string    `json:"mergedInto,omitempty"`
	DuplicateOf  string    `json:"duplicateOf,omitempty"`
	SplitFrom    string    `json:"splitFrom,omitempty"`
	Removed      RemovedIs `json:"removed,omitempty"`
}

// RemovedIs is empty for a visible thread, else on whose side the removal was.
type RemovedIs string

// MemberState is what the platform says of an account, without its identity.
type MemberState struct {
	Roles  []string `json:"roles,omitempty"`
	Bot    bool     `json:"bot,omitempty"`
	Domain string   `json:"domain,omitempty"`
	Joined int64    `json:"joined,omitempty"`
	// Prior is how many messages the account had made before anything that the ledger knows; nil: not known.
	Prior *int64 `json:"prior,omitempty"`
}

// row is the bookkeeping of a cached row within a transaction.
type row struct {
	dirty bool
	guard int // the savepoint within which a copy was kept
}

func (r *row) meta() *row { return r }

// Thread is a conversation's state, derived from events.
type Thread struct {
	row
	N        int64
	Channel  int64
	Native   string
	Opened   int64
	LastAt   int64
	Asker    int64
	Question bool
	Visible  bool
	// FirstAt is the time of the first response (0: none), FirstMemberAt that of the first answer by a member.
	FirstAt       int64
	FirstParty    event.Party
	FirstMemberAt int64
	// Solution is the accepted message (0: none), Solver its author.
	Solution int64
	Solver   int64
	// Views is not derived from events: it is the platform's counter, kept for operators.
	Views int64
	Doc   ThreadDoc
}

// ThreadDoc is the part of a thread's state that no query selects by.
type ThreadDoc struct {
	ThreadState
	// InQuestions, InFeedback, InHowTo: declared so, by room or tag, when the thread was opened or moved.
	InQuestions bool `json:"inQuestions,omitempty"`
	InFeedback  bool `json:"inFeedback,omitempty"`
	InHowTo     bool `json:"inHowTo,omitempty"`
	// Mark is a human's word: 1 a question, -1 none, 0 nothing said.
	Mark int `json:"mark,omitempty"`
	// Opening is the opening message and OpeningSeq its MessagePosted.
	Opening    int64 `json:"opening,omitempty"`
	OpeningSeq int64 `json:"openingSeq,omitempty"`
	OpeningOK  bool  `json:"openingOK,omitempty"`
	Poll       bool  `json:"poll,omitempty"`
	Estimated  bool  `json:"estimated,omitempty"`
	// AskerFacts are the facts of the opening.
	AskerFacts event.Facts `json:"askerFacts,omitzero"`
	// First and FirstMember are the messages behind FirstAt and FirstMemberAt.
	First       int64 `json:"first,omitempty"`
	FirstMember int64 `json:"firstMember,omitempty"`
	Responses   int64 `json:"responses,omitempty"`
	// RepliedBeforeSolved: somebody other than the asker had replied before the solution.
	RepliedBeforeSolved bool  `json:"repliedBeforeSolved,omitempty"`
	SolvedAt            int64 `json:"solvedAt,omitempty"`
	// Aged maps ages (ms) already reached to the seq of their ThreadAged.
	Aged map[int64]int64 `json:"aged,omitempty"`
	// CasesUntil is the latest deadline of a case of this thread; a message before it can still change one.
	CasesUntil int64          `json:"casesUntil,omitempty"`
	Revisions  map[string]int `json:"revisions,omitempty"`
	Imported   bool           `json:"imported,omitempty"`
}

// Flags of a message.
const (
	MessageOpening = 1 << iota
	MessageBot
	MessageAuto
	MessageRemoved
	MessageHeld
	MessageAccepted
	MessageThanks
	MessagePoll
	MessageByMember // the author's party is Member or Volunteer
)

// Message is a contribution's state, derived from events.
type Message struct {
	row
	N       int64
	Channel int64
	Native  string
	Thread  int64
	Author  int64
	At      int64
	// Seq is its MessagePosted, whose facts hold for the author then.
	Seq      int64
	Parent   int64
	Flags    int64
	Revision int
	Hash     uint64
	// Missing is when a listing first lacked it (0: not); not derived from events.
	Missing   int64
	Reactions map[string]int
	Revisions map[string]int
}

// Is says whether a flag is set.
func (m *Message) Is(flag int64) bool { return m.Flags&flag != 0 }

// Set sets or clears a flag.
func (m *Message) Set(flag int64, on bool) {
	if on {
		m.Flags |= flag
	} else {
		m.Flags &^= flag
	}
}

// Visible says whether readers of the platform can see it.
func (m *Message) Visible() bool { return m.Flags&(MessageRemoved|MessageHeld) == 0 }

// Response says whether it can answer: visible, and neither a bot's nor automatic.
func (m *Message) Response() bool {
	return m.Flags&(MessageRemoved|MessageHeld|MessageBot|MessageAuto) == 0
}

// Stats is what is known of a member's activity, derived from events.
type Stats struct {
	row
	Member   int64
	Prior    *int64
	Messages int64
	FirstAt  int64
	LastAt   int64
	Joined   int64
	Bot      bool
	Domain   string
	Roles    []string
	Days     []Day
	Revision int
}

// Day is how many contributions a member made on one day (days since 1970 in the community's time zone).
type Day struct {
	Day   uint16
	Count uint16
}

// AddDay counts a contribution on a day and forgets days before oldest.
func (s *Stats) AddDay(day, oldest uint16) {
	days := slices.Clone(s.Days)
	i, found := slices.BinarySearchFunc(days, day, func(d Day, t uint16) int { return int(d.Day) - int(t) })
	switch {
	case !found:
		days = slices.Insert(days, i, Day{Day: day, Count: 1})
	case days[i].Count < 1<<16-1:
		days[i].Count++
	}
	for len(days) > 0 && days[0].Day < oldest {
		days = days[1:]
	}
	s.Days = days
}

// Between sums contributions and distinct days from one day to another, both included.
func (s *Stats) Between(from, to uint16) (contributions, distinct int) {
	for _, d := range s.Days {
		if d.Day >= from && d.Day <= to {
			contributions += int(d.Count)
			distinct++
		}
	}
	return contributions, distinct
}

// State of an occurrence.
type State int

// The states: waiting to settle, counted, found untrue at settling, undone after it was true, true but not counted
// because another occurrence of the same scope is, and a case of a basis that nothing has fulfilled.
const (
	Pending State = iota
	Counted
	Dropped
	Undone
	Shadowed
	Unfulfilled
)

// String names the state in dumps.
func (s State) String() string {
	return [...]string{"Pending", "Counted", "Dropped", "Undone", "Shadowed", "Unfulfilled"}[s]
}

// Occurrence is one case of a behaviour, derived from events.
type Occurrence struct {
	row
	N          int64
	Behaviour  string
	Generation string
	Channel    int64
	Thread     int64
	Message    int64
	// Seq is the event that made it.
	Seq int64
	// Basis is the case of another behaviour that this one fulfils (0: none).
	Basis    int64
	Credit   int64
	Benefits int64
	// Level, Party and Segment are those of the credited member at the event; the Benefits ones of who benefits.
	Level           event.Level
	Party           event.Party
	Segment         string
	BenefitsLevel   event.Level
	BenefitsParty   event.Party
	BenefitsSegment string
	// Arose is the period it belongs to, At when it became true, Due when it settles.
	Arose, At, Due int64
	State          State
	Imported       bool
	// CountedAs is the level and segment label it was counted under ("newcomer|"), empty where no counter was raised.
	CountedAs string
	Key       string
}

// TimerKind is what a timer does when its channel's watermark passes it.
type TimerKind int

// The kinds of timers.
const (
	TimerAged TimerKind = iota + 1
	TimerSettle
	TimerCase
	TimerMissing
	TimerUnanswered
)

// MakesEvent says whether firing it appends an event.
func (k TimerKind) MakesEvent() bool { return k == TimerAged || k == TimerMissing }

// Timer fires when its channel's watermark passes Due.
type Timer struct {
	N          int64
	Channel    int64
	Due        int64
	Kind       TimerKind
	Thread     int64
	Message    int64
	Occurrence int64
	After      int64
	Behaviour  string

	saved bool
}

// MemberStatus is what a person asked for.
type MemberStatus int

// The statuses of a member.
const (
	MemberKnown MemberStatus = iota
	MemberErased
	MemberObjected
)

// Member is a person. ID is random.
type Member struct {
	N      int64
	ID     string
	Status MemberStatus
	fresh  bool
}
