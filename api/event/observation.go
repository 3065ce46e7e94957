// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"time"
)

// Observation is what a connector saw of one thing at one moment: exactly one of its pointers is set.
// Native ids are the platform's own and unique within (channel, kind of thing).
type Observation struct {
	// Message is one contribution as it stood.
	Message *Message `json:"message,omitempty"`
	// Thread is one conversation as it stood, without its messages.
	Thread *Thread `json:"thread,omitempty"`
	// Member is one account as it stood.
	Member *Member `json:"member,omitempty"`
	// Listing says which messages of a thread, or which threads of the channel, existed: what is missing is gone.
	Listing *Listing `json:"listing,omitempty"`
	// Moderation is something that a human did on the platform and that the platform shows.
	Moderation *Moderation `json:"moderation,omitempty"`
}

// Actor names an account of the channel. An empty ID means that the platform does not say who.
type Actor struct {
	// ID is the platform's own id of the account; where it has none, its handle.
	ID string `json:"id"`
	// Handle is the name that the platform shows and others mention.
	Handle string `json:"handle,omitempty"`
	// Bot is true for accounts that the platform marks as automatic, or that are the platform's own (system).
	Bot bool `json:"bot,omitempty"`
	// Roles are the platform's roles and groups as far as the message shows them (admin, moderator, staff, group names).
	Roles []string `json:"roles,omitempty"`
}

// MessageKind tells contributions from what the platform itself writes into a thread.
type MessageKind string

const (
	// Regular is a contribution by somebody. The zero value means Regular.
	Regular MessageKind = "Regular"
	// Notice is a system note ("closed", "split"), an automatic reply or a bot's post: no contribution, no answer.
	Notice MessageKind = "Notice"
	// Whisper is visible to staff only. Connectors leave it out unless asked by name.
	Whisper MessageKind = "Whisper"
)

// Presence says whether a message or thread can be seen.
type Presence string

const (
	// Visible is the zero value's meaning.
	Visible Presence = "Visible"
	// Removed means gone for the public, whether the platform keeps a tombstone or not.
	Removed Presence = "Removed"
	// Held means waiting for a moderator, or hidden by flags until reviewed.
	Held Presence = "Held"
)

// RemovedBy says on whose side the hand was that removed a message.
type RemovedBy string

// The values of RemovedBy.
const (
	ByAuthor    RemovedBy = "Author"
	ByModerator RemovedBy = "Moderator"
	ByPlatform  RemovedBy = "Platform"
	ByUnknown   RemovedBy = "Unknown"
)

// Message is one contribution as it stood.
type Message struct {
	// ID is the platform's id of the message, unique in the channel and kept when it moves.
	ID string `json:"id"`
	// Thread is the native id of its thread now.
	Thread string `json:"thread"`
	// Parent is the native id of the message it replies to, where the platform says so; else empty.
	Parent string `json:"parent,omitempty"`
	// Opening is true for the first message of its thread.
	Opening bool `json:"opening,omitempty"`
	// Kind defaults to Regular.
	Kind MessageKind `json:"kind,omitempty"`
	// Author wrote it.
	Author Actor `json:"author"`
	// CreatedAt is the platform's time of posting; required.
	CreatedAt time.Time `json:"createdAt"`
	// EditedAt is the time of the last change of content, where the platform gives one.
	EditedAt time.Time `json:"editedAt,omitzero"`
	// Text is plain text or HTML as TextFormat says. Intake cuts it at MaxText bytes and keeps a hash of the whole.
	Text string `json:"text,omitempty"`
	// TextFormat is "text" (default) or "html".
	TextFormat string `json:"textFormat,omitempty"`
	// TextHash is the hash of the whole text where Text was cut; intake fills it.
	TextHash string `json:"textHash,omitempty"`
	// Links are the addresses it points at, absolute; at most MaxLinks.
	Links []string `json:"links,omitempty"`
	// Refs are native ids of other threads of this channel that it points at, where the connector can tell, once each;
	// at most MaxRefs.
	Refs []string `json:"refs,omitempty"`
	// Presence defaults to Visible.
	Presence Presence `json:"presence,omitempty"`
	// RemovedBy, RemovedAt: who removed it and when, as far as the platform says.
	RemovedBy RemovedBy `json:"removedBy,omitempty"`
	RemovedAt time.Time `json:"removedAt,omitzero"`
	// Remover removed it, where the platform names the account.
	Remover *Actor `json:"remover,omitempty"`
	// Accepted is whether this message is the accepted answer of its thread; nil where the connector cannot tell.
	Accepted *bool `json:"accepted,omitempty"`
	// AcceptedAt and AcceptedBy are set where the platform gives them.
	AcceptedAt time.Time `json:"acceptedAt,omitzero"`
	AcceptedBy *Actor    `json:"acceptedBy,omitempty"`
	// Reactions is what others expressed with one click, by name ("like"): counts, and who where the platform shows it.
	Reactions []Reaction `json:"reactions,omitempty"`
	// Flags is how many members flagged it, where visible.
	Flags int `json:"flags,omitempty"`
	// Poll is true where it holds a poll.
	Poll bool `json:"poll,omitempty"`
}

