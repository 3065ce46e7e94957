// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"k8s.io/client-go/util/cert"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/hack/bench/process"
	"github.com/kith-dev/kith/internal/blueprint"
	"github.com/kith-dev/kith/internal/delivery"
)

// shared is how many channels the connector of a community with placement Shared is measured with.
const shared = 200

// settle is how long processes are left alone before they are measured: several polls of each channel.
var settle = 3 * time.Minute

// footprint measures the memory that idle processes hold for themselves, as they run in pods, and the binary's size.
func footprint(ctx context.Context, o options) error {
	info, err := os.Stat(o.binary)
	if err != nil {
		return fmt.Errorf("%s is missing: make build", o.binary)
	}
	type forums struct {
		what     string
		channels int
		topics   fs.FS
	}
	cases := []forums{{"1 idle channel", 1, fstest.MapFS{}}, {fmt.Sprintf("%d idle channels", shared), shared, fstest.MapFS{}}}
	if _, err := os.Stat(o.data); err == nil {
		cases = append(cases, forums{"1 channel, idle after having read a year's topics", 1, os.DirFS(o.data)})
	}
	var lines []string
	for _, c := range cases {
		connector, hub, err := podsOf(ctx, o.binary, c.channels, c.topics)
		if err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		lines = append(lines, fmt.Sprintf("footprint: connector with %s: RssAnon %.1f MiB; its hub: %.1f MiB", c.what, connector, hub))
	}
	for _, l := range lines {
		fmt.Println(l)
	}
	fmt.Printf("footprint: binary %.1f MiB\n", float64(info.Size())/(1<<20))
	return nil
}

// podsOf runs a hub and one connector for so many forums, and gives what each holds once all has been read.
func podsOf(ctx context.Context, binary string, channels int, topics fs.FS) (connector, hub float64, err error) {
	dir, err := os.MkdirTemp("", "kith-bench-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute+settle)
	defer cancel()
	p := &podRun{ctx: ctx, binary: binary, dir: dir}
	if err := p.prepare(channels, topics); err != nil {
		return 0, 0, err
	}
	defer p.close()
	hubProcess, err := p.start("hub", "--data-dir", p.path("data"), "--tls-dir", p.dir, "--listen", p.api, "--metrics-listen", p.hubMetrics)
	if err != nil {
		return 0, 0, err
	}
	connectorProcess, err := p.start("connector", "--all-channels", "--hub", "https://"+p.api, "--hub-ca", p.path(delivery.FileCA), "--listen", p.metrics)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := p.await(channels); err != nil {
		return 0, 0, err
	}
	fmt.Printf("%d channels connected in %v; measured after %v\n", channels, time.Since(began).Round(time.Millisecond), settle)
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
	if connector, err = anonymous(connectorProcess.Process.Pid); err != nil {
		return 0, 0, err
	}
	hub, err = anonymous(hubProcess.Process.Pid)
	return connector, hub, err
}

// podRun is a hub and a connector with what an operator would have delivered.
type podRun struct {
	ctx                      context.Context //nolint:containedctx // lives for one measurement
	binary, dir              string
	api, hubMetrics, metrics string
	forums                   []*httptest.Server
	processes                []*exec.Cmd
}

func (p *podRun) path(name string) string { return filepath.Join(p.dir, name) }

func (p *podRun) prepare(channels int, topics fs.FS) error {
	server, err := discoursetest.New(topics)
	if err != nil {
		return err
	}
	server.NewTopic(discoursetest.User{ID: 1, Username: "one"}, 1, "How does it start?", "<p>How does it start?</p>")
	bp := &blueprint.Blueprint{Version: blueprint.Version, Namespace: "bench", Name: "bench", TimeZone: "UTC",
		Levels: blueprint.Levels{Contributions: 5, DistinctDays: 3, Within: 365 * 24 * time.Hour}}
	declared := delivery.Channels{Namespace: bp.Namespace, Community: bp.Name}
	for i := range channels {
		web := httptest.NewServer(server)
		p.forums = append(p.forums, web)
		c := blueprint.Channel{Name: fmt.Sprintf("forum-%03d", i), Platform: "discourse", URL: web.URL, Poll: time.Minute, Since: blueprint.Since{All: true}}
		bp.Channels = append(bp.Channels, c)
		declared.Channels = append(declared.Channels, delivery.Channel{Generation: 1, Channel: c})
	}
	crt, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return err
	}
	files := delivery.Files{Blueprint: bp, Channels: declared, CA: crt}
	maps, err := files.Encode()
	if err != nil {
		return err
	}
	maps = append(maps, map[string][]byte{"tls.crt": crt, "tls.key": key, "token": []byte("a token that is long enough")})
	for _, m := range maps {
		for name, data := range m {
			if err := os.WriteFile(p.path(name), data, 0o600); err != nil {
				return err
			}
		}
	}
	for _, at := range []*string{&p.api, &p.hubMetrics, &p.metrics} {
		if *at, err = freeAddress(p.ctx); err != nil {
			return err
		}
	}
	return nil
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (p *podRun) start(command string, args ...string) (*exec.Cmd, error) {
	args = append([]string{command, "--config", p.dir, "--token-file", p.path("token"), "--log-format", "json"}, args...)
	c := exec.CommandContext(p.ctx, p.binary, args...) // #nosec G204 -- named on the command line
	c.Stdout, c.Stderr = io.Discard, io.Discard
	if err := c.Start(); err != nil {
		return nil, err
	}
	p.processes = append(p.processes, c)
	return c, nil
}

// await waits until every channel has been read once.
func (p *podRun) await(channels int) error {
	for {
		select {
		case <-p.ctx.Done():
			return fmt.Errorf("not all channels were connected: %w", p.ctx.Err())
		case <-time.After(500 * time.Millisecond):
		}
		request, err := http.NewRequestWithContext(p.ctx, http.MethodGet, "http://"+p.metrics+"/metrics", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			continue // it has not begun to listen
		}
		figures, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			return err
		}
		connected := slices.DeleteFunc(strings.Split(string(figures), "\n"), func(l string) bool {
			return !strings.HasPrefix(l, "kith_connector_state{") || !strings.HasSuffix(l, `state="Connected"} 1`)
		})
		if len(connected) == channels {
			return nil
		}
	}
}

func (p *podRun) close() {
	for _, c := range slices.Backward(p.processes) {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	}
	for _, f := range p.forums {
		f.Close()
	}
}

// anonymous is the memory that a process holds for itself alone, in MiB: what no file backs.
func anonymous(pid int) (float64, error) {
	u, err := process.Of(pid)
	return float64(u.Anonymous) / (1 << 20), err
}
