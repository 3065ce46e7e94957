// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sysctls are what the cluster changes on the host: the first two by us, the others by the kubelet.
var sysctls = []string{
	"net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables",
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
	"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// shared are folders outside of ours in which containerd, its shims, CNI and the kubelet leave files, whatever they are
// configured to do.
var shared = []string{"/run/containerd", "/var/lib/cni", "/var/log/containers", "/var/lib/kubelet", "/var/lib/containerd", "/etc/cni", "/run/mount"}

// host is what `down` must put back.
type host struct {
	Sysctls map[string]string `json:"sysctls"`
	Absent  []string          `json:"absent"`
}

// prepareHost records the machine's state, then makes bridge and cgroup.
func prepareHost(ctx context.Context, l layout) error {
	if alias, err := os.ReadFile("/sys/class/net/" + bridge + "/ifalias"); err == nil {
		return fmt.Errorf("the bridge %s exists already, made for %q: take that cluster down first, a machine holds one",
			bridge, strings.TrimSpace(string(alias)))
	}
	if tables, err := exec.CommandContext(ctx, "nft", "list", "tables").Output(); err != nil {
		return fmt.Errorf("nft list tables: %w", err)
	} else if strings.Contains(string(tables), " kube-proxy\n") {
		return errors.New("nftables has a table of kube-proxy: this machine is a Kubernetes node already")
	}
	if _, err := os.Stat("/proc/sys/net/bridge"); errors.Is(err, os.ErrNotExist) {
		// Without it, answers between pods of one bridge would not pass the service's translation.
		if err := command(ctx, "modprobe", "br_netfilter"); err != nil {
			return err
		}
	}
	h := host{Sysctls: map[string]string{}}
	for _, name := range sysctls {
		value, err := os.ReadFile("/proc/sys/" + name)
		if err != nil {
			return err
		}
		h.Sysctls[name] = strings.TrimSpace(string(value))
	}
	for _, dir := range shared {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			h.Absent = append(h.Absent, dir)
		}
	}
	if _, err := l.write(mustJSON(h), "host.json"); err != nil {
		return err
	}
	for _, name := range sysctls[:2] {
		if err := os.WriteFile("/proc/sys/"+name, []byte("1"), 0o644); err != nil {
			return err
		}
	}
	for _, dir := range cgroups() {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"link", "add", "name", bridge, "address", "02:6b:69:74:68:01", "type", "bridge"},
		{"link", "set", "dev", bridge, "alias", l.root},
		{"address", "add", hostAddress + "/24", "dev", bridge},
		{"link", "set", "dev", bridge, "up"},
	} {
		if err := command(ctx, "ip", args...); err != nil {
			return err
		}
	}
	return nil
}

// restoreHost removes what prepareHost and the components made, and goes on where something fails.
func restoreHost(ctx context.Context, l layout) error {
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	note(unmountBelow(l.run))
	note(removeCgroups(ctx))
	note(removeBridge(ctx))
	for _, family := range []string{"ip", "ip6"} {
		if exec.CommandContext(ctx, "nft", "list", "table", family, "kube-proxy").Run() == nil {
			note(command(ctx, "nft", "delete", "table", family, "kube-proxy"))
		}
	}
	var h host
	content, err := os.ReadFile(l.file("host.json"))
	if err == nil {
		err = json.Unmarshal(content, &h)
	}
	note(err)
	note(removeShared(l, h.Absent))
	for name, value := range h.Sysctls {
		note(os.WriteFile("/proc/sys/"+name, []byte(value), 0o644))
	}
	for _, dir := range h.Absent {
		note(prune(dir))
	}
	return errors.Join(problems...)
}

func command(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// mountPoints below a folder, deepest first, and the cgroup hierarchies.
func mountPoints(keep func(point, kind string) bool) ([]string, error) {
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var points []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 2 && keep(unescape(fields[1]), fields[2]) {
			points = append(points, unescape(fields[1]))
		}
	}
	slices.Reverse(points)
	return points, nil
}

// unescape undoes the octal escapes of /proc/mounts.
func unescape(path string) string {
	for _, c := range []string{" ", "\t", "\n", "\\"} {
		path = strings.ReplaceAll(path, fmt.Sprintf("\\%03o", c[0]), c)
	}
	return path
}

