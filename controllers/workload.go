// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/delivery"
)

// user is whom pods run as: nobody on any node.
const user = 65532

// labels are those of every object of a community.
func labels(community, component string) map[string]string {
	return map[string]string{
		delivery.LabelName: delivery.AppName, delivery.LabelComponent: component,
		delivery.LabelManagedBy: delivery.ManagedBy, delivery.LabelCommunity: community,
	}
}

// selectorLabels are those by which pods are found. They are in Deployments for ever: a selector cannot be changed.
func selectorLabels(community, component string) map[string]string {
	return map[string]string{
		delivery.LabelName: delivery.AppName, delivery.LabelComponent: component, delivery.LabelCommunity: community,
	}
}

// pod is what hubs and connectors have in common, and where they differ.
type pod struct {
	account   string
	selector  map[string]string
	declared  *v1alpha1.Pod
	image     string
	args      []string
	ports     []corev1.ContainerPort
	requests  corev1.ResourceList
	limits    corev1.ResourceList
	volumes   []corev1.Volume
	mounts    []corev1.VolumeMount
	grace     int64
	startup   int32
	component string
}

// template makes a pod that meets the restricted Pod Security Standard, holds no token for the API server, and can
// write only where a volume is mounted.
func (p *pod) template() corev1.PodTemplateSpec {
	declared := p.declared
	if declared == nil {
		declared = &v1alpha1.Pod{}
	}
	podLabels := maps.Clone(declared.Labels)
	if podLabels == nil {
		podLabels = map[string]string{}
	}
	maps.Copy(podLabels, p.selector)
	podLabels[delivery.LabelManagedBy] = delivery.ManagedBy
	annotations := map[string]string{"kubectl.kubernetes.io/default-container": p.component}
	maps.Copy(annotations, declared.Annotations)
	maps.Copy(annotations, map[string]string{
		"prometheus.io/scrape": "true", "prometheus.io/port": strconv.Itoa(delivery.PortMetrics), "prometheus.io/path": "/metrics",
	})
	resources := resourcesOf(declared.Resources, p.requests, p.limits)
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: podLabels, Annotations: annotations},
		Spec: corev1.PodSpec{
			ServiceAccountName: p.account, AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false),
			TerminationGracePeriodSeconds: &p.grace,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(user)), RunAsGroup: new(int64(user)), FSGroup: new(int64(user)),
				FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
				SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: p.component, Image: p.image, ImagePullPolicy: corev1.PullIfNotPresent, Args: p.args, Ports: p.ports,
				Env:       []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: memoryLimit(resources)}},
				Resources: resources, VolumeMounts: p.mounts,
				StartupProbe:   probe("/healthz", 5, p.startup),
				LivenessProbe:  probe("/healthz", 20, 3),
				ReadinessProbe: probe("/readyz", 5, 2),
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
			Volumes: p.volumes, ImagePullSecrets: pullSecrets(declared), NodeSelector: declared.NodeSelector,
			Affinity: declared.Affinity, Tolerations: declared.Tolerations,
			TopologySpreadConstraints: declared.TopologySpreadConstraints, PriorityClassName: declared.PriorityClassName,
		},
	}
}

func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString(delivery.PortNameMetrics), Scheme: corev1.URISchemeHTTP,
		}},
		PeriodSeconds: period, TimeoutSeconds: 5, FailureThreshold: failures,
	}
}

func pullSecrets(declared *v1alpha1.Pod) []corev1.LocalObjectReference {
	out := make([]corev1.LocalObjectReference, 0, len(declared.ImagePullSecrets))
	for _, s := range declared.ImagePullSecrets {
		out = append(out, corev1.LocalObjectReference{Name: s.Name})
	}
	return out
}

// resourcesOf are the declared resources, with Kith's own for each that is left out. A default never contradicts what is
// declared: a request is at most the limit.
func resourcesOf(declared *corev1.ResourceRequirements, requests, limits corev1.ResourceList) corev1.ResourceRequirements {
	out := corev1.ResourceRequirements{Requests: maps.Clone(requests), Limits: maps.Clone(limits)}
	if declared == nil {
		return out
	}
	maps.Copy(out.Requests, declared.Requests)
	maps.Copy(out.Limits, declared.Limits)
	for name, request := range out.Requests {
		limit, bound := out.Limits[name]
		if !bound || request.Cmp(limit) <= 0 {
			continue
		}
		if _, ok := declared.Limits[name]; ok {
			out.Requests[name] = limit
		} else {
			out.Limits[name] = request
		}
	}
	out.Claims = declared.Claims
	return out
}

// memoryLimit is what the Go runtime keeps within: nine tenths of the container's limit, the rest is for what it does
// not count.
func memoryLimit(r corev1.ResourceRequirements) string {
	limit := r.Limits[corev1.ResourceMemory]
	return fmt.Sprintf("%dKiB", limit.Value()/1024*9/10)
}

func deployment(name string, objectLabels, selector map[string]string, strategy appsv1.DeploymentStrategy, template corev1.PodTemplateSpec) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: objectLabels},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)), RevisionHistoryLimit: new(int32(2)), Strategy: strategy,
			Selector: &metav1.LabelSelector{MatchLabels: selector}, Template: template,
		},
	}
}

func account(name string, objectLabels map[string]string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: objectLabels}, AutomountServiceAccountToken: new(false),
	}
}

// configVolume are a community's ConfigMaps in one folder, with those of their files that items names. All are optional:
// a pod waits for what is missing, and never fails to start for it.
func configVolume(community string, items func(part int) []string) corev1.Volume {
	sources := make([]corev1.VolumeProjection, 0, delivery.MaxParts)
	for part := range delivery.MaxParts {
		source := &corev1.ConfigMapProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: delivery.ConfigName(community, part)}, Optional: new(true),
		}
		for _, file := range items(part) {
			source.Items = append(source.Items, corev1.KeyToPath{Key: file, Path: file})
		}
		sources = append(sources, corev1.VolumeProjection{ConfigMap: source})
	}
	return projected("config", sources)
}

func projected(name string, sources []corev1.VolumeProjection) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{Sources: sources, DefaultMode: new(int32(0o440))},
	}}
}

func quantities(cpu, memory string) corev1.ResourceList {
	out := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)}
	if cpu != "" {
		out[corev1.ResourceCPU] = resource.MustParse(cpu)
	}
	return out
}
