// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

var apiNow = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// apiBlueprint declares a forum that a connector reads, and a channel that is fed.
func apiBlueprint() *blueprint.Blueprint {
	return &blueprint.Blueprint{
		Name: "acme", TimeZone: "UTC", Levels: blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * 24 * time.Hour},
		Channels: []blueprint.Channel{
			{Name: "forum", Platform: "discourse", URL: "https://forum.example", Since: blueprint.Since{Date: apiNow.AddDate(0, -1, 0)}},
			{Name: "intranet", Platform: hub.PushPlatform, URL: "https://intranet.example", Rooms: blueprint.Rooms{Questions: []string{"help"}}},
		},
	}
}

func newAPIHub(t *testing.T, o hub.Options) *hub.Hub {
	t.Helper()
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "l.db"), ledger.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	o.Now = func() time.Time { return apiNow }
	h := hub.New(l, o)
	t.Cleanup(func() {
		h.Close()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// who is a Verifier that knows one caller.
type who hub.Caller

func (w who) Verify(*http.Request) (hub.Caller, error) { return hub.Caller(w), nil }

func newAPI(t *testing.T, o hub.ServerOptions) (*hub.Hub, http.Handler) {
	t.Helper()
	h := newAPIHub(t, hub.Options{})
	if err := h.Apply(t.Context(), apiBlueprint()); err != nil {
		t.Fatal(err)
	}
	if o.Verifier == nil {
		o.Verifier = who{Name: "test", All: true}
	}
	return h, hub.Handler(h, o)
}

func request(method, path, contentType, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func do(h http.Handler, r *http.Request) (int, http.Header, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Header(), strings.TrimSpace(w.Body.String())
}

func post(h http.Handler, path string, v any) (int, string) {
	doc, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	code, _, body := do(h, request(http.MethodPost, path, "application/json", string(doc)))
	return code, body
}

func forumRef() event.ChannelRef {
	return event.ChannelRef{Platform: "discourse", Instance: "forum.example"}
}

func forumPage(epoch int64, previous, next string, observations ...event.Observation) event.Commit {
	return event.Commit{Channel: forumRef(), Epoch: epoch, Lane: event.Live, Previous: json.RawMessage(previous), Next: json.RawMessage(next),
		ObservedAt: apiNow, Observations: observations}
}

func message(id, thread string, at time.Time) event.Observation {
	return event.Observation{Message: &event.Message{ID: id, Thread: thread, CreatedAt: at, Author: event.Actor{ID: "u" + id}, Text: "Hello"}}
}

func gzipped(t *testing.T, size int) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(bytes.Repeat([]byte(" "), size)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBodiesAreBoundedAndStrict(t *testing.T) {
	page, err := json.Marshal(forumPage(1, "null", "1"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		path, contentType, encoding, body string
		want                              int
		says                              string
	}{
		"unknown field":       {wire.PathPages, "application/json", "", `{"observations":[{"message":{"id":"1","txt":"x"}}]}`, 400, `observations[0].message.txt`},
		"wrong case":          {wire.PathLease, "application/json", "", `{"Name":"forum"}`, 400, `Name`},
		"repeated field":      {wire.PathLease, "application/json", "", `{"name":"forum","name":"x"}`, 400, `name`},
		"wrong type":          {wire.PathPages, "application/json", "", `{"epoch":"one"}`, 400, `epoch`},
		"broken":              {wire.PathPages, "application/json", "", `{"epoch":1`, 400, `byte`},
		"empty":               {wire.PathPages, "application/json", "", ``, 400, `empty`},
		"bad time":            {wire.PathPages, "application/json", "", `{"observedAt":"Ada Lovelace"}`, 400, `RFC 3339`},
		"form":                {wire.PathPages, "application/x-www-form-urlencoded", "", string(page), 415, `application/json`},
		"no type":             {wire.PathPages, "", "", string(page), 415, `application/json`},
		"other charset":       {wire.PathPages, "application/json; charset=latin1", "", string(page), 415, `UTF-8`},
		"too large":           {wire.PathPages, "application/json", "", strings.Repeat(" ", wire.MaxPage+1), 413, `bytes`},
		"bomb":                {wire.PathPages, "application/json", "gzip", gzipped(t, 200<<20), 413, `unpacking`},
		"not gzip":            {wire.PathPages, "application/json", "gzip", string(page), 400, `packed`},
		"brotli":              {wire.PathPages, "application/json", "br", string(page), 415, `gzip`},
		"a page for no lease": {wire.PathPages, "application/json", "", string(page), 422, `acquire`},
		"unknown path":        {"/v2/pages", "application/json", "", "{}", 404, `/v1`},
		"state of bad phase":  {wire.PathState, "application/json", "", `{"channel":"forum","state":{"channel":"forum","platform":"","phase":"Ada Lovelace","since":"2026-01-01T00:00:00Z","heartbeat":"2026-01-01T00:00:00Z"}}`, 422, `phase`},
	}
	_, api := newAPI(t, hub.ServerOptions{})
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := request(http.MethodPost, tc.path, tc.contentType, tc.body)
			if tc.encoding != "" {
				r.Header.Set("Content-Encoding", tc.encoding)
			}
			code, head, body := do(api, r)
			if code != tc.want || !strings.Contains(body, tc.says) {
				t.Errorf("got %d %s, want %d with %q", code, body, tc.want, tc.says)
			}
			if strings.Contains(body, "Lovelace") {
				t.Errorf("the answer repeats a value: %s", body)
			}
			if got := head.Get("Content-Type"); got != "application/json" {
				t.Errorf("errors are JSON, got %q", got)
			}
		})
	}
}

func TestAPageIsCommittedOnce(t *testing.T) {
	h, api := newAPI(t, hub.ServerOptions{})
	code, body := post(api, wire.PathLease, wire.LeaseRequest{Channel: forumRef(), Name: "forum", Holder: "test"})
	var lease wire.Lease
	if err := json.Unmarshal([]byte(body), &lease); err != nil || code != 200 || lease.Epoch != 1 {
		t.Fatalf("lease: %d %s %v", code, body, err)
	}
	page := forumPage(lease.Epoch, "null", `{"at": 1}`, message("1", "t", apiNow))
	if code, body := post(api, wire.PathPages, page); code != 200 {
		t.Fatalf("page: %d %s", code, body)
	}
	code, body = post(api, wire.PathPages, page)
	var e wire.Error
	if err := json.Unmarshal([]byte(body), &e); err != nil || code != 409 {
		t.Fatalf("a stale page: %d %s %v", code, body, err)
	}
	want := &wire.Conflict{Epoch: 1, Holder: "test", Lane: event.Live, Cursor: json.RawMessage(`{"at":1}`)}
	if diff := cmp.Diff(want, e.Conflict); diff != "" {
		t.Errorf("conflict (-want +got):\n%s", diff)
	}
	if n := countRows(t, h, "messages"); n != 1 {
		t.Errorf("%d messages in the ledger, want 1", n)
	}
}

func countRows(t *testing.T, h *hub.Hub, table string) int {
	t.Helper()
	var staged, n int
	if err := h.Ledger().Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if table == "messages" {
		if err := h.Ledger().Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM staged WHERE rank = 2").Scan(&staged); err != nil {
			t.Fatal(err)
		}
	}
	return n + staged
}

func TestCallersSpeakForTheirOwnChannels(t *testing.T) {
	var log bytes.Buffer
	h, all := newAPI(t, hub.ServerOptions{})
	if code, body := post(all, wire.PathLease, wire.LeaseRequest{Channel: forumRef(), Name: "forum"}); code != 200 {
		t.Fatal(body)
	}
	api := hub.Handler(h, hub.ServerOptions{Verifier: who{Name: "system:serviceaccount:acme:intranet", Channels: []string{"intranet"}}, Log: logTo(&log)})
	tests := map[string]func() (int, string){
		"lease": func() (int, string) {
			return post(api, wire.PathLease, wire.LeaseRequest{Channel: forumRef(), Name: "forum"})
		},
		"lease by detour": func() (int, string) {
			return post(api, wire.PathLease, wire.LeaseRequest{Channel: forumRef(), Name: "intranet"})
		},
		"page": func() (int, string) { return post(api, wire.PathPages, forumPage(1, "null", "1")) },
		"state": func() (int, string) {
			return post(api, wire.PathState, wire.StateRequest{Channel: "forum", State: reader.State{Channel: "forum", Phase: reader.Connected}})
		},
		"since": func() (int, string) {
			code, _, body := do(api, request(http.MethodGet, wire.PathSince+"?channel=forum", "", ""))
			return code, body
		},
		"events": func() (int, string) {
			code, _, body := do(api, request(http.MethodPost, wire.PathEvents, "application/cloudevents+json", cloudEvent("1", "forum", `{"member":{"id":"1"}}`)))
			return code, body
		},
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			if code, body := call(); code != 403 {
				t.Errorf("got %d %s, want 403", code, body)
			}
			if !strings.Contains(log.String(), "system:serviceaccount:acme:intranet") {
				t.Errorf("the refusal is not logged: %q", log.String())
			}
		})
	}
	_, _, metrics := do(api, request(http.MethodGet, "/metrics", "", ""))
	if !strings.Contains(metrics, `kith_hub_requests_total{code="403",path="/v1/lease"} 2`) {
		t.Error("refusals are not counted")
	}
	if _, _, status := do(api, request(http.MethodGet, wire.PathStatus, "", "")); strings.Contains(status, "forum") {
		t.Errorf("the status shows others' channels: %s", status)
	}
}

