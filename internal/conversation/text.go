// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"crypto/sha256"
	"encoding/binary"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/kith-dev/kith/api/event"
)

// PlainText gives the text of a message without markup: quotes, code and preformatted parts left out, as they are not
// what the author says. Its length is bounded by event.MaxText, and it is valid UTF-8.
func PlainText(s, format string) string {
	if !utf8.ValidString(s) {
		s = string([]rune(s)) // each bad byte becomes U+FFFD, as when it goes through JSON
	}
	if format != "html" {
		return cut(strings.TrimSpace(s))
	}
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	z.SetMaxBuf(1 << 20)
	skip := 0
	for b.Len() < event.MaxText {
		switch z.Next() {
		case html.ErrorToken:
			return cut(strings.TrimSpace(b.String()))
		case html.TextToken:
			if skip == 0 {
				b.Write(z.Text())
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			switch a := atom.Lookup(name); {
			case silent(a):
				skip++
			case block(a):
				b.WriteByte('\n')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch a := atom.Lookup(name); {
			case silent(a):
				skip = max(0, skip-1)
			case block(a):
				b.WriteByte('\n')
			}
		case html.SelfClosingTagToken:
			if name, _ := z.TagName(); atom.Lookup(name) == atom.Br {
				b.WriteByte('\n')
			}
		}
	}
	return cut(strings.TrimSpace(b.String()))
}

func silent(a atom.Atom) bool {
	switch a {
	case atom.Blockquote, atom.Aside, atom.Pre, atom.Code, atom.Script, atom.Style, atom.Svg:
		return true
	}
	return false
}

func block(a atom.Atom) bool {
	switch a {
	case atom.P, atom.Br, atom.Div, atom.Li, atom.Ul, atom.Ol, atom.H1, atom.H2, atom.H3, atom.H4, atom.Tr, atom.Td:
		return true
	}
	return false
}

func cut(s string) string { return cutAt(s, event.MaxText) }

// textHash tells contents apart; it is short on purpose, so that it says little by itself.
func textHash(s string) uint64 {
	h := sha256.Sum256([]byte(s))
	return binary.LittleEndian.Uint64(h[:8])
}

// Reading is what a text says by itself.
type Reading struct {
	Language  string
	Question  bool
	Thanks    bool
	AutoReply bool
	Words     int
}

// maxRead bounds how much of a text is read for its facts: openings and first paragraphs tell.
const maxRead = 4000

// Read derives what a title and a plain text say: language, whether it asks something (estimated; German and English),
// whether it thanks, whether a machine wrote it.
func Read(title, text string) Reading {
	r := readText(text)
	if title != "" {
		r.addTitle(title)
	}
	return r
}

// addTitle takes a title into account: it often asks the question, and tells the language of a short text.
func (r *Reading) addTitle(title string) {
	low := strings.ToLower(title)
	r.Question = r.Question || asks(low)
	if r.Language == "" {
		r.Language = language(fields(low))
	}
}

func readText(text string) Reading {
	full := text
	if len(text) > maxRead {
		text = cutAt(text, maxRead)
	}
	low := strings.ToLower(text)
	words := fields(low)
	r := Reading{Words: len(words), Language: language(words)}
	if len(full) > len(text) {
		r.Words = len(strings.Fields(full))
	}
	r.Thanks = maybeThanks(low) && thanks(low)
	r.AutoReply = autoReplyRE.MatchString(low[:min(len(low), 80)])
	r.Question = asks(low)
	return r
}

// cutAt gives at most n bytes of a text, and no half character.
func cutAt(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && !unicode.IsDigit(r) })
}

var stop = map[string]string{}

func init() { //nolint:gochecknoinits // a table in two lines rather than eighty
	for _, w := range strings.Fields("der die das und ist nicht ich ein eine mit auf für wie den dem des wenn auch aber bei zum zur kann mir noch hat wir werden wird sind bitte danke hallo") {
		stop[w] = "de"
	}
	for _, w := range strings.Fields("the and is not i a with on for how of to it this that you have can my be are please thanks hello what when but or if do does") {
		stop[w] = "en"
	}
}

