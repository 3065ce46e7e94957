// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"encoding/json"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/internal/delivery"
)

// volumeSecrets is the name of the volume with what channels need of Secrets and ConfigMaps.
const volumeSecrets = "secrets"

// ConnectorOfChannel gives the objects that read one channel (placement PerChannel): Channel owns them.
func ConnectorOfChannel(image string, community *v1alpha1.Community, channel *v1alpha1.Channel) (*corev1.ServiceAccount, *appsv1.Deployment) {
	selector := selectorLabels(community.Name, delivery.ComponentConnector)
	selector[delivery.LabelChannel] = channel.Name
	return connector(image, community, delivery.ConnectorName(channel.Name), selector, []*v1alpha1.Channel{channel}, "--channel", channel.Name)
}

// SharedConnectors gives the objects that read all channels of a community (placement Shared): Community owns them.
// Those channels that were not accepted must be left out: their Secrets are not mounted.
func SharedConnectors(image string, community *v1alpha1.Community, channels []*v1alpha1.Channel) (*corev1.ServiceAccount, *appsv1.Deployment) {
	selector := selectorLabels(community.Name, delivery.ComponentConnector)
	// A value that no channel can have tells its pods from those of single channels.
	selector[delivery.LabelChannel] = ""
	return connector(image, community, delivery.SharedConnectorsName(community.Name), selector, channels, "--all-channels")
}

func connector(image string, community *v1alpha1.Community, name string, selector map[string]string, channels []*v1alpha1.Channel,
	which ...string,
) (*corev1.ServiceAccount, *appsv1.Deployment) {
	objectLabels := labels(community.Name, delivery.ComponentConnector)
	if channel := selector[delivery.LabelChannel]; channel != "" {
		objectLabels[delivery.LabelChannel] = channel
	}
	args := slices.Concat([]string{"connector", "--config", delivery.DirConfig}, which, []string{
		"--hub", delivery.HubURL(community.Namespace, community.Name), "--hub-ca", delivery.DirConfig + "/" + delivery.FileCA,
		"--token-file", delivery.DirToken + "/" + delivery.FileToken, "--secrets-dir", delivery.DirSecrets,
		"--listen", listen(delivery.PortMetrics), "--log-format", "json",
	})
	p := pod{
		account: name, selector: selector, declared: community.Spec.Connectors.Pod, image: image, args: args,
		component: delivery.ComponentConnector,
		ports:     []corev1.ContainerPort{{Name: delivery.PortNameMetrics, ContainerPort: delivery.PortMetrics, Protocol: corev1.ProtocolTCP}},
		requests:  quantities("10m", "32Mi"), limits: quantities("", "128Mi"),
		grace: 30, startup: 24,
		volumes: []corev1.Volume{
			configVolume(community.Name, delivery.ConnectorItems),
			projected("token", []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
				Audience: delivery.Audience(community.Namespace, community.Name), ExpirationSeconds: new(int64(3600)), Path: delivery.FileToken,
			}}}),
			projected(volumeSecrets, channelSecrets(channels)),
		},
		mounts: []corev1.VolumeMount{
			{Name: "config", MountPath: delivery.DirConfig, ReadOnly: true},
			{Name: "token", MountPath: delivery.DirToken, ReadOnly: true},
			{Name: volumeSecrets, MountPath: delivery.DirSecrets, ReadOnly: true},
		},
	}
	// The new pod takes the lease from the old one, whose pages are refused from then on: both may run for a moment.
	strategy := appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{
		MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0)),
	}}
	return account(name, objectLabels), deployment(name, objectLabels, selector, strategy, p.template())
}

// channelSecrets are what channels need of Secrets and ConfigMaps: exactly the keys that their platforms declare, each
// at OBJECT/KEY. All are optional: a connector says which key it misses, and a pod that waits for a volume says nothing.
func channelSecrets(channels []*v1alpha1.Channel) []corev1.VolumeProjection {
	files := map[file]bool{}
	for _, c := range channels {
		if ref := c.Spec.CredentialsSecretRef; ref != nil {
			// An unknown platform was not accepted; there is nothing to mount for it.
			if descriptor, err := catalogue.Get(c.Spec.Platform); err == nil {
				for _, key := range descriptor.Secrets {
					files[file{ref.Name, key.Name, false}] = true
				}
			}
		}
		if c.Spec.Webhook != nil {
			files[file{c.Spec.Webhook.SecretRef.Name, "secret", false}] = true
		}
		if c.Spec.Network != nil && c.Spec.Network.CARef != nil {
			ref := *c.Spec.Network.CARef
			files[file{ref.Name, cmp.Or(ref.Key, "ca.crt"), true}] = true
		}
	}
	return projections(files)
}

// file is a key of a Secret, or of a ConfigMap.
type file struct {
	object, key string
	configMap   bool
}

func projections(files map[file]bool) []corev1.VolumeProjection {
	ordered := make([]file, 0, len(files))
	for f := range files {
		// One path can hold one file: a Secret's goes before that of a ConfigMap with the same name and key.
		if !f.configMap || !files[file{f.object, f.key, false}] {
			ordered = append(ordered, f)
		}
	}
	slices.SortFunc(ordered, func(a, b file) int {
		if a.configMap != b.configMap {
			if a.configMap {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.object, b.object), cmp.Compare(a.key, b.key))
	})
	var out []corev1.VolumeProjection
	var last *[]corev1.KeyToPath
	for i, f := range ordered {
		if i == 0 || ordered[i-1].object != f.object || ordered[i-1].configMap != f.configMap {
			ref := corev1.LocalObjectReference{Name: f.object}
			if f.configMap {
				source := &corev1.ConfigMapProjection{LocalObjectReference: ref, Optional: new(true)}
				out, last = append(out, corev1.VolumeProjection{ConfigMap: source}), &source.Items
			} else {
				source := &corev1.SecretProjection{LocalObjectReference: ref, Optional: new(true)}
				out, last = append(out, corev1.VolumeProjection{Secret: source}), &source.Items
			}
		}
		*last = append(*last, corev1.KeyToPath{Key: f.key, Path: delivery.SecretFile(f.object, f.key)})
	}
	return out
}

// mountedSecrets tells which Secrets and keys a Deployment's pods mount, to compare with another.
func mountedSecrets(d *appsv1.Deployment) string {
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.Name == volumeSecrets && v.Projected != nil {
			document, err := json.Marshal(v.Projected.Sources)
			if err == nil {
				return string(document)
			}
		}
	}
	return ""
}
