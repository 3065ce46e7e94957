// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
)

// failing lets requests for a path fail.
func failing(path string, with discoursetest.Fault) func(*http.Request) discoursetest.Fault {
	return func(r *http.Request) discoursetest.Fault {
		if r.URL.Path == path {
			return with
		}
		return nil
	}
}

// TestLongTopics are read in blocks that together say what their whole JSON says, whatever the server gives at once.
func TestLongTopics(t *testing.T) {
	var whole strings.Builder
	_, _ = whole.WriteString(`{"id":9,"title":"Long","slug":"long","archetype":"regular","category_id":5,"user_id":11,"created_at":"2026-01-01T10:00:00.000Z",
		"last_posted_at":"2026-01-02T10:00:00.000Z","posts_count":1300,"highest_post_number":1300,"post_stream":{"posts":[`)
	random := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 1300; n++ {
		if n > 1 {
			whole.WriteString(",")
		}
		to := "null"
		if n > 1 && n%2 == 0 {
			to = fmt.Sprint(1 + random.IntN(n-1))
		}
		_, _ = fmt.Fprintf(&whole, `{"id":%d,"post_number":%d,"post_type":1,"user_id":%d,"username":"u","created_at":"2026-01-01T10:00:00.000Z",
			"updated_at":"2026-01-01T10:00:00.000Z","version":1,"cooked":"<p>%s</p>","topic_id":9,"reply_to_post_number":%s}`,
			1000+n, n, 11+n%5, strings.Repeat("x", 10+n%7), to)
	}
	whole.WriteString(`]}}`)
	topic, err := discoursejson.DecodeTopic([]byte(whole.String()))
	if err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string][]discoursetest.Option{
		"as asked": nil, "twenty at once": {discoursetest.WithChunkLimit(20)},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForum(t, nil, options...)
			if err := f.Load([]byte(whole.String())); err != nil {
				t.Fatal(err)
			}
			got, _ := drain(t, f.reader(), event.Backfill, nil)
			want, _ := discoursejson.Observations(topic, discoursejson.Options{Base: f.url, AsOf: start.Add(-5 * time.Second)})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("blocks differ from the whole (-whole +blocks):\n%s", d)
			}
		})
	}
}

// TestTopicsWithoutAStream are read by number, and what is new in them is seen.
func TestTopicsWithoutAStream(t *testing.T) {
	f := newForum(t, nil, discoursetest.WithoutStreamAbove(500))
	topic, _ := f.NewTopic(ann, 5, "Endless", "<p>x</p>")
	var posts []int64
	for n := range 1100 {
		posts = append(posts, f.Reply(topic, ben, "<p>x</p>", n/2+1))
	}
	r := f.reader()
	_, live := drain(t, r, event.Live, nil)
	obs, _ := drain(t, r, event.Backfill, nil)
	got := sorted(obs)
	if len(got.messages) != 1101 || len(got.threads) != 1 || len(got.listings) != 0 {
		t.Errorf("%d messages, %d threads, %d listings", len(got.messages), len(got.threads), len(got.listings))
	}
	if m := got.messages[id(posts[1099])]; m == nil || m.Parent != id(posts[548]) {
		t.Errorf("the last reply: %+v", m)
	}
	reply := f.Reply(topic, ann, "<p>x</p>", 1000)
	f.clock.Advance(time.Minute)
	obs, _ = drain(t, r, event.Live, live.Next)
	if m := sorted(obs).messages[id(reply)]; m == nil || m.Parent != id(posts[998]) {
		t.Errorf("the new reply: %+v", m)
	}
}

