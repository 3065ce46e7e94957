// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/reader"
)

func try(t *testing.T, target, since, output string) (out, said string) {
	t.Helper()
	std, o, e := stdio("")
	if err := Try(context.Background(), std, TryOptions{Target: target, Since: since, Output: output, Now: forumTime}); err != nil {
		t.Fatalf("%v\n%s", err, e)
	}
	return o.String(), e.String()
}

// The same forum has the same figures, whatever the way to it and however often it stumbles.
func TestTryIsTheSameFromArchiveAndServer(t *testing.T) {
	want, _ := try(t, forumZip, "all", OutputJSON)
	s, server := forum(t)
	s.FailEvery(9, discoursetest.TooManyRequests(0), discoursetest.Status(502), discoursetest.Truncated)
	got, said := try(t, server.URL+"/t/whatever/12?page=2", "all", OutputJSON)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archive and server differ (-archive +server):\n%s", diff)
	}
	if !strings.Contains(said, "reading history") {
		t.Errorf("no progress was told:\n%s", said)
	}
	var keys map[string]any
	if err := json.Unmarshal([]byte(got), &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"threads", "messages", "authors", "answered", "unanswered", "answeredWithin24h", "firstResponse", "firstResponseAll", "solved", "solvedByAsker", "solvedByOthers"} {
		if _, ok := keys[key]; !ok {
			t.Errorf("%q is missing", key)
		}
		delete(keys, key)
	}
	if len(keys) > 0 {
		t.Errorf("more than was promised: %v", keys)
	}
}

// Real data, where it is: a plain clone passes without.
func TestTryReadsAYearAlikeFromArchiveAndServer(t *testing.T) {
	topics := "../../../shared/data/discourse-forum/topics"
	if _, err := os.Stat(topics); err != nil {
		t.Skip("the forum year is not here: ../shared/data/discourse-forum")
	}
	want, _ := try(t, topics, "all", OutputJSON)
	s, err := discoursetest.New(os.DirFS(topics))
	if err != nil {
		t.Fatal(err)
	}
	s.FailEvery(11, discoursetest.TooManyRequests(0), discoursetest.Status(502))
	server := serveTest(t, s)
	got, _ := try(t, server, "all", OutputJSON)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archive and server differ (-archive +server):\n%s", diff)
	}
}

func TestTrySince(t *testing.T) {
	var all, some tryJSON
	out, _ := try(t, forumZip, "all", OutputJSON)
	decode(t, out, &all)
	out, _ = try(t, forumZip, "30d", OutputJSON)
	decode(t, out, &some)
	if some.Threads == 0 || some.Threads >= all.Threads {
		t.Errorf("30d has %d threads, all has %d", some.Threads, all.Threads)
	}
	out, _ = try(t, forumZip, "2027-01-01", OutputText)
	if !strings.Contains(out, "--since all") {
		t.Errorf("nothing says what to do:\n%s", out)
	}
	if _, err := trySince("soon", forumTime()); ExitCode(err) != ExitUsage {
		t.Errorf("--since soon: %v", err)
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

func seconds(s float64) *float64 { return &s }

func TestTryText(t *testing.T) {
	some := behaviour.Summary{
		Threads: 1200, Messages: 8000, Authors: 300, Answered: 1000, Unanswered: 200, AnsweredWithin24h: 700,
		Within:        []behaviour.Within{{Hours: 1, Threads: 100}, {Hours: 4, Threads: 300}, {Hours: 24, Threads: 700}, {Hours: 72, Threads: 800}, {Hours: 168, Threads: 900}},
		FirstResponse: behaviour.Quantiles{P50Seconds: seconds(3600), P90Seconds: seconds(400000)}, FirstResponseAll: behaviour.Quantiles{P50Seconds: seconds(7200)},
		AnsweredByMember: 800, Solvable: true, Solved: 400, SolvedByAsker: 100, SolvedByOthers: 300, Answerers: 90, TopThree: 250,
	}
	few := some
	few.Solvable, few.Answerers = false, 3
	for name, tc := range map[string]*tried{
		"forum": {place: place{platform: platformDiscourse, url: "https://forum.example.org"}, summary: some,
			state: reader.State{Title: "Example", Rooms: []string{"support", "ideas"}}},
		"few people, not solvable": {place: place{platform: platformFeed, url: "https://blog.example.org/feed"}, summary: few, since: forumTime()},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := writeTry(&b, tc); err != nil {
				t.Fatal(err)
			}
			// The behaviours are the library's, which has tests of its own.
			text, _, _ := strings.Cut(b.String(), "---\napiVersion: kith.dev/v1alpha1\nkind: Behaviour")
			golden(t, filepath.Join("try", strings.ReplaceAll(strings.ReplaceAll(name, ",", ""), " ", "-")+".txt"), text)
		})
	}
}

// What try prints must be what validate and run take.
func TestTryEndsWithAManifestThatValidates(t *testing.T) {
	_, server := forum(t)
	for name, target := range map[string]string{"archive": forumZip, "discourse": server.URL} {
		t.Run(name, func(t *testing.T) {
			out, _ := try(t, target, "all", OutputText)
			_, manifest, found := strings.Cut(out, "\napiVersion:")
			if !found {
				t.Fatalf("there is no manifest in\n%s", out)
			}
			dir := folder(t, map[string]string{"kith.yaml": "apiVersion:" + manifest})
			std, judged, _ := stdio("")
			if err := Validate(std, dir, OutputText); err != nil || !strings.Contains(judged.String(), "0 errors, 0 warnings") {
				t.Errorf("%v\n%s", err, judged)
			}
		})
	}
}
