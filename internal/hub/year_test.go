// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/archive"
	"github.com/kith-dev/kith/connectors/discourse"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

const yearDir = "../../../shared/data/discourse-forum/topics"

func needYear(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(yearDir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the forum year is not here (../shared/data/discourse-forum beside the project): nothing to compare with")
	}
	return dir
}

func openLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func yearBlueprint() *blueprint.Blueprint {
	return &blueprint.Blueprint{
		Version: 1, Name: "year", TimeZone: "Europe/Berlin",
		Levels:  blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * 24 * time.Hour},
		Parties: []blueprint.PartyRule{{Party: event.PartyVolunteer, Roles: []string{"moderator"}}},
		Privacy: blueprint.Privacy{MinimumGroupSize: 5},
		Channels: []blueprint.Channel{
			{Name: "forum", Platform: "discourse", Rooms: blueprint.Rooms{Questions: []string{"*"}}},
		},
		Behaviours: []blueprint.Behaviour{
			{Name: "question-due", Generation: "1", Role: blueprint.RoleBasis, On: []event.Kind{event.ThreadAged}, After: 24 * time.Hour,
				When: "thread.question", Credit: "None", Benefits: "None", Per: blueprint.Per{Scope: blueprint.PerThread}},
			{Name: "answered-in-time", Generation: "1", Role: blueprint.RoleValue, Of: "question-due", CompletedBy: []event.Kind{event.MessagePosted},
				When: "event.firstResponse && event.sinceAsked <= duration('24h')", Credit: "Author", Benefits: "ThreadAuthor"},
			{Name: "solved-by-other", Generation: "1", Role: blueprint.RoleValue, On: []event.Kind{event.AnswerAccepted}, Settle: 7 * 24 * time.Hour,
				When: "author.id != thread.author.id", Credit: "Author", Benefits: "ThreadAuthor", Per: blueprint.Per{Scope: blueprint.PerThread}},
			{Name: "says-thanks", Generation: "1", Role: blueprint.RoleValue, On: []event.Kind{event.MessagePosted}, ReadsText: true, Settle: 24 * time.Hour,
				When: "event.text.contains('thank') && author.id != thread.author.id", Credit: "Author", Benefits: "ThreadAuthor", Per: blueprint.Per{Scope: blueprint.PerPair}},
			{Name: "regular-helps-newcomer", Generation: "1", Role: blueprint.RoleValue, On: []event.Kind{event.MessagePosted}, Settle: 24 * time.Hour,
				When: "event.answer && author.level == 'regular' && thread.author.level == 'newcomer'", Credit: "Author", Benefits: "ThreadAuthor", Per: blueprint.Per{Scope: blueprint.PerPairInThread}},
		},
	}
}

