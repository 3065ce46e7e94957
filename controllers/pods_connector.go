// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/connectors/catalogue"
	"github.com/kith-dev/kith/internal/delivery"
)

// keyWebhook is the key of a webhook's Secret, defaultCAKey that of a ConfigMap with root certificates.
const (
	keyWebhook   = "secret"
	defaultCAKey = "ca.crt"
)

// tokenSeconds is for how long a connector's token is valid; the kubelet replaces it in time.
const tokenSeconds = 3600

// Modest defaults: one channel idles at some 15 MiB, and reads pages of at most 8 MiB.
var (
	connectorSize        = memoryAndCPU{requestCPU: "10m", requestMemory: "32Mi", limitMemory: "128Mi"}
	sharedConnectorsSize = memoryAndCPU{requestCPU: "20m", requestMemory: "64Mi", limitMemory: "512Mi"}
)

// ConnectorPods is what is the same for all connectors' pods.
type ConnectorPods struct {
	// Image of Kith.
	Image string
	// Annotate has pods carry scrape annotations: there is no Prometheus Operator.
	Annotate bool
}

// PerChannel is the Deployment of one channel's own connector.
func (p ConnectorPods) PerChannel(community *v1alpha1.Community, channel *v1alpha1.Channel) *appsv1.Deployment {
	labels := componentLabels(delivery.ComponentConnector, community.Name)
	labels[delivery.LabelChannel] = channel.Name
	return p.deployment(delivery.ConnectorName(channel.Name), labels, community, connectorSize,
		[]*v1alpha1.Channel{channel}, flag("channel", channel.Name))
}

// Shared is the Deployment of a community's connectors with placement Shared. Its channels are those whose Secrets it
// mounts; which it reads its configuration says.
func (p ConnectorPods) Shared(community *v1alpha1.Community, channels []*v1alpha1.Channel) *appsv1.Deployment {
	return p.deployment(delivery.SharedConnectorsName(community.Name), componentLabels(delivery.ComponentConnector, community.Name),
		community, sharedConnectorsSize, channels, "--all-channels")
}

func (p ConnectorPods) deployment(name string, labels map[string]string, community *v1alpha1.Community, size memoryAndCPU,
	channels []*v1alpha1.Channel, which string,
) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: withManagedBy(labels)},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			// The new pod takes the lease; what the old one still sends is refused.
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0)),
			}},
			RevisionHistoryLimit:    new(int32(2)),
			ProgressDeadlineSeconds: new(int32(300)),
			Template:                p.template(name, labels, community, size, channels, which),
		},
	}
}

func (p ConnectorPods) template(name string, labels map[string]string, community *v1alpha1.Community, size memoryAndCPU,
	channels []*v1alpha1.Channel, which string,
) corev1.PodTemplateSpec {
	declared := community.Spec.Connectors.Pod
	resources := size.resources(declared)
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: withManagedBy(labels)},
		Spec: corev1.PodSpec{
			ServiceAccountName: name, AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false),
			SecurityContext: restrictedPod(), TerminationGracePeriodSeconds: new(int64(30)),
			Containers: []corev1.Container{{
				Name: "connector", Image: p.Image, ImagePullPolicy: corev1.PullIfNotPresent,
				Args: []string{
					"connector", flag("config", delivery.DirConfig), which,
					flag("hub", delivery.HubURL(community.Namespace, community.Name)),
					flag("hub-ca", delivery.DirConfig+"/"+delivery.FileCA),
					flag("token-file", delivery.DirToken+"/"+delivery.FileToken),
					flag("secrets-dir", delivery.DirSecrets),
					flag("listen", ":"+portMetrics), flag("log-format", "json"),
				},
				Env:             memoryLimitEnv(resources),
				Resources:       resources,
				SecurityContext: restrictedContainer(),
				Ports:           []corev1.ContainerPort{{Name: delivery.PortNameMetrics, ContainerPort: delivery.PortMetrics, Protocol: corev1.ProtocolTCP}},
				LivenessProbe:   probe("/healthz", 20, 3),
				ReadinessProbe:  probe("/readyz", 5, 2),
				VolumeMounts: []corev1.VolumeMount{
					{Name: volumeConfig, MountPath: delivery.DirConfig, ReadOnly: true},
					{Name: volumeToken, MountPath: delivery.DirToken, ReadOnly: true},
				},
			}},
			Volumes: []corev1.Volume{configVolume(community.Name, delivery.ConnectorItems), tokenVolume(community)},
		},
	}
	if p.Annotate {
		template.Annotations = scrapeAnnotations()
	}
	if sources := secretSources(channels); len(sources) > 0 {
		c := &template.Spec.Containers[0]
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: volumeSecrets, MountPath: delivery.DirSecrets, ReadOnly: true})
		template.Spec.Volumes = append(template.Spec.Volumes, projected(volumeSecrets, sources))
	}
	declaredPod(&template, declared)
	return template
}

