// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	provisionerName = "cluster.kith.dev/local"
	// boundedClass is for tests of full volumes: its volumes are in memory and end at their size.
	boundedClass = "bounded"
	// The controller manager names the provisioner that it waits for, and the scheduler the node.
	annProvisioner = "volume.kubernetes.io/storage-provisioner"
	annNode        = "volume.kubernetes.io/selected-node"
	annMadeBy      = "pv.kubernetes.io/provisioned-by"
)

// metadata, claim and volume are the parts of PersistentVolumeClaim and PersistentVolume that matter here.
type metadata struct {
	Name, Namespace, UID string
	Annotations          map[string]string
	DeletionTimestamp    string
}

type claim struct {
	Metadata metadata
	Spec     struct {
		AccessModes      []string
		StorageClassName string
		VolumeName       string
		VolumeMode       string
		Resources        struct{ Requests map[string]string }
	}
	Status struct{ Phase string }
}

type volume struct {
	Metadata metadata
	Spec     struct {
		Capacity                      map[string]string
		PersistentVolumeReclaimPolicy string
		ClaimRef                      struct{ UID string }
	}
	Status struct{ Phase string }
}

// provision makes, grows and removes volumes until it is stopped. It asks every second: that is far below what the
// controllers here do, and it needs no state.
func provision(ctx context.Context, l layout) error {
	a, err := newAPI(l, "provisioner")
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := provisionOnce(ctx, a, l); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func provisionOnce(ctx context.Context, a *api, l layout) error {
	var claims struct{ Items []claim }
	var volumes struct{ Items []volume }
	if err := errors.Join(
		a.get(ctx, "/api/v1/persistentvolumeclaims", &claims),
		a.get(ctx, "/api/v1/persistentvolumes", &volumes),
	); err != nil {
		return err
	}
	byName := map[string]volume{}
	var problems []error
	for _, v := range volumes.Items {
		byName[v.Metadata.Name] = v
		if v.Metadata.Annotations[annMadeBy] == provisionerName && v.Status.Phase == "Released" &&
			v.Spec.PersistentVolumeReclaimPolicy == "Delete" && v.Metadata.DeletionTimestamp == "" {
			problems = append(problems, deleteVolume(ctx, a, l, v))
		}
	}
	for _, c := range claims.Items {
		if c.Metadata.Annotations[annProvisioner] != provisionerName {
			continue
		}
		v, made := byName["pvc-"+c.Metadata.UID]
		switch {
		case !made && c.Spec.VolumeName == "" && c.Metadata.Annotations[annNode] != "" && c.Metadata.DeletionTimestamp == "":
			problems = append(problems, makeVolume(ctx, a, l, c))
		case made && c.Status.Phase == "Bound":
			problems = append(problems, growVolume(ctx, a, l, c, v))
		}
	}
	return errors.Join(problems...)
}

func volumeDir(l layout, name string) string { return l.file("volumes", name) }

// makeVolume makes a local volume, which gets the pod's fsGroup from the kubelet as a disk would.
func makeVolume(ctx context.Context, a *api, l layout, c claim) error {
	name := "pvc-" + c.Metadata.UID
	if err := os.MkdirAll(volumeDir(l, name), 0o755); err != nil {
		return err
	}
	if c.Spec.StorageClassName == boundedClass {
		if err := mountBounded(volumeDir(l, name), c.Spec.Resources.Requests["storage"], 0); err != nil {
			return err
		}
	}
	object := map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolume",
		"metadata": map[string]any{"name": name, "annotations": map[string]string{annMadeBy: provisionerName}},
		"spec": map[string]any{
			"capacity":                      map[string]string{"storage": c.Spec.Resources.Requests["storage"]},
			"accessModes":                   c.Spec.AccessModes,
			"storageClassName":              c.Spec.StorageClassName,
			"persistentVolumeReclaimPolicy": "Delete",
			"claimRef": map[string]any{
				"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": c.Metadata.Namespace, "name": c.Metadata.Name,
				"uid": c.Metadata.UID,
			},
			"local": map[string]any{"path": volumeDir(l, name)},
			"nodeAffinity": map[string]any{"required": map[string]any{"nodeSelectorTerms": []any{map[string]any{
				"matchExpressions": []any{map[string]any{"key": "kubernetes.io/hostname", "operator": "In", "values": []string{nodeName}}},
			}}}},
		},
	}
	return a.do(ctx, "POST", "/api/v1/persistentvolumes", "application/json", object, nil)
}

