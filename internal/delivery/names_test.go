// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package delivery_test

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kith-dev/kith/internal/delivery"
)

// objects are the names of everything that is made for a community and for a channel, by kind.
func objects(community, channel string) map[string][]string {
	configs := make([]string, 0, delivery.MaxParts)
	for part := range delivery.MaxParts {
		configs = append(configs, delivery.ConfigName(community, part))
	}
	pods := []string{delivery.HubName(community), delivery.SharedConnectorsName(community), delivery.ConnectorName(channel)}
	return map[string][]string{
		"Deployment": pods, "ServiceAccount": pods, "NetworkPolicy": pods[:2], "Service": pods[:1], "ConfigMap": configs,
		"Secret": {delivery.HubTLSName(community)}, "PersistentVolumeClaim": {delivery.LedgerName(community)},
	}
}

// However communities and channels are named, also after each other's objects, no two objects of a kind have one name.
func TestNoTwoObjectsShareAName(t *testing.T) {
	names := []string{"a"}
	for range 2 { // and after what is named after those
		for _, name := range names {
			for _, derived := range objects(name, name) {
				names = append(names, derived...)
			}
		}
	}
	owners := map[string]string{}
	for _, name := range names {
		for kind, derived := range objects(name, name) {
			for _, object := range derived {
				key := kind + " " + object
				if owner, taken := owners[key]; taken && owner != name {
					t.Errorf("%s is of %s and of %s", key, owner, name)
				}
				owners[key] = name
			}
		}
	}
	if len(owners) < 100 {
		t.Errorf("only %d objects were compared", len(owners))
	}
}

func TestNamesOfTheGreatestLengthAreValid(t *testing.T) {
	longest := strings.Repeat("a", 52)
	for kind, names := range objects(longest, longest) {
		for _, name := range names {
			if kind != "ConfigMap" {
				if wrong := validation.IsDNS1035Label(name); len(wrong) > 0 {
					t.Errorf("%s %s: %v", kind, name, wrong)
				}
			}
			if wrong := validation.IsDNS1123Subdomain(name); len(wrong) > 0 {
				t.Errorf("%s %s: %v", kind, name, wrong)
			}
		}
	}
}

// An audience is taken apart by nobody, and must be one community's all the same.
func TestAudiencesAreOfOneCommunity(t *testing.T) {
	seen := map[string]string{}
	for _, c := range [][2]string{{"a", "b"}, {"b", "a"}, {"a-b", "c"}, {"a", "b-c"}} {
		audience := delivery.Audience(c[0], c[1])
		if other, taken := seen[audience]; taken {
			t.Errorf("%s is of %v and of %s", audience, c, other)
		}
		seen[audience] = fmt.Sprint(c)
	}
}
