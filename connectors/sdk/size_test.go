// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/sdk"
)

func TestSizeOfIsNeverBelowTheWire(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	ids := make([]string, 20_000)
	for i := range ids {
		ids[i] = "1234567"
	}
	tests := map[string]event.Observation{
		"plain":   {Message: &event.Message{ID: "1", Thread: "2", CreatedAt: at, Text: strings.Repeat("Hello. ", 5000)}},
		"markup":  {Message: &event.Message{ID: "1", Thread: "2", CreatedAt: at, Text: strings.Repeat("<&>", 20_000)}},
		"control": {Message: &event.Message{ID: "1", Thread: "2", CreatedAt: at, Text: strings.Repeat("\x00\"\\\n", 10_000)}},
		"links":   {Message: &event.Message{ID: "1", Thread: "2", CreatedAt: at, Links: strings.Split(strings.Repeat("https://a.example/?a&b ", 200), " ")}},
		"listing": {Listing: &event.Listing{Thread: "1", IDs: ids}},
		"thread":  {Thread: &event.Thread{ID: strings.Repeat("&", 512), Title: strings.Repeat("<", 1024), CreatedAt: at, Tags: strings.Split(strings.Repeat("tag ", 50), " ")}},
		"member":  {Member: &event.Member{Actor: event.Actor{ID: "1", Handle: "h"}, Name: strings.Repeat("&", 500), JoinedAt: at}},
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			if got := sdk.SizeOf(&o); got < len(b) || got > 2*len(b)+1024 {
				t.Errorf("estimated %d bytes, the wire form has %d", got, len(b))
			}
		})
	}
}