func logTo(b *bytes.Buffer) logr.Logger {
	return funcr.New(func(_, args string) { fmt.Fprintln(b, args) }, funcr.Options{})
}

func TestUnknownCallersGetNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, shared := newAPI(t, hub.ServerOptions{Verifier: hub.SharedToken(file)})
	_, loopback := newAPI(t, hub.ServerOptions{Verifier: hub.Loopback{}})
	_, nobody := newAPI(t, hub.ServerOptions{Verifier: hub.SharedToken(filepath.Join(t.TempDir(), "none"))})
	get := func(api http.Handler, change func(*http.Request)) int {
		r := request(http.MethodGet, wire.PathStatus, "", "")
		r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost:8080"
		change(r)
		code, _, _ := do(api, r)
		return code
	}
	bearer := func(s string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", s) }
	}
	write("0123456789abcdef\n")
	for name, tc := range map[string]struct{ got, want int }{
		"no token":              {get(shared, func(*http.Request) {}), 401},
		"wrong token":           {get(shared, bearer("Bearer 0123456789abcdeF")), 401},
		"beginning of it":       {get(shared, bearer("Bearer 0123456789abcde")), 401},
		"other scheme":          {get(shared, bearer("Basic 0123456789abcdef")), 401},
		"right token":           {get(shared, bearer("Bearer 0123456789abcdef")), 200},
		"no token file":         {get(nobody, bearer("Bearer ")), 401},
		"this machine":          {get(loopback, func(*http.Request) {}), 200},
		"this machine, IPv6":    {get(loopback, func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:4711", "[::1]:8080" }), 200},
		"another machine":       {get(loopback, func(r *http.Request) { r.RemoteAddr = "192.0.2.1:4711" }), 401},
		"a name made local":     {get(loopback, func(r *http.Request) { r.Host = "evil.example" }), 401},
		"a page in the browser": {get(loopback, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }), 401},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %d, want %d", name, tc.got, tc.want)
		}
	}
	write("fedcba9876543210 rotated")
	if got := get(shared, bearer("Bearer 0123456789abcdef")); got != 401 {
		t.Errorf("the old token after rotation: %d, want 401", got)
	}
	write("short")
	if got := get(shared, bearer("Bearer short")); got != 401 {
		t.Errorf("a token that could be guessed: %d, want 401", got)
	}
}

