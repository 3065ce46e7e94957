// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// hubPolicy lets this community's connectors and the operator call the hub, and anybody read its metrics. The hub itself
// calls nobody; it may ask for names.
func hubPolicy(community *v1alpha1.Community, operatorNamespace string) *networkingv1.NetworkPolicy {
	connectors := networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{
		MatchLabels: selectorLabels(community.Name, delivery.ComponentConnector),
	}}
	operator := networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: operatorNamespace}},
		PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{
			delivery.LabelName: delivery.AppName, delivery.LabelComponent: delivery.ComponentOperator,
		}},
	}
	return policy(delivery.HubName(community.Name), community.Name, delivery.ComponentHub,
		[]networkingv1.NetworkPolicyIngressRule{
			{From: []networkingv1.NetworkPolicyPeer{connectors, operator}, Ports: tcp(delivery.PortAPI)},
			{Ports: tcp(delivery.PortMetrics)},
		},
		[]networkingv1.NetworkPolicyEgressRule{{Ports: []networkingv1.NetworkPolicyPort{
			{Protocol: new(corev1.ProtocolUDP), Port: new(intstr.FromInt32(53))},
			{Protocol: new(corev1.ProtocolTCP), Port: new(intstr.FromInt32(53))},
		}}})
}

// connectorsPolicy lets anybody read the metrics of connectors, and connectors call their platforms and their hub.
func connectorsPolicy(community *v1alpha1.Community) *networkingv1.NetworkPolicy {
	return policy(delivery.SharedConnectorsName(community.Name), community.Name, delivery.ComponentConnector,
		[]networkingv1.NetworkPolicyIngressRule{{Ports: tcp(delivery.PortMetrics)}}, []networkingv1.NetworkPolicyEgressRule{{}})
}

func policy(name, community, component string, in []networkingv1.NetworkPolicyIngressRule, out []networkingv1.NetworkPolicyEgressRule) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels(community, component)},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: selectorLabels(community, component)},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     in, Egress: out,
		},
	}
}

func tcp(port int32) []networkingv1.NetworkPolicyPort {
	return []networkingv1.NetworkPolicyPort{{Protocol: new(corev1.ProtocolTCP), Port: new(intstr.FromInt32(port))}}
}
