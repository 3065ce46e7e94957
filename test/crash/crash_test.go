// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/ledger"
)

const root = "../.."

// kills is how many times a process is killed: a few by default, as many as KITH_KILLS says for a soak.
func kills(t *testing.T) int {
	t.Helper()
	s := os.Getenv("KITH_KILLS")
	if s == "" {
		return 6
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("KITH_KILLS=%q is no number", s)
	}
	return n
}

func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "kith")
	c := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/kith")
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build kith: %v\n%s", err, out)
	}
	return bin
}

// topics gives the forum year where it is, else the quickstart's invented forum.
func topics(t *testing.T) fs.FS {
	t.Helper()
	if dir := filepath.Join(root, "..", "shared", "data", "discourse-forum", "topics"); exists(dir) {
		return os.DirFS(dir)
	}
	z, err := zip.OpenReader(filepath.Join(root, "config", "samples", "quickstart", "forum.zip"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = z.Close() })
	out := fstest.MapFS{}
	err = fs.WalkDir(z, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(filepath.Base(path), "categories") {
			return err
		}
		raw, err := fs.ReadFile(z, path)
		out[filepath.Base(path)] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// retention is widened so that a forum of years ago is kept whole.
var retention = regexp.MustCompile(`(?m)^  privacy:$`)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// manifests are the quickstart's, with a live forum in the place of the archive.
func manifests(t *testing.T, url string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"behaviours.yaml", "community.yaml", "objectives.yaml"} {
		raw, err := os.ReadFile(filepath.Join(root, "config", "samples", "quickstart", name))
		if err != nil {
			t.Fatal(err)
		}
		raw = retention.ReplaceAll(raw, []byte("  privacy:\n    activityRetention: 7300d"))
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	channel := `apiVersion: kith.dev/v1alpha1
kind: Channel
metadata: {name: forum}
spec:
  communityRef: {name: quickstart}
  team: community
  platform: discourse
  url: ` + url + `
  since: all
  rooms: {questions: ["*"]}
`
	if err := os.WriteFile(filepath.Join(dir, "channel.yaml"), []byte(channel), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

type place struct{ bin, manifests, data string }

// apart are a hub and a connector in processes of their own.
type apart struct {
	place
	address, token string
}

func (a apart) hub(ctx context.Context) *exec.Cmd {
	return exec.CommandContext(ctx, a.bin, "hub", "-f", a.manifests, "--data-dir", a.data, "--listen", a.address, "--token-file", a.token)
}

func (a apart) connector(ctx context.Context) *exec.Cmd {
	return exec.CommandContext(ctx, a.bin, "connector", "-f", a.manifests, "--channel", "forum", "--hub", "http://"+a.address, "--token-file", a.token, "--exit-when-read")
}

func (p place) command(ctx context.Context) *exec.Cmd {
	return exec.CommandContext(ctx, p.bin, "run", "-f", p.manifests, "--data-dir", p.data, "--exit-when-read", "--listen", "")
}

// finish lets kith read to the end.
func (p place) finish(t *testing.T) {
	t.Helper()
	out, err := p.command(t.Context()).CombinedOutput()
	if err != nil {
		t.Fatalf("kith run: %v\n%s", err, out)
	}
}

// killed starts kith and kills it after a while; it reports whether kith had finished before.
func (p place) killed(t *testing.T, after time.Duration) (finished bool) {
	t.Helper()
	c := p.command(t.Context())
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("kith run: %v\n%s", err, out.String())
		}
		return true
	case <-time.After(after):
	}
	if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	return <-ended == nil // it may have finished just before
}

// dump opens the ledger, checks it against a rebuild, and gives its canonical copy.
func (p place) dump(t *testing.T) string {
	t.Helper()
	path := filepath.Join(p.data, "ledger.db")
	if !exists(path) {
		return "" // killed before there was one
	}
	secret, err := ledger.LoadOrMakeKey(filepath.Join(p.data, "identity.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ledger.NewKeys(secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), path, ledger.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	differences, err := hub.Check(t.Context(), l, 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		t.Errorf("after a kill, only in the %s: %.300s", d.Side, d.Line)
	}
	var b bytes.Buffer
	if err := errors.Join(l.Dump(t.Context(), &b, ledger.DumpOptions{}), l.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestKillingKithMovesNoTotal kills the whole process while it reads and while it processes what it has read. After each
// kill the ledger agrees with a rebuild; in the end its canonical copy is that of an undisturbed run.
func TestKillingKithMovesNoTotal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes for half a minute")
	}
	server, err := discoursetest.New(topics(t))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.Handler(server))
	defer web.Close()
	p := place{bin: build(t), manifests: manifests(t, web.URL), data: filepath.Join(t.TempDir(), "undisturbed")}
	start := time.Now()
	p.finish(t)
	took := time.Since(start)
	want := p.dump(t)
	if len(want) < 100_000 {
		t.Fatalf("the undisturbed run has a canonical copy of %d bytes: nothing was read", len(want))
	}
	t.Logf("undisturbed: %v, %d bytes of canonical copy", took, len(want))
	seed := uint64(time.Now().UnixNano()) // #nosec G115 -- any number will do
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1)) // #nosec G404 -- moments of a test
	done, ledgers := 0, 0
	for done < kills(t) {
		ledgers++
		p.data = filepath.Join(t.TempDir(), strconv.Itoa(ledgers))
		for done < kills(t) {
			// Moments lie within the first two thirds of a run, so that one ledger sees several.
			after := 20*time.Millisecond + time.Duration(random.Int64N(int64(took*2/3)))
			if p.killed(t, after) {
				break
			}
			done++
			p.dump(t)
		}
		p.finish(t)
		if got := p.dump(t); got != want {
			for _, d := range hub.Compare(strings.NewReader(want), strings.NewReader(got), 10) {
				t.Errorf("only %s: %.400s", map[string]string{"ledger": "undisturbed", "rebuilt": "after kills"}[d.Side], d.Line)
			}
			t.Fatal("kills moved the canonical copy")
		}
	}
	t.Logf("%d kills on %d ledgers", done, ledgers)
}

