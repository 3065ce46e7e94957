// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestForumIsTheSameEveryTime(t *testing.T) {
	first, err := newForum(seed).files()
	if err != nil {
		t.Fatal(err)
	}
	second, err := newForum(seed).files()
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(first, second, bytes.Equal) {
		t.Error("two runs with one seed gave different forums")
	}
	other, err := newForum(seed + 1).files()
	if err != nil {
		t.Fatal(err)
	}
	if maps.EqualFunc(first, other, bytes.Equal) {
		t.Error("another seed gave the same forum")
	}
}

func TestCommittedForumIsCurrent(t *testing.T) {
	want, err := newForum(seed).files()
	if err != nil {
		t.Fatal(err)
	}
	got, err := readZip(filepath.Join("..", "..", "config", "samples", "quickstart", "forum.zip"))
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(want, got, bytes.Equal) {
		t.Error("forum.zip is stale: run `make generate`")
	}
}

func TestForumCouldBeReal(t *testing.T) {
	f := newForum(seed)
	ids := map[int64]bool{}
	languages := map[language]int{}
	var questions, unanswered, solved, late int
	for _, topic := range f.topics {
		posts := topic.PostStream.Posts
		before := time.Time{}
		for i, p := range posts {
			if ids[p.ID] {
				t.Errorf("post id %d is used twice", p.ID)
			}
			ids[p.ID] = true
			at := time.Time(p.CreatedAt)
			if at.Before(before) || !at.Before(exportedAt) || at.Before(start) {
				t.Errorf("topic %d, post %d at %s: out of order or out of the year", topic.ID, i+1, at)
			}
			before = at
			if p.PostNumber != i+1 || p.TopicID != topic.ID {
				t.Errorf("topic %d: post %d has number %d of topic %d", topic.ID, i+1, p.PostNumber, p.TopicID)
			}
		}
		if topic.CategoryID > categoryApp {
			continue
		}
		questions++
		if topic.AcceptedAnswer != nil {
			solved++
		}
		if len(posts) == 1 {
			unanswered++
		} else if time.Time(posts[1].CreatedAt).Sub(time.Time(posts[0].CreatedAt)) > 24*time.Hour {
			late++
		}
	}
	for _, p := range f.people.all {
		languages[p.language]++
	}
	for what, n := range map[string]int{
		"questions": questions, "unanswered": unanswered, "solved": solved, "late": late,
		"German speakers": languages[german], "English speakers": languages[english],
	} {
		if n < 10 {
			t.Errorf("%s: %d, want at least 10 for a forum with something to see", what, n)
		}
	}
}

func TestBehavioursAreForOneCommunity(t *testing.T) {
	all, err := behavioursFor("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.Split(all, []byte("\n---\n"))[1:]
	got := map[string]int{}
	for _, d := range documents {
		var b struct {
			Spec struct {
				CommunityRef struct {
					Name string `json:"name"`
				} `json:"communityRef"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal(d, &b); err != nil {
			t.Fatal(err)
		}
		got[b.Spec.CommunityRef.Name]++
	}
	if diff := cmp.Diff(map[string]int{"quickstart": 14}, got); diff != "" {
		t.Errorf("behaviours by community (-want +got):\n%s", diff)
	}
}