// mountBounded mounts a file system of the given size, or grows the one that is there.
func mountBounded(dir, size string, flags uintptr) error {
	bytes, err := quantity(size)
	if err != nil {
		return err
	}
	if err := syscall.Mount("kith-volume", dir, "tmpfs", flags, "mode=0755,size="+bytes.FloatString(0)); err != nil {
		return fmt.Errorf("mounting %s of memory on %s: %w", size, dir, err)
	}
	return nil
}

// growVolume does what an external resizer does. Nothing bounds a folder, so only bounded volumes really grow.
func growVolume(ctx context.Context, a *api, l layout, c claim, v volume) error {
	wanted, have := c.Spec.Resources.Requests["storage"], v.Spec.Capacity["storage"]
	larger, err := less(have, wanted)
	if err != nil || !larger {
		return err
	}
	if c.Spec.StorageClassName == boundedClass {
		if err := mountBounded(volumeDir(l, v.Metadata.Name), wanted, syscall.MS_REMOUNT); err != nil {
			return err
		}
	}
	capacity := map[string]any{"capacity": map[string]string{"storage": wanted}}
	path := "/api/v1/namespaces/" + c.Metadata.Namespace + "/persistentvolumeclaims/" + c.Metadata.Name
	return errors.Join(
		a.patch(ctx, path+"/status", map[string]any{"status": capacity}),
		a.patch(ctx, "/api/v1/persistentvolumes/"+v.Metadata.Name, map[string]any{"spec": capacity}),
	)
}

func deleteVolume(ctx context.Context, a *api, l layout, v volume) error {
	// The name becomes a path: only one that we made may.
	if name := v.Metadata.Name; name != filepath.Base(name) || !strings.HasPrefix(name, "pvc-") {
		return fmt.Errorf("volume %q is not one of ours", name)
	}
	if err := unmountBelow(volumeDir(l, v.Metadata.Name)); err != nil {
		return err
	}
	if err := os.RemoveAll(volumeDir(l, v.Metadata.Name)); err != nil {
		return err
	}
	return a.do(ctx, "DELETE", "/api/v1/persistentvolumes/"+v.Metadata.Name, "", nil, nil)
}

// less compares two quantities as Kubernetes writes them.
func less(a, b string) (bool, error) {
	x, err := quantity(a)
	if err != nil {
		return false, err
	}
	y, err := quantity(b)
	if err != nil {
		return false, err
	}
	return x.Cmp(y) < 0, nil
}

// quantity reads a number with one of the suffixes k M G T P, or Ki Mi Gi Ti Pi.
func quantity(text string) (*big.Rat, error) {
	number := strings.TrimRight(text, "kKMGTPi")
	value, ok := new(big.Rat).SetString(number)
	if !ok {
		return nil, fmt.Errorf("%q is not a quantity", text)
	}
	suffix := text[len(number):]
	base := int64(1000)
	if strings.HasSuffix(suffix, "i") {
		base, suffix = 1024, strings.TrimSuffix(suffix, "i")
	}
	power := strings.Index(" KMGTP", strings.ToUpper(suffix))
	if suffix == "" {
		power = 0
	}
	if power < 0 || len(suffix) > 1 {
		return nil, fmt.Errorf("%q is not a quantity", text)
	}
	for range power {
		value.Mul(value, new(big.Rat).SetInt64(base))
	}
	return value, nil
}