func TestTheHubSaysWhenItCannot(t *testing.T) {
	h := newAPIHub(t, hub.Options{})
	api := hub.Handler(h, hub.ServerOptions{Verifier: who{All: true}, BusyAfter: time.Millisecond})
	for _, path := range []string{wire.PathPages, wire.PathLease, wire.PathState} {
		code, head, body := do(api, request(http.MethodPost, path, "application/json", `{}`))
		if code != 503 || head.Get("Retry-After") == "" {
			t.Errorf("%s without a blueprint: %d %s, want 503 with Retry-After", path, code, body)
		}
	}
	if code, _, _ := do(api, request(http.MethodGet, "/readyz", "", "")); code != 503 {
		t.Errorf("/readyz without a blueprint: %d, want 503", code)
	}
	if code, _, _ := do(api, request(http.MethodGet, "/healthz", "", "")); code != 200 {
		t.Errorf("/healthz: %d, want 200", code)
	}
	if err := h.Apply(t.Context(), apiBlueprint()); err != nil {
		t.Fatal(err)
	}
	if code, _, body := do(api, request(http.MethodGet, "/readyz", "", "")); code != 200 {
		t.Errorf("/readyz: %d %s, want 200", code, body)
	}
	if code, body := post(api, wire.PathLease, wire.LeaseRequest{Channel: forumRef(), Name: "elsewhere"}); code != 404 {
		t.Errorf("an undeclared channel: %d %s, want 404", code, body)
	}
	if code, _, body := do(api, request(http.MethodGet, wire.PathPages, "", "")); code != 405 {
		t.Errorf("GET of pages: %d %s, want 405", code, body)
	}
}

