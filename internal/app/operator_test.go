// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kith-dev/kith/internal/testing/builders"
	"github.com/kith-dev/kith/internal/testing/envtest"
)

func TestMain(m *testing.M) { os.Exit(envtest.Run(m)) }

// kubeconfig writes how to reach the API server of the tests into a file.
func kubeconfig(t *testing.T) string {
	t.Helper()
	cfg := envtest.Start(t)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"test": {Server: cfg.Host, CertificateAuthorityData: cfg.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"test": {
			ClientCertificateData: cfg.CertData, ClientKeyData: cfg.KeyData, Token: cfg.BearerToken,
		}},
		Contexts: map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: "test"}}, CurrentContext: "test",
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// free is a loopback address where nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// lines is a log that several goroutines write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// works waits until the operator has looked at a Community: one that ends before it has begun has reason to complain.
func works(t *testing.T, namespace string) {
	t.Helper()
	c := envtest.Client(t)
	community := builders.MakeCommunity("acme").Namespace(namespace).Obj()
	if err := c.Create(t.Context(), community); err != nil {
		t.Fatal(err)
	}
	envtest.Eventually(t, time.Minute, func() string {
		if err := c.Get(t.Context(), ctrlclient.ObjectKeyFromObject(community), community); err != nil {
			return err.Error()
		}
		if len(community.Status.Conditions) == 0 {
			return "nobody looks at a Community"
		}
		return ""
	})
}

func TestOperatorRunsAndEndsInGoodOrder(t *testing.T) {
	t.Setenv("KUBECONFIG", kubeconfig(t))
	namespace := envtest.Namespace(t, envtest.Client(t))
	var out lines
	log, err := NewLog(&out, LogJSON, 0)
	if err != nil {
		t.Fatal(err)
	}
	o := OperatorFromEnvironment()
	o.Image, o.Namespace, o.ServiceAccount, o.Namespaces = "kith:test", namespace, "kith-operator", []string{namespace}
	o.MetricsListen, o.HealthListen, o.PprofListen = free(t), free(t), free(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- Operator(ctx, Stdio{Log: log}, o) }()

	for address, want := range map[string]string{
		"http://" + o.HealthListen + "/readyz": "ok", "http://" + o.HealthListen + "/healthz": "ok",
		"http://" + o.MetricsListen + "/metrics":    "kith_build_info{",
		"http://" + o.PprofListen + "/debug/pprof/": "goroutine",
	} {
		envtest.Eventually(t, time.Minute, func() string {
			resp, err := http.Get(address) //nolint:noctx // Its end is the loop's.
			if err != nil {
				return err.Error()
			}
			defer resp.Body.Close()
			document, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(document), want) {
				return fmt.Sprintf("%s answers without %q", address, want)
			}
			return ""
		})
	}
	works(t, namespace)
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	for line := range strings.Lines(out.b.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
		if strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("an error without a reason: %s", line)
		}
	}
	if !strings.Contains(out.b.String(), "Successfully acquired lease") {
		t.Errorf("what the client library logs is not in the log:\n%s", out.b.String())
	}
}

func TestOperatorSaysWhatItNeeds(t *testing.T) {
	complete := OperatorFromEnvironment()
	complete.Image, complete.Namespace, complete.ServiceAccount = "kith:test", "kith-system", "kith-operator"
	for name, tc := range map[string]struct {
		change func(*OperatorOptions)
		says   string
	}{
		"no image":       {func(o *OperatorOptions) { o.Image = "" }, "--image"},
		"no namespace":   {func(o *OperatorOptions) { o.Namespace = "" }, "--operator-namespace"},
		"no account":     {func(o *OperatorOptions) { o.ServiceAccount = "" }, "--service-account"},
		"an access mode": {func(o *OperatorOptions) { o.LedgerAccessMode = "ReadWriteMany" }, "--ledger-access-mode"},
		"no calls":       {func(o *OperatorOptions) { o.QPS = 0 }, "--kube-api-qps"},
		"no pause":       {func(o *OperatorOptions) { o.PollInterval = 0 }, "--poll-interval"},
	} {
		t.Run(name, func(t *testing.T) {
			o := complete
			tc.change(&o)
			if err := Operator(t.Context(), Stdio{}, o); ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want an error of usage about %s", err, tc.says)
			}
		})
	}
}
