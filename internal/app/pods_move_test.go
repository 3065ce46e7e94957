// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/reader"
)

// placements lets the connector of each placement in, as the operator does one after the other.
func (p *pods) placements() {
	p.files.Access.Accounts = []delivery.Account{
		{Name: delivery.ConnectorName("forum"), Channels: []string{"forum"}},
		{Name: delivery.SharedConnectorsName("acme"), Channels: []string{"forum"}},
	}
	p.deliver()
}

// Connectors of both placements, with accounts of their own, read one channel at the same time and in turns. The epochs
// of the lease let one of them write: nothing is lost, and nothing is there twice.
func TestMovingBetweenPlacementsLosesAndDoublesNothing(t *testing.T) {
	slow := discoursetest.OnRequest(func(*http.Request) { time.Sleep(2 * time.Millisecond) }) // so that one reading sees several moves
	_, server := forum(t, slow)
	undisturbed := newPods(t, server.URL, nil)
	undisturbed.placements()
	alone := undisturbed.startHub()
	reading, _ := undisturbed.startConnector(undisturbed.token("forum-connector"), nil)
	undisturbed.awaitStatus("the forum has been read", connected)
	reading.end(t)
	alone.end(t)
	want := copyOut(t, undisturbed.data)
	if strings.Count(want, "\n") < 100 {
		t.Fatalf("the undisturbed reading has %d lines: it shows nothing", strings.Count(want, "\n"))
	}

	p := newPods(t, server.URL, nil)
	p.placements()
	hubProcess := p.startHub()
	place := []func() *process{
		func() *process { x, _ := p.startConnector(p.token("forum-connector"), nil); return x },
		func() *process {
			x, _ := p.startConnector(p.token("acme-connectors"), func(o *ConnectorOptions) { o.Channels, o.AllChannels = nil, true })
			return x
		},
	}
	last := place[0]()
	epoch := int64(0)
	for move := range 6 {
		// Each goes on a little beside the one that takes over.
		s := p.awaitStatus("the channel has a new holder who has read something", func(s wire.Status) bool {
			c := s.Channels[0]
			return c.Epoch > epoch && c.State != nil && c.State.Epoch == c.Epoch && (c.State.Pages > 0 || c.History == "Complete")
		})
		epoch = s.Channels[0].Epoch
		next := place[(move+1)%2]()
		if move%2 == 0 {
			p.awaitStatus("it is taken over", func(s wire.Status) bool { return s.Channels[0].Epoch > epoch })
		}
		last.end(t)
		last = next
	}
	p.awaitStatus("the forum has been read", func(s wire.Status) bool { return connected(s) && s.Channels[0].Epoch > epoch })
	last.end(t)
	hubProcess.end(t)
	if diff := cmp.Diff(want, copyOut(t, p.data)); diff != "" {
		t.Errorf("moving changed what was read (-undisturbed +moved):\n%s", diff)
	}
}

// A connector whose channel was taken over comes back once the other one has fallen silent: it may have been the last
// one to go when a placement was changed to and fro.
func TestAChannelThatNobodyReadsAnyMoreIsTakenBack(t *testing.T) {
	platform, server := forum(t)
	p := newPods(t, server.URL, nil)
	p.placements()
	p.startHub()
	o := ConnectorOptions{Config: p.connectorConfig.Dir, Channels: []string{"forum"}, Hub: p.api, HubCA: p.connectorConfig.Path(delivery.FileCA),
		TokenFile: p.token("forum-connector"), Now: time.Now}
	var c *podConnector
	made := make(chan struct{})
	spawn(t, func(ctx context.Context, std Stdio) error {
		client, err := hubAnswers(std, o)
		if err != nil {
			return err
		}
		c = newPodConnector(std, o, client, "the first")
		close(made)
		c.load()
		return c.group.Run(ctx)
	})
	<-made
	first := p.awaitStatus("the forum has been read", connected)
	phase := func(want reader.Phase) func() bool {
		return func() bool { return c.group.States()[0].Phase == want }
	}
	// Another one takes the lease, tells of itself once, and is gone.
	other := o
	other.TokenFile = p.token("acme-connectors")
	std, _, _ := stdio("")
	client, err := hubAnswers(std, other)
	if err != nil {
		t.Fatal(err)
	}
	state := *first.Channels[0].State
	lease, err := client.Acquire(t.Context(), state.Ref, "forum", "the other")
	if err != nil {
		t.Fatal(err)
	}
	state.Epoch, state.Heartbeat = lease.Epoch, time.Now()
	if err := client.Report(t.Context(), "forum", state); err != nil {
		t.Fatal(err)
	}
	platform.NewTopic(discoursetest.User{ID: 1, Username: "one"}, 1, "Is somebody there?", "<p>Is somebody there?</p>")
	c.group.Wake("forum", event.Live)
	await(t, "the first one notices", phase(reader.TakenOver))

	began := time.Now()
	c.lookAtOthers(t.Context(), began)
	c.lookAtOthers(t.Context(), began.Add(silence-time.Second))
	if !phase(reader.TakenOver)() {
		t.Fatal("it took the channel back from somebody who may still read it")
	}
	// A sign of life begins the wait anew; so does a reload change nothing.
	state.Heartbeat = state.Heartbeat.Add(30 * time.Second)
	if err := client.Report(t.Context(), "forum", state); err != nil {
		t.Fatal(err)
	}
	c.load()
	c.lookAtOthers(t.Context(), began.Add(silence))
	if !phase(reader.TakenOver)() {
		t.Fatal("it took the channel back from somebody who has just told of itself")
	}
	c.lookAtOthers(t.Context(), began.Add(2*silence))
	await(t, "the channel is read again", phase(reader.Connected))
	p.awaitStatus("under a lease of its own", func(s wire.Status) bool {
		return s.Channels[0].Epoch > lease.Epoch && s.Channels[0].Holder == "the first"
	})
}
