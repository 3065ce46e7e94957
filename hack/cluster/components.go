// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// component is one supervised process.
type component struct {
	name     string
	command  func(l layout) []string
	env      []string
	patience time.Duration // between asking it to end and ending it
	ready    func(ctx context.Context, l layout) error
}

// components in the order in which they start; they stop in the opposite one.
var components = []component{
	{name: "etcd", command: etcdCommand, patience: 5 * time.Second},
	{name: "apiserver", command: apiserverCommand, patience: 5 * time.Second, ready: apiReady},
	{name: "controller-manager", command: controllerManagerCommand, patience: 5 * time.Second, ready: answers("https://127.0.0.1:10257/healthz")},
	{name: "scheduler", command: schedulerCommand, patience: 5 * time.Second, ready: answers("https://127.0.0.1:10259/healthz")},
	{name: "containerd", command: containerdCommand, patience: 10 * time.Second, ready: containerdReady},
	{name: "kubelet", command: kubeletCommand, patience: 10 * time.Second, ready: kubeletReady},
	{name: "kube-proxy", command: proxyCommand, patience: 5 * time.Second, ready: answers("http://127.0.0.1:10256/healthz")},
	{name: "netpol", command: netpolCommand, patience: 5 * time.Second, ready: policiesEnforced},
	{name: "coredns", command: corednsCommand, patience: 5 * time.Second, ready: answers("http://127.0.0.1:18181/ready")},
	{name: "provisioner", command: provisionerCommand, patience: 5 * time.Second},
}

func componentNames() []string {
	var names []string
	for _, c := range components {
		names = append(names, c.name)
	}
	return names
}

func findComponent(name string) (component, error) {
	for _, c := range components {
		if c.name == name {
			return c, nil
		}
	}
	return component{}, fmt.Errorf("no component is called %q: there are %s", name, strings.Join(componentNames(), ", "))
}

func (c component) start(l layout) error { return l.spawn(c.name, c.command(l), c.env...) }

func stopComponent(l layout, name string) error {
	c, err := findComponent(name)
	if err != nil {
		return err
	}
	if _, ok := l.running(name); !ok {
		return fmt.Errorf("%s does not run", name)
	}
	return l.terminate(name, c.patience)
}

// startComponent starts one and waits until it is of use again.
func startComponent(ctx context.Context, l layout, name string) error {
	c, err := findComponent(name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(l.run); errors.Is(err, os.ErrNotExist) {
		return errors.New("no cluster is up here: make cluster-up")
	}
	if err := c.start(l); err != nil {
		return err
	}
	return c.await(ctx, l)
}

// await waits until a component is ready, or has ended.
func (c component) await(ctx context.Context, l layout) error {
	err := await(ctx, "its readiness", 2*time.Minute, func(ctx context.Context) error {
		if _, ok := l.running(c.name); !ok {
			return errEnded
		}
		if c.ready == nil {
			return nil
		}
		return c.ready(ctx, l)
	})
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", c.name, err, l.tail(c.name))
	}
	return nil
}

func apiReady(ctx context.Context, l layout) error {
	a, err := newAPI(l, "admin")
	if err != nil {
		return err
	}
	return a.do(ctx, "GET", "/readyz", "", nil, nil)
}

func containerdReady(ctx context.Context, l layout) error {
	_, err := ctr(ctx, l, "version")
	return err
}

// answers asks a component's own health page. The certificates there are the components' own, and nothing is sent.
func answers(url string) func(context.Context, layout) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	return func(ctx context.Context, _ layout) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		return nil
	}
}

// kubeletReady does not trust the node's status alone, which outlives its kubelet for a while: the kubelet must also know
// its pods again.
func kubeletReady(ctx context.Context, l layout) error {
	if err := answers("http://127.0.0.1:10248/healthz")(ctx, l); err != nil {
		return err
	}
	if err := nodeReady(ctx, l); err != nil {
		return err
	}
	a, err := newAPI(l, "admin")
	if err != nil {
		return err
	}
	var wanted, known struct{ Items []any }
	if err := errors.Join(
		a.get(ctx, "/api/v1/pods?fieldSelector=spec.nodeName="+nodeName, &wanted),
		a.get(ctx, "/api/v1/nodes/"+nodeName+"/proxy/pods", &known),
	); err != nil {
		return err
	}
	if len(known.Items) < len(wanted.Items) {
		return fmt.Errorf("the kubelet knows %d of its %d pods", len(known.Items), len(wanted.Items))
	}
	return nil
}

