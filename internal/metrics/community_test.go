// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"flag"
	"net/http"
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
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/metrics"
	"github.com/kith-dev/kith/internal/reader"
)

var update = flag.Bool("update", false, "write goldens and docs/metrics.md anew")

var start = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const hour, day = time.Hour, 24 * time.Hour

// community is a small one: a forum that is read, and a place that has never been.
func community() *blueprint.Blueprint {
	member := "author.party in ['Member', 'Volunteer'] && author.id != thread.author.id"
	return &blueprint.Blueprint{
		Version: 1, Name: "acme", TimeZone: "Europe/Berlin",
		Levels:   blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * day},
		Privacy:  blueprint.Privacy{MinimumGroupSize: 2},
		Parties:  []blueprint.PartyRule{{Party: event.PartyCompany, Roles: []string{"admin"}}},
		Segments: []blueprint.Segment{{Name: "partner", When: "'partner' in author.roles"}},
		Factors: []blueprint.Factor{{Name: "support-contact", Category: "SupportCost", Unit: "Contact", Source: "Measured",
			Range: blueprint.Range{Low: "6", Mid: "9.5", High: "14"}}},
		Channels: []blueprint.Channel{
			{Name: "forum", Platform: "discourse", Poll: time.Minute, Since: blueprint.Since{Duration: 90 * day}, Rooms: blueprint.Rooms{Questions: []string{"help"}}},
			{Name: "never-read", Platform: "feed", Poll: time.Hour},
		},
		Behaviours: []blueprint.Behaviour{
			{Name: "answered-in-time", Generation: "1", Role: blueprint.RoleValue, Of: "question-due", Within: day, CompletedBy: []event.Kind{event.MessagePosted},
				When: "event.firstResponse", Credit: blueprint.CreditAuthor, Benefits: blueprint.BenefitsThreadAuthor, Per: blueprint.Per{Scope: blueprint.PerThread}},
			{Name: "question-due", Generation: "1", Role: blueprint.RoleBasis, On: []event.Kind{event.ThreadAged}, After: day, When: "thread.question",
				Credit: blueprint.CreditNone, Benefits: blueprint.BenefitsThreadAuthor, Per: blueprint.Per{Scope: blueprint.PerThread}},
			{Name: "solved-by-member", Generation: "1", Role: blueprint.RoleValue, On: []event.Kind{event.AnswerAccepted}, When: member,
				Credit: blueprint.CreditAuthor, Benefits: blueprint.BenefitsThreadAuthor, Per: blueprint.Per{Scope: blueprint.PerThread},
				Worth: []blueprint.Worth{{Factor: "support-contact", Range: blueprint.Range{Low: "0.3", Mid: "0.5", High: "0.8"}}}},
		},
		Objectives: []blueprint.Objective{
			{Name: "in-time", Goal: "fewer-tickets", Share: "answered-in-time", AtLeast: "0.60", MinimumCases: 3, Rolling: 28 * day,
				Audience: blueprint.Audience{Channels: []string{"forum"}}},
			{Name: "many", Share: "answered-in-time", AtLeast: "0.60", MinimumCases: 50, Rolling: 36 * hour, Audience: blueprint.Audience{Channels: []string{"forum"}}},
			{Name: "nowhere", Count: "solved-by-member", AtLeast: "1", Calendar: "Quarter"},
			{Name: "solutions", Count: "solved-by-member", AtLeast: "5", Calendar: "Quarter", Audience: blueprint.Audience{Channels: []string{"forum"}}},
		},
	}
}

type world struct {
	hub   *hub.Hub
	db    *sql.DB
	now   time.Time
	lease reader.Lease
}