// TestATopicThatFailsHoldsUpNoOther: a forum can fail on one topic for good.
func TestATopicThatFailsHoldsUpNoOther(t *testing.T) {
	f := newForum(t, nil)
	r := f.reader()
	_, live := drain(t, r, event.Live, nil)
	bad, _ := f.NewTopic(ann, 5, "Bad", "<p>x</p>")
	good, _ := f.NewTopic(ann, 5, "Good", "<p>x</p>")
	f.clock.Advance(time.Minute)
	_, sweep := drain(t, r, event.Sweep, nil)
	f.Like(1)
	f.Like(2)
	for lane, cursor := range map[event.Lane]sdk.Cursor{event.Live: live.Next, event.Backfill: nil, event.Sweep: sweep.Next} {
		t.Run(string(lane), func(t *testing.T) {
			tries := 0
			f.SetFault(func(r *http.Request) discoursetest.Fault {
				if r.URL.Path != "/t/"+id(bad)+".json" {
					return nil
				}
				tries++
				return discoursetest.Status(500)
			})
			found, aside := false, 0
			for range 20 {
				p, err := r.Read(t.Context(), lane, cursor)
				if err != nil {
					t.Fatal(err)
				}
				aside += len(p.Quarantined)
				found = found || sorted(p.Observations).threads[id(good)] != nil
				if cursor = p.Next; !p.More {
					break
				}
			}
			if !found || aside != 1 || tries < 5 {
				t.Errorf("the other found: %v, set aside: %d, tried %d times", found, aside, tries)
			}
		})
	}
	t.Run("and comes when it works again", func(t *testing.T) {
		f.SetFault(nil)
		f.SetFault(failing("/t/"+id(bad)+".json", discoursetest.Status(500)))
		p, err := r.Read(t.Context(), event.Backfill, nil)
		if err != nil {
			t.Fatal(err)
		}
		for ; p.More && err == nil; p, err = r.Read(t.Context(), event.Backfill, p.Next) {
			f.SetFault(nil)
			if sorted(p.Observations).threads[id(bad)] != nil {
				return
			}
		}
		if err != nil || sorted(p.Observations).threads[id(bad)] == nil {
			t.Errorf("not read after it worked again: %v", err)
		}
	})
}

func TestLargeTextsAreSpreadOverPages(t *testing.T) {
	f := newForum(t, nil)
	topic, _ := f.NewTopic(ann, 5, "Large", "<p>x</p>")
	for range 200 {
		f.Reply(topic, ben, "<p>"+strings.Repeat("y", 60<<10)+"</p>", 0)
	}
	r := f.reader()
	var cursor sdk.Cursor
	messages := map[string]bool{}
	for range 20 {
		p, err := r.Read(t.Context(), event.Backfill, cursor)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(p.Observations)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > event.MaxPageBytes {
			t.Errorf("a page of %d bytes", len(b))
		}
		for _, o := range p.Observations {
			if o.Message != nil {
				messages[o.Message.ID] = true
			}
		}
		if cursor = p.Next; !p.More {
			break
		}
	}
	if len(messages) != 201 {
		t.Errorf("read %d of 201 posts", len(messages))
	}
}

// TestBackfillMissesNothingWhileTheForumMoves replies to, removes and opens topics between any two pages: all that was
// there at the beginning and still is must have been read in full.
func TestBackfillMissesNothingWhileTheForumMoves(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			f := newForum(t, nil)
			var topics []int64
			posts := map[int64][]int64{}
			for n := range 300 {
				topic, opening := f.NewTopic(ann, int64(5+n%3), fmt.Sprintf("Topic %d", n), "<p>x</p>")
				topics = append(topics, topic)
				posts[topic] = []int64{opening, f.Reply(topic, ben, "<p>x</p>", 0)}
				f.clock.Advance(time.Minute)
			}
			r := f.reader()
			removed := map[int64]bool{}
			got := map[string]bool{}
			var cursor sdk.Cursor
			for range 500 {
				p, err := r.Read(t.Context(), event.Backfill, cursor)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range p.Observations {
					if o.Message != nil {
						got[o.Message.ID] = true
					}
				}
				cursor = p.Next
				if !p.More {
					break
				}
				for range random.IntN(12) {
					topic := topics[random.IntN(len(topics))]
					f.clock.Advance(time.Second)
					switch {
					case removed[topic]:
					case random.IntN(3) == 0:
						f.RemoveTopic(topic, mod)
						removed[topic] = true
					default:
						f.Reply(topic, ben, "<p>y</p>", 0)
					}
				}
			}
			for topic, ids := range posts {
				for _, post := range ids {
					if !removed[topic] && !got[id(post)] {
						t.Fatalf("post %d of topic %d was never read", post, topic)
					}
				}
			}
		})
	}
}

