// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

func listen(port int) string { return ":" + strconv.Itoa(port) }

// hubDeployment is the hub of a community. An SQLite ledger has one writer: the old pod goes before the new one comes.
func hubDeployment(image string, community *v1alpha1.Community) *appsv1.Deployment {
	selector := selectorLabels(community.Name, delivery.ComponentHub)
	p := pod{
		account: delivery.HubName(community.Name), selector: selector, declared: community.Spec.Hub.Pod, image: image,
		component: delivery.ComponentHub,
		args: append([]string{
			"hub", "--config", delivery.DirConfig, "--data-dir", delivery.DirData, "--secrets-dir", delivery.DirSecrets,
			"--listen", listen(delivery.PortAPI), "--tls-dir", delivery.DirTLS,
			"--metrics-listen", listen(delivery.PortMetrics), "--log-format", "json",
		}, keySecret(community)...),
		ports: []corev1.ContainerPort{
			{Name: delivery.PortNameAPI, ContainerPort: delivery.PortAPI, Protocol: corev1.ProtocolTCP},
			{Name: delivery.PortNameMetrics, ContainerPort: delivery.PortMetrics, Protocol: corev1.ProtocolTCP},
		},
		requests: quantities("50m", "128Mi"), limits: quantities("", "1Gi"),
		// Opening a large ledger after an upgrade may take minutes; closing one writes what is in memory.
		grace: 60, startup: 120,
		volumes: []corev1.Volume{
			configVolume(community.Name, delivery.HubItems),
			projected("tls", []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: delivery.HubTLSName(community.Name)},
				Items: []corev1.KeyToPath{
					{Key: corev1.TLSCertKey, Path: corev1.TLSCertKey}, {Key: corev1.TLSPrivateKeyKey, Path: corev1.TLSPrivateKeyKey},
				},
			}}}),
			projected(volumeSecrets, hubSecrets(community)),
			{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{
				ClaimName: delivery.LedgerName(community.Name),
			}}},
			// SQLite sorts what does not fit into memory in files.
			{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
		mounts: []corev1.VolumeMount{
			{Name: "config", MountPath: delivery.DirConfig, ReadOnly: true},
			{Name: "tls", MountPath: delivery.DirTLS, ReadOnly: true},
			{Name: volumeSecrets, MountPath: delivery.DirSecrets, ReadOnly: true},
			{Name: "data", MountPath: delivery.DirData},
			{Name: "tmp", MountPath: "/tmp"},
		},
	}
	return deployment(delivery.HubName(community.Name), labels(community.Name, delivery.ComponentHub), selector,
		appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}, p.template())
}

// keySecret names the Secret of the identity key, so that a hub waits for one that is not there yet, instead of making a
// key of its own.
func keySecret(community *v1alpha1.Community) []string {
	if ref := community.Spec.Privacy.KeySecretRef; ref != nil {
		return []string{"--key-secret", ref.Name}
	}
	return nil
}

// hubSecrets are the keys that protect identities, where a Secret for them is named.
func hubSecrets(community *v1alpha1.Community) []corev1.VolumeProjection {
	ref := community.Spec.Privacy.KeySecretRef
	if ref == nil {
		return nil
	}
	return projections(map[file]bool{{object: ref.Name, key: "key"}: true, {object: ref.Name, key: "previous"}: true})
}

// hubService is where connectors and the operator find the hub.
func hubService(community *v1alpha1.Community) *corev1.Service {
	port := func(name string, number int32) corev1.ServicePort {
		return corev1.ServicePort{Name: name, Port: number, TargetPort: intstr.FromString(name), Protocol: corev1.ProtocolTCP}
	}
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: delivery.HubName(community.Name), Labels: labels(community.Name, delivery.ComponentHub)},
		Spec: corev1.ServiceSpec{
			// A hub that cannot begin yet is not ready, and tells the operator why.
			PublishNotReadyAddresses: true,
			Type:                     corev1.ServiceTypeClusterIP, Selector: selectorLabels(community.Name, delivery.ComponentHub),
			Ports: []corev1.ServicePort{port(delivery.PortNameAPI, delivery.PortAPI), port(delivery.PortNameMetrics, delivery.PortMetrics)},
		},
	}
}
