// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// What the pods of hubs and connectors have in common: the restricted Pod Security Standard, what a resource may say of
// its pods, and the mounted configuration.

// portMetrics is delivery.PortMetrics as flags have it.
var portMetrics = strconv.Itoa(delivery.PortMetrics)

// runAs is the user and group of the image.
const runAs = 65532

// The names of volumes.
const (
	volumeConfig  = "config"
	volumeSecrets = "secrets"
	volumeToken   = "token"
)

// componentLabels are on everything that belongs to a part of Kith; they are also what a Deployment selects its pods by.
func componentLabels(component, community string) map[string]string {
	return map[string]string{
		delivery.LabelName: delivery.AppName, delivery.LabelComponent: component, delivery.LabelCommunity: community,
	}
}

// withManagedBy are the labels of an object that the operator applies.
func withManagedBy(labels map[string]string) map[string]string {
	out := maps.Clone(labels)
	out[delivery.LabelManagedBy] = delivery.ManagedBy
	return out
}

// restrictedPod is what the restricted Pod Security Standard asks of a pod.
func restrictedPod() *corev1.PodSecurityContext {
	return &corev1.PodSecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(int64(runAs)), RunAsGroup: new(int64(runAs)),
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

// restrictedContainer is what it asks of a container, and a root file system that cannot be written.
func restrictedContainer() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// memoryAndCPU are modest defaults for a container.
type memoryAndCPU struct{ requestCPU, requestMemory, limitMemory string }

// resources are the defaults, each as far as nothing is declared of that resource: a declared request of memory above
// our limit would be no pod at all.
func (d memoryAndCPU) resources(declared *v1alpha1.Pod) corev1.ResourceRequirements {
	var out corev1.ResourceRequirements
	if declared != nil && declared.Resources != nil {
		out = *declared.Resources.DeepCopy()
	}
	says := func(name corev1.ResourceName) bool {
		_, request := out.Requests[name]
		_, limit := out.Limits[name]
		return request || limit
	}
	cpu, memory := !says(corev1.ResourceCPU), !says(corev1.ResourceMemory)
	if (cpu || memory) && out.Requests == nil {
		out.Requests = corev1.ResourceList{}
	}
	if cpu {
		out.Requests[corev1.ResourceCPU] = resource.MustParse(d.requestCPU)
	}
	if memory {
		out.Requests[corev1.ResourceMemory] = resource.MustParse(d.requestMemory)
		if out.Limits == nil {
			out.Limits = corev1.ResourceList{}
		}
		out.Limits[corev1.ResourceMemory] = resource.MustParse(d.limitMemory)
	}
	return out
}

// memoryLimitEnv keeps Go's garbage collector a tenth below the container's limit; nothing where there is none.
func memoryLimitEnv(r corev1.ResourceRequirements) []corev1.EnvVar {
	limit, ok := r.Limits[corev1.ResourceMemory]
	if !ok || limit.IsZero() {
		return nil
	}
	return []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: strconv.FormatInt(limit.Value()/10*9, 10)}}
}

// declaredPod adds what a resource may say of its pods. Kith's own labels and annotations win.
func declaredPod(template *corev1.PodTemplateSpec, declared *v1alpha1.Pod) {
	if declared == nil {
		return
	}
	template.Labels = under(declared.Labels, template.Labels)
	template.Annotations = under(declared.Annotations, template.Annotations)
	spec := &template.Spec
	for _, s := range declared.ImagePullSecrets {
		spec.ImagePullSecrets = append(spec.ImagePullSecrets, corev1.LocalObjectReference{Name: s.Name})
	}
	spec.NodeSelector = declared.NodeSelector
	spec.Affinity = declared.Affinity
	spec.Tolerations = declared.Tolerations
	spec.TopologySpreadConstraints = declared.TopologySpreadConstraints
	spec.PriorityClassName = declared.PriorityClassName
}

// under gives both maps in one; the second wins.
func under(below, above map[string]string) map[string]string {
	if len(below) == 0 {
		return above
	}
	out := maps.Clone(below)
	maps.Copy(out, above)
	return out
}

// scrapeAnnotations let a Prometheus find a pod that reads them, where there is no Prometheus Operator.
func scrapeAnnotations() map[string]string {
	return map[string]string{
		"prometheus.io/scrape": "true", "prometheus.io/port": portMetrics, "prometheus.io/path": "/metrics",
	}
}

// configVolume mounts a community's configuration: of each ConfigMap that there may be, the keys that are for the pod
// (delivery.HubItems, delivery.ConnectorItems). All are optional: a pod waits for its configuration in the process, where
// it can say so.
func configVolume(community string, items func(part int) []string) corev1.Volume {
	var sources []corev1.VolumeProjection
	for n := range delivery.MaxParts {
		source := corev1.ConfigMapProjection{Optional: new(true)}
		source.Name = delivery.ConfigName(community, n)
		for _, key := range items(n) {
			source.Items = append(source.Items, corev1.KeyToPath{Key: key, Path: key})
		}
		sources = append(sources, corev1.VolumeProjection{ConfigMap: &source})
	}
	return projected(volumeConfig, sources)
}

// secretSource is the part of a volume of secrets that one Secret is; a missing Secret or key is a missing file, so that
// the process can say which. Paths are SECRET/KEY.
func secretSource(name string, keys ...string) corev1.VolumeProjection {
	source := corev1.SecretProjection{Optional: new(true)}
	source.Name = name
	for _, key := range keys {
		source.Items = append(source.Items, corev1.KeyToPath{Key: key, Path: delivery.SecretFile(name, key)})
	}
	return corev1.VolumeProjection{Secret: &source}
}

// projected gives a volume with the mode that the API server would set: what is applied is compared with what is there.
func projected(name string, sources []corev1.VolumeProjection) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{Sources: sources, DefaultMode: new(int32(0o644))},
	}}
}

// probe asks a path of the metrics port.
func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString(delivery.PortNameMetrics), Scheme: corev1.URISchemeHTTP,
		}},
		PeriodSeconds: period, FailureThreshold: failures, TimeoutSeconds: 5,
	}
}

// account is a ServiceAccount for pods that do not talk to the API server.
func account(name string, labels map[string]string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: withManagedBy(labels)}, AutomountServiceAccountToken: new(false),
	}
}

// flag writes a flag with its value.
func flag(name string, value any) string { return fmt.Sprintf("--%s=%v", name, value) }
