// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursejson_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/sdk"
)

// topic wraps posts (and further fields of the topic) into a topic's JSON.
func topic(fields, posts string) string {
	return fmt.Sprintf(`{"id":7,"title":"Pump","slug":"pump","category_id":10,"user_id":1,"created_at":"2026-01-02T10:00:00.000Z",%s
		"post_stream":{"posts":[%s]}}`, fields, posts)
}

func post(id, number int, fields string) string {
	if fields != "" {
		fields = "," + fields
	}
	return fmt.Sprintf(`{"id":%d,"post_number":%d,"post_type":1,"user_id":%d,"username":"u%d","created_at":"2026-01-02T10:0%d:00.000Z",
		"updated_at":"2026-01-02T11:00:00.000Z","version":1,"cooked":"<p>x</p>"%s}`, id, number, number, number, number, fields)
}

func observe(t *testing.T, raw string, o discoursejson.Options) (*event.Thread, map[string]*event.Message, []sdk.Quarantined) {
	t.Helper()
	topic, err := discoursejson.DecodeTopic([]byte(raw))
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	obs, bad := discoursejson.Observations(topic, o)
	messages := map[string]*event.Message{}
	for _, ob := range obs {
		if ob.Message != nil {
			messages[ob.Message.ID] = ob.Message
		}
	}
	return obs[0].Thread, messages, bad
}

func TestMessageOf(t *testing.T) {
	yes, no := true, false
	at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	edited := time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		topic, post string
		change      func(*event.Message)
	}{
		"plain":                       {"", ``, func(*event.Message) {}},
		"edited":                      {"", `"version":3`, func(m *event.Message) { m.EditedAt = edited }},
		"touched but not edited":      {"", `"version":1`, func(*event.Message) {}},
		"reply":                       {"", `"reply_to_post_number":1`, func(m *event.Message) { m.Parent = "100" }},
		"reply to a post that's gone": {"", `"reply_to_post_number":9`, func(*event.Message) {}},
		"accepted on the post":        {"", `"accepted_answer":true`, func(m *event.Message) { m.Accepted = &yes }},
		"accepted by the topic":       {`"accepted_answer":{"post_number":2},`, ``, func(m *event.Message) { m.Accepted = &yes }},
		"accepted another":            {`"accepted_answer":{"post_number":3},`, ``, func(m *event.Message) { m.Accepted = &no }},
		"nothing accepted":            {`"accepted_answer":null,`, ``, func(m *event.Message) { m.Accepted = &no }},
		"accepted by whom": {
			`"accepted_answer":{"post_number":2,"accepter_username":"u1"},"details":{"created_by":{"id":1,"username":"u1"}},`, ``,
			func(m *event.Message) { m.Accepted = &yes; m.AcceptedBy = &event.Actor{ID: "1", Handle: "u1"} },
		},
		"likes": {"", `"actions_summary":[{"id":2,"count":3}]`, func(m *event.Message) {
			m.Reactions = []event.Reaction{{Name: "like", Count: 3}}
		}},
		"flags": {"", `"actions_summary":[{"id":4,"count":1},{"id":8,"count":2}]`, func(m *event.Message) { m.Flags = 3 }},
		"roles": {"", `"admin":true,"moderator":true,"staff":true,"primary_group_name":"crew","trust_level":4`, func(m *event.Message) {
			m.Author.Roles = []string{"admin", "moderator", "staff", "crew", "tl4"}
		}},
		"bot":               {"", `"user_id":-1`, func(m *event.Message) { m.Author.ID, m.Author.Bot, m.Kind = "-1", true, event.Notice }},
		"deleted account":   {"", `"user_id":null,"username":null`, func(m *event.Message) { m.Author = event.Actor{} }},
		"small action":      {"", `"post_type":3,"action_code":"closed.enabled"`, func(m *event.Message) { m.Kind = event.Notice }},
		"moderator's words": {"", `"post_type":2`, func(*event.Message) {}},
		"moderator action without words": {"", `"post_type":2,"cooked":"<p> </p>"`, func(m *event.Message) {
			m.Kind, m.Text = event.Notice, "<p> </p>"
		}},
		"removed by its author": {"", `"user_deleted":true,"cooked":"<p>(post deleted by author)</p>"`, func(m *event.Message) {
			m.Presence, m.RemovedBy, m.RemovedAt, m.Text = event.Removed, event.ByAuthor, edited, ""
		}},
		"removed by a moderator": {"", `"deleted_at":"2026-01-02T12:00:00Z","deleted_by":{"id":50,"username":"mod"}`, func(m *event.Message) {
			m.Presence, m.RemovedBy, m.RemovedAt = event.Removed, event.ByModerator, at
			m.Remover = &event.Actor{ID: "50", Handle: "mod"}
		}},
		"removed by the platform": {"", `"deleted_at":"2026-01-02T12:00:00Z","deleted_by":{"id":-1,"username":"system"}`, func(m *event.Message) {
			m.Presence, m.RemovedBy, m.RemovedAt = event.Removed, event.ByPlatform, at
			m.Remover = &event.Actor{ID: "-1", Handle: "system", Bot: true}
		}},
		"removed by somebody": {"", `"deleted_at":"2026-01-02T12:00:00Z"`, func(m *event.Message) {
			m.Presence, m.RemovedBy, m.RemovedAt = event.Removed, event.ByUnknown, at
		}},
		"hidden": {"", `"hidden":true,"cooked_hidden":true`, func(m *event.Message) { m.Presence, m.Text = event.Held, "" }},
		"poll":   {"", `"polls":[{"name":"poll"}]`, func(m *event.Message) { m.Poll = true }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			want := &event.Message{
				ID: "101", Thread: "7", Kind: event.Regular, Author: event.Actor{ID: "2", Handle: "u2"},
				CreatedAt: time.Date(2026, 1, 2, 10, 2, 0, 0, time.UTC), Text: "<p>x</p>", TextFormat: "html", Presence: event.Visible,
			}
			tc.change(want)
			_, messages, bad := observe(t, topic(tc.topic, post(100, 1, "")+","+post(101, 2, tc.post)), discoursejson.Options{})
			if len(bad) > 0 {
				t.Fatalf("quarantined: %v", bad)
			}
			if d := cmp.Diff(want, messages["101"]); d != "" {
				t.Errorf("message (-want +got):\n%s", d)
			}
		})
	}
}

