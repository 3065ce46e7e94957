// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	kjson "sigs.k8s.io/json"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/hub/wire"
)

// ObservationType is the type of CloudEvents whose data are an event.Observation.
const ObservationType = "dev.kith.observation.v1"

const (
	typeCloudEvent = "application/cloudevents+json"
	typeCloudBatch = "application/cloudevents-batch+json"
)

// cloudEvent is a CloudEvents 1.0 envelope, as far as it is read (https://github.com/cloudevents/spec). Other
// extensions are allowed and left alone.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
	DataBase64      *string         `json:"data_base64"`
	// CompleteThrough is an extension: nothing older than this will be sent on this channel. Without it threads do not
	// age, and what has to settle does not count.
	CompleteThrough time.Time `json:"completethrough"`
}

// pushed is a checked event.
type pushed struct {
	id              string
	observation     event.Observation
	completeThrough time.Time
}

// events is POST /v1/events: observations from anything that can send CloudEvents, each to the channel that its source
// names. All are checked before any is written. Each channel's are one page: after an error, sending all of them again
// is safe.
func (s *server) events(w http.ResponseWriter, r *http.Request, caller Caller) (any, error) {
	body, mediaType, err := readBody(w, r, wire.MaxPage, typeCloudEvent, typeCloudBatch)
	if err != nil {
		return nil, err
	}
	list, err := decodeEvents(body, mediaType)
	if err != nil {
		return nil, err
	}
	var order []string
	bySource, channels := map[string][]pushed{}, map[string]*blueprint.Channel{}
	for i := range list {
		e := &list[i]
		p, err := checkEvent(e, i)
		if err != nil {
			return nil, err
		}
		if bySource[e.Source] == nil {
			channel, err := s.writable(caller, e.Source)
			if err != nil {
				return nil, err
			}
			if channel.Platform != PushPlatform {
				return nil, refuse(http.StatusUnprocessableEntity,
					"event %d: its source is a channel that a connector reads; only channels of platform %s take events", i, PushPlatform)
			}
			order, channels[e.Source] = append(order, e.Source), channel
		}
		bySource[e.Source] = append(bySource[e.Source], p)
	}
	ctx, cancel := s.bounded(r)
	defer cancel()
	answer := wire.Accepted{}
	for _, source := range order {
		repeated, err := s.push.commit(ctx, channels[source], bySource[source])
		if err != nil {
			return nil, err
		}
		answer.Accepted += len(bySource[source])
		answer.Repeated += repeated
	}
	return answer, nil
}

func decodeEvents(body []byte, mediaType string) ([]cloudEvent, error) {
	var list []cloudEvent
	var err error
	if mediaType == typeCloudBatch {
		err = kjson.UnmarshalCaseSensitivePreserveInts(body, &list)
	} else {
		list = make([]cloudEvent, 1)
		err = kjson.UnmarshalCaseSensitivePreserveInts(body, &list[0])
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body is no CloudEvent in JSON form, or no list of them in a batch")
	}
	if len(list) > event.MaxObservations {
		return nil, refuse(http.StatusRequestEntityTooLarge, "a batch holds %d events and may hold %d", len(list), event.MaxObservations)
	}
	return list, nil
}

func checkEvent(e *cloudEvent, i int) (pushed, error) {
	bad := func(format string, args ...any) (pushed, error) {
		return pushed{}, refuse(http.StatusUnprocessableEntity, "event %d: "+format, append([]any{i}, args...)...)
	}
	switch {
	case e.SpecVersion != "1.0":
		return bad("specversion has to be 1.0")
	case e.Type != ObservationType:
		return bad("type has to be %s", ObservationType)
	case e.ID == "" || len(e.ID) > event.MaxID:
		return bad("id has to have 1 to %d bytes", event.MaxID)
	case e.Source == "":
		return bad("source has to be the name of a channel")
	case e.DataContentType != "" && e.DataContentType != "application/json", e.DataBase64 != nil, len(bytes.TrimSpace(e.Data)) == 0:
		return bad("data has to be a JSON observation")
	}
	p := pushed{id: e.ID, completeThrough: e.CompleteThrough}
	if err := wire.Decode(e.Data, &p.observation); err != nil {
		return bad("data: %v", err)
	}
	set := 0
	o := &p.observation
	for _, is := range []bool{o.Message != nil, o.Thread != nil, o.Member != nil, o.Listing != nil, o.Moderation != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return bad("data has to hold exactly one of message, thread, member, listing, moderation")
	}
	if err := checkObservation(o); err != nil {
		return bad("data: %v", err)
	}
	return p, nil
}
