// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"math"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/kith-dev/kith/api/event"
)

// field is one readable field of a typed variable.
type field struct {
	typ *types.Type
	// get reads the field from the plain struct; objects come as pointers, everything else as CEL values.
	get func(any) any
	// isSet answers has(); nil means always.
	isSet func(any) bool
	// values closes the set of values, so that a misspelt one is found when compiling; nil means open.
	values []string
	// text marks what depends on texts, which are kept for a while only.
	text bool
}

// object is the CEL type of one of the plain structs.
type object struct {
	typ    *types.Type
	fields map[string]field
}

// The CEL types. Their names show in messages about types.
var (
	personType    = types.NewObjectType("Person")
	eventType     = types.NewObjectType("Event")
	threadType    = types.NewObjectType("Thread")
	parentType    = types.NewObjectType("Parent")
	channelType   = types.NewObjectType("Channel")
	variablesType = types.NewObjectType("Variables")
	textList      = types.NewListType(types.StringType)
)

// roots are the variables of every expression.
var roots = map[string]*types.Type{
	"event": eventType, "author": personType, "thread": threadType, "parent": parentType, "channel": channelType,
	"variables": variablesType, "now": types.TimestampType,
}

// objects are all types with fields, by name. The fields of Variables are those of one environment.
var objects = map[string]object{
	"Person":  {personType, personFields},
	"Event":   {eventType, eventFields},
	"Thread":  {threadType, threadFields},
	"Parent":  {parentType, parentFields},
	"Channel": {channelType, channelFields},
}

func text[T any](get func(*T) string) field {
	return field{
		typ:   types.StringType,
		get:   func(v any) any { return types.String(get(v.(*T))) },
		isSet: func(v any) bool { return get(v.(*T)) != "" },
	}
}

func boolean[T any](get func(*T) bool) field {
	return field{typ: types.BoolType, get: func(v any) any { return types.Bool(get(v.(*T))) }}
}

func integer[T any](get func(*T) int64) field {
	return field{typ: types.IntType, get: func(v any) any { return types.Int(get(v.(*T))) }}
}

func length[T any](get func(*T) time.Duration) field {
	return field{typ: types.DurationType, get: func(v any) any { return types.Duration{Duration: get(v.(*T))} }}
}

func moment[T any](get func(*T) time.Time) field {
	return field{
		typ:   types.TimestampType,
		get:   func(v any) any { return types.Timestamp{Time: get(v.(*T))} },
		isSet: func(v any) bool { return !get(v.(*T)).IsZero() },
	}
}

func list[T any](get func(*T) []string) field {
	return field{
		typ:   textList,
		get:   func(v any) any { return types.NewStringList(types.DefaultTypeAdapter, get(v.(*T))) },
		isSet: func(v any) bool { return len(get(v.(*T))) > 0 },
	}
}

func person[T any](get func(*T) *Person) field {
	return field{
		typ: personType,
		get: func(v any) any {
			if p := get(v.(*T)); p != nil {
				return p
			}
			return nobody
		},
		isSet: func(v any) bool { p := get(v.(*T)); return p != nil && p.ID != "" },
	}
}

// nobody stands for persons that are not there.
var nobody = &Person{}

func (f field) of(values ...string) field { f.values = values; return f }
func (f field) readingText() field        { f.text = true; return f }

