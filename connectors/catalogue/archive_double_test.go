// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package catalogue_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/kith-dev/kith/connectors/conformance"
	"github.com/kith-dev/kith/connectors/sdk"
)

func archiveSuite(d sdk.Descriptor) conformance.Suite {
	return conformance.Suite{
		Descriptor: d, Local: true, NothingNew: true,
		NewPlatform: func(t testing.TB) conformance.Platform {
			a := &archivePlatform{dir: t.TempDir(), clock: begin, topics: map[string]map[string]any{}}
			// An export of nothing still is an export: a folder without topics is refused as a mistake by Probe only.
			return a
		},
	}
}

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// archivePlatform is a folder of topics that is exported anew with each change.
type archivePlatform struct {
	dir    string
	clock  time.Time
	lastID int
	topics map[string]map[string]any
}

func (a *archivePlatform) Config() sdk.Config {
	return sdk.Config{URL: "https://forum.example", Settings: map[string]any{"path": a.dir}}
}

func (a *archivePlatform) Now() time.Time          { return a.clock }
func (a *archivePlatform) Advance(d time.Duration) { a.clock = a.clock.Add(d) }

func (a *archivePlatform) Open(replies int) (thread string, messages []string) {
	return a.open(replies, "regular")
}

func (a *archivePlatform) OpenPrivate() (thread string, messages []string) {
	return a.open(1, "private_message")
}

func (a *archivePlatform) open(replies int, archetype string) (thread string, messages []string) {
	a.lastID++
	thread = strconv.Itoa(a.lastID)
	t := map[string]any{
		"id": a.lastID, "title": "Topic " + thread, "slug": "topic", "category_id": 1, "user_id": 1, "archetype": archetype,
		"created_at": a.tick(), "post_stream": map[string]any{"posts": []any{}},
	}
	a.topics[thread] = t
	for range replies + 1 {
		messages = append(messages, a.post(t))
	}
	a.write(thread)
	return thread, messages
}

func (a *archivePlatform) Reply(thread string) string {
	id := a.post(a.topics[thread])
	a.write(thread)
	return id
}

func (a *archivePlatform) Edit(message string) {
	a.change(message, func(p map[string]any) {
		p["version"] = p["version"].(int) + 1
		p["cooked"] = fmt.Sprintf("<p>Version %d</p>", p["version"])
		p["updated_at"] = a.tick()
	})
}

func (a *archivePlatform) Remove(message string) {
	a.change(message, func(p map[string]any) { p["deleted_at"] = a.tick() })
}

func (a *archivePlatform) Accept(message string) {
	for thread, t := range a.topics {
		for _, p := range posts(t) {
			if p["id"] == atoi(message) {
				t["accepted_answer"] = map[string]any{"post_number": p["post_number"]}
				a.write(thread)
			}
		}
	}
}

// Answer puts the same bytes into each file.
func (a *archivePlatform) Answer(body []byte) {
	for thread := range a.topics {
		a.put(thread, body)
	}
}

func (a *archivePlatform) post(t map[string]any) string {
	a.lastID++
	stream := t["post_stream"].(map[string]any)
	all := stream["posts"].([]any)
	at := a.tick()
	stream["posts"] = append(all, map[string]any{
		"id": a.lastID, "post_number": len(all) + 1, "post_type": 1, "user_id": 1 + len(all)%5, "username": "u", "version": 1,
		"created_at": at, "updated_at": at, "cooked": fmt.Sprintf("<p>Post %d</p>", a.lastID),
	})
	return strconv.Itoa(a.lastID)
}

func (a *archivePlatform) change(message string, f func(map[string]any)) {
	for thread, t := range a.topics {
		for _, p := range posts(t) {
			if p["id"] == atoi(message) {
				f(p)
				a.write(thread)
				return
			}
		}
	}
}

func (a *archivePlatform) tick() string {
	a.clock = a.clock.Add(time.Second)
	return a.clock.Format("2006-01-02T15:04:05.000Z")
}

func (a *archivePlatform) write(thread string) {
	b, err := json.Marshal(a.topics[thread])
	if err != nil {
		panic(err)
	}
	a.put(thread, b)
}

func (a *archivePlatform) put(thread string, b []byte) {
	if err := os.WriteFile(filepath.Join(a.dir, thread+".json"), b, 0o600); err != nil {
		panic(err)
	}
}

func posts(t map[string]any) []map[string]any {
	var out []map[string]any
	for _, p := range t["post_stream"].(map[string]any)["posts"].([]any) {
		out = append(out, p.(map[string]any))
	}
	return out
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}
