// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/reader"
	"github.com/kith-dev/kith/internal/testing/builders"
)

func TestReaderThatGetsNowhereSaysWhy(t *testing.T) {
	c, hub, _, channel := aForumThatIsRead(t)
	long := time.Now().Add(-time.Hour)
	for name, tc := range map[string]struct {
		says  func(*wire.ChannelStatus)
		want  string
		words string
	}{
		"settings that the platform refuses": {phase(reader.BadSettings, "settings.category: there is no such category"), "False BadSettings", "no such category"},
		"another process":                    {phase(reader.TakenOver, "kith run on somebody's machine reads it"), "False TakenOver", "somebody's machine"},
		"it reports and reads nothing":       {func(s *wire.ChannelStatus) { s.State.LastProgress, s.State.Since = long, long }, "False NoProgress", "its log"},
		"it does not report":                 {func(s *wire.ChannelStatus) { s.State.Heartbeat = long }, "Unknown NoHeartbeat", "Deployed"},
	} {
		t.Run(name, func(*testing.T) {
			// Time alone is no news; that the platform answers again is.
			hub.reads("forum", phase(reader.Unreachable, "nothing answers"))
			stands(c, channel, v1alpha1.ConditionConnected, "False Unreachable")
			hub.reads("forum", tc.says)
			stands(c, channel, v1alpha1.ConditionConnected, tc.want, tc.words)
		})
	}
}

func TestLostNodeIsNamedWithWhatToDo(t *testing.T) {
	c := newCluster(t)
	c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	c.run("acme")
	d := get(c, "acme-hub", &appsv1.Deployment{})
	pod := &corev1.Pod{ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
	pod.Name, pod.Spec.NodeName = "acme-hub-1", "node-1"
	c.create(pod)
	c.patchStatus(pod, `{"status": {"phase": "Running", "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}]}}`)
	c.patchStatus(d, `{"status": {"readyReplicas": 0, "availableReplicas": 0}}`)
	says(t, c.condition("acme", v1alpha1.ConditionHubAvailable, metav1.ConditionFalse, v1alpha1.ReasonNodeLost), "node-1", "out-of-service")
}

func TestCallThatFailsIsRepeatedAndSaid(t *testing.T) {
	c := newCluster(t)
	role := get(c, "kith-operator", &rbacv1.Role{})
	whole := role.DeepCopy()
	role.Rules = slices.DeleteFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return slices.Contains(r.Resources, "networkpolicies") })
	if err := c.client.Update(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	// The cache needs to list and watch them all the same.
	c.create(&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "look"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"networkpolicies"}, Verbs: []string{"get", "list", "watch"}},
	}}, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "look"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "look"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "kith-operator", Namespace: c.namespace}},
	})
	c.operate()
	c.create(builders.MakeCommunity("acme").Obj())
	c.eventually(func() string {
		community := get(c, "acme", &v1alpha1.Community{})
		is := meta.FindStatusCondition(community.Status.Conditions, v1alpha1.ConditionReconciling)
		if is == nil || is.Reason != v1alpha1.ReasonRetrying || !strings.Contains(is.Message, "networkpolicies") {
			return fmt.Sprintf("Reconciling is %+v", is)
		}
		return ""
	})
	role.Rules = whole.Rules
	if err := c.client.Update(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	c.run("acme")
}

func TestBehaviourThatNoPlatformShowsIsNotMeasurable(t *testing.T) {
	c := newCluster(t)
	c.hub()
	solved := builders.MakeBehaviour("solved").On(v1alpha1.AnswerAccepted).Obj()
	c.create(acme(), builders.MakeChannel("blog").Team("support").Obj(), solved)
	c.up()
	stands(c, solved, v1alpha1.ConditionMeasurable, "False NotMeasurable", "never as 0")
}
