// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// figures are worked out from topics' JSON alone, without any of Kith's code. The year's are those of its README.
type figures struct {
	Questions, Answered, WithinDay, Solved, SolvedByAsker, SolvedByOthers int
	// Helped is how many regular messages of other people than the asker there are.
	Helped int
}

// topicJSON is what /t/ID.json answers, with all of its posts.
type topicJSON struct {
	ID         int64     `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	UserID     int64     `json:"user_id"`
	PostStream struct {
		Posts []postJSON `json:"posts"`
	} `json:"post_stream"`
}

type postJSON struct {
	ID          int64     `json:"id"`
	UserID      int64     `json:"user_id"`
	PostNumber  int       `json:"post_number"`
	PostType    int       `json:"post_type"`
	CreatedAt   time.Time `json:"created_at"`
	Accepted    bool      `json:"accepted_answer"`
	UserDeleted bool      `json:"user_deleted"`
}

// regular is what counts: no note of the system's, and not removed.
func (p postJSON) regular() bool { return p.PostType == 1 && !p.UserDeleted }

// count works out the figures of those topics and posts that were made since a time.
func count(topics []topicJSON, since time.Time) (f figures) {
	for _, topic := range topics {
		asker := topic.PostStream.Posts[0].UserID
		var first, accepted *postJSON
		for i := range topic.PostStream.Posts {
			p := &topic.PostStream.Posts[i]
			if !p.regular() || p.UserID <= 0 {
				continue
			}
			if p.Accepted {
				accepted = p
			}
			if p.UserID == asker || p.PostNumber == 1 {
				continue
			}
			if first == nil || p.CreatedAt.Before(first.CreatedAt) {
				first = p
			}
			if !p.CreatedAt.Before(since) {
				f.Helped++
			}
		}
		if topic.CreatedAt.Before(since) {
			continue
		}
		f.Questions++
		if first != nil {
			f.Answered++
			if first.CreatedAt.Sub(topic.CreatedAt) <= 24*time.Hour {
				f.WithinDay++
			}
		}
		switch {
		case accepted == nil:
		case accepted.UserID == asker:
			f.Solved++
			f.SolvedByAsker++
		default:
			f.Solved++
			f.SolvedByOthers++
		}
	}
	return f
}

// readTopics reads a folder of topics.
func readTopics(folder fs.FS) (all []topicJSON, err error) {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		raw, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		var topic topicJSON
		if err := json.Unmarshal(raw, &topic); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, topic)
	}
	return all, nil
}

// readmeFigures are what the forum year's own description says that it must come to.
func readmeFigures(year string) (f figures, err error) {
	text, err := os.ReadFile(filepath.Join(year, "..", "..", "README.md"))
	if err != nil {
		return f, err
	}
	for pattern, into := range map[string]*int{
		`system notes[^|]*\| (\d+) ·`:              &f.Questions,
		`answered · unanswered \| (\d+) `:          &f.Answered,
		`within 24 h \| (\d+)`:                     &f.WithinDay,
		`accepted answer \| (\d+)`:                 &f.Solved,
		`accepted answer \| \d+ \((\d+) by the`:    &f.SolvedByAsker,
		`accepted answer[^\n]*, (\d+) by somebody`: &f.SolvedByOthers,
	} {
		m := regexp.MustCompile(pattern).FindSubmatch(text)
		if m == nil {
			return f, fmt.Errorf("the README beside %s has nothing for %q", year, pattern)
		}
		if *into, err = strconv.Atoi(string(m[1])); err != nil {
			return f, err
		}
	}
	return f, nil
}