func TestCallsInWorkAreBounded(t *testing.T) {
	in, out := make(chan struct{}), make(chan struct{})
	h := newAPIHub(t, hub.Options{BeforeObservation: func(*event.Observation) error {
		close(in)
		<-out
		return nil
	}})
	if err := h.Apply(t.Context(), apiBlueprint()); err != nil {
		t.Fatal(err)
	}
	api := hub.Handler(h, hub.ServerOptions{Verifier: who{All: true}, MaxPages: 1, QueueWait: time.Millisecond, BusyAfter: time.Minute})
	if code, body := post(api, wire.PathLease, wire.LeaseRequest{Channel: forumRef(), Name: "forum"}); code != 200 {
		t.Fatal(body)
	}
	first := make(chan int)
	go func() {
		thread := event.Observation{Thread: &event.Thread{ID: "t", CreatedAt: apiNow.Add(time.Hour)}}
		code, _ := post(api, wire.PathPages, forumPage(1, "null", "1", thread))
		first <- code
	}()
	<-in
	code, head, body := do(api, request(http.MethodPost, wire.PathPages, "application/json", "{}"))
	if code != 503 || head.Get("Retry-After") != "1" {
		t.Errorf("beyond the bound: %d %s, want 503 with Retry-After", code, body)
	}
	if code, _, body := do(api, request(http.MethodGet, "/healthz", "", "")); code != 200 {
		t.Errorf("/healthz beside a full hub: %d %s", code, body)
	}
	close(out)
	if code := <-first; code != 200 {
		t.Errorf("the first page: %d", code)
	}
}

type panicking struct{}

func (panicking) Verify(*http.Request) (hub.Caller, error) {
	panic(errors.New("secret of Ada Lovelace"))
}

func TestAPanicTellsNothing(t *testing.T) {
	var log bytes.Buffer
	_, api := newAPI(t, hub.ServerOptions{Verifier: panicking{}, Log: logTo(&log)})
	code, _, body := do(api, request(http.MethodGet, wire.PathStatus, "", ""))
	if code != 500 || strings.Contains(body+log.String(), "Lovelace") {
		t.Errorf("got %d %s, logged %s", code, body, log.String())
	}
	if !strings.Contains(log.String(), "panicking.Verify") {
		t.Error("the log does not say where it happened")
	}
}

func cloudEvent(id, source, data string, more ...string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":%q,"traceparent":"00-0","data":%s%s}`, id, source, hub.ObservationType, data, strings.Join(more, ""))
}

