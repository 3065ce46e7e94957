// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
)

// TestForumYear reads a real year over HTTP, through a forum that fails now and then, and compares with a mapping of the
// files and with counts made from the JSON alone.
func TestForumYear(t *testing.T) {
	dir := sharedFile(t, "data", "discourse-forum", "topics")
	f := newForum(t, os.DirFS(dir))
	f.FailEvery(7, discoursetest.TooManyRequests(2*time.Second), discoursetest.Status(502), discoursetest.Truncated)

	got, last := drain(t, f.reader(), event.Backfill, nil)
	if !last.FromBeginning {
		t.Error("the history reaches back to the beginning and does not say so")
	}

	want := map[string][]event.Observation{}
	posts, authors := 0, map[float64]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var plain struct {
			PostStream struct {
				Posts []struct {
					UserID float64 `json:"user_id"`
				} `json:"posts"`
			} `json:"post_stream"`
		}
		if err := json.Unmarshal(raw, &plain); err != nil {
			t.Fatal(err)
		}
		posts += len(plain.PostStream.Posts)
		for _, p := range plain.PostStream.Posts {
			authors[p.UserID] = true
		}
		topic, err := discoursejson.DecodeTopic(raw)
		if err != nil {
			t.Fatal(err)
		}
		obs, _ := discoursejson.Observations(topic, discoursejson.Options{Base: f.url, AsOf: start.Add(-5 * time.Second)})
		want[strconv.FormatInt(topic.ID, 10)] = obs
	}

	byTopic := map[string][]event.Observation{}
	messages, gotAuthors := 0, map[string]bool{}
	for _, o := range got {
		id := ""
		switch {
		case o.Thread != nil:
			id = o.Thread.ID
		case o.Message != nil:
			id = o.Message.Thread
			messages++
			gotAuthors[o.Message.Author.ID] = true
		case o.Listing != nil:
			id = o.Listing.Thread
		}
		byTopic[id] = append(byTopic[id], o)
	}
	if len(byTopic) != len(files) || messages != posts || len(gotAuthors) != len(authors) {
		t.Errorf("read %d topics, %d posts, %d authors; there are %d, %d, %d", len(byTopic), messages, len(gotAuthors), len(files), posts, len(authors))
	}
	for id, obs := range want {
		if d := cmp.Diff(obs, byTopic[id]); d != "" {
			t.Fatalf("topic %s differs from its file (-file +http):\n%s", id, d)
		}
	}
}
