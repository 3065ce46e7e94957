// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
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

const hostFile = "host.json"

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
	if filters(ctx) {
		return errors.New("iptables has kube-router's chains: this machine is a Kubernetes node already")
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
	// The bridge is the lock: only one can make it, and only who made it has a host.json and may undo what follows.
	if err := command(ctx, "ip", "link", "add", "name", bridge, "address", "02:6b:69:74:68:01", "type", "bridge"); err != nil {
		return err
	}
	if _, err := l.write(mustJSON(h), hostFile); err != nil {
		return errors.Join(err, command(ctx, "ip", "link", "delete", "dev", bridge))
	}
	if err := acceptForwarding(ctx); err != nil {
		return err
	}
	for _, name := range sysctls[:2] {
		if err := os.WriteFile("/proc/sys/"+name, []byte("1"), 0o644); err != nil {
			return err
		}
	}
	if err := makeCgroups(l); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"link", "set", "dev", bridge, "alias", l.root},
		{"address", "add", hostAddress + "/24", "dev", bridge},
		{"link", "set", "dev", bridge, "up"},
		// Services are nowhere: without a route to them this machine could not reach them, or would ask its gateway.
		{"route", "add", services, "dev", bridge},
	} {
		if err := command(ctx, "ip", args...); err != nil {
			return err
		}
	}
	return nil
}

// readHost reads what prepareHost wrote; os.ErrNotExist says that this checkout has changed nothing on the machine.
func readHost(l layout) (host, error) {
	var h host
	content, err := os.ReadFile(l.file(hostFile))
	if err == nil {
		err = json.Unmarshal(content, &h)
	}
	return h, err
}

// restoreHost removes what prepareHost and the components made, and goes on where something fails.
func restoreHost(ctx context.Context, l layout, h host) error {
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	note(unmountBelow(l.run))
	note(removeCgroups(ctx, l))
	note(removeBridge(ctx))
	note(removeRule(ctx, forwarding...))
	note(removeFilters(ctx, l))
	for _, family := range []string{"ip", "ip6"} {
		note(removeTable(ctx, family, "kube-proxy"))
	}
	note(removeShared(l, h.Absent))
	for name, value := range h.Sysctls {
		note(os.WriteFile("/proc/sys/"+name, []byte(value), 0o644))
	}
	for _, dir := range h.Absent {
		note(prune(dir))
	}
	return errors.Join(problems...)
}

// forwarding lets pods speak with each other where a firewall forwards nothing by itself, as Docker sets it.
var forwarding = []string{"FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT", "-m", "comment", "--comment", "kith-cluster"}

func acceptForwarding(ctx context.Context) error {
	if _, err := exec.LookPath("iptables"); err != nil {
		return nil //nolint:nilerr // without iptables nobody has set such a policy with it
	}
	policy, err := exec.CommandContext(ctx, "iptables", "-w", "-S", "FORWARD").Output()
	if err != nil || !strings.HasPrefix(string(policy), "-P FORWARD DROP") {
		return nil //nolint:nilerr // iptables is installed and unusable: it filters nothing either
	}
	return command(ctx, "iptables", append([]string{"-w", "-I"}, forwarding...)...)
}

// removeRule removes a rule of iptables, which begins with its chain.
func removeRule(ctx context.Context, rule ...string) error {
	if exec.CommandContext(ctx, "iptables", append([]string{"-w", "-C"}, rule...)...).Run() != nil {
		return nil // there is no such rule, or no iptables
	}
	return command(ctx, "iptables", append([]string{"-w", "-D"}, rule...)...)
}

// removeTable removes a table of nftables.
func removeTable(ctx context.Context, family, name string) error {
	if exec.CommandContext(ctx, "nft", "list", "table", family, name).Run() != nil {
		return nil // there is none
	}
	return command(ctx, "nft", "delete", "table", family, name)
}

// filters is whether there are chains that netpol, or another kube-router, has made.
func filters(ctx context.Context) bool {
	return exec.CommandContext(ctx, "iptables", "-w", "-S", "KUBE-ROUTER-FORWARD").Run() == nil
}

// removeFilters removes what netpol made of NetworkPolicies.
func removeFilters(ctx context.Context, l layout) error {
	if !filters(ctx) {
		return nil // it never ran
	}
	// It only logs what it could not remove.
	problems := []error{command(ctx, l.bin("netpol"), "cleanup")}
	if filters(ctx) {
		problems = append(problems, errors.New("iptables still has kube-router's chains"))
	}
	for _, chain := range []string{"INPUT", "FORWARD", "OUTPUT"} {
		// What has no chain of its own is left by it.
		problems = append(problems, removeRule(ctx, chain, "-m", "comment", "--comment",
			"KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies", "-m", "mark", "--mark", "0x20000/0x20000", "-j", "ACCEPT"))
	}
	for program, family := range map[string]string{"iptables": "ip", "ip6tables": "ip6"} {
		rules, err := exec.CommandContext(ctx, program, "-w", "-S").Output()
		if err == nil && string(rules) == "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n" {
			// A table without a rule is as good as none. Where iptables is the old one, there is none of nftables'.
			problems = append(problems, removeTable(ctx, family, "filter"))
		}
	}
	return errors.Join(problems...)
}

func command(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
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
		content, err := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
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
