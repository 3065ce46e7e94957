// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package resources

import (
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/reader"
)

// Resources that were stored under the first definitions are read, changed and looked after under today's.
func TestStoredResourcesOutliveAnUpgradeOfTheirDefinitions(t *testing.T) {
	_, places := newWorld(t, 1)
	p := places[0]
	current := filepath.Join("..", "..", "config", "crd", "bases")
	t.Cleanup(func() { p.must("apply", "--server-side", "--force-conflicts", "-f", current) })
	p.must("apply", "--server-side", "--force-conflicts", "-f", baseline)
	p.must("wait", "--for=condition=Established", "--timeout=20s", "-f", baseline)
	files := []string{"community.yaml", "channel.yaml", "behaviour.yaml", "objective.yaml"}
	p.apply(files...)
	p.run("acme")
	p.available("forum-connector")
	p.reads("acme", "forum", reader.Connected, "")
	p.stands("channel/forum", v1alpha1.ConditionReady, "True Succeeded")

	p.must("apply", "--server-side", "--force-conflicts", "-f", current)
	p.must("wait", "--for=condition=Established", "--timeout=20s", "-f", current)
	p.apply(files...) // nothing in them is wrong now
	for _, resource := range []string{"community/acme", "channel/forum", "behaviour/solved", "objective/helped"} {
		p.must("get", resource)
		p.stands(resource, v1alpha1.ConditionAccepted, "True Accepted")
	}
	before := get(p, "forum", &v1alpha1.Channel{}).Generation
	p.must("patch", "channel", "forum", "--type=merge", "--patch", `{"spec": {"pollInterval": "5m"}}`)
	p.must("patch", "objective", "helped", "--type=merge", "--patch", `{"spec": {"target": {"atLeast": "40"}}}`)
	p.reads("acme", "forum", reader.Connected, "")
	p.stands("channel/forum", v1alpha1.ConditionReady, "True Succeeded")
	p.stands("objective/helped", v1alpha1.ConditionAccepted, "True Accepted")
	channel := get(p, "forum", &v1alpha1.Channel{})
	if channel.Generation != before+1 || !meta.IsStatusConditionTrue(channel.Status.Conditions, v1alpha1.ConditionConnected) {
		t.Errorf("generation %d after %d, %+v", channel.Generation, before, channel.Status.Conditions)
	}
}

func TestVolumeOnlyGrows(t *testing.T) {
	_, places := newWorld(t, 1)
	p := places[0]
	p.apply("community.yaml")
	p.run("acme")
	for name, tc := range map[string]struct {
		patch, undo, reason string
		words               []string
	}{
		"smaller": {
			`{"spec": {"ledger": {"sqlite": {"size": "1Gi"}}}}`, `{"spec": {"ledger": {"sqlite": {"size": "10Gi"}}}}`, v1alpha1.ReasonShrinkingRefused,
			[]string{"spec.ledger.sqlite.size", "1Gi is less than the 10Gi", "declare 10Gi or more"},
		},
		"another storage class": {
			`{"spec": {"ledger": {"sqlite": {"storageClassName": "fast"}}}}`, `{"spec": {"ledger": {"sqlite": {"storageClassName": null}}}}`, v1alpha1.ReasonStorageClassChanged,
			[]string{"spec.ledger.sqlite.storageClassName", "keeps it", "or move the ledger"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := p.in(t)
			q.must("patch", "community", "acme", "--type=merge", "--patch", tc.patch)
			q.stands("community/acme", v1alpha1.ConditionAccepted, "False "+tc.reason, tc.words...)
			q.stands("community/acme", v1alpha1.ConditionStalled, "True "+tc.reason, tc.words...)
			// The hub goes on meanwhile, and all is well again once the declaration is.
			q.stands("community/acme", v1alpha1.ConditionHubAvailable, "True Available")
			q.must("patch", "community", "acme", "--type=merge", "--patch", tc.undo)
			q.stands("community/acme", v1alpha1.ConditionReady, "True Succeeded")
		})
	}
}

// kubectl explain shows what the definitions hold: that they hold a sentence for each field is tested with them.
func TestExplainSaysWhatAFieldIs(t *testing.T) {
	_, places := newWorld(t, 1)
	for field, words := range map[string][]string{
		"behaviour.spec.on":         {`Write the key in quotes ("on")`, "takes a bare on for true"},
		"objective.spec.agreed.on":  {`Write the key in quotes ("on")`},
		"channel.spec.pollInterval": {"At least 10s, at most 1d"},
		"community.spec.ledger":     {"where the community's record is kept", "sqlite", "postgres"},
		"community.status.ledgerID": {"kith.dev/accept-ledger"},
	} {
		t.Run(field, func(t *testing.T) {
			// Lines are broken anywhere.
			text := strings.Join(strings.Fields(places[0].in(t).must("explain", field)), " ")
			says(t, text, words...)
		})
	}
}