// readAll reads a channel to its end, twice: the second reading must add nothing.
func readAll(t *testing.T, l *ledger.Ledger, d sdk.Descriptor, cfg sdk.Config) {
	t.Helper()
	for range 2 {
		h := hub.New(l, hub.Options{})
		if err := h.Apply(t.Context(), yearBlueprint()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ResolveSince(t.Context(), "forum", blueprint.Since{All: true}); err != nil {
			t.Fatal(err)
		}
		before := l.LastSeq()
		r := reader.New(reader.Channel{Name: "forum", Descriptor: d, Config: cfg},
			reader.Options{Hub: h, Once: true, Holder: "test", FirstBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond, GiveUp: 100})
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.Close()
		if before > 10 && l.LastSeq() != before {
			t.Errorf("a second reading added %d positions to the record", l.LastSeq()-before)
		}
	}
	aside, err := l.ListAside(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range aside {
		t.Errorf("set aside: %s %s: %s", a.What, a.Ident, a.Error)
	}
}

// archiveYear reads topics through the archive connector.
func archiveYear(t *testing.T, dir string) *ledger.Ledger {
	l := openLedger(t)
	readAll(t, l, archive.Descriptor(), sdk.Config{Name: "forum", URL: "https://forum.example", Settings: map[string]any{"path": dir, "instance": "forum.example"}})
	return l
}

func TestForumYearComesToTheFiguresOfItsReadme(t *testing.T) {
	dir := needYear(t)
	want := readmeFigures(t, filepath.Join(dir, "..", "..", "README.md"))
	l := archiveYear(t, dir)
	got, err := behaviour.Summarise(t.Context(), l.Reader(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]float64{
		"topics": float64(got.Threads), "regular": float64(got.Messages), "authors": float64(got.Authors), "answered": float64(got.Answered),
		"unanswered": float64(got.Unanswered), "within 24 h": float64(got.AnsweredWithin24h), "solved": float64(got.Solved),
		"by the asker": float64(got.SolvedByAsker), "by somebody else": float64(got.SolvedByOthers),
		"median h": math.Round(*got.FirstResponse.P50Seconds/3.6) / 1000, "p90 h": math.Round(*got.FirstResponse.P90Seconds/36) / 100,
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("figures (-README +Kith):\n%s", diff)
	}
	if got.FirstResponseAll.P90Seconds != nil {
		t.Errorf("over all threads p90 is %v, want never", *got.FirstResponseAll.P90Seconds)
	}
	counted := countOccurrences(t, l)
	if n := counted["answered-in-time Counted"]; n != got.AnsweredWithin24h {
		t.Errorf("answered in time: %d occurrences, %d threads", n, got.AnsweredWithin24h)
	}
	if n := counted["question-due Counted"]; n == 0 || n != counted["answered-in-time Counted"]+counted["answered-in-time Unfulfilled"] {
		t.Errorf("cases do not add up: %v", counted)
	}
	checkRebuild(t, l)
}

func countOccurrences(t *testing.T, l *ledger.Ledger) map[string]int {
	t.Helper()
	rs, err := l.Reader().QueryContext(t.Context(), "SELECT behaviour, state, count(*) FROM occurrences GROUP BY 1, 2")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rs.Close() }()
	out := map[string]int{}
	for rs.Next() {
		var name string
		var state ledger.State
		var n int
		if err := rs.Scan(&name, &state, &n); err != nil {
			t.Fatal(err)
		}
		out[name+" "+state.String()] = n
	}
	if err := rs.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func checkRebuild(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	differences, err := hub.Check(t.Context(), l, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		t.Errorf("only in the %s: %.400s", d.Side, d.Line)
	}
}

// readmeFigures reads the table of figures from the data's own description.
func readmeFigures(t *testing.T, path string) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the description of the forum year is not here: %v", err)
	}
	out := map[string]float64{}
	for name, pattern := range map[string]string{
		"topics": `system notes[^|]*\| (\d+) ·`, "regular": `\((\d,\d+)\)`, "authors": `\(\d,\d+\) · (\d+) \|`,
		"answered": `answered · unanswered \| (\d+) `, "unanswered": `answered · unanswered \| \d+ · (\d+)`,
		"within 24 h": `within 24 h \| (\d+)`, "median h": `nearest rank\)[^|]*\| ([\d.]+) h`, "p90 h": `nearest rank\)[^|]*\| [\d.]+ h · ([\d.]+) h`,
		"solved": `accepted answer \| (\d+)`, "by the asker": `\((\d+) by the asker`, "by somebody else": `, (\d+) by somebody else`,
	} {
		m := regexp.MustCompile(pattern).FindSubmatch(text)
		if m == nil {
			t.Fatalf("%s: no figure for %q", path, name)
		}
		v, err := strconv.ParseFloat(strings.ReplaceAll(string(m[1]), ",", ""), 64)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = v
	}
	return out
}

func TestForumYearOverHTTPGivesTheSameLedgerAsItsArchive(t *testing.T) {
	dir := needYear(t)
	server, err := discoursetest.New(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	server.FailEvery(9, discoursetest.Status(502), discoursetest.TooManyRequests(time.Millisecond))
	web := httptest.NewServer(server)
	defer web.Close()
	l := openLedger(t)
	readAll(t, l, discourse.Descriptor(), sdk.Config{Name: "forum", URL: web.URL, HTTP: fastHTTP()})
	// The archive says which instance it came from, and so stands for the same channel.
	a := openLedger(t)
	instance := strings.TrimPrefix(web.URL, "http://")
	readAll(t, a, archive.Descriptor(), sdk.Config{Name: "forum", URL: web.URL, Settings: map[string]any{"path": dir, "instance": instance}})
	sameDump(t, "archive and HTTP", dump(t, a, ledger.DumpOptions{}), dump(t, l, ledger.DumpOptions{}))
	checkRebuild(t, l)
}

func fastHTTP() *sdk.HTTP {
	return sdk.NewHTTP(sdk.HTTPOptions{Sleep: func(context.Context, time.Duration) error { return nil }})
}

// independent works out figures from topics' JSON without any of Kith's code.
func independent(t *testing.T, dir string, keep func(id int) bool) (out struct{ threads, messages, answered, day, solved int }) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var topic struct {
			ID         int       `json:"id"`
			CreatedAt  time.Time `json:"created_at"`
			UserID     int       `json:"user_id"`
			PostStream struct {
				Posts []struct {
					UserID    int       `json:"user_id"`
					PostType  int       `json:"post_type"`
					CreatedAt time.Time `json:"created_at"`
					Accepted  bool      `json:"accepted_answer"`
				} `json:"posts"`
			} `json:"post_stream"`
		}
		if err := json.Unmarshal(raw, &topic); err != nil {
			t.Fatal(err)
		}
		if !keep(topic.ID) {
			continue
		}
		out.threads++
		first := time.Time{}
		for _, p := range topic.PostStream.Posts {
			if p.PostType != 1 {
				continue
			}
			out.messages++
			if p.Accepted {
				out.solved++
			}
			if p.UserID > 0 && p.UserID != topic.PostStream.Posts[0].UserID && (first.IsZero() || p.CreatedAt.Before(first)) {
				first = p.CreatedAt
			}
		}
		if !first.IsZero() {
			out.answered++
			if first.Sub(topic.CreatedAt) <= 24*time.Hour {
				out.day++
			}
		}
	}
	return out
}

func TestPartsOfTheYearComeOutRightToo(t *testing.T) {
	dir := needYear(t)
	for name, keep := range map[string]func(int) bool{
		"every third topic": func(id int) bool { return id%3 == 0 },
		"the later half":    func(id int) bool { return id > 4200 },
	} {
		t.Run(name, func(t *testing.T) {
			part := t.TempDir()
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				id, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ".json"))
				if err != nil || !keep(id) {
					continue
				}
				raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(part, e.Name()), raw, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			l := archiveYear(t, part)
			got, err := behaviour.Summarise(context.Background(), l.Reader(), time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			want := independent(t, dir, keep)
			have := []int{got.Threads, got.Messages, got.Answered, got.AnsweredWithin24h, got.Solved}
			if w := []int{want.threads, want.messages, want.answered, want.day, want.solved}; !slices.Equal(w, have) {
				t.Errorf("threads, messages, answered, within a day, solved: have %v, want %v", have, w)
			}
		})
	}
}