// fill makes a ledger through the hub: five questions on the forum, asked after it was first read.
func fill(t *testing.T) *world {
	t.Helper()
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "l.db"), ledger.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{now: start, db: l.Reader()}
	w.hub = hub.New(l, hub.Options{Now: func() time.Time { return w.now }})
	t.Cleanup(func() {
		w.hub.Close()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.hub.Apply(t.Context(), community()); err != nil {
		t.Fatal(err)
	}
	if w.lease, err = w.hub.Acquire(t.Context(), forum, "forum", "test"); err != nil {
		t.Fatal(err)
	}
	w.commit(t, event.Commit{Lane: event.Backfill, Next: json.RawMessage("1"), Done: true, FromBeginning: true})
	if err := w.hub.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.now = start.Add(20 * day)
	page := event.Commit{Lane: event.Live, Next: json.RawMessage("1"), CompleteThrough: w.now}
	page.Observations = slices.Concat(
		question("solved", start.Add(hour), "lovelace", reply("grace", 30*time.Minute, "", true)),
		question("by-company", start.Add(10*day), "joan", reply("staff", 5*hour, "admin", false)),
		question("by-both", start.Add(15*day), "linus", reply("staff", time.Hour, "admin", false), reply("dennis", 2*day, "", true)),
		question("late", start.Add(16*day), "ken", reply("dennis", 3*day+hour, "", false)),
		question("silent", start.Add(17*day), "barbara"),
		question("old-and-silent", start.Add(2*day), "edsger"),
		question("young", start.Add(20*day-hour), "donald"),
	)
	w.commit(t, page)
	return w
}

var forum = event.ChannelRef{Platform: "discourse", Instance: "forum.example"}

func (w *world) commit(t *testing.T, c event.Commit) {
	t.Helper()
	c.Channel, c.Epoch, c.ObservedAt = forum, w.lease.Epoch, w.now
	if err := w.hub.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

type answer struct {
	by, role string
	after    time.Duration
	accepted bool
}

func reply(by string, after time.Duration, role string, accepted bool) answer {
	return answer{by, role, after, accepted}
}

func question(id string, at time.Time, asker string, answers ...answer) []event.Observation {
	yes := true
	out := []event.Observation{
		{Thread: &event.Thread{ID: id, Room: "help", Solvable: &yes, CreatedAt: at, Author: event.Actor{ID: asker}}},
		{Message: &event.Message{ID: id + "-0", Thread: id, Opening: true, CreatedAt: at, Author: event.Actor{ID: asker}, Text: "How?"}},
	}
	for _, a := range answers {
		m := &event.Message{ID: id + "-" + a.by, Thread: id, CreatedAt: at.Add(a.after), Author: event.Actor{ID: a.by}, Text: "So."}
		if a.role != "" {
			m.Author.Roles = []string{a.role}
		}
		if a.accepted {
			m.Accepted, m.AcceptedAt = &yes, at.Add(a.after+hour)
		}
		out = append(out, event.Observation{Message: m})
	}
	return out
}

func scrape(t *testing.T, c prometheus.Collector) string {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(c); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	metrics.Handler(r, logger(t)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics/community", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), write it anew with -update:\n%s", file, diff)
	}
}

func TestCommunityOfASmallLedger(t *testing.T) {
	w := fill(t)
	got := scrape(t, &metrics.Community{DB: w.db, Blueprint: w.hub.Blueprint})
	golden(t, "testdata/community.prom", got)
	for _, person := range []string{"lovelace", "grace", "staff", "joan", "linus", "ken", "dennis", "barbara", "edsger", "donald"} {
		if strings.Contains(got, person) {
			t.Errorf("a member is in the metrics: %s", person)
		}
	}
}

func TestSeriesGoWithTheirResource(t *testing.T) {
	w := fill(t)
	bp := community()
	bp.Channels = bp.Channels[1:]
	bp.Behaviours = bp.Behaviours[:2]
	bp.Objectives, bp.Factors = nil, nil
	got := scrape(t, &metrics.Community{DB: w.db, Blueprint: func() *blueprint.Blueprint { return bp }})
	for _, gone := range []string{"forum", "solved-by-member", "objective_target", "support-contact"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s is not declared, and has series", gone)
		}
	}
	if want := `kith_behaviours_total{behaviour="answered-in-time",channel="never-read",community="acme",level="other",segment="other"} 0`; !strings.Contains(got, want) {
		t.Errorf("what is declared has no series from the start: %s", want)
	}
}

func TestTheBudgetOfSeriesHolds(t *testing.T) {
	w := fill(t)
	all := scrape(t, &metrics.Community{DB: w.db, Blueprint: w.hub.Blueprint})
	// What nobody has done yet, by level and segment, is the first to go, and is not missed.
	spare := func(line string) bool {
		detail := strings.HasPrefix(line, "kith_behaviours_") && !strings.Contains(line, `level="other",segment="other"`)
		return detail && strings.HasSuffix(line, " 0\n")
	}
	count := func(s string) (n int) {
		for line := range strings.Lines(s) {
			if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "kith_community_readable") && !strings.HasPrefix(line, "kith_series_dropped") {
				n++
			}
		}
		return n
	}
	total, needed := count(all), 0
	for line := range strings.Lines(all) {
		if !spare(line) {
			needed += count(line)
		}
	}
	for _, budget := range []int{total, total - 1, needed, needed - 1, 20, 1} {
		got := scrape(t, &metrics.Community{DB: w.db, Blueprint: w.hub.Blueprint, Budget: budget})
		shown := count(got)
		if shown > budget {
			t.Errorf("%d series with a budget of %d", shown, budget)
		}
		want := "kith_series_dropped{community=\"acme\"} " + strconv.Itoa(max(0, needed-shown)) + "\n"
		if !strings.Contains(got, want) {
			t.Errorf("budget %d: want %s", budget, want)
		}
	}
}