func nodeReady(ctx context.Context, l layout) error {
	a, err := newAPI(l, "admin")
	if err != nil {
		return err
	}
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := a.get(ctx, "/api/v1/nodes/"+nodeName, &node); err != nil {
		return err
	}
	for _, c := range node.Status.Conditions {
		if c.Type == "Ready" {
			if c.Status == "True" {
				return nil
			}
			return fmt.Errorf("node %s is not ready: %s", nodeName, c.Message)
		}
	}
	return fmt.Errorf("node %s has no condition Ready yet", nodeName)
}

// writeConfigs writes every configuration file that the commands below name.
func writeConfigs(l layout) error {
	for name, content := range map[string][]byte{
		"containerd.toml":   containerdConfig(l),
		"cni/kith.conflist": cniConfig(l),
		"kubelet.yaml":      kubeletConfig(l),
		"kube-proxy.yaml":   proxyConfig(l),
		"Corefile":          corefile(l),
	} {
		if _, err := l.write(content, name); err != nil {
			return err
		}
	}
	return nil
}

func etcdCommand(l layout) []string {
	return []string{
		l.bin("etcd"), "--name=" + nodeName, "--data-dir=" + l.file("etcd"),
		"--listen-client-urls=http://" + etcdAddress, "--advertise-client-urls=http://" + etcdAddress,
		"--listen-peer-urls=http://" + etcdPeers, "--initial-advertise-peer-urls=http://" + etcdPeers,
		"--initial-cluster=" + nodeName + "=http://" + etcdPeers,
		// Nothing here outlives the machine, so nothing waits for its disk.
		"--unsafe-no-fsync", "--log-level=warn",
	}
}

func apiserverCommand(l layout) []string {
	return []string{
		l.bin("kube-apiserver"),
		"--etcd-servers=http://" + etcdAddress,
		"--bind-address=" + hostAddress, "--advertise-address=" + hostAddress, "--secure-port=6443",
		"--cert-dir=" + l.file("pki"), "--tls-cert-file=" + l.pki("apiserver.crt"), "--tls-private-key-file=" + l.pki("apiserver.key"),
		"--client-ca-file=" + l.pki("ca.crt"),
		"--kubelet-client-certificate=" + l.pki("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + l.pki("apiserver-kubelet-client.key"),
		"--kubelet-certificate-authority=" + l.pki("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
		"--service-cluster-ip-range=" + services,
		"--service-account-issuer=https://kubernetes.default.svc." + domain,
		"--service-account-key-file=" + l.pki("tokens.key"), "--service-account-signing-key-file=" + l.pki("tokens.key"),
	}
}

func controllerManagerCommand(l layout) []string {
	return []string{
		l.bin("kube-controller-manager"), "--kubeconfig=" + l.config("controller-manager"),
		"--bind-address=127.0.0.1", "--leader-elect=false", "--use-service-account-credentials",
		"--cert-dir=" + l.file("pki", "controller-manager"),
		"--flex-volume-plugin-dir=" + l.file("flex"),
		"--root-ca-file=" + l.pki("ca.crt"), "--service-account-private-key-file=" + l.pki("tokens.key"),
		"--cluster-signing-cert-file=" + l.pki("ca.crt"), "--cluster-signing-key-file=" + l.pki("ca.key"),
	}
}

func schedulerCommand(l layout) []string {
	return []string{
		l.bin("kube-scheduler"), "--kubeconfig=" + l.config("scheduler"), "--bind-address=127.0.0.1", "--leader-elect=false",
		"--cert-dir=" + l.file("pki", "scheduler"),
	}
}

func containerdCommand(l layout) []string {
	return []string{"containerd", "--config", l.file("containerd.toml")}
}

// containerdConfig keeps containerd's own folders apart from the system's. The optional plug-ins that are disabled would
// create folders elsewhere or complain about file systems that are not there.
func containerdConfig(l layout) []byte {
	return fmt.Appendf(nil, `version = 2
root = %q
state = %q
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = %q

[debug]
  address = %q

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  # The kernel refuses lower values than the parent's where this machine is itself a container.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = %q
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %q
    conf_dir = %q
`, l.file("containerd"), l.file("state"), l.containerdSocket(), l.file("debug.sock"), pauseImage, l.file("runc"), cniFolder(), l.file("cni"))
}

// cniConfig connects pods to our bridge and to nothing else: without masquerading they reach the cluster and the host.
func cniConfig(l layout) []byte {
	return mustJSON(map[string]any{
		"cniVersion": "1.0.0",
		"name":       "kith-cluster",
		"plugins": []any{map[string]any{
			"type": "bridge", "bridge": bridge, "isGateway": true, "isDefaultGateway": true, "hairpinMode": true, "ipMasq": false,
			"ipam": map[string]any{
				"type": "host-local", "ranges": []any{[]any{map[string]any{"subnet": podRange, "gateway": hostAddress}}},
				"dataDir": l.file("ipam"),
			},
		}},
	})
}

func kubeletCommand(l layout) []string {
	return []string{
		l.bin("kubelet"), "--config=" + l.file("kubelet.yaml"), "--kubeconfig=" + l.config("kubelet"),
		"--root-dir=" + l.file("kubelet"), "--cert-dir=" + l.file("pki", "kubelet"),
		"--hostname-override=" + nodeName, "--node-ip=" + hostAddress,
	}
}

func kubeletConfig(l layout) []byte {
	return mustJSON(map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"address":                  hostAddress,
		"containerRuntimeEndpoint": "unix://" + l.containerdSocket(),
		"cgroupDriver":             "cgroupfs", "failCgroupV1": false, "cgroupRoot": "/" + l.cgroup(),
		"clusterDNS": []string{hostAddress}, "clusterDomain": domain,
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false}, "webhook": map[string]any{"enabled": true},
			"x509": map[string]any{"clientCAFile": l.pki("ca.crt")},
		},
		"authorization": map[string]any{"mode": "Webhook"},
		"tlsCertFile":   l.pki("kubelet.crt"), "tlsPrivateKeyFile": l.pki("kubelet.key"),
		// How long a changed Secret takes to reach its files, at most.
		"syncFrequency": "10s",
		// Images come by `load` only: collecting them would lose them.
		"imageGCHighThresholdPercent": 100,
		"evictionHard": map[string]string{
			"memory.available": "100Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%", "imagefs.available": "1%",
		},
		"makeIPTablesUtilChains": false, "oomScoreAdj": 0,
		"podLogsDir": l.file("podlogs"), "volumePluginDir": l.file("kubelet", "volume-plugins"),
	})
}

