// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// patience is how long a connector's pod may take before the API server is asked what it waits for.
const patience = 20 * time.Second

// Channels runs each Channel's connector, where its Community has each channel read by one of its own, and says how the
// channel stands.
type Channels struct {
	// Image is what connectors run.
	Image  string
	Client client.Client
	// Live reads from the API server what no cache holds: the pods of a connector that does not run.
	Live     client.Reader
	Applier  *Applier
	Compiler *Compiler
	Hubs     HubStatus
	// Now is the clock.
	Now func() time.Time

	quiet quiet
}

// New implements Kind.
func (*Channels) New() *v1alpha1.Channel { return &v1alpha1.Channel{} }

// Ready implements Kind.
func (*Channels) Ready(channel *v1alpha1.Channel) metav1.Condition { return channelReady(channel) }

// Deleted implements Kind. The connector goes by its owner references.
func (k *Channels) Deleted(_ context.Context, channel *v1alpha1.Channel) error {
	k.Applier.Forget(channel)
	k.quiet.settled(client.ObjectKeyFromObject(channel))
	return nil
}

// channelScope is one pass over one Channel.
type channelScope struct {
	*Channels
	channel  *v1alpha1.Channel
	before   *v1alpha1.ChannelStatus
	compiled *Compiled
	facts    channelFacts
	// refused is how the pass ends although all else could be done.
	refused error
}

// Plan implements Kind.
func (k *Channels) Plan(ctx context.Context, channel *v1alpha1.Channel) ([]Phase, error) {
	s := &channelScope{Channels: k, channel: channel, before: channel.Status.DeepCopy()}
	var err error
	if s.compiled, err = k.Compiler.Compile(ctx, communityKey(channel)); err != nil {
		return nil, err
	}
	if s.facts.community, err = communityOf(ctx, k.Client, channel); err != nil {
		return nil, err
	}
	s.facts.hub, _ = k.Hubs.Report(communityKey(channel))
	s.facts.now = k.Now()
	return []Phase{
		{"accept", s.accept},
		{"run the connector", s.run},
		{"look at the connector", s.look},
		{"ask the hub", s.ask},
		{"refuse", s.refuse},
	}, nil
}

// communityOf reads the Community that a resource belongs to; nil where there is none, or not any longer.
func communityOf(ctx context.Context, c client.Client, obj client.Object) (*v1alpha1.Community, error) {
	community := &v1alpha1.Community{}
	switch err := c.Get(ctx, communityKey(obj), community); {
	case client.IgnoreNotFound(err) != nil:
		return nil, fmt.Errorf("read Community %s: %w", communityKey(obj), err)
	case err != nil || !community.DeletionTimestamp.IsZero():
		return nil, nil // no Community is an answer
	}
	return community, nil
}

// accept judges what is declared. What is there is looked at whatever the judgement is.
func (s *channelScope) accept(context.Context, *Pass) error {
	s.refused = acceptWithin(s.channel, v1alpha1.KindChannel, s.compiled)
	s.facts.accepted = s.refused == nil
	if s.facts.accepted && s.channel.Spec.Webhook != nil {
		// No connector of this version waits for calls, so that there is nothing to put a Service in front of.
		c := Condition(s.channel, v1alpha1.ConditionAccepted)
		SetCondition(s.channel, c.Type, c.Status, c.Reason, c.Message+"; webhook is not used: connector "+s.channel.Spec.Platform+
			" takes no calls in this version, and looks for news as often as pollInterval says")
	}
	return nil
}

// refuse ends a pass in which something declared was not done.
func (s *channelScope) refuse(context.Context, *Pass) error { return s.refused }

// run applies the channel's own connector, or takes it away where there is none to be. A channel that is not accepted
// leaves what runs as it is: its reader stops as soon as the configuration no longer names it.
func (s *channelScope) run(ctx context.Context, pass *Pass) error {
	community := s.facts.community
	name := delivery.ConnectorName(s.channel.Name)
	switch {
	case community == nil:
		return s.remove(ctx, name)
	case community.Spec.Connectors.Placement == v1alpha1.PlacementShared:
		var err error
		if s.facts.deployment, err = deploymentOf(ctx, s.Client, delivery.SharedConnectorsName(community.Name), community); err != nil {
			return err
		}
		return s.remove(ctx, name)
	case !s.facts.accepted:
		var err error
		s.facts.deployment, err = deploymentOf(ctx, s.Client, name, s.channel)
		return err
	}
	err := s.deploy(ctx, pass)
	if end, ok := errors.AsType[*outcome](err); ok {
		no(end.reason, end.message).set(s.channel, v1alpha1.ConditionDeployed)
		s.refused, s.facts.refused = err, true
		return nil
	}
	return err
}

// remove deletes the channel's own connector.
func (s *channelScope) remove(ctx context.Context, name string) error {
	s.quiet.settled(client.ObjectKeyFromObject(s.channel))
	return deleteConnector(ctx, s.Applier, s.channel, name)
}

// deploy applies the channel's own connector, unless its set of Secrets became another one only a moment ago.
func (s *channelScope) deploy(ctx context.Context, pass *Pass) error {
	account, deployment := ConnectorOfChannel(s.Image, s.facts.community, s.channel)
	if _, err := Apply(ctx, s.Applier, s.channel, account); err != nil {
		return err
	}
	live, err := deploymentOf(ctx, s.Client, deployment.Name, s.channel)
	if err != nil {
		return err
	}
	if wait := s.quiet.holdRoll(s.channel, live, deployment, s.facts.now); wait > 0 {
		pass.After(wait)
		s.facts.deployment = live
		s.facts.rolling = "other Secrets are mounted than before: the pod is replaced as soon as nothing more is changed for some seconds"
		return nil
	}
	s.facts.deployment, err = Apply(ctx, s.Applier, s.channel, deployment)
	return err
}

// look finds out what the connector's pods wait for, once it takes longer than pods take.
func (s *channelScope) look(ctx context.Context, pass *Pass) error {
	d := s.facts.deployment
	if d == nil || available(d) {
		return nil
	}
	if why, refused := podRefused(d); refused {
		s.facts.trouble(v1alpha1.ReasonUnavailable, "its pod is refused: "+why)
		return nil
	}
	begun := d.CreationTimestamp.Time
	for _, c := range d.Status.Conditions {
		if c.LastTransitionTime.After(begun) {
			begun = c.LastTransitionTime.Time
		}
	}
	if left := begun.Add(patience).Sub(s.facts.now); left > 0 {
		pass.After(left)
		return nil
	}
	pass.After(patience)
	reason, message, err := diagnosePods(ctx, s.Live, d, s.facts.now)
	if err != nil {
		return err
	}
	s.facts.trouble(reason, message)
	return nil
}

// ask sets the other conditions, and asks the hub for news where something was changed that it is to answer for.
func (s *channelScope) ask(_ context.Context, pass *Pass) error {
	was := meta.IsStatusConditionTrue(s.before.Conditions, v1alpha1.ConditionDeployed)
	pass.After(setChannelStatus(s.channel, s.before, &s.facts))
	is := meta.IsStatusConditionTrue(s.channel.Status.Conditions, v1alpha1.ConditionDeployed)
	if s.channel.Generation != s.before.ObservedGeneration || (is && !was) {
		s.Hubs.Soon(communityKey(s.channel))
	}
	return nil
}