func TestSince(t *testing.T) {
	f := newForum(t, nil)
	old, _ := f.NewTopic(ann, 5, "Old", "<p>x</p>")
	revived, _ := f.NewTopic(ann, 5, "Revived", "<p>x</p>")
	f.clock.Advance(100 * 24 * time.Hour)
	middle := f.clock.Now()
	recent, _ := f.NewTopic(ann, 5, "Recent", "<p>x</p>")
	f.Reply(revived, ben, "<p>still?</p>", 0)
	f.clock.Advance(time.Hour)

	obs, done := drain(t, f.reader(func(c *sdk.Config) { c.Since = middle }), event.Backfill, nil)
	got := sorted(obs)
	if got.threads[id(recent)] == nil || got.threads[id(revived)] == nil || got.threads[id(old)] != nil {
		t.Errorf("with a horizon: %s", asJSON(t, got.threads))
	}
	if done.FromBeginning {
		t.Error("a history with a horizon does not reach back to the beginning")
	}

	obs, again := drain(t, f.reader(func(c *sdk.Config) { c.Since = middle }), event.Backfill, done.Next)
	if len(obs) > 0 || string(again.Next) != string(done.Next) {
		t.Errorf("a finished history was read again: %d observations", len(obs))
	}

	obs, all := drain(t, f.reader(), event.Backfill, done.Next)
	got = sorted(obs)
	if got.threads[id(old)] == nil || got.threads[id(recent)] != nil {
		t.Errorf("widened: %s", asJSON(t, got.threads))
	}
	if !all.FromBeginning {
		t.Error("widened to the beginning and does not say so")
	}
}

func TestMembersComeFirst(t *testing.T) {
	f := newForum(t, nil, discoursetest.WithDirectory())
	var topic int64
	for n := range int64(120) {
		u := discoursetest.User{ID: 100 + n, Username: fmt.Sprintf("user%d", n), TrustLevel: 2}
		topic, _ = f.NewTopic(u, 5, "Topic", "<p>x</p>")
		f.Reply(topic, u, "<p>x</p>", 0)
	}
	obs, _ := drain(t, f.reader(), event.Backfill, nil)
	if obs[0].Member == nil {
		t.Error("the first observation is no member")
	}
	got := sorted(obs)
	if len(got.members) != 120 {
		t.Fatalf("%d members, want 120", len(got.members))
	}
	two := 2
	want := &event.Member{Actor: event.Actor{ID: "100", Handle: "user0"}, Messages: &two, Trust: "2"}
	if d := cmp.Diff(want, got.members["100"]); d != "" {
		t.Errorf("member (-want +got):\n%s", d)
	}
}

// TestRefusalsWithAKey: what is not shown to a key is left out; a revoked key is told apart, and keeps the cursor.
func TestRefusalsWithAKey(t *testing.T) {
	const key = "s3cr3t-key"
	tests := map[string]struct {
		path string
		// revoked is whether the key is refused everywhere from then on, or at that path alone.
		revoked         bool
		members, parent bool
	}{
		"directory not shown":      {path: "/directory_items.json", parent: true},
		"key revoked at directory": {path: "/directory_items.json", revoked: true, members: true, parent: true},
		"single posts not shown":   {path: "/posts/by_number/", members: true},
		"key revoked at a post":    {path: "/posts/by_number/", revoked: true, members: true, parent: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newForum(t, nil, discoursetest.WithDirectory(), discoursetest.WithAPIKey(key, "kith", false),
				discoursetest.WithCategories(discoursetest.Category{ID: 5, Name: "Help", Slug: "help"}))
			topic, _ := f.NewTopic(ann, 5, "Long", "<p>x</p>")
			for range 599 {
				f.Reply(topic, ben, "<p>x</p>", 0)
			}
			// It comes on the second page, which has to ask for what it replies to.
			late := strconv.FormatInt(f.Reply(topic, ben, "<p>x</p>", 30), 10)
			f.SetFault(func(r *http.Request) discoursetest.Fault {
				switch {
				case !strings.HasPrefix(r.URL.Path, tc.path):
					return nil
				case tc.revoked:
					f.SetAPIKey("another")
					return nil
				}
				return discoursetest.Status(http.StatusForbidden)
			})
			c := f.reader(withKey(key, "kith"))
			var obs []event.Observation
			var cursor sdk.Cursor
			refused := false
			for more := true; more; {
				p, err := c.Read(t.Context(), event.Backfill, cursor)
				if err != nil {
					if !tc.revoked || sdk.ReasonOf(err) != sdk.BadCredentials || p.Next != nil {
						t.Fatalf("error %v, next %s", err, p.Next)
					}
					f.SetFault(nil)
					f.SetAPIKey(key)
					refused = true
					continue
				}
				obs, cursor, more = append(obs, p.Observations...), p.Next, p.More
			}
			got := sorted(obs)
			if refused != tc.revoked || len(got.messages) != 601 {
				t.Errorf("refused %t, %d messages", refused, len(got.messages))
			}
			if (len(got.members) > 0) != tc.members || (got.messages[late].Parent != "") != tc.parent {
				t.Errorf("%d members, parent %q", len(got.members), got.messages[late].Parent)
			}
		})
	}
}

