// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

// Package builders makes resources for tests: MakeChannel("forum").Platform("discourse").Obj(). Each starts as the
// smallest resource that is accepted, in community "acme", with the defaults that a server would set. It is for tests
// only, and never hides a field: what a test is about, it says.
package builders

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
)

// Namespace and Community are what every builder starts with.
const (
	Namespace = "default"
	Community = "acme"
)

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind}
}

func objectMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: Namespace, Name: name}
}

// CommunityBuilder makes a Community.
type CommunityBuilder struct{ obj v1alpha1.Community }

// MakeCommunity starts a Community with an embedded ledger.
func MakeCommunity(name string) *CommunityBuilder {
	return &CommunityBuilder{v1alpha1.Community{
		TypeMeta: typeMeta(v1alpha1.KindCommunity), ObjectMeta: objectMeta(name),
		Spec: v1alpha1.CommunitySpec{
			Title: name, TimeZone: "UTC",
			Levels:     v1alpha1.Levels{Regular: v1alpha1.LevelThreshold{Contributions: 5, DistinctDays: 3, Within: "365d"}},
			Ledger:     v1alpha1.Ledger{SQLite: &v1alpha1.SQLiteLedger{}, Reclaim: v1alpha1.ReclaimRetain},
			Hub:        v1alpha1.Hub{Replicas: 1},
			Connectors: v1alpha1.Connectors{Placement: v1alpha1.PlacementPerChannel},
			Privacy: v1alpha1.Privacy{
				TextRetention: "90d", ActivityRetention: "750d", CaseRetention: "240d", MinimumGroupSize: 5,
				Linking: v1alpha1.LinkingNone,
			},
		},
	}}
}

// With changes anything else.
func (b *CommunityBuilder) With(change func(*v1alpha1.CommunitySpec)) *CommunityBuilder {
	change(&b.obj.Spec)
	return b
}

// Namespace puts it elsewhere.
func (b *CommunityBuilder) Namespace(namespace string) *CommunityBuilder {
	b.obj.Namespace = namespace
	return b
}

// TimeZone sets the IANA name.
func (b *CommunityBuilder) TimeZone(name string) *CommunityBuilder {
	b.obj.Spec.TimeZone = name
	return b
}

// Team adds a team.
func (b *CommunityBuilder) Team(name v1alpha1.Name, party v1alpha1.Party) *CommunityBuilder {
	b.obj.Spec.Teams = append(b.obj.Spec.Teams, v1alpha1.Team{Name: name, Party: party})
	return b
}

// Goal adds a goal.
func (b *CommunityBuilder) Goal(name v1alpha1.Name) *CommunityBuilder {
	b.obj.Spec.Goals = append(b.obj.Spec.Goals, v1alpha1.Goal{Name: name, Title: string(name)})
	return b
}

// Stakeholder adds a stakeholder.
func (b *CommunityBuilder) Stakeholder(name v1alpha1.Name) *CommunityBuilder {
	b.obj.Spec.Stakeholders = append(b.obj.Spec.Stakeholders, v1alpha1.Stakeholder{Name: name})
	return b
}

// Segment adds a segment.
func (b *CommunityBuilder) Segment(name v1alpha1.Name, when v1alpha1.Expression) *CommunityBuilder {
	b.obj.Spec.Segments = append(b.obj.Spec.Segments, v1alpha1.Segment{Name: name, When: when})
	return b
}

// Factor adds an estimated factor in euros.
func (b *CommunityBuilder) Factor(name v1alpha1.Name, low, mid, high v1alpha1.Amount) *CommunityBuilder {
	if b.obj.Spec.Value == nil {
		b.obj.Spec.Value = &v1alpha1.Value{Currency: "EUR"}
	}
	b.obj.Spec.Value.Factors = append(b.obj.Spec.Value.Factors, v1alpha1.Factor{
		Name: name, Category: v1alpha1.SupportCost, Unit: "Contact", Low: low, Mid: mid, High: high,
		Source: v1alpha1.SourceEstimated,
	})
	return b
}

// Obj returns the Community.
func (b *CommunityBuilder) Obj() *v1alpha1.Community { return b.obj.DeepCopy() }

