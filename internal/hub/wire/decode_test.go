// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/hub/wire"
)

// fullPage is a page as connectors send them: 500 messages of a few hundred bytes.
func fullPage() event.Commit {
	c := event.Commit{Channel: event.ChannelRef{Platform: "discourse", Instance: "forum.example"}, Epoch: 3, Lane: event.Live,
		Previous: json.RawMessage(`{"at":1}`), Next: json.RawMessage(`{"at":2}`), ObservedAt: time.Unix(1e9, 0).UTC()}
	for i := range event.MaxObservations {
		c.Observations = append(c.Observations, event.Observation{Message: &event.Message{
			ID: fmt.Sprint(i), Thread: fmt.Sprint(i / 5), CreatedAt: time.Unix(int64(1e9+i), 0).UTC(), TextFormat: "html",
			Author: event.Actor{ID: fmt.Sprint(i % 50), Handle: "somebody", Roles: []string{"trust_level_1"}},
			Text:   strings.Repeat("<p>Plain words about a problem &amp; its answer.</p>", 8), Links: []string{"https://forum.example/t/1"},
		}})
	}
	return c
}

func TestAPageIsTheSameAfterTheWire(t *testing.T) {
	want := fullPage()
	doc, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got event.Commit
	if err := wire.Decode(doc, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-sent +received):\n%s", diff)
	}
}

func FuzzDecode(f *testing.F) {
	doc, err := json.Marshal(fullPage().Observations[:2])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Add([]byte(`[{"message":{"id":"1","id":"2"}}]`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var got []event.Observation
		if err := wire.Decode(doc, &got); err != nil {
			if len(err.Error()) > 400 {
				t.Errorf("an error of %d bytes repeats what it was given", len(err.Error()))
			}
			return
		}
		// What was accepted can be sent on, and means the same.
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var second []event.Observation
		if err := wire.Decode(again, &second); err != nil {
			t.Errorf("what was accepted once is refused: %v", err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	doc, err := json.Marshal(fullPage())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		var c event.Commit
		if err := wire.Decode(doc, &c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(event.MaxObservations*b.N)/b.Elapsed().Seconds(), "events/s")
}