func pushMessage(id, author string, opening bool, at time.Time, text string) string {
	doc, err := json.Marshal(event.Observation{Message: &event.Message{ID: id, Thread: "t", Opening: opening, CreatedAt: at, Author: event.Actor{ID: author}, Text: text}})
	if err != nil {
		panic(err)
	}
	return string(doc)
}

func pushThread(at time.Time) string {
	doc, err := json.Marshal(event.Observation{Thread: &event.Thread{ID: "t", Room: "help", CreatedAt: at, Author: event.Actor{ID: "asker"}}})
	if err != nil {
		panic(err)
	}
	return string(doc)
}

func TestAnythingCanFeedAChannel(t *testing.T) {
	h, api := newAPI(t, hub.ServerOptions{})
	send := func(contentType, body string) wire.Accepted {
		t.Helper()
		code, _, answer := do(api, request(http.MethodPost, wire.PathEvents, contentType, body))
		var a wire.Accepted
		if err := json.Unmarshal([]byte(answer), &a); err != nil || code != 200 {
			t.Fatalf("got %d %s", code, answer)
		}
		return a
	}
	asked := apiNow.Add(-48 * time.Hour)
	question := "[" + cloudEvent("1", "intranet", pushThread(asked)) + "," + cloudEvent("2", "intranet", pushMessage("q", "asker", true, asked, "How?")) + "]"
	answer := cloudEvent("3", "intranet", pushMessage("a", "helper", false, asked.Add(time.Hour), "So."), `,"completethrough":"2026-03-02T11:00:00Z"`)
	if diff := cmp.Diff(wire.Accepted{Accepted: 2}, send("application/cloudevents-batch+json", question)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(wire.Accepted{Accepted: 1}, send("application/cloudevents+json; charset=utf-8", answer)); diff != "" {
		t.Error(diff)
	}
	events := countRows(t, h, "events")
	if diff := cmp.Diff(wire.Accepted{Accepted: 2, Repeated: 2}, send("application/cloudevents-batch+json", question)); diff != "" {
		t.Error(diff)
	}
	// A hub that starts anew takes the ids from the ledger.
	again := hub.Handler(h, hub.ServerOptions{Verifier: who{All: true}})
	if code, _, body := do(again, request(http.MethodPost, wire.PathEvents, "application/cloudevents+json", answer)); body != `{"accepted":1,"repeated":1}` {
		t.Errorf("after a restart: %d %s", code, body)
	}
	// The first server's lease has been taken over, and it takes it back.
	if diff := cmp.Diff(wire.Accepted{Accepted: 1, Repeated: 1}, send("application/cloudevents+json", answer)); diff != "" {
		t.Error(diff)
	}
	if n := countRows(t, h, "events"); n != events {
		t.Errorf("%d events after repetitions, were %d", n, events)
	}
	var question1, answered bool
	var watermark int64
	err := h.Ledger().Reader().QueryRowContext(t.Context(), "SELECT question, first_at != 0, watermark FROM threads t JOIN channels c ON c.n = t.channel").Scan(&question1, &answered, &watermark)
	if err != nil || !question1 || !answered || watermark != apiNow.Add(-time.Hour).UnixMilli() {
		t.Errorf("question %t, answered %t, watermark %d, %v", question1, answered, watermark, err)
	}
	_, _, metrics := do(api, request(http.MethodGet, "/metrics", "", ""))
	for _, want := range []string{
		`kith_connector_state{channel="intranet",community="acme",platform="push",state="Connected"} 1`,
		`kith_connector_observations_total{channel="intranet",community="acme",lane="live",platform="push"} 3`,
		`kith_ledger_history_state{channel="intranet",community="acme",state="complete"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

func TestBadCloudEventsChangeNothing(t *testing.T) {
	h, api := newAPI(t, hub.ServerOptions{})
	good := cloudEvent("1", "intranet", `{"member":{"id":"1"}}`)
	batch := "application/cloudevents-batch+json"
	for name, tc := range map[string]struct {
		contentType, body string
		want              int
		says              string
	}{
		"other version":       {batch, "[" + good + "," + strings.Replace(good, "1.0", "0.3", 1) + "]", 422, "event 1: specversion"},
		"other type":          {batch, "[" + strings.Replace(good, "observation", "opinion", 1) + "]", 422, "event 0: type"},
		"no id":               {batch, "[" + cloudEvent("", "intranet", `{"member":{"id":"1"}}`) + "]", 422, "id"},
		"read by a connector": {batch, "[" + good + "," + cloudEvent("2", "forum", `{"member":{"id":"1"}}`) + "]", 422, "connector"},
		"not declared":        {batch, "[" + good + "," + cloudEvent("2", "elsewhere", `{"member":{"id":"1"}}`) + "]", 404, "declares"},
		"unknown field":       {batch, "[" + good + "," + cloudEvent("2", "intranet", `{"member":{"id":"1","mail":"x"}}`) + "]", 422, "member.mail"},
		"two in one":          {batch, "[" + cloudEvent("2", "intranet", `{"member":{"id":"1"},"listing":{"ids":[]}}`) + "]", 422, "exactly one"},
		"nothing in it":       {batch, "[" + cloudEvent("2", "intranet", `{}`) + "]", 422, "exactly one"},
		"too many":            {batch, "[" + strings.Repeat(good+",", event.MaxObservations) + good + "]", 413, "500"},
		"plain JSON":          {"application/json", good, 415, "cloudevents"},
		"no JSON":             {batch, "hello", 400, "CloudEvent"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, body := do(api, request(http.MethodPost, wire.PathEvents, tc.contentType, tc.body))
			if code != tc.want || !strings.Contains(body, tc.says) {
				t.Errorf("got %d %s, want %d with %q", code, body, tc.want, tc.says)
			}
		})
	}
	if n := countRows(t, h, "channels"); n != 0 {
		t.Errorf("%d channels in the ledger: something was written", n)
	}
}

func TestStatusShowsChannelsAndObjectives(t *testing.T) {
	h, api := newAPI(t, hub.ServerOptions{})
	state := reader.State{Channel: "forum", Platform: "discourse", Phase: reader.RateLimited, Since: apiNow, Heartbeat: apiNow}
	if code, body := post(api, wire.PathState, wire.StateRequest{Channel: "forum", State: state}); code != 200 {
		t.Fatal(body)
	}
	if code, body := post(api, wire.PathLease, wire.LeaseRequest{Channel: forumRef(), Name: "forum", Holder: "test"}); code != 200 {
		t.Fatal(body)
	}
	_, _, body := do(api, request(http.MethodGet, wire.PathStatus, "", ""))
	var got wire.Status
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.LedgerBytes <= 0 || got.LedgerFreeBytes == nil || *got.LedgerFreeBytes <= 0 {
		t.Error("the ledger has no size, or its volume no room")
	}
	want := wire.Status{Community: "acme", Blueprint: h.Blueprint().Digest(), Engine: hub.EngineVersion, LedgerID: h.Ledger().ID(),
		LedgerBytes: got.LedgerBytes, LedgerFreeBytes: got.LedgerFreeBytes,
		Channels: []wire.ChannelStatus{{Name: "forum", State: &state, Known: true, History: "Reading", Since: apiNow.AddDate(0, -1, 0), Epoch: 1, Holder: "test"}, {Name: "intranet"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	_, _, body = do(api, request(http.MethodGet, wire.PathSince+"?channel=forum", "", ""))
	if body != `{"since":"2026-02-02T12:00:00Z"}` {
		t.Errorf("since: %s", body)
	}
}

func TestServerBoundsTimesAndHeaders(t *testing.T) {
	h := newAPIHub(t, hub.Options{})
	s := hub.NewServer(h, hub.ServerOptions{})
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 || s.MaxHeaderBytes > 64<<10 {
		t.Errorf("a bound is missing: %+v", s)
	}
	code, _, _ := do(s.Handler, request(http.MethodGet, wire.PathStatus, "", "").WithContext(context.Background()))
	if code != 401 {
		t.Errorf("a server without verifier answers %d, want 401", code)
	}
}