// language needs at least two tell-tale words, and twice as many as for the other language.
func language(words []string) string {
	var de, en int
	for _, w := range words[:min(len(words), 300)] {
		switch stop[w] {
		case "de":
			de++
		case "en":
			en++
		}
	}
	switch {
	case de >= 2 && de >= 2*en:
		return "de"
	case en >= 2 && en >= 2*de:
		return "en"
	}
	return ""
}

var (
	thanksRE    = regexp.MustCompile(`\b(thanks|thank you|thx|cheers mate|much appreciated|danke|dankeschön|vielen dank|merci|dank dir|dank euch|dank ihnen)\b`)
	inAdvanceRE = regexp.MustCompile(`(thanks|thank you|thx|cheers|danke|dank)( (a lot|so much|very much|all|sehr|schön|euch|dir|ihnen))? ?(in advance|im voraus|schon ?mal|vorab)|(in advance|im voraus|schon ?mal|vorab),?( (vielen|herzlichen|many))? (danke?|thanks)`)
	autoReplyRE = regexp.MustCompile(`^(this is an automat|automatische antwort|auto(matic)?[- ]?reply|out of office|ich bin (derzeit |zurzeit )?nicht im büro|abwesenheitsnotiz)`)
	declineRE   = regexp.MustCompile(`\b(no|nein),? (thanks|thank you|danke)\b`)
)

// Beginnings of a question. Relative ones also begin a clause that tells something (“…, which works”): after a comma they
// ask only behind a greeting, or where the text has a question mark.
const (
	asking   = `how (do|can|to|does|should|would|is|are|come)|what('s| is| are| does| do| would| should)|why (is|are|does|do|can|doesn|isn|won)|where (is|are|do|can|does)|who (can|knows|has)|when (will|is|does|do)|is (there|it|this|anyone)|are there|can (i|you|someone|anyone|we|it)|could (you|someone|anyone|it)|does (anyone|anybody|someone|it|this)|do (you|i|we)|has any(one|body)|any(one|body) (know|have|else|got)|any (idea|hint|suggestion|help|advice)s?|i need help|help me|wie (kann|geht|mache|bekomme|macht|funktioniert|lässt|lange|viel|oft|ist|stelle|kriege|soll)|was (ist|kann|mache|muss|sind|bedeutet|soll|tun)|wo (ist|finde|kann|sind|liegt|bekomme)|wer (kann|weiß|hat|kennt)|wann (wird|kommt|ist)|kann (man|ich|mir|jemand|das)|könnt(e|et) (ihr|mir|jemand|man)|gibt es|hat (jemand|wer|einer)|weiß (jemand|wer)|kennt (jemand|wer)|ist es (möglich|normal)|jemand eine idee|hilfe|ich brauche hilfe`
	relative = `which |warum |wieso |weshalb |woran |welche[rsnm]? `
	greeting = `^(hi|hey|hello|hallo|moin|servus|guten \pL+)( \pL+)?, *`
)

var (
	asksRE  = regexp.MustCompile(`(^|[.!?\n:,] *)(` + asking + `|` + relative + `)`)
	plainRE = regexp.MustCompile(`(^|[.!?\n:,] *)(` + asking + `)|(^|[.!?\n:] *|` + greeting + `)(` + relative + `)`)
)

// maybeThanks is a cheap look before the expression.
func maybeThanks(low string) bool {
	for _, s := range []string{"thank", "dank", "thx", "cheers", "appreciated", "merci"} {
		if strings.Contains(low, s) {
			return true
		}
	}
	return false
}

// thanks says whether somebody is thanked for something that was done, not in advance, and not to decline.
func thanks(low string) bool {
	low = declineRE.ReplaceAllString(low, "")
	n := len(thanksRE.FindAllStringIndex(low, 3))
	return n > 1 || n == 1 && !inAdvanceRE.MatchString(low)
}

// asks needs a question mark that ends a sentence, together with a question's beginning; or, in a short text, either.
func asks(low string) bool {
	low = strings.TrimSpace(low)
	if low == "" {
		return false
	}
	mark := strings.Contains(low, "? ") || strings.HasSuffix(low, "?") || strings.Contains(low, "?\n") || strings.Contains(low, "??")
	if len(low) < 160 {
		return mark || plainRE.MatchString(low)
	}
	return mark && asksRE.MatchString(low)
}