// ChannelBuilder makes a Channel.
type ChannelBuilder struct{ obj v1alpha1.Channel }

// MakeChannel starts a Channel that reads a feed.
func MakeChannel(name string) *ChannelBuilder {
	return &ChannelBuilder{v1alpha1.Channel{
		TypeMeta: typeMeta(v1alpha1.KindChannel), ObjectMeta: objectMeta(name),
		Spec: v1alpha1.ChannelSpec{
			CommunityRef: v1alpha1.CommunityReference{Name: Community},
			Platform:     "feed", URL: "https://" + name + ".acme.example",
			Hosting: v1alpha1.HostingOwn, Since: "90d", PollInterval: "1m",
		},
	}}
}

// With changes anything else.
func (b *ChannelBuilder) With(change func(*v1alpha1.ChannelSpec)) *ChannelBuilder {
	change(&b.obj.Spec)
	return b
}

// Namespace puts it elsewhere.
func (b *ChannelBuilder) Namespace(namespace string) *ChannelBuilder {
	b.obj.Namespace = namespace
	return b
}

// Community sets the community.
func (b *ChannelBuilder) Community(name v1alpha1.Name) *ChannelBuilder {
	b.obj.Spec.CommunityRef.Name = name
	return b
}

// Platform sets the platform.
func (b *ChannelBuilder) Platform(name string) *ChannelBuilder {
	b.obj.Spec.Platform = name
	return b
}

// URL sets the address.
func (b *ChannelBuilder) URL(url string) *ChannelBuilder {
	b.obj.Spec.URL = url
	return b
}

// Team sets the owner.
func (b *ChannelBuilder) Team(name v1alpha1.Name) *ChannelBuilder {
	b.obj.Spec.Team = name
	return b
}

// Since sets the horizon of history.
func (b *ChannelBuilder) Since(since v1alpha1.Since) *ChannelBuilder {
	b.obj.Spec.Since = since
	return b
}

// Obj returns the Channel.
func (b *ChannelBuilder) Obj() *v1alpha1.Channel { return b.obj.DeepCopy() }

// BehaviourBuilder makes a Behaviour.
type BehaviourBuilder struct{ obj v1alpha1.Behaviour }

// MakeBehaviour starts a Behaviour of role Value, counted once per thread, without a trigger: add On or Of.
func MakeBehaviour(name string) *BehaviourBuilder {
	return &BehaviourBuilder{v1alpha1.Behaviour{
		TypeMeta: typeMeta(v1alpha1.KindBehaviour), ObjectMeta: objectMeta(name),
		Spec: v1alpha1.BehaviourSpec{
			CommunityRef: v1alpha1.CommunityReference{Name: Community},
			Title:        v1alpha1.Text{"en": v1alpha1.Line(name)},
			Family:       v1alpha1.FamilyPeerSupport, Role: v1alpha1.RoleValue,
			Per: v1alpha1.Per{Scope: v1alpha1.ScopeThread},
		},
	}}
}

// With changes anything else.
func (b *BehaviourBuilder) With(change func(*v1alpha1.BehaviourSpec)) *BehaviourBuilder {
	change(&b.obj.Spec)
	return b
}

// Namespace puts it elsewhere.
func (b *BehaviourBuilder) Namespace(namespace string) *BehaviourBuilder {
	b.obj.Namespace = namespace
	return b
}

// Basis makes it a denominator.
func (b *BehaviourBuilder) Basis() *BehaviourBuilder {
	b.obj.Spec.Role = v1alpha1.RoleBasis
	return b
}

// On sets the events.
func (b *BehaviourBuilder) On(kinds ...v1alpha1.EventType) *BehaviourBuilder {
	b.obj.Spec.On = kinds
	return b
}

// After sets the age for ThreadAged.
func (b *BehaviourBuilder) After(age v1alpha1.Duration) *BehaviourBuilder {
	b.obj.Spec.After = age
	return b
}

// Of sets the basis.
func (b *BehaviourBuilder) Of(name v1alpha1.Name) *BehaviourBuilder {
	b.obj.Spec.Of = name
	return b
}