// Reaction is one kind of one-click response to a message.
type Reaction struct {
	Name  string  `json:"name"`
	Count int     `json:"count"`
	By    []Actor `json:"by,omitempty"`
}

// Thread is one conversation as it stood.
type Thread struct {
	// ID is the platform's id of the thread.
	ID string `json:"id"`
	// Room is the path of its room as users know it ("support/install"), matched against rooms.include and others.
	Room  string   `json:"room,omitempty"`
	Title string   `json:"title,omitempty"`
	Tags  []string `json:"tags,omitempty"`
	URL   string   `json:"url,omitempty"`
	// CreatedAt is when it was opened; Author opened it. Both repeat the opening message where that is read too.
	CreatedAt time.Time `json:"createdAt"`
	Author    Actor     `json:"author"`
	// Type is Question where the platform itself types threads as questions (solved enabled in its category, Q&A
	// product), Discussion where it types it as something else, empty where it has no types.
	Type string `json:"type,omitempty"`
	// Solvable is whether an answer can be accepted in it; nil where unknown.
	Solvable *bool `json:"solvable,omitempty"`
	Closed   bool  `json:"closed,omitempty"`
	Pinned   bool  `json:"pinned,omitempty"`
	// Announcement is true where only staff can open threads of its kind, or it is marked as one.
	Announcement bool `json:"announcement,omitempty"`
	// Status is the platform's own idea or ticket status ("planned", "done"), where it has one.
	Status string `json:"status,omitempty"`
	// StatusReason is true where the status came with an explanation.
	StatusReason bool `json:"statusReason,omitempty"`
	// MergedInto and DuplicateOf are native ids of other threads.
	MergedInto  string `json:"mergedInto,omitempty"`
	DuplicateOf string `json:"duplicateOf,omitempty"`
	// SplitFrom is the native id of the thread that it was cut out of, where known.
	SplitFrom string    `json:"splitFrom,omitempty"`
	Presence  Presence  `json:"presence,omitempty"`
	RemovedBy RemovedBy `json:"removedBy,omitempty"`
	RemovedAt time.Time `json:"removedAt,omitzero"`
	// Views is the platform's own counter: for operators, never for objectives. Not an event.
	Views int `json:"views,omitempty"`
}

// Member is one account as it stood.
type Member struct {
	Actor
	// Name is the display name, if any. Encrypted at rest, as the id and the handle are.
	Name string `json:"name,omitempty"`
	// EmailDomain is the part after the @ of a verified address, where the account may see it.
	EmailDomain string `json:"emailDomain,omitempty"`
	// Messages is the platform's own count of the member's public messages; nil where it does not say.
	Messages *int `json:"messages,omitempty"`
	// Trust is the platform's own level as it names it ("2", "regular"); empty where it has none.
	Trust string `json:"trust,omitempty"`
	// JoinedAt is when the account was made.
	JoinedAt time.Time `json:"joinedAt,omitzero"`
	// LeftAt is set where the account has been closed.
	LeftAt time.Time `json:"leftAt,omitzero"`
}

// Listing says what existed at the moment of the observation, so that what is missing can be concluded to be gone.
// It speaks only of the ids between From and To in time (by creation, both inclusive; zero means unbounded).
type Listing struct {
	// Thread is the thread whose messages are listed. Empty: the listing is of threads of the channel.
	Thread string `json:"thread,omitempty"`
	// IDs are the native ids that exist.
	IDs  []string  `json:"ids"`
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// RemovedBy is what an absence means on this platform (usually Unknown).
	RemovedBy RemovedBy `json:"removedBy,omitempty"`
}

// Moderation is what a human did on the platform.
type Moderation struct {
	ID      string    `json:"id"`
	Message string    `json:"message,omitempty"`
	Thread  string    `json:"thread,omitempty"`
	At      time.Time `json:"at"`
	By      Actor     `json:"by"`
	// Outcome is Upheld (the flag was right) or Dismissed.
	Outcome string `json:"outcome,omitempty"`
	// Flaggers are the members who had flagged, first one first, where visible.
	Flaggers []Actor `json:"flaggers,omitempty"`
}
