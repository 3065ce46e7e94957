// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

// What the operator may do in each namespace that it looks after; `make generate-rbac` writes config/rbac/role.yaml from
// it. Each verb is used: lists and watches fill the cache; get looks, for metadata, whether somebody else's object has a
// name that is needed; patch and create are server-side apply; delete removes what another placement or a smaller
// configuration needs no longer, everything else goes by its owner. What it does in its own namespace alone (leading,
// its certificate authority) is in config/rbac/own_namespace_role.yaml, because only there names can be given.
//
// +kubebuilder:rbac:groups=kith.dev,resources=communities;channels;behaviours;objectives,verbs=list;watch
// +kubebuilder:rbac:groups=kith.dev,resources=communities/status;channels/status;behaviours/status;objectives/status,verbs=patch
//
// Owner references that hold up their owner's deletion need this on clusters that check it.
// +kubebuilder:rbac:groups=kith.dev,resources=communities/finalizers;channels/finalizers,verbs=update
//
// +kubebuilder:rbac:groups="",resources=configmaps;serviceaccounts,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=services;persistentvolumeclaims,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch
//
// Of the Secrets of hubs it reads the metadata, and writes certificates. It lists and watches none.
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;patch
//
// Pods are listed while their hub does not run, to say why.
// +kubebuilder:rbac:groups="",resources=pods,verbs=list
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=monitoring.coreos.com,resources=servicemonitors;podmonitors;prometheusrules,verbs=get;create;patch