func TestRooms(t *testing.T) {
	categories := discoursetest.WithCategories(
		discoursetest.Category{ID: 5, Slug: "support", Solved: true}, discoursetest.Category{ID: 6, Slug: "install", Parent: 5},
		discoursetest.Category{ID: 7, Slug: "chat"}, discoursetest.Category{ID: 8, Slug: "staff", Private: true},
	)
	tests := map[string]struct {
		options []discoursetest.Option
		rooms   sdk.Rooms
		key     bool
		want    map[string]string
	}{
		"all public":                 {want: map[string]string{"A": "support", "B": "support/install", "C": "chat"}},
		"included":                   {rooms: sdk.Rooms{Include: []string{"support/*"}}, want: map[string]string{"A": "support", "B": "support/install"}},
		"excluded":                   {rooms: sdk.Rooms{Exclude: []string{"support/install"}}, want: map[string]string{"A": "support", "C": "chat"}},
		"private to visitors":        {rooms: sdk.Rooms{Include: []string{"staff"}}, want: map[string]string{}},
		"private though a key sees":  {key: true, want: map[string]string{"A": "support", "B": "support/install", "C": "chat"}},
		"private by a wildcard":      {key: true, rooms: sdk.Rooms{Include: []string{"*"}}, want: map[string]string{"A": "support", "B": "support/install", "C": "chat"}},
		"private named":              {key: true, rooms: sdk.Rooms{Include: []string{"staff"}}, want: map[string]string{"D": "staff"}},
		"by the site's categories":   {options: []discoursetest.Option{discoursetest.Without("/categories.json", 404)}, want: map[string]string{"A": "support", "B": "support/install", "C": "chat"}},
		"by numbers, without either": {options: []discoursetest.Option{discoursetest.Without("/categories.json", 403), discoursetest.Without("/site.json", 403)}, want: map[string]string{"A": "5", "B": "6", "C": "7"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newForum(t, nil, append(tc.options, categories, discoursetest.WithAPIKey("s3cr3t-key", "system", true))...)
			for n, title := range []string{"A", "B", "C", "D"} {
				f.NewTopic(ann, int64(5+n), title, "<p>x</p>")
			}
			f.NewPrivateMessage(ann, "P", "<p>x</p>")
			f.clock.Advance(time.Minute)
			change := []func(*sdk.Config){func(c *sdk.Config) { c.Rooms = tc.rooms }}
			if tc.key {
				change = append(change, withKey("s3cr3t-key", "system"))
			}
			r := f.reader(change...)
			_, live := drain(t, r, event.Live, nil)
			obs, _ := drain(t, r, event.Backfill, nil)
			got := map[string]string{}
			for _, th := range sorted(obs).threads {
				got[th.Title] = th.Room
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("history (-want +got):\n%s", d)
			}
			for n := range int64(4) {
				f.Reply(n+1, ben, "<p>x</p>", 0)
			}
			f.clock.Advance(time.Minute)
			obs, _ = drain(t, r, event.Live, live.Next)
			got = map[string]string{}
			for _, th := range sorted(obs).threads {
				got[th.Title] = th.Room
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("live (-want +got):\n%s", d)
			}
		})
	}
}

func TestKeyWithoutCategoriesReadsNothing(t *testing.T) {
	f := newForum(t, nil, discoursetest.WithAPIKey("s3cr3t-key", "system", true),
		discoursetest.Without("/categories.json", 403), discoursetest.Without("/site.json", 403))
	f.NewTopic(ann, 5, "A", "<p>x</p>")
	_, err := f.reader(withKey("s3cr3t-key", "system")).Read(t.Context(), event.Backfill, nil)
	if err == nil {
		p, err2 := f.reader(withKey("s3cr3t-key", "system")).Read(t.Context(), event.Backfill, sdk.Cursor(`{"v":1,"members":-1}`))
		if err2 == nil {
			t.Fatalf("private rooms cannot be told apart, and %d observations were read", len(p.Observations))
		}
		err = err2
	}
	if !strings.Contains(err.Error(), "private categories cannot be told from public ones") {
		t.Errorf("got %v", err)
	}
}