// started is a process that a test began and ends by its id.
type started struct {
	*exec.Cmd
	out   *bytes.Buffer
	ended chan error
}

func begin(t *testing.T, c *exec.Cmd) *started {
	t.Helper()
	s := &started{Cmd: c, out: &bytes.Buffer{}, ended: make(chan error, 1)}
	c.Stdout, c.Stderr = s.out, s.out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- c.Wait() }()
	return s
}

func (s *started) kill(t *testing.T) {
	t.Helper()
	if err := s.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	t.Logf("ended with: %v", <-s.ended)
}

// freeAddress is one that nobody listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

// settled waits until the hub has processed all history.
func (a apart) settled(t *testing.T) {
	t.Helper()
	for range 600 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			body, err := io.ReadAll(answer.Body)
			if err := errors.Join(err, answer.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if processed.Match(body) {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the hub did not finish processing history within a minute")
}

var processed = regexp.MustCompile(`(?m)^kith_ledger_history_state\{[^}]*state="complete"[^}]*\} 1$`)

// TestKillingHubOrConnectorMovesNoTotal kills the two halves one by one and together, while the other goes on.
func TestKillingHubOrConnectorMovesNoTotal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes for half a minute")
	}
	server, err := discoursetest.New(topics(t))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.Handler(server))
	defer web.Close()
	a := apart{place: place{bin: build(t), manifests: manifests(t, web.URL), data: filepath.Join(t.TempDir(), "undisturbed")}}
	a.finish(t)
	want := a.dump(t)
	a.token = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(a.token, []byte("a shared secret of this test alone\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.data, a.address = filepath.Join(t.TempDir(), "apart"), freeAddress(t)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2)) // #nosec G404,G115 -- moments of a test
	h, c := begin(t, a.hub(t.Context())), begin(t, a.connector(t.Context()))
	for i := range kills(t) {
		time.Sleep(50*time.Millisecond + time.Duration(random.Int64N(int64(1200*time.Millisecond))))
		which := i % 3
		if which != 1 { // the hub, or both
			h.kill(t)
		}
		if which != 0 { // the connector, or both
			c.kill(t)
		}
		if which != 1 {
			a.dump(t) // with the hub down its ledger is free; it agrees with a rebuild
			h = begin(t, a.hub(t.Context()))
		}
		if which != 0 {
			c = begin(t, a.connector(t.Context()))
		}
	}
	select {
	case err := <-c.ended:
		if err != nil {
			// It may have given up while the hub was gone: once more, with the hub up.
			c = begin(t, a.connector(t.Context()))
			if err := <-c.ended; err != nil {
				t.Fatalf("kith connector: %v\n%s", err, c.out)
			}
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("the connector did not finish:\n%s", c.out)
	}
	a.settled(t)
	h.kill(t)
	if got := a.dump(t); got != want {
		for _, d := range hub.Compare(strings.NewReader(want), strings.NewReader(got), 10) {
			t.Errorf("only %s: %.400s", map[string]string{"ledger": "undisturbed", "rebuilt": "after kills"}[d.Side], d.Line)
		}
		t.Fatal("kills moved the canonical copy")
	}
}
