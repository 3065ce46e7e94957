// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/kith-dev/kith/config/library"
)

// world is everything that the test brings up.
type world struct {
	*cluster
	dir   string // .cache/e2e: what is made, and what is left of a failure
	forum *forum
	prom  *prometheus
	life  *life
	// began is when the Community was declared.
	began time.Time
	// key is the API key that the forum takes and the Secret holds.
	key string
	// rise is how far each community counter rose in Prometheus.
	rise map[string]float64
	// keep leaves the cluster up; down is held while it is taken down.
	keep bool
	down sync.Mutex
}

// image is one version of Kith.
type image struct{ name, version string }

func version(n int) image {
	v := fmt.Sprintf("e2e-%d", n)
	return image{name: "localhost/kith:" + v, version: v}
}

// newWorld prepares a world that is taken down with the test. With KITH_E2E_KEEP=1 its cluster stays, and is used again.
func newWorld(t *testing.T) *world {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{dir: filepath.Join(root, ".cache", "e2e"), key: "key-1"}
	for _, old := range []string{"failure", "prometheus"} {
		if err := os.RemoveAll(filepath.Join(w.dir, old)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(w.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if w.cluster, err = newCluster(t.Context(), root, w.dir); err != nil {
		t.Fatal(err)
	}
	w.keep = os.Getenv("KITH_E2E_KEEP") != ""
	if !w.keep && w.isUp(t.Context()) {
		t.Fatal("a cluster is up already; take it down first (make cluster-down), or set KITH_E2E_KEEP=1 to use it and keep it")
	}
	t.Cleanup(func() {
		if t.Failed() {
			w.collect(t)
		}
		if err := w.takeDown(); err != nil {
			t.Error(err)
		}
	})
	w.endOnSignal(t)
	return w
}

// takeDown leaves nothing behind, where it may.
func (w *world) takeDown() error {
	w.down.Lock()
	defer w.down.Unlock()
	if w.prom != nil {
		w.prom.stop()
	}
	if w.keep {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	_, err := w.do(ctx, "down")
	return err
}

// endOnSignal takes everything down when somebody interrupts the test: Go would end it without its clean-up.
func (w *world) endOnSignal(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		select {
		case <-ended:
		case s := <-signals:
			fmt.Fprintf(os.Stderr, "%s: taking everything down\n", s)
			if err := w.takeDown(); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			os.Exit(1)
		}
	}()
	t.Cleanup(func() {
		signal.Stop(signals)
		close(ended)
	})
}

func (w *world) bringUp(t *testing.T) {
	if w.isUp(t.Context()) {
		t.Log("the cluster of last time is used again, without what was installed and declared")
		w.must(t, "delete", "namespace", "--ignore-not-found", operatorNamespace, namespace, alone, monitoringNamespace)
		return
	}
	out, err := w.do(t.Context(), "up")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out)
}

// loadImage builds a version of Kith and gives it to the node.
func (w *world) loadImage(t *testing.T, i image) {
	t.Helper()
	archive := filepath.Join(w.dir, i.version+".tar")
	out, err := command(t.Context(), w.root, filepath.Join("hack", "image", "build.sh"), i.name, i.version, archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.load(t.Context(), archive); err != nil {
		t.Fatal(err)
	}
	size, err := os.Stat(archive)
	if err != nil {
		t.Fatal(err)
	}
	if size.Size() > 60<<20 {
		t.Errorf("the image takes %d bytes, more than 60 MiB", size.Size())
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	t.Log(lines[len(lines)-1])
}

// install applies what `make manifests` writes for a version.
func (w *world) install(t *testing.T, i image) {
	t.Helper()
	file := filepath.Join(w.dir, "install.yaml")
	if _, err := command(t.Context(), w.root, filepath.Join("hack", "manifests.sh"), "default", file, i.name); err != nil {
		t.Fatal(err)
	}
	w.must(t, "apply", "--server-side", "-f", file)
	w.wait(t, time.Minute, "condition=Established", "crd", "communities.kith.dev", "channels.kith.dev", "behaviours.kith.dev", "objectives.kith.dev")
	w.must(t, "rollout", "status", "-n", operatorNamespace, "deployment/kith-operator", "--timeout=2m")
}

// counts are the objectives that count a behaviour: each comes to a figure that is counted independently.
var counts = map[string]string{
	"answered": "answered", "helped": "helped", "solved": "solved",
	"solved-by-asker": "solved-by-asker", "solved-by-others": "solved-by-member",
}

// declare applies what a platform team would.
func (w *world) declare(t *testing.T) {
	t.Helper()
	w.began = time.Now()
	w.apply(t, w.manifest(t, "namespace"))
	for _, name := range []string{"secret", "community", "channel", "behaviours", "objectives"} {
		w.apply(t, w.manifest(t, name))
	}
	w.apply(t, ready(t))
}

// manifest fills in a file of testdata.
func (w *world) manifest(t *testing.T, name string) []byte {
	t.Helper()
	tmpl, err := template.ParseFiles(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := tmpl.Execute(&out, map[string]any{"ForumURL": w.forum.url, "APIKey": w.key, "APIUser": apiUser, "Counts": counts}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// ready are the ready-made behaviours, for this community.
func ready(t *testing.T) []byte {
	t.Helper()
	files, err := library.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, f := range files {
		text, err := library.Files.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for from, to := range map[string]string{
			"communityRef: {name: " + library.Community + "}": "communityRef: {name: " + community + "}",
			"metadata:\n": "metadata:\n  namespace: " + namespace + "\n",
		} {
			if !bytes.Contains(text, []byte(from)) {
				t.Fatalf("config/library/%s has no %q", f.Name(), from)
			}
			text = bytes.Replace(text, []byte(from), []byte(to), 1)
		}
		all.WriteString("---\n")
		all.Write(text)
	}
	return all.Bytes()
}

// kinds are all of Kith's.
const kinds = "communities,channels,behaviours,objectives"

// allReady waits as a person would.
func (w *world) allReady(t *testing.T, patience time.Duration) {
	t.Helper()
	w.wait(t, patience, "condition=Ready", "-n", namespace, "--all", kinds)
}

// caughtUp waits until the channel has been read to a moment from now on, and Prometheus has seen that.
func (w *world) caughtUp(t *testing.T, patience time.Duration) {
	t.Helper()
	now := time.Now().Unix()
	eventually(t, "everything up to now has been read", patience, func(ctx context.Context) error {
		through, err := w.prom.number(ctx, fmt.Sprintf(`kith_ledger_watermark_timestamp_seconds{namespace=%q,channel=%q}`, namespace, channel))
		if err == nil && through < float64(now) {
			err = fmt.Errorf("read through %s", time.Unix(int64(through), 0).UTC().Format(time.TimeOnly))
		}
		return err
	})
}

// collect keeps what a person needs who was not there.
func (w *world) collect(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	into := filepath.Join(w.dir, "failure")
	if err := os.MkdirAll(into, 0o750); err != nil {
		t.Error(err)
		return
	}
	save := func(name string, args ...string) {
		out, err := w.kubectl(ctx, args...)
		if err != nil {
			out += "\n" + err.Error()
		}
		if err := os.WriteFile(filepath.Join(into, name), []byte(out), 0o600); err != nil {
			t.Error(err)
		}
	}
	save("resources.yaml", "get", "-A", "-o", "yaml", kinds)
	save("overview.txt", "get", "-A", "-o", "wide", kinds+",deployments,pods,pvc,services,configmaps,leases")
	save("pods.txt", "describe", "-A", "pods")
	save("events.txt", "get", "-A", "events", "--sort-by=.lastTimestamp")
	for ns, selectors := range map[string][]string{operatorNamespace: {operatorPods}, namespace: {hubPods, connectorPods}} {
		for _, selector := range selectors {
			name := selector[strings.LastIndexByte(selector, '=')+1:]
			save(name+".log", "logs", "-n", ns, "-l", selector, "--tail=-1", "--timestamps", "--prefix")
			save(name+"-before.log", "logs", "-n", ns, "-l", selector, "--tail=-1", "--timestamps", "--prefix", "--previous")
		}
	}
	if err := os.CopyFS(filepath.Join(into, "cluster"), os.DirFS(w.file("run", "logs"))); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	t.Logf("what is known of the failure lies in %s", into)
}
