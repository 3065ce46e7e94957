// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package catalogue_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kith-dev/kith/connectors/conformance"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/connectors/sdk"
)

const (
	openRoom   = 5
	closedRoom = 6
)

func discourseSuite(d sdk.Descriptor) conformance.Suite {
	return conformance.Suite{
		Descriptor: d,
		NewPlatform: func(t testing.TB) conformance.Platform {
			clock := discoursetest.NewClock(begin)
			s, err := discoursetest.New(nil, discoursetest.WithClock(clock.Now),
				discoursetest.WithAPIKey(conformance.Secret("apiKey"), conformance.Secret("apiUsername"), true),
				discoursetest.WithCategories(
					discoursetest.Category{ID: openRoom, Name: "Support", Slug: "support", Solved: true},
					discoursetest.Category{ID: closedRoom, Name: "Staff", Slug: "staff", Private: true},
				))
			if err != nil {
				t.Fatal(err)
			}
			f := &forum{Server: s, clock: clock}
			f.http = httptest.NewServer(f)
			t.Cleanup(f.http.Close)
			return f
		},
	}
}

// forum is the test forum of Discourse.
type forum struct {
	*discoursetest.Server
	http  *httptest.Server
	clock *discoursetest.Clock

	mu   sync.Mutex
	body []byte
}

func (f *forum) Config() sdk.Config {
	return sdk.Config{URL: f.http.URL, Settings: map[string]any{}}
}

func (f *forum) Now() time.Time          { return f.clock.Now() }
func (f *forum) Advance(d time.Duration) { f.clock.Advance(d) }

func author(n int) discoursetest.User {
	return discoursetest.User{ID: int64(100 + n%7), Username: fmt.Sprintf("u%d", n%7), TrustLevel: 1}
}

func (f *forum) Open(replies int) (thread string, messages []string) {
	return f.open(openRoom, replies)
}

func (f *forum) OpenPrivate() (thread string, messages []string) { return f.open(closedRoom, 2) }

func (f *forum) open(category int64, replies int) (thread string, messages []string) {
	f.clock.Advance(time.Second)
	topic, first := f.NewTopic(author(0), category, "Topic", "<p>First</p>")
	messages = []string{strconv.FormatInt(first, 10)}
	thread = strconv.FormatInt(topic, 10)
	for range replies {
		messages = append(messages, f.Reply(thread))
	}
	return thread, messages
}

func (f *forum) Reply(thread string) string {
	f.clock.Advance(time.Second)
	return strconv.FormatInt(f.Server.Reply(int64(atoi(thread)), author(f.Requests()), "<p>Reply</p>", 0), 10)
}

func (f *forum) Edit(message string) {
	f.clock.Advance(time.Second)
	f.Server.Edit(int64(atoi(message)), "<p>Edited</p>")
}

func (f *forum) Remove(message string) {
	f.clock.Advance(time.Second)
	f.RemoveByAuthor(int64(atoi(message)))
}

func (f *forum) Accept(message string) {
	f.clock.Advance(time.Second)
	f.Server.Accept(int64(atoi(message)))
}

func (f *forum) Fail(every int, how conformance.Fault) {
	faults := map[conformance.Fault]discoursetest.Fault{
		conformance.TooMany: discoursetest.TooManyRequests(2 * time.Second), conformance.ServerError: discoursetest.Status(500), conformance.Truncated: discoursetest.Truncated,
	}
	if every == 0 {
		f.SetFault(nil)
		return
	}
	f.FailEvery(every, faults[how])
}

func (f *forum) Guard(secrets map[string]string) { f.SetAPIKey(secrets["apiKey"]) }
func (f *forum) Revoke()                         { f.SetAPIKey("") }

func (f *forum) Answer(body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.body = body
}

func (f *forum) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	body := f.body
	f.mu.Unlock()
	if body == nil {
		f.Server.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Date", f.clock.Now().Format(http.TimeFormat))
	_, _ = w.Write(body)
}
