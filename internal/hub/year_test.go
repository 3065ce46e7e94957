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
	bp := &blueprint.Blueprint{Name: "c", TimeZone: "UTC", Levels: blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * 24 * time.Hour}}
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
	s, err := behaviour.Summarise(ctx, l.Reader(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(s)
	t.Log(string(b))
}
