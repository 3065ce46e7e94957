// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kith-dev/kith/api/event"
)

func TestPlainText(t *testing.T) {
	tests := map[string]struct {
		in, format, want string
	}{
		"plain text stays":                 {"  a <b> & c\n", "text", "a <b> & c"},
		"plain text has no entities":       {"a &amp; b", "text", "a &amp; b"},
		"paragraphs become lines":          {"<p>One.</p><p>Two.</p>", "html", "One.\n\nTwo."},
		"entities":                         {"<p>a &lt; b &amp; c &#8211; d&nbsp;e</p>", "html", "a < b & c – d\u00a0e"},
		"an entity is read once":           {"<p>write &amp;lt;br&amp;gt;</p>", "html", "write &lt;br&gt;"},
		"inline marks":                     {"<p>a <b>bold</b> <a href=\"/x\">link</a></p>", "html", "a bold link"},
		"breaks, lists":                    {"a<br>b<br/>c<ul><li>d</li></ul>", "html", "a\nb\nc\n\nd"},
		"code is not said":                 {"<p>Run <code>rm -rf</code> it</p><pre><code>how do I?</code></pre>", "html", "Run  it"},
		"quotes are not said":              {"<blockquote><p>Why?</p></blockquote><p>Because.</p>", "html", "Because."},
		"a quote of the platform":          {`<aside class="quote"><div>ann:</div><blockquote>Why?</blockquote></aside><p>So.</p>`, "html", "So."},
		"quotes within quotes":             {"<blockquote>a<blockquote>b</blockquote>c</blockquote>d", "html", "d"},
		"scripts and styles":               {"<style>p{}</style><script>alert('?')</script>x", "html", "x"},
		"comments":                         {"a<!-- why? -->b", "html", "ab"},
		"a quote that never ends":          {"a<blockquote>b", "html", "a"},
		"an end without a beginning":       {"</pre></code>a", "html", "a"},
		"a tag that never ends":            {"a <b", "html", "a"},
		"bad bytes in text":                {"a\xff\xfeb", "text", "a\ufffd\ufffdb"},
		"bad bytes in html":                {"<p>a\xc3</p>", "html", "a\ufffd"},
		"nothing":                          {"", "html", ""},
		"an unknown format counts as text": {"<p>a</p>", "", "<p>a</p>"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := PlainText(tc.in, tc.format); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestHugeTextsAreCutBetweenCharacters(t *testing.T) {
	for name, in := range map[string]struct{ text, format string }{
		"text":          {"x" + strings.Repeat("ü", event.MaxText), "text"},
		"html":          {"<p>x" + strings.Repeat("ü", event.MaxText) + "</p>", "html"},
		"many elements": {strings.Repeat("<p>ü</p>", event.MaxText), "html"},
		"bad bytes":     {strings.Repeat("\xff", event.MaxText), "text"},
		"a deep nest":   {strings.Repeat("<div>", 200_000) + "ü", "html"},
		"a long tag":    {"<p " + strings.Repeat("a=b ", 500_000) + ">x</p>", "html"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			got := PlainText(in.text, in.format)
			if len(got) > event.MaxText || !utf8.ValidString(got) {
				t.Errorf("%d bytes, valid: %v", len(got), utf8.ValidString(got))
			}
			if r := Read("", got); r.Words > event.MaxText {
				t.Errorf("%d words", r.Words)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// long makes a text too long for a question mark alone to tell.
const long = " I have had this device for about three years now, it stands in the cellar next to the washing machine, and so far it has always done what it should do. "

func TestQuestions(t *testing.T) {
	tests := map[string]struct {
		title, text string
		want        bool
	}{
		"en: how do I":                     {"", "Hi all, how do I reset the pump?", true},
		"en: without a mark":               {"", "How can I reset the pump", true},
		"en: in the title":                 {"Is there a manual", long, true},
		"en: a mark in the title":          {"Pump broken?", long, true},
		"en: what is":                      {"", "What's the torque for the M6 bolts?", true},
		"en: does anyone":                  {"", "Does anyone know where to buy spares?", true},
		"en: any ideas":                    {"", "It stopped at night. Any ideas?", true},
		"en: help":                         {"", "I need help with the valve.", true},
		"en: at the end of a long text":    {"", long + long + "Why does it hum?", true},
		"en: in the middle of a long text": {"", "Why does it hum?" + long + long, true},
		"en: several marks":                {"", "Really??", true},
		"de: wie kann ich":                 {"", "Hallo, wie kann ich den Filter wechseln?", true},
		"de: ohne Zeichen":                 {"", "Wie stelle ich die Uhr um", true},
		"de: weiß jemand":                  {"", "Weiß jemand, ob es Ersatz gibt?", true},
		"de: gibt es":                      {"", "Gibt es dafür ein Handbuch?", true},
		"de: kann man":                     {"", "Kann man das leiser stellen?", true},
		"de: im Titel":                     {"Welche Schrauben passen", long, true},
		"de: warum":                        {"", "Warum brummt die Pumpe?", true},
		"de: Hilfe":                        {"", "Hilfe, es tropft!", true},
		"de: könnt ihr":                    {"", "Könnt ihr mir sagen, woran das liegt?", true},
		"de: woran":                        {"", "Woran liegt das?", true},
		"de: mit Gruß":                     {"", "Hallo zusammen, warum brummt die Pumpe", true},
		"de: mit Gruß und Zeichen":         {"", long + "Ich wüsste gern, warum sie brummt?", true},
		"en: thanks":                       {"", "Thanks, that was it.", false},
		"en: a report":                     {"Maintenance tonight", "We will take the forum down at ten.", false},
		"en: an answer":                    {"", "You need the key that came with it. Turn it to the left.", false},
		"en: a long story":                 {"My workshop", long + long, false},
		"en: a link with a query":          {"", "See https://acme.example/search?q=pump for more.", false},
		"en: which, of something":          {"", "I used the old key, which works fine.", false},
		"en: that is why":                  {"", "It was the seal, that is why it dripped.", false},
		"de: Danke":                        {"", "Danke, das war es.", false},
		"de: ein Bericht":                  {"Mein Keller", "Gestern habe ich den Filter gewechselt. Alles gut.", false},
		"de: welche, relativ":              {"", "Ich habe die Version genommen, welche gut funktioniert.", false},
		"de: weiß ich, warum":              {"", "Jetzt ist mir klar, warum es tropft.", false},
		"de: eine Antwort":                 {"", "Nimm den Schlüssel, der dabei war.", false},
		"nothing":                          {"", "", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Read(tc.title, tc.text).Question; got != tc.want {
				t.Errorf("%q, %q: question %v, want %v", tc.title, tc.text, got, tc.want)
			}
		})
	}
}

func TestThanks(t *testing.T) {
	tests := map[string]bool{
		"Thanks, that worked!":   true,
		"Thank you so much":      true,
		"thx":                    true,
		"Much appreciated.":      true,
		"Danke, es geht wieder.": true,
		"Vielen Dank!":           true,
		"Dankeschön":             true,
		"Dank dir läuft es.":     true,
		"Thanks in advance. Later: thanks, it works!":    true,
		"How do I do it? Thanks in advance":              false,
		"How do I do it? Thank you very much in advance": false,
		"Thx in advance":                      false,
		"Wie geht das? Danke im Voraus":       false,
		"Wie geht das? Vielen Dank schon mal": false,
		"Wie geht das? Danke schonmal":        false,
		"Wie geht das? Schon mal vielen Dank": false,
		"Wie geht das? Danke euch im Voraus":  false,
		"No thanks, I keep the old one.":      false,
		"Nein danke, ich bleibe dabei.":       false,
		"Der Gedanke ist gut.":                false,
		"It works.":                           false,
		"":                                    false,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			if got := Read("", text).Thanks; got != want {
				t.Errorf("thanks %v, want %v", got, want)
			}
		})
	}
}

func TestAutomaticReplies(t *testing.T) {
	tests := map[string]bool{
		"This is an automated message.":               true,
		"Auto-Reply: I am away":                       true,
		"Out of office until Monday":                  true,
		"Automatische Antwort: Urlaub":                true,
		"Ich bin zurzeit nicht im Büro.":              true,
		"Abwesenheitsnotiz":                           true,
		"I set up an automatic reply, and it works.":  false,
		"Our out of office mails do not go out. Why?": false,
		"": false,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			if got := Read("", text).AutoReply; got != want {
				t.Errorf("automatic %v, want %v", got, want)
			}
		})
	}
}

func TestLanguages(t *testing.T) {
	tests := map[string]struct{ title, text, want string }{
		"German":              {"", "Ich habe den Filter nicht gefunden.", "de"},
		"English":             {"", "I have not found the filter.", "en"},
		"told by the title":   {"Wie kann ich das reparieren", "Foto", "de"},
		"the text before it":  {"Wie kann ich das reparieren", "Please see what it does with the pump.", "en"},
		"both alike":          {"", "the and der die", ""},
		"too short":           {"", "Pumpe kaputt", ""},
		"one word tells none": {"", "the pump", ""},
		"another one":         {"", "Je ne trouve pas le filtre.", ""},
		"nothing":             {"", "", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Read(tc.title, tc.text).Language; got != tc.want {
				t.Errorf("language %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzPlainText(f *testing.F) {
	for _, s := range []string{"<p>a &amp; b</p>", "<blockquote>a", "a\xff", "<pre><code>x</code></pre>y", "?", "Danke im Voraus", "Why? " + long} {
		f.Add("How do I", s, "html")
		f.Add("", s, "text")
	}
	f.Fuzz(func(t *testing.T, title, s, format string) {
		text := PlainText(s, format)
		if len(text) > event.MaxText || !utf8.ValidString(text) {
			t.Errorf("%d bytes, valid: %v", len(text), utf8.ValidString(text))
		}
		if text != PlainText(s, format) || textHash(text) != textHash(PlainText(s, format)) {
			t.Error("a second reading gives another text")
		}
		if again := PlainText(text, "text"); again != strings.TrimSpace(text) {
			t.Errorf("plain text %q becomes %q", text, again)
		}
		alone, both := Read("", text), Read(title, text)
		if alone.Question && !both.Question || alone.Thanks != both.Thanks || alone.AutoReply != both.AutoReply || alone.Words != both.Words {
			t.Errorf("a title changes what the text says: %+v, %+v", alone, both)
		}
	})
}
