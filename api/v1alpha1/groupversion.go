// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The kinds of this package, as they are written in manifests.
const (
	KindCommunity = "Community"
	KindChannel   = "Channel"
	KindBehaviour = "Behaviour"
	KindObjective = "Objective"
)

// LabelCommunity is set by the operator on every object that belongs to a community; its value is the Community's name.
const LabelCommunity = "kith.dev/community"

var (
	// GroupVersion is the group and version of every resource in this package.
	GroupVersion = schema.GroupVersion{Group: "kith.dev", Version: "v1alpha1"}

	// SchemeBuilder collects the functions that register this package's types.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers the types of this package with a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// ReservedKinds are names in this group that later features will take; tools can say "not yet" instead of "unknown".
func ReservedKinds() []string { return []string{"Campaign", "ModerationPolicy", "ReportingTarget"} }

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Community{}, &CommunityList{},
		&Channel{}, &ChannelList{},
		&Behaviour{}, &BehaviourList{},
		&Objective{}, &ObjectiveList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
