// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package resources

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/kith-dev/kith/internal/testing/envtest"
)

// home is where kubectl keeps what it has learnt about the server, for all tests.
var home string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctrl.SetLogger(logr.Discard())
	var err error
	if home, err = os.MkdirTemp("", "kith-resources-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(home) }() // a folder for temporary files is emptied anyway
	return envtest.Run(m)
}

// assets is the folder of the real binaries.
var assets = sync.OnceValues(func() (string, error) {
	// Building them may take longer than the test that asks first.
	return envtest.Assets(context.Background())
})

// kubeconfig writes how to reach the server as the caller of a configuration.
func kubeconfig(t *testing.T, cfg *rest.Config) string {
	t.Helper()
	const name = "envtest"
	config := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: cfg.Host, CertificateAuthorityData: cfg.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {ClientCertificateData: cfg.CertData, ClientKeyData: cfg.KeyData}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// kubectl is one that works in a namespace.
type kubectl struct {
	t                         *testing.T
	binary, config, namespace string
}

func newKubectl(t *testing.T, namespace string) *kubectl {
	t.Helper()
	cfg := envtest.Start(t)
	dir, err := assets()
	if err != nil {
		t.Fatal(err)
	}
	return &kubectl{t, filepath.Join(dir, "kubectl"), kubeconfig(t, cfg), namespace}
}

// try runs a command, and gives what it says on both streams and whether it succeeded.
func (k *kubectl) try(args ...string) (out string, ok bool) {
	return k.tryWith("", args...)
}

func (k *kubectl) tryWith(stdin string, args ...string) (out string, ok bool) {
	k.t.Helper()
	// Cleaning up comes after the context of the test has ended.
	cmd := exec.CommandContext(context.WithoutCancel(k.t.Context()), k.binary, append([]string{"--namespace", k.namespace}, args...)...)
	cmd.Env = []string{"HOME=" + home, "KUBECONFIG=" + k.config}
	cmd.Stdin = strings.NewReader(stdin)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		k.t.Fatalf("run %s: %v", k.binary, err)
	}
	return both.String(), err == nil
}

// must runs a command that has to succeed.
func (k *kubectl) must(args ...string) string {
	k.t.Helper()
	out, ok := k.try(args...)
	if !ok {
		k.t.Fatalf("kubectl %s: %s", strings.Join(args, " "), out)
	}
	return out
}

// apply applies a file of testdata.
func (k *kubectl) apply(files ...string) {
	k.t.Helper()
	for _, file := range files {
		k.must("apply", "-f", filepath.Join("testdata", file))
	}
}

// applyText applies a manifest that a test has made.
func (k *kubectl) applyText(manifest string) {
	k.t.Helper()
	if out, ok := k.tryWith(manifest, "apply", "-f", "-"); !ok {
		k.t.Fatal(out)
	}
}

// says checks that a text has all of these words.
func says(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("it does not say %q: %s", w, text)
		}
	}
}