var personFields = map[string]field{
	"id": text(func(p *Person) string { return p.ID }),
	"party": text(func(p *Person) string { return string(p.Party) }).of(string(event.PartyMember),
		string(event.PartyVolunteer), string(event.PartyCompany), string(event.PartyAgency), string(event.PartyBot)),
	"level": text(func(p *Person) string { return string(p.Level) }).of(string(event.Newcomer), string(event.RegularL),
		string(event.OtherL), string(event.UnknownL)),
	"historyKnown":      boolean(func(p *Person) bool { return p.HistoryKnown }),
	"messages":          integer((*Person).messages),
	"firstContribution": boolean(func(p *Person) bool { return p.messages() == 0 }),
	"firstAt":           moment(func(p *Person) time.Time { return p.FirstAt }),
	"lastAt":            moment(func(p *Person) time.Time { return p.LastAt }),
	"sinceFirst":        length(func(p *Person) time.Duration { return since(p.FirstAt, p.At) }),
	"silentFor":         length(func(p *Person) time.Duration { return since(p.LastAt, p.At) }),
	"anotherDay":        boolean((*Person).anotherDay),
	"roles":             list(func(p *Person) []string { return p.Roles }),
	"segments":          list(func(p *Person) []string { return p.Segments }),
}

// messages reads as a very large number where the history is not known, so that "few" never matches by mistake.
func (p *Person) messages() int64 {
	if !p.HistoryKnown {
		return math.MaxInt64
	}
	return p.Messages
}

// anotherDay is whether the event is on a later day of the calendar than the very first contribution.
func (p *Person) anotherDay() bool {
	if p.FirstAt.IsZero() {
		return false
	}
	location := p.Location
	if location == nil {
		location = time.UTC
	}
	year, month, day := p.FirstAt.In(location).Date()
	thisYear, thisMonth, thisDay := p.At.In(location).Date()
	return year != thisYear || month != thisMonth || day != thisDay
}

func since(from, to time.Time) time.Duration {
	if from.IsZero() || to.Before(from) {
		return 0
	}
	return to.Sub(from)
}

var eventFields = map[string]field{
	"kind":              text(func(e *Event) string { return string(e.Kind) }).of(Kinds()...),
	"text":              text(func(e *Event) string { return lazy(e.Text) }).readingText(),
	"title":             text(func(e *Event) string { return e.Title }).readingText(),
	"language":          text(func(e *Event) string { return e.Language }),
	"question":          boolean(func(e *Event) bool { return e.Question }),
	"thanks":            boolean(func(e *Event) bool { return e.Thanks }),
	"links":             integer(func(e *Event) int64 { return e.Links }).readingText(),
	"linksToSolved":     boolean(func(e *Event) bool { return lazy(e.LinksToSolved) }).readingText(),
	"words":             integer(func(e *Event) int64 { return e.Words }).readingText(),
	"opening":           boolean(func(e *Event) bool { return e.Opening }),
	"reply":             boolean(func(e *Event) bool { return e.Reply }),
	"answer":            boolean(func(e *Event) bool { return e.Answer }),
	"firstResponse":     boolean(func(e *Event) bool { return e.FirstResponse }),
	"firstMemberAnswer": boolean(func(e *Event) bool { return e.FirstMemberAnswer }),
	"sinceOpened":       length(func(e *Event) time.Duration { return e.SinceOpened }),
	"sinceAsked":        length(func(e *Event) time.Duration { return e.SinceOpened }),
	"accepted":          boolean(func(e *Event) bool { return e.Accepted }),
	"thankedByAsker":    boolean(func(e *Event) bool { return lazy(e.ThankedByAsker) }),
	"by":                person(func(e *Event) *Person { return e.By }),
	"reaction":          text(func(e *Event) string { return e.Reaction }),
	"status":            text(func(e *Event) string { return e.Status }),
	"statusReason":      boolean(func(e *Event) bool { return e.StatusReason }),
	"imported":          boolean(func(e *Event) bool { return e.Imported }),
	"time":              moment(func(e *Event) time.Time { return e.Time }),
}