// Among narrows the basis.
func (b *BehaviourBuilder) Among(expression v1alpha1.Expression) *BehaviourBuilder {
	b.obj.Spec.Among = expression
	return b
}

// When sets the expression.
func (b *BehaviourBuilder) When(expression v1alpha1.Expression) *BehaviourBuilder {
	b.obj.Spec.When = expression
	return b
}

// Confirm sets the expression checked on settling.
func (b *BehaviourBuilder) Confirm(expression v1alpha1.Expression) *BehaviourBuilder {
	b.obj.Spec.Confirm = expression
	return b
}

// Variable adds a variable.
func (b *BehaviourBuilder) Variable(name string, expression v1alpha1.Expression) *BehaviourBuilder {
	b.obj.Spec.Variables = append(b.obj.Spec.Variables, v1alpha1.Variable{Name: name, Expression: expression})
	return b
}

// Settle sets the time until a case counts.
func (b *BehaviourBuilder) Settle(after v1alpha1.Duration) *BehaviourBuilder {
	b.obj.Spec.Settle = after
	return b
}

// Worth adds a worth.
func (b *BehaviourBuilder) Worth(factor v1alpha1.Name, low, mid, high v1alpha1.Amount) *BehaviourBuilder {
	b.obj.Spec.Worth = append(b.obj.Spec.Worth, v1alpha1.Worth{
		Factor: factor, Amount: v1alpha1.AmountRange{Low: low, Mid: mid, High: high},
	})
	return b
}

// Obj returns the Behaviour.
func (b *BehaviourBuilder) Obj() *v1alpha1.Behaviour { return b.obj.DeepCopy() }

// ObjectiveBuilder makes an Objective.
type ObjectiveBuilder struct{ obj v1alpha1.Objective }

// MakeObjective starts an Objective over 28 rolling days, without an indicator: add Share or Count.
func MakeObjective(name string) *ObjectiveBuilder {
	return &ObjectiveBuilder{v1alpha1.Objective{
		TypeMeta: typeMeta(v1alpha1.KindObjective), ObjectMeta: objectMeta(name),
		Spec: v1alpha1.ObjectiveSpec{
			CommunityRef: v1alpha1.CommunityReference{Name: Community},
			Statement:    "Get better at " + name,
			MinimumCases: 20,
			Window:       v1alpha1.Window{Rolling: "28d"},
		},
	}}
}

// With changes anything else.
func (b *ObjectiveBuilder) With(change func(*v1alpha1.ObjectiveSpec)) *ObjectiveBuilder {
	change(&b.obj.Spec)
	return b
}

// Namespace puts it elsewhere.
func (b *ObjectiveBuilder) Namespace(namespace string) *ObjectiveBuilder {
	b.obj.Namespace = namespace
	return b
}

// Share aims at a share of at least 0.80 in the behaviour's basis.
func (b *ObjectiveBuilder) Share(behaviour v1alpha1.Name) *ObjectiveBuilder {
	b.obj.Spec.Indicator = v1alpha1.Indicator{Share: behaviour}
	b.obj.Spec.Target = v1alpha1.Target{AtLeast: "0.80"}
	return b
}

// Count aims at at least 10 cases of the behaviour.
func (b *ObjectiveBuilder) Count(behaviour v1alpha1.Name) *ObjectiveBuilder {
	b.obj.Spec.Indicator = v1alpha1.Indicator{Count: behaviour}
	b.obj.Spec.Target = v1alpha1.Target{AtLeast: "10"}
	return b
}

// Rolling sets the window.
func (b *ObjectiveBuilder) Rolling(window v1alpha1.Duration) *ObjectiveBuilder {
	b.obj.Spec.Window = v1alpha1.Window{Rolling: window}
	return b
}

// ActivityBecause states the reason.
func (b *ObjectiveBuilder) ActivityBecause(reason string) *ObjectiveBuilder {
	b.obj.Spec.ActivityBecause = reason
	return b
}

// Obj returns the Objective.
func (b *ObjectiveBuilder) Obj() *v1alpha1.Objective { return b.obj.DeepCopy() }
