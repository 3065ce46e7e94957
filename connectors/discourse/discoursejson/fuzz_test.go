// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursejson_test

import (
	"testing"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
)

// FuzzTopic: whatever a forum or an archive holds, a topic gives observations within their bounds or an error.
func FuzzTopic(f *testing.F) {
	f.Add([]byte(topic(`"tags":["a",{"name":"b"}],"accepted_answer":[{"post_number":1}],`, post(1, 1, "")+","+post(2, 2, `"reply_to_post_number":1,"polls":[1]`))))
	f.Add([]byte(topic(`"closed":true,`, post(1, 1, `"cooked":"<aside class=quote><a href=/t/x/9>"`)+","+post(2, 2, `"action_code":"split_topic","post_type":3,"cooked":"<a href=\"/t/9\">"`))))
	f.Add([]byte(`{"id":1,"created_at":"2026-01-01T00:00:00Z","post_stream":{"posts":[{"id":-1},null,7],"stream":[1,1,2]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		topic, err := discoursejson.DecodeTopic(raw)
		if err != nil {
			return
		}
		obs, _ := discoursejson.Observations(topic, discoursejson.Options{Base: "https://f.example"})
		if len(obs) == 0 || obs[0].Thread == nil || obs[0].Thread.ID == "" {
			t.Fatal("no thread")
		}
		for _, o := range obs {
			m := o.Message
			if m != nil && (m.ID == "" || m.CreatedAt.IsZero() || len(m.Text) > event.MaxText || len(m.Links) > event.MaxLinks || len(m.Refs) > event.MaxRefs) {
				t.Errorf("out of bounds: %+v", m)
			}
		}
	})
}