func TestWhatCannotBeReadIsAbsent(t *testing.T) {
	w := fill(t)
	for part, tc := range map[string]struct {
		table string
		lost  []string
		kept  []string
	}{
		"behaviours": {"counters", []string{"kith_behaviours_total{"}, []string{"kith_questions{", "kith_objective_met{", "kith_first_response_seconds_count{"}},
		"histograms": {"buckets", []string{"kith_first_response_seconds"}, []string{"kith_questions{", "kith_behaviours_total{"}},
		"questions":  {"threads", []string{"kith_questions"}, []string{"kith_behaviours_total{", "kith_first_response_seconds_count{"}},
		"objectives": {"occurrences", []string{"kith_objective_met", "kith_objective_cases", "kith_objective_target"}, []string{"kith_questions{"}},
	} {
		t.Run(part, func(t *testing.T) {
			got := scrape(t, &metrics.Community{DB: without(t, w, tc.table), Blueprint: w.hub.Blueprint})
			for _, s := range tc.lost {
				if strings.Contains(got, "\n"+s) {
					t.Errorf("%s cannot be read and is shown", s)
				}
			}
			for _, s := range append(tc.kept, "kith_community_readable{community=\"acme\",part=\""+part+"\"} 0\n") {
				if !strings.Contains(got, "\n"+s) {
					t.Errorf("%s is missing", s)
				}
			}
		})
	}
	// What the blueprint declares needs no ledger.
	declared := regexp.MustCompile("^kith_(value_factor|behaviour_info|behaviour_worth|series_dropped)")
	closed := without(t, w, "counters")
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	got := scrape(t, &metrics.Community{DB: closed, Blueprint: w.hub.Blueprint})
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "#") && !declared.MatchString(line) && !strings.HasSuffix(line, "\"} 0\n") {
			t.Errorf("from a ledger that cannot be opened: %s", line)
		}
	}
}

// without gives a copy of the ledger in which a table is missing.
func without(t *testing.T, w *world, table string) *sql.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := w.hub.Ledger().Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	c, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // twice where the test has closed it
	if _, err := c.ExecContext(t.Context(), "ALTER TABLE "+table+" RENAME TO lost"); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestScrapesShareOneReading(t *testing.T) {
	w := fill(t)
	db := without(t, w, "staged")
	now := start
	c := &metrics.Community{DB: db, Blueprint: w.hub.Blueprint, Now: func() time.Time { return now }}
	first := scrape(t, c)
	if _, err := db.ExecContext(t.Context(), "UPDATE counters SET value = value + 100"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, scrape(t, c)); diff != "" {
		t.Errorf("a scrape at the same moment reads again:\n%s", diff)
	}
	now = now.Add(time.Second)
	if first == scrape(t, c) {
		t.Error("a scrape a second later shows what was read before")
	}
}

func TestNamesAndHelpAreClean(t *testing.T) {
	w := fill(t)
	if err := w.hub.Report(t.Context(), "forum", reader.State{Channel: "forum", Phase: reader.Connected, Heartbeat: w.now, LastProgress: w.now, CompleteThrough: w.now}); err != nil {
		t.Fatal(err)
	}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(&metrics.Community{DB: w.db, Blueprint: w.hub.Blueprint})
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	// The name is a public promise; no histogram of that name exists or may come.
	problems = slices.DeleteFunc(problems, func(p promlint.Problem) bool { return p.Metric == "kith_objective_count" })
	if len(problems) > 0 {
		t.Errorf("the linter says: %v", problems)
	}
	for _, d := range metrics.Definitions {
		if !strings.HasSuffix(d.Help, ".") || len(d.Help) < 20 {
			t.Errorf("%s: its help is no sentence: %q", d.Name, d.Help)
		}
		for _, l := range d.Labels {
			if slices.Contains([]string{"member", "author", "user", "handle", "name", "agent"}, l) {
				t.Errorf("%s: label %s names people", d.Name, l)
			}
		}
	}
}
