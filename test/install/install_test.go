// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/kith-dev/kith/internal/delivery"
)

func TestNoRightIsAWildcard(t *testing.T) {
	for _, install := range installs {
		t.Run(install, func(t *testing.T) {
			roles := pick[rbacv1.ClusterRole](t, render(t, install), "Role", "ClusterRole")
			if len(roles) < 2 {
				t.Fatalf("%d roles: the operator has one for resources and one for its own namespace", len(roles))
			}
			for _, role := range roles {
				if len(role.Rules) == 0 {
					t.Errorf("%s has no rules", role.Name)
				}
				for _, rule := range role.Rules {
					for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs, rule.NonResourceURLs} {
						if i := slices.IndexFunc(list, func(s string) bool { return strings.Contains(s, "*") }); i >= 0 {
							t.Errorf("%s: %q in %+v", role.Name, list[i], rule)
						}
					}
				}
			}
		})
	}
}

func TestSecretsAreNeitherListedNorWatched(t *testing.T) {
	for _, install := range installs {
		for _, role := range pick[rbacv1.ClusterRole](t, render(t, install), "Role", "ClusterRole") {
			for _, rule := range role.Rules {
				if !slices.Contains(rule.Resources, "secrets") {
					continue
				}
				for _, verb := range []string{"list", "watch", "deletecollection"} {
					if slices.Contains(rule.Verbs, verb) {
						t.Errorf("%s: %s may %s secrets", install, role.Name, verb)
					}
				}
			}
		}
	}
}

// Whoever is admin of one namespace can apply the namespaced install, and it reaches no further.
func TestNamespacedInstallStaysInItsNamespace(t *testing.T) {
	objects := render(t, "namespaced")
	for _, o := range objects {
		switch o.GetKind() {
		case "ClusterRole", "ClusterRoleBinding", "Namespace", "CustomResourceDefinition":
			t.Errorf("%s %s needs rights over the cluster", o.GetKind(), o.GetName())
		}
		if o.GetNamespace() != namespace {
			t.Errorf("%s %s is in namespace %q", o.GetKind(), o.GetName(), o.GetNamespace())
		}
	}
	for _, b := range pick[rbacv1.RoleBinding](t, objects, "RoleBinding") {
		if b.RoleRef.Kind != "Role" {
			t.Errorf("%s refers to a %s", b.Name, b.RoleRef.Kind)
		}
		for _, s := range b.Subjects {
			if s.Namespace != namespace {
				t.Errorf("%s is for an account of namespace %q", b.Name, s.Namespace)
			}
		}
	}
	if args := operator(t, "namespaced").Spec.Template.Spec.Containers[0].Args; !slices.Contains(args, "--namespaces=$(POD_NAMESPACE)") {
		t.Errorf("the operator watches more than its namespace: %q", args)
	}
}

func TestEveryBindingFindsItsRoleAndAccount(t *testing.T) {
	for _, install := range installs {
		objects := render(t, install)
		has := map[string]bool{}
		for _, o := range objects {
			has[o.GetKind()+" "+o.GetName()] = true
		}
		for _, b := range pick[rbacv1.ClusterRoleBinding](t, objects, "RoleBinding", "ClusterRoleBinding") {
			if !has[b.RoleRef.Kind+" "+b.RoleRef.Name] {
				t.Errorf("%s: %s refers to %s %s, which is not there", install, b.Name, b.RoleRef.Kind, b.RoleRef.Name)
			}
			for _, s := range b.Subjects {
				if !has[s.Kind+" "+s.Name] {
					t.Errorf("%s: %s is for %s %s, which is not there", install, b.Name, s.Kind, s.Name)
				}
			}
		}
	}
}

func TestHubsAndConnectorsRunTheOperatorsImage(t *testing.T) {
	for _, install := range installs {
		c := operator(t, install).Spec.Template.Spec.Containers[0]
		var given string
		for _, e := range c.Env {
			if e.Name == "KITH_IMAGE" {
				given = e.Value
			}
		}
		if c.Image != image || given != image {
			t.Errorf("%s: the operator runs %q and hands on %q, want %q", install, c.Image, given, image)
		}
	}
}

// The manifests are written by hand; what they share with the code must not drift from it.
func TestOperatorsPodMatchesTheCode(t *testing.T) {
	pod := operator(t, "default").Spec.Template
	want := map[string]string{delivery.LabelName: delivery.AppName, delivery.LabelComponent: delivery.ComponentOperator}
	if diff := cmp.Diff(want, pod.Labels); diff != "" {
		t.Errorf("labels (-code +manifest):\n%s", diff)
	}
	if got := pod.Spec.ServiceAccountName; got != delivery.ManagedBy {
		t.Errorf("the account is %q, hubs know %q", got, delivery.ManagedBy)
	}
	var audiences []string
	for _, v := range pod.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.ServiceAccountToken != nil {
				audiences = append(audiences, s.ServiceAccountToken.Audience)
			}
		}
	}
	if diff := cmp.Diff([]string{delivery.AudienceStatus}, audiences); diff != "" {
		t.Errorf("audiences of tokens (-code +manifest):\n%s", diff)
	}
}

func TestBothDockerfilesMakeTheSameImage(t *testing.T) {
	last := func(path string) []string {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || strings.HasPrefix(line, "#"):
			case strings.HasPrefix(line, "FROM"):
				lines = []string{line}
			case strings.HasPrefix(line, "COPY"):
				lines = append(lines, "COPY to "+line[strings.LastIndexByte(line, ' ')+1:])
			default:
				lines = append(lines, line)
			}
		}
		return lines
	}
	if diff := cmp.Diff(last("Dockerfile"), last("hack/image/Dockerfile")); diff != "" {
		t.Errorf("last stages (-Dockerfile +hack/image/Dockerfile):\n%s", diff)
	}
}

func operator(t *testing.T, install string) appsv1.Deployment {
	t.Helper()
	deployments := pick[appsv1.Deployment](t, render(t, install), "Deployment")
	if len(deployments) != 1 || len(deployments[0].Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("%s has %d Deployments, want one with one container", install, len(deployments))
	}
	return deployments[0]
}
