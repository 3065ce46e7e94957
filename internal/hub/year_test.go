// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/archive"
	"github.com/kith-dev/kith/connectors/sdk"
	"github.com/kith-dev/kith/internal/behaviour"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
)

func TestYear(t *testing.T) {
	dir := "../../../shared/data/discourse-forum/topics"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no data")
	}
	ctx := context.Background()
	keys, err := ledger.NewKeys(bytes.Repeat([]byte("k"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(ctx, filepath.Join(t.TempDir(), "l.db"), ledger.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := hub.New(l, hub.Options{})
	defer h.Close()
	bp := &blueprint.Blueprint{Version: 1, Name: "c", TimeZone: "UTC", Levels: blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * 24 * time.Hour}}
	bp.Behaviours = []blueprint.Behaviour{
		{Name: "answered", Generation: "1", Role: "Value", Of: "due", When: "event.firstResponse && event.sinceAsked <= duration('24h')", Credit: "Author", Benefits: "ThreadAuthor"},
		{Name: "due", Generation: "1", Role: "Basis", On: []event.Kind{event.ThreadAged}, After: 24 * time.Hour, When: "thread.question", Credit: "None", Benefits: "None", Per: blueprint.Per{Scope: "Thread"}},
		{Name: "solved", Generation: "1", Role: "Value", On: []event.Kind{event.AnswerAccepted}, When: "author.id != thread.author.id && event.text != 'x'", ReadsText: true, Credit: "Author", Benefits: "ThreadAuthor", Per: blueprint.Per{Scope: "Thread"}, Settle: 7 * 24 * time.Hour},
	}
	bp.Channels = []blueprint.Channel{{Name: "forum", Rooms: blueprint.Rooms{Questions: []string{"*"}}}}
	if err := h.Apply(ctx, bp); err != nil {
		t.Fatal(err)
	}
	d := archive.Descriptor()
	abs, _ := filepath.Abs(dir)
	start := time.Now()
	_, err = h.ResolveSince(ctx, "forum", blueprint.Since{All: true})
	if err != nil {
		t.Fatal(err)
	}
	err = reader.New(reader.Channel{Name: "forum", Descriptor: d, Config: sdk.Config{Name: "forum", URL: "https://forum.example", Settings: map[string]any{"path": abs}}}, reader.Options{Hub: h, Once: true, Holder: "test"}).Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start))
	start = time.Now()
	diffs, err := hub.Check(ctx, l, 20, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diffs {
		t.Errorf("%s %.300s", d.Side, d.Line)
	}
	t.Log(time.Since(start))
	rq, _ := l.Reader().Query("SELECT what || ident || error FROM setaside LIMIT 3")
	for rq.Next() {
		var b string
		rq.Scan(&b)
		t.Log(b)
	}
	rs, _ := l.Reader().Query("SELECT behaviour, state, count(*) FROM occurrences GROUP BY 1, 2")
	for rs.Next() {
		var b string
		var st, n int
		rs.Scan(&b, &st, &n)
		t.Log(b, ledger.State(st), n)
	}
	s, err := behaviour.Summarise(ctx, l.Reader(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(s)
	t.Log(string(b))
}