func unmountBelow(dir string) error {
	points, err := mountPoints(func(point, _ string) bool { return strings.HasPrefix(point, dir+"/") })
	if err != nil {
		return err
	}
	var problems []error
	for _, point := range points {
		if syscall.Unmount(point, 0) != nil {
			if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil {
				problems = append(problems, fmt.Errorf("unmounting %s: %w", point, err))
			}
		}
	}
	return errors.Join(problems...)
}

// cgroups are our cgroup in every hierarchy: one with cgroup v2, one for each controller with v1.
func cgroups() []string {
	points, err := mountPoints(func(_, kind string) bool { return kind == "cgroup" })
	if err != nil || len(points) == 0 {
		points = []string{"/sys/fs/cgroup"}
	}
	for i := range points {
		points[i] = filepath.Join(points[i], cgroup)
	}
	return points
}

// killCgroups kills every process of every pod, and nothing else: pods' processes cannot leave their cgroup.
func killCgroups() {
	for _, dir := range cgroups() {
		_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() != "cgroup.procs" {
				return nil //nolint:nilerr // a cgroup that has gone is what we want
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return nil //nolint:nilerr // as above
			}
			for _, field := range strings.Fields(string(content)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
			return nil
		})
	}
}

func removeCgroups(ctx context.Context) error {
	return await(ctx, "an end of all pods' processes", 10*time.Second, func(context.Context) error {
		killCgroups()
		var problems []error
		for _, dir := range cgroups() {
			var found []string
			_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					found = append(found, path)
				}
				return nil
			})
			for _, path := range slices.Backward(found) {
				if err := syscall.Rmdir(path); err != nil && !errors.Is(err, syscall.ENOENT) {
					problems = append(problems, fmt.Errorf("removing cgroup %s: %w", path, err))
				}
			}
		}
		return errors.Join(problems...)
	})
}

// removeBridge waits for the kernel to take the pods' interfaces along with their network namespaces.
func removeBridge(ctx context.Context) error {
	ports := "/sys/class/net/" + bridge + "/brif"
	if _, err := os.Stat(ports); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	wait := await(ctx, "a bridge without pods", 10*time.Second, func(context.Context) error {
		entries, err := os.ReadDir(ports)
		if err == nil && len(entries) > 0 {
			err = fmt.Errorf("%s is still part of it", entries[0].Name())
		}
		return err
	})
	return errors.Join(wait, command(ctx, "ip", "link", "delete", "dev", bridge))
}

// killShims ends the shims of our containerd, which are nobody's children by design.
func killShims(l layout) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		content, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err != nil {
			continue
		}
		args := strings.Split(string(content), "\x00")
		if strings.HasPrefix(filepath.Base(args[0]), "containerd-shim") && slices.Contains(args, l.containerdSocket()) {
			p := process{PID: pid, Start: startTime(pid)}
			_ = syscall.Kill(pid, syscall.SIGKILL)
			gone(p, 5*time.Second)
		}
	}
}

// removeShared removes our files from folders that belong to the system.
func removeShared(l layout, absent []string) error {
	var problems []error
	remove := func(paths []string) {
		for _, path := range paths {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				problems = append(problems, err)
			}
		}
	}
	bundles, _ := filepath.Glob(l.file("state", "io.containerd.runtime.v2.task", "k8s.io", "*", "address"))
	for _, file := range bundles {
		if address, err := os.ReadFile(file); err == nil {
			remove([]string{strings.TrimPrefix(strings.TrimSpace(string(address)), "unix://")})
		}
	}
	// CNI remembers every pod's two networks, ours and its loopback, with the network namespace below our folder.
	results, _ := filepath.Glob("/var/lib/cni/results/*")
	for _, file := range results {
		if content, err := os.ReadFile(file); err == nil && strings.Contains(string(content), l.run+"/") {
			remove([]string{file})
		}
	}
	if slices.Contains(absent, "/var/lib/kubelet") {
		// Whatever the kubelet's root is: where device plug-ins look for it is fixed.
		remove([]string{"/var/lib/kubelet/device-plugins/kubelet.sock"})
	}
	links, _ := filepath.Glob("/var/log/containers/*.log")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, l.run+"/") {
			remove([]string{link})
		}
	}
	return errors.Join(problems...)
}

// prune removes a folder that was not there before, unless somebody else has put something into it.
func prune(dir string) error {
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil && entry.IsDir() {
			found = append(found, path)
		}
		return err
	})
	for _, path := range slices.Backward(found) {
		_ = os.Remove(path) // fails where it is not empty, which is meant
	}
	return err
}