func TestStaffSeeTombstonesAndWhispersWhenNamed(t *testing.T) {
	f := newForum(t, nil, discoursetest.WithAPIKey("s3cr3t-key", "system", true))
	topic, _ := f.NewTopic(ann, 5, "A", "<p>x</p>")
	gone := f.Reply(topic, ben, "<p>x</p>", 0)
	f.RemoveByModerator(gone, mod)
	whisper := f.Whisper(topic, mod, "<p>careful</p>")
	for _, whispers := range []bool{false, true} {
		obs, _ := drain(t, f.reader(withKey("s3cr3t-key", "system"), setting("whispers", whispers)), event.Backfill, nil)
		got := sorted(obs)
		if m := got.messages[id(gone)]; m == nil || m.RemovedBy != event.ByModerator || m.Remover.ID != "2" {
			t.Errorf("the removed post: %+v", m)
		}
		if (got.messages[id(whisper)] != nil) != whispers {
			t.Errorf("whispers %v: %+v", whispers, got.messages[id(whisper)])
		}
	}
}

// TestAWrongKeyRemovesNothing: when all is refused, no topic is gone.
func TestAWrongKeyRemovesNothing(t *testing.T) {
	f := newForum(t, nil, discoursetest.WithAPIKey("s3cr3t-key", "system", true))
	f.NewTopic(ann, 5, "A", "<p>x</p>")
	f.clock.Advance(time.Minute)
	r := f.reader(withKey("s3cr3t-key", "system"))
	_, p := drain(t, r, event.Sweep, nil)
	f.SetAPIKey("another")
	_, err := r.Read(t.Context(), event.Sweep, p.Next)
	if sdk.ReasonOf(err) != sdk.BadCredentials || strings.Contains(fmt.Sprintf("%+v", err), "s3cr3t") {
		t.Errorf("want BadCredentials without the key, got %v", err)
	}
	for name, fault := range map[string]discoursetest.Fault{"404": discoursetest.Status(404), "410": discoursetest.Status(410)} {
		t.Run("a whole forum that answers "+name, func(t *testing.T) {
			f.SetAPIKey("s3cr3t-key")
			f.SetFault(func(r *http.Request) discoursetest.Fault {
				if r.URL.Path == "/latest.json" || strings.HasPrefix(r.URL.Path, "/t/") {
					return fault
				}
				return nil
			})
			queued := sdk.Cursor(`{"v":1,"first":-1,"known":[[1,1,1,1772366400]],"queue":[1]}`)
			if page, err := r.Read(t.Context(), event.Sweep, queued); err == nil {
				t.Errorf("took a forum that is away for removed topics: %s", asJSON(t, page.Observations))
			}
		})
	}
}

func TestBadCursors(t *testing.T) {
	f := newForum(t, nil)
	r := f.reader()
	for _, lane := range []event.Lane{event.Live, event.Backfill, event.Sweep} {
		for name, cursor := range map[string]string{
			"forged": `[1]`, "cut": `{"v":1`, "newer": `{"v":99}`, "of other types": `{"v":1,"last":"x","page":"x","known":3}`,
		} {
			if _, err := r.Read(t.Context(), lane, sdk.Cursor(cursor)); err == nil || !strings.Contains(err.Error(), "the stored position") {
				t.Errorf("%s, %s: got %v", lane, name, err)
			}
		}
	}
	if _, err := r.Read(t.Context(), "sideways", nil); err == nil {
		t.Error("an unknown lane was read")
	}
}

func TestATopicThatCannotBeUnderstoodCostsNoOther(t *testing.T) {
	f := newForum(t, nil)
	bad, _ := f.NewTopic(ann, 5, "Bad", "<p>x</p>")
	good, _ := f.NewTopic(ann, 5, "Good", "<p>x</p>")
	f.SetFault(failing("/t/"+id(bad)+".json", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		_, _ = fmt.Fprintf(w, `{"id":%d,"title":7}`, bad)
	}))
	f.clock.Advance(time.Minute)
	r := f.reader()
	var cursor sdk.Cursor
	var quarantined []sdk.Quarantined
	found := false
	for range 20 {
		p, err := r.Read(t.Context(), event.Backfill, cursor)
		if err != nil {
			t.Fatal(err)
		}
		quarantined = append(quarantined, p.Quarantined...)
		found = found || sorted(p.Observations).threads[id(good)] != nil
		if cursor = p.Next; !p.More {
			break
		}
	}
	if !found || len(quarantined) != 1 || quarantined[0].ID != id(bad) {
		t.Errorf("good found: %v, quarantined: %v", found, quarantined)
	}
}
