// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package envtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/kith-dev/kith/api/v1alpha1"
)

// shared is the server of this test binary.
var shared struct {
	sync.Mutex
	inside bool // Run
	env    *envtest.Environment
	err    error
}

// Run runs a package's tests and stops the server afterwards, if a test has started it:
//
//	func TestMain(m *testing.M) { os.Exit(envtest.Run(m)) }
func Run(m *testing.M) int {
	shared.Lock()
	shared.inside = true
	shared.Unlock()
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.env == nil {
		return code
	}
	if err := shared.env.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the API server of the tests:", err)
		return max(code, 1)
	}
	return code
}

// Start returns how to reach the API server, as a cluster administrator. The first call starts it, and it stays until
// Run returns. The caller may change its copy. With -short the test is skipped.
func Start(t testing.TB) *rest.Config {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real API server, which -short leaves out")
	}
	shared.Lock()
	defer shared.Unlock()
	if !shared.inside {
		t.Fatal("call envtest.Run in TestMain: without it nobody would stop the API server")
	}
	if shared.env == nil && shared.err == nil {
		shared.env, shared.err = start(t.Context())
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return rest.CopyConfig(shared.env.Config)
}

func start(ctx context.Context) (*envtest.Environment, error) {
	assets, err := Assets(ctx)
	if err != nil {
		return nil, err
	}
	root, err := checkout()
	if err != nil {
		return nil, err
	}
	env := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{filepath.Join(root, "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	if _, err := env.Start(); err != nil {
		return nil, fmt.Errorf("start the API server of %s: %w", assets, err)
	}
	return env, nil
}

// Client reads and writes without a cache. It knows Kith's kinds and the built-in ones, as controllers.Scheme does, which
// would close a circle of imports for the tests in controllers.
func Client(t testing.TB) client.Client {
	t.Helper()
	config := Start(t)
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var notInNames = regexp.MustCompile("[^a-z0-9]+")

// Namespace makes a namespace for one test. It stays: without a controller manager nothing would empty it.
func Namespace(t testing.TB, c client.Client) string {
	t.Helper()
	prefix := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(t.Name()), "-"), "-")
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix[:min(len(prefix), 40)] + "-"}}
	if err := c.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	return ns.Name
}