func TestThreadOf(t *testing.T) {
	yes, no := true, false
	opened := time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)
	room := func(solvable *bool) func(int64) discoursejson.Room {
		return func(int64) discoursejson.Room { return discoursejson.Room{Path: "support/pumps", Solvable: solvable} }
	}
	tests := map[string]struct {
		fields, posts string
		options       discoursejson.Options
		change        func(*event.Thread)
	}{
		"plain":           {"", post(100, 1, ""), discoursejson.Options{}, func(*event.Thread) {}},
		"address":         {"", post(100, 1, ""), discoursejson.Options{Base: "https://f.example"}, func(th *event.Thread) { th.URL = "https://f.example/t/pump/7" }},
		"room":            {"", post(100, 1, ""), discoursejson.Options{Room: room(nil)}, func(th *event.Thread) { th.Room = "support/pumps" }},
		"solved by room":  {"", post(100, 1, ""), discoursejson.Options{Room: room(&yes)}, func(th *event.Thread) { th.Room, th.Type, th.Solvable = "support/pumps", "Question", &yes }},
		"not solvable":    {"", post(100, 1, ""), discoursejson.Options{Room: room(&no)}, func(th *event.Thread) { th.Room, th.Solvable = "support/pumps", &no }},
		"solved by post":  {"", post(100, 1, "") + "," + post(101, 2, `"can_accept_answer":true`), discoursejson.Options{}, func(th *event.Thread) { th.Type, th.Solvable = "Question", &yes }},
		"solved by topic": {`"accepted_answer":{"post_number":2},`, post(100, 1, ""), discoursejson.Options{}, func(th *event.Thread) { th.Type, th.Solvable = "Question", &yes }},
		"tags of both forms": {`"tags":["a",{"id":3,"name":"b"}],`, post(100, 1, ""), discoursejson.Options{},
			func(th *event.Thread) { th.Tags = []string{"a", "b"} }},
		"closed":   {`"archived":true,`, post(100, 1, ""), discoursejson.Options{}, func(th *event.Thread) { th.Closed = true }},
		"pinned":   {`"pinned_globally":true,"views":12,`, post(100, 1, ""), discoursejson.Options{}, func(th *event.Thread) { th.Pinned, th.Views = true, 12 }},
		"unlisted": {`"visible":false,`, post(100, 1, ""), discoursejson.Options{}, func(th *event.Thread) { th.Presence = event.Held }},
		"deleted by a moderator": {`"deleted_at":"2026-01-02T10:00:00Z","deleted_by":{"id":9,"username":"m"},`, post(100, 1, ""), discoursejson.Options{},
			func(th *event.Thread) {
				th.Presence, th.RemovedBy, th.RemovedAt = event.Removed, event.ByModerator, opened
			}},
		"opener's roles": {"", post(100, 1, `"moderator":true`), discoursejson.Options{}, func(th *event.Thread) { th.Author.Roles = []string{"moderator"} }},
		"opening gone":   {`"details":{"created_by":{"id":1,"username":"u1"}},`, post(101, 2, ""), discoursejson.Options{}, func(*event.Thread) {}},
		"merged": {`"closed":true,`, post(100, 1, "") + "," + post(101, 2, `"post_type":3,"action_code":"split_topic","cooked":"<p>3 posts were merged into an existing topic: <a href=\"/t/other/8\">Other</a></p>"`),
			discoursejson.Options{}, func(th *event.Thread) { th.Closed, th.MergedInto = true, "8" }},
		"split, not merged": {`"closed":true,`, post(100, 1, "") + "," + post(102, 2, "") + "," + post(101, 3, `"post_type":3,"action_code":"split_topic","cooked":"<a href=\"/t/other/8\">Other</a>"`),
			discoursejson.Options{}, func(th *event.Thread) { th.Closed = true }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			want := &event.Thread{
				ID: "7", Room: "10", Title: "Pump", CreatedAt: opened, Author: event.Actor{ID: "1", Handle: "u1"}, Presence: event.Visible,
			}
			tc.change(want)
			got, _, _ := observe(t, topic(tc.fields, tc.posts), tc.options)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("thread (-want +got):\n%s", d)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	tests := map[string]struct {
		cooked, counts string
		base           string
		want           []string
	}{
		"absolute":         {`<a href="https://a.example/1">x</a> <a href="https://a.example/1">x</a>`, "", "", []string{"https://a.example/1"}},
		"of the forum":     {`<a href="/t/pump/9">x</a>`, "", "https://f.example/sub", []string{"https://f.example/t/pump/9"}},
		"without the base": {`<a href="/t/pump/9">x</a>`, "", "", nil},
		"people and rooms": {`<a class="mention" href="/u/ann">@ann</a><a href="/u/ann">x</a><a class="hashtag" href="/c/x/1">#x</a>`, "", "https://f.example", nil},
		"in a quote":       {`<aside class="quote"><aside></aside><a href="https://a.example">x</a></aside><a href="https://b.example">x</a>`, "", "", []string{"https://b.example"}},
		"in a onebox":      {`<aside class="onebox"><a href="https://a.example">x</a></aside>`, "", "", []string{"https://a.example"}},
		"other schemes":    {`<a href="mailto:a@b.example">x</a><a href="javascript:alert(1)">x</a>`, "", "", nil},
		"counted":          {``, `{"url":"https://a.example","reflection":false},{"url":"https://r.example","reflection":true}`, "", []string{"https://a.example"}},
		"unclosed":         {`<aside class="quote"><a href="https://a.example`, "", "", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			cooked, err := json.Marshal(tc.cooked)
			if err != nil {
				t.Fatal(err)
			}
			raw := topic("", post(100, 1, fmt.Sprintf(`"cooked":%s,"link_counts":[%s]`, cooked, tc.counts)))
			_, messages, _ := observe(t, raw, discoursejson.Options{Base: tc.base})
			if d := cmp.Diff(tc.want, messages["100"].Links); d != "" {
				t.Errorf("links (-want +got):\n%s", d)
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	t.Run("bad posts cost no other", func(t *testing.T) {
		raw := topic("", strings.Join([]string{
			post(100, 1, ""), `{"id":101,"post_number":"two"}`, `{"id":102,"post_number":3}`, `"secret text"`,
			post(104, 5, `"created_at":"yesterday, says Ann"`), post(105, 6, ""), post(105, 6, ""),
		}, ","))
		_, messages, bad := observe(t, raw, discoursejson.Options{})
		if len(messages) != 2 {
			t.Errorf("messages: want 100 and 105, got %d", len(messages))
		}
		var ids []string
		for _, q := range bad {
			ids = append(ids, q.ID)
			if strings.Contains(q.Reason, "secret") || strings.Contains(q.Reason, "Ann") {
				t.Errorf("reason repeats content: %s", q.Reason)
			}
		}
		if d := cmp.Diff([]string{"101", "102", "at position 3", "104", "105"}, ids); d != "" {
			t.Errorf("quarantined (-want +got):\n%s", d)
		}
	})
	t.Run("a long text is cut with its hash", func(t *testing.T) {
		long := strings.Repeat("ä", event.MaxText)
		_, messages, _ := observe(t, topic("", post(100, 1, `"cooked":"`+long+`"`)), discoursejson.Options{})
		m := messages["100"]
		if len(m.Text) > event.MaxText || m.TextHash == "" || !strings.HasPrefix(long, m.Text) {
			t.Errorf("text of %d bytes, hash %q", len(m.Text), m.TextHash)
		}
	})
	for name, raw := range map[string]string{
		"truncated": `{"id":7,"title":"Pu`, "not a topic": `{}`, "a list": `[]`, "no time": `{"id":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := discoursejson.DecodeTopic([]byte(raw)); err == nil {
				t.Error("want an error")
			}
		})
	}
}

func TestWhispersOnlyWhenNamed(t *testing.T) {
	raw := topic("", post(100, 1, "")+","+post(101, 2, `"post_type":4`))
	_, without, _ := observe(t, raw, discoursejson.Options{})
	_, with, _ := observe(t, raw, discoursejson.Options{Whispers: true})
	if without["101"] != nil || with["101"] == nil || with["101"].Kind != event.Whisper {
		t.Errorf("without: %v, with: %v", without["101"], with["101"])
	}
}

// TestForumYear maps a real year and compares with a count made from the JSON alone.
func TestForumYear(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", "discourse-forum", "topics")
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(files) == 0 {
		t.Skip("the shared forum data is not here; run from a checkout that has ../shared/data")
	}
	type counts struct{ Threads, Messages, Notices, Authors, Accepted, Listed int }
	var want, got counts
	wantAuthors, gotAuthors := map[float64]bool{}, map[string]bool{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var plain map[string]any
		if err := json.Unmarshal(raw, &plain); err != nil {
			t.Fatal(err)
		}
		want.Threads++
		for _, p := range plain["post_stream"].(map[string]any)["posts"].([]any) {
			p := p.(map[string]any)
			want.Messages++
			want.Listed++
			wantAuthors[p["user_id"].(float64)] = true
			if p["post_type"].(float64) != 1 {
				want.Notices++
			}
			if p["accepted_answer"] == true {
				want.Accepted++
			}
		}
		topic, err := discoursejson.DecodeTopic(raw)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		obs, bad := discoursejson.Observations(topic, discoursejson.Options{})
		if len(bad) > 0 {
			t.Errorf("%s: quarantined %v", f, bad)
		}
		for _, o := range obs {
			switch {
			case o.Thread != nil:
				got.Threads++
			case o.Listing != nil:
				got.Listed += len(o.Listing.IDs)
			case o.Message != nil:
				got.Messages++
				gotAuthors[o.Message.Author.ID] = true
				if o.Message.Kind == event.Notice {
					got.Notices++
				}
				if o.Message.Accepted != nil && *o.Message.Accepted {
					got.Accepted++
				}
			}
		}
	}
	want.Authors, got.Authors = len(wantAuthors), len(gotAuthors)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
}