func proxyCommand(l layout) []string {
	return []string{l.bin("kube-proxy"), "--config=" + l.file("kube-proxy.yaml")}
}

func proxyConfig(l layout) []byte {
	return mustJSON(map[string]any{
		"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
		"mode": "nftables", "hostnameOverride": nodeName, "clusterCIDR": podRange, "oomScoreAdj": 0,
		"clientConnection":   map[string]any{"kubeconfig": l.config("kube-proxy")},
		"conntrack":          map[string]any{"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
		"healthzBindAddress": "127.0.0.1:10256", "metricsBindAddress": "127.0.0.1:10249",
		"nodePortAddresses": []string{podRange},
	})
}

func netpolCommand(l layout) []string {
	return []string{l.bin("netpol"), "-kubeconfig=" + l.config("netpol"), "-node=" + nodeName, "-services=" + services}
}

// policiesEnforced looks for the last of what is made before the first pod is filtered.
func policiesEnforced(ctx context.Context, _ layout) error {
	return command(ctx, "iptables", "-w", "-S", "KUBE-NWPLCY-DEFAULT")
}

func corednsCommand(l layout) []string {
	return []string{l.bin("coredns"), "-conf", l.file("Corefile")}
}

func corefile(l layout) []byte {
	return fmt.Appendf(nil, `.:53 {
    bind %[1]s
    errors
    ready 127.0.0.1:18181
    hosts {
        %[1]s %[2]s
        ttl 5
        fallthrough
    }
    kubernetes %[3]s in-addr.arpa {
        kubeconfig %[4]s kith
        pods insecure
        ttl 5
    }
    cache 5
}
`, hostAddress, hostName, domain, l.config("coredns"))
}

func provisionerCommand(layout) []string {
	self, err := os.Executable()
	if err != nil {
		// Only where /proc is not mounted, and there no container runs either.
		self = os.Args[0]
	}
	return []string{self, "provision"}
}

// isRoot says whether this may do what `up` and `down` do.
func isRoot() bool { return syscall.Geteuid() == 0 }