var threadFields = map[string]field{
	"id":                       text(func(t *Thread) string { return t.ID }),
	"room":                     text(func(t *Thread) string { return t.Room }),
	"title":                    text(func(t *Thread) string { return t.Title }).readingText(),
	"tags":                     list(func(t *Thread) []string { return t.Tags }),
	"question":                 boolean(func(t *Thread) bool { return t.Question }),
	"questionEstimated":        boolean(func(t *Thread) bool { return t.QuestionEstimated }),
	"feedback":                 boolean(func(t *Thread) bool { return t.Feedback }),
	"howTo":                    boolean(func(t *Thread) bool { return t.HowTo }),
	"author":                   person(func(t *Thread) *Person { return t.Author }),
	"openedAt":                 moment(func(t *Thread) time.Time { return t.OpenedAt }),
	"age":                      length(func(t *Thread) time.Duration { return t.Age }),
	"solved":                   boolean(func(t *Thread) bool { return t.Solved }),
	"solvedByAsker":            boolean(func(t *Thread) bool { return t.SolvedByAsker }),
	"closed":                   boolean(func(t *Thread) bool { return t.Closed }),
	"pinned":                   boolean(func(t *Thread) bool { return t.Pinned }),
	"duplicate":                boolean(func(t *Thread) bool { return t.DuplicateOf != "" }),
	"duplicateOf":              text(func(t *Thread) string { return t.DuplicateOf }),
	"responses":                integer(func(t *Thread) int64 { return t.Responses }),
	"responders":               integer(func(t *Thread) int64 { return lazy(t.Responders) }),
	"usedBy":                   integer(func(t *Thread) int64 { return lazy(t.UsedBy) }),
	"answered":                 boolean(func(t *Thread) bool { return t.Answered }),
	"answeredByMember":         boolean(func(t *Thread) bool { return t.AnsweredByMember }),
	"firstResponseAfter":       length(func(t *Thread) time.Duration { return t.FirstResponseAfter }),
	"firstMemberAnswerAfter":   length(func(t *Thread) time.Duration { return t.FirstMemberAnswerAfter }),
	"openingFirstContribution": boolean(func(t *Thread) bool { return t.OpeningFirstContribution }),
}

var parentFields = map[string]field{
	"id":                text(func(p *Parent) string { return p.ID }),
	"exists":            boolean(func(p *Parent) bool { return p.Exists }),
	"author":            person(func(p *Parent) *Person { return p.Author }),
	"question":          boolean(func(p *Parent) bool { return p.Question }),
	"firstContribution": boolean(func(p *Parent) bool { return p.FirstContribution }),
	"age":               length(func(p *Parent) time.Duration { return p.Age }),
}

var channelFields = map[string]field{
	"name":     text(func(c *Channel) string { return c.Name }),
	"platform": text(func(c *Channel) string { return c.Platform }),
	"team":     text(func(c *Channel) string { return c.Team }),
}

func lazy[T any](get func() T) T {
	if get == nil {
		var zero T
		return zero
	}
	return get()
}

// Kinds are the kinds of events that expressions can see, as event.kind.
func Kinds() []string {
	kinds := []event.Kind{
		event.MessagePosted, event.MessageEdited, event.MessageRemoved, event.MessageHeld, event.MessageReleased,
		event.MessageMoved, event.MessageFlagged, event.AnswerAccepted, event.AnswerUnaccepted, event.ReactionAdded,
		event.ReactionRemoved, event.ThreadOpened, event.ThreadUpdated, event.ThreadMerged, event.ThreadSplit,
		event.ThreadReopened, event.ThreadAged, event.QuestionMarked, event.QuestionUnmarked, event.DuplicateMarked,
		event.MemberJoined, event.MemberUpdated, event.MemberLeft, event.ModerationApplied,
	}
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	return names
}

// resolve finds a root variable's plain value.
func (in *Input) resolve(name string) (any, bool) {
	switch name {
	case "event":
		return in.Event, true
	case "author":
		return in.Author, true
	case "thread":
		return in.Thread, true
	case "parent":
		return in.Parent, true
	case "channel":
		return in.Channel, true
	case "now":
		return types.Timestamp{Time: in.Now}, true
	}
	return nil, false
}

var _ ref.Val = objectValue{}
