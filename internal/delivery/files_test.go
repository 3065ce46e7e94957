// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package delivery_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/delivery"
)

// files makes a configuration with a number of channels whose settings hold so many bytes that do not compress.
func files(channels, noise int) *delivery.Files {
	r := rand.New(rand.NewPCG(1, 2)) // the same each time, on purpose
	f := &delivery.Files{
		Blueprint: &blueprint.Blueprint{Version: blueprint.Version, Namespace: "here", Name: "acme", TimeZone: "UTC"},
		Channels:  delivery.Channels{Namespace: "here", Community: "acme"},
		Access: delivery.Access{Issuer: "https://issuer", Keys: json.RawMessage(`{"keys":[]}`), Namespace: "here",
			Audience: delivery.Audience("here", "acme"), Operator: delivery.OperatorAccount{Namespace: "kith-system", Name: "kith-operator"}},
		CA: []byte("-----BEGIN CERTIFICATE-----\n"),
	}
	for i := range channels {
		var text strings.Builder
		for text.Len() < noise {
			fmt.Fprintf(&text, "%016x", r.Uint64())
		}
		c := blueprint.Channel{Name: fmt.Sprintf("channel-%d", i), Platform: "discourse", URL: "https://forum.example",
			Settings: map[string]any{"noise": text.String()}}
		f.Blueprint.Channels = append(f.Blueprint.Channels, c)
		f.Channels.Channels = append(f.Channels.Channels, delivery.Channel{Generation: int64(i + 1), Channel: c})
	}
	return f
}

// mount writes ConfigMaps into one folder, as a projected volume does.
func mount(t *testing.T, maps []map[string][]byte, only []string) string {
	t.Helper()
	dir := t.TempDir()
	for _, m := range maps {
		for name, data := range m {
			if only != nil && !slices.Contains(only, name) {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func TestWhatIsDeliveredIsReadBack(t *testing.T) {
	for name, tc := range map[string]struct{ channels, noise, maps int }{
		"small":       {channels: 3, noise: 16, maps: 1},
		"compressed":  {channels: 10, noise: 64 << 10, maps: 1},
		"in parts":    {channels: 10, noise: 256 << 10, maps: 3},
		"no channels": {maps: 1},
	} {
		t.Run(name, func(t *testing.T) {
			want := files(tc.channels, tc.noise)
			maps, err := want.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again, err := want.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if !cmp.Equal(maps, again) {
				t.Error("the same files were encoded in two ways")
			}
			if len(maps) != tc.maps {
				t.Errorf("%d ConfigMaps, want %d", len(maps), tc.maps)
			}
			for i, m := range maps {
				size := 0
				for k, v := range m {
					size += len(k) + len(v)
				}
				if size > 1<<20-16<<10 {
					t.Errorf("part %d has %d bytes: a ConfigMap takes 1 MiB", i, size)
				}
			}
			for i, m := range maps {
				for key := range m {
					if !slices.Contains(append(delivery.HubItems(i), delivery.ConnectorItems(i)...), key) {
						t.Errorf("nobody is given %s of part %d", key, i)
					}
				}
			}
			hub, connector := mount(t, maps, delivery.HubFiles()), mount(t, maps, delivery.ConnectorFiles())
			bp, err := delivery.LoadBlueprint(hub)
			if err != nil {
				t.Fatal(err)
			}
			if bp.Digest() != want.Blueprint.Digest() {
				t.Error("the hub reads another blueprint than was delivered")
			}
			access, err := delivery.LoadAccess(hub)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want.Access, access); diff != "" {
				t.Error(diff)
			}
			channels, err := delivery.LoadChannels(connector)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want.Channels, channels); diff != "" {
				t.Error(diff)
			}
			if _, err := delivery.LoadBlueprint(connector); !errors.Is(err, delivery.ErrIncomplete) {
				t.Errorf("a connector can read the blueprint (%v): it is given its channels only", err)
			}
		})
	}
}

func TestNoPathOfAVolumeIsNamedTwice(t *testing.T) {
	for name, files := range map[string][]string{"hub": delivery.HubFiles(), "connector": delivery.ConnectorFiles()} {
		slices.Sort(files)
		if once := slices.Compact(slices.Clone(files)); len(once) != len(files) {
			t.Errorf("%s: the API server refuses two items with one path: %v", name, files)
		}
	}
}

func TestTooLargeConfigurationIsRefused(t *testing.T) {
	if _, err := files(40, 256<<10).Encode(); !errors.Is(err, delivery.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestPartsThatDoNotBelongTogetherAreNotRead(t *testing.T) {
	before, err := files(10, 256<<10).Encode()
	if err != nil {
		t.Fatal(err)
	}
	other := files(10, 256<<10)
	other.Blueprint.Channels[9].URL = "https://elsewhere.example"
	after, err := other.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, maps := range map[string][]map[string][]byte{
		"a part is missing":     before[:len(before)-1],
		"a part is from before": append(slices.Clone(after[:len(after)-1]), before[len(before)-1]),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := delivery.LoadBlueprint(mount(t, maps, nil)); !errors.Is(err, delivery.ErrIncomplete) {
				t.Errorf("got %v", err)
			}
		})
	}
}