// tokenVolume holds the token that a connector presents to its hub, and that nobody else takes.
func tokenVolume(community *v1alpha1.Community) corev1.Volume {
	return projected(volumeToken, []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
		Audience: delivery.Audience(community.Namespace, community.Name), ExpirationSeconds: new(int64(tokenSeconds)), Path: delivery.FileToken,
	}}})
}

// secretSources are the Secrets and root certificates that channels name, each once, with exactly the keys that their
// platforms know.
func secretSources(channels []*v1alpha1.Channel) []corev1.VolumeProjection {
	secrets, maps := map[string][]string{}, map[string][]string{}
	for _, c := range channels {
		if ref := c.Spec.CredentialsSecretRef; ref != nil {
			secrets[ref.Name] = append(secrets[ref.Name], credentialKeys(c.Spec.Platform)...)
		}
		if hook := c.Spec.Webhook; hook != nil {
			secrets[hook.SecretRef.Name] = append(secrets[hook.SecretRef.Name], keyWebhook)
		}
		if n := c.Spec.Network; n != nil && n.CARef != nil {
			key := n.CARef.Key
			if key == "" {
				key = defaultCAKey
			}
			maps[n.CARef.Name] = append(maps[n.CARef.Name], key)
		}
	}
	var sources []corev1.VolumeProjection
	paths := map[string]bool{}
	for _, name := range sorted(secrets) {
		if keys := distinct(secrets[name]); len(keys) > 0 {
			sources = append(sources, secretSource(name, keys...))
			for _, key := range keys {
				paths[delivery.SecretFile(name, key)] = true
			}
		}
	}
	for _, name := range sorted(maps) {
		source := corev1.ConfigMapProjection{Optional: new(true)}
		source.Name = name
		for _, key := range distinct(maps[name]) {
			// A Secret of the same name and key: the API server takes no path twice, and credentials matter more.
			if path := delivery.SecretFile(name, key); !paths[path] {
				source.Items = append(source.Items, corev1.KeyToPath{Key: key, Path: path})
			}
		}
		if len(source.Items) > 0 {
			sources = append(sources, corev1.VolumeProjection{ConfigMap: &source})
		}
	}
	return sources
}

// credentialKeys are the keys that a platform's descriptor declares; none of one that is not known.
func credentialKeys(platform string) []string {
	d, err := catalogue.Get(platform)
	if err != nil {
		return nil
	}
	var keys []string
	for _, k := range d.Secrets {
		keys = append(keys, k.Name)
	}
	return keys
}

// SecretSet tells the sets of mounted Secrets and keys of two connector Deployments apart; it is never empty.
func SecretSet(d *appsv1.Deployment) string {
	set := []string{"set"}
	for i := range d.Spec.Template.Spec.Volumes {
		v := &d.Spec.Template.Spec.Volumes[i]
		if v.Name != volumeSecrets || v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			switch {
			case s.Secret != nil:
				set = append(set, "secret "+s.Secret.Name+items(s.Secret.Items))
			case s.ConfigMap != nil:
				set = append(set, "configmap "+s.ConfigMap.Name+items(s.ConfigMap.Items))
			}
		}
	}
	return strings.Join(set, "\n")
}

func items(list []corev1.KeyToPath) string {
	var b strings.Builder
	for _, k := range list {
		b.WriteString(" " + k.Key)
	}
	return b.String()
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func distinct(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
