// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
	"github.com/kith-dev/kith/internal/delivery"
	hubclient "github.com/kith-dev/kith/internal/hub/client"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/ledger"
	"github.com/kith-dev/kith/internal/reader"
	"github.com/kith-dev/kith/internal/testing/pod"
)

// pods are a hub and its connectors as an operator runs them, each with volumes of its own.
type pods struct {
	t         *testing.T
	issuer    *pod.Issuer
	authority *pod.Authority
	// what is delivered to the hub and to connectors, and what is mounted beside it.
	hubConfig, connectorConfig, tls, secrets *pod.Volume
	files                                    *delivery.Files
	data                                     string
	api, metrics                             string
}

// newPods declares the test forum's community, and starts nothing.
func newPods(t *testing.T, url string, edit func(map[string]string)) *pods {
	t.Helper()
	p := &pods{t: t, issuer: pod.NewIssuer(t, "one"), authority: pod.NewAuthority(t), hubConfig: pod.NewVolume(t), connectorConfig: pod.NewVolume(t),
		tls: pod.NewVolume(t), secrets: pod.NewVolume(t), data: t.TempDir()}
	declared := community(url)
	if edit != nil {
		edit(declared)
	}
	p.declare(declared)
	p.tls.Set(p.authority.Files())
	return p
}

// declare makes of manifests what the operator would deliver.
func (p *pods) declare(manifest map[string]string) {
	p.t.Helper()
	c, err := (&manifests{folder: folder(p.t, manifest)}).load()
	if err != nil {
		p.t.Fatal(err, c)
	}
	bp := c.blueprint
	bp.Namespace = "team"
	p.files = &delivery.Files{Blueprint: bp, Channels: delivery.Channels{Namespace: "team", Community: bp.Name}, CA: p.authority.PEM,
		Access: delivery.Access{Issuer: p.issuer.URL, Keys: pod.Keys(p.t, p.issuer), Namespace: "team", Audience: delivery.Audience("team", bp.Name),
			Operator: delivery.OperatorAccount{Namespace: "kith-system", Name: "kith-operator"}}}
	for _, c := range bp.Channels {
		p.files.Channels.Channels = append(p.files.Channels.Channels, delivery.Channel{Generation: 7, Channel: c})
		p.files.Access.Accounts = append(p.files.Access.Accounts, delivery.Account{Name: delivery.ConnectorName(c.Name), Channels: []string{c.Name}})
	}
}

// deliver writes the configuration into the volumes.
func (p *pods) deliver() {
	p.t.Helper()
	maps, err := p.files.Encode()
	if err != nil {
		p.t.Fatal(err)
	}
	p.hubConfig.Set(only(maps, delivery.HubFiles()))
	p.connectorConfig.Set(only(maps, delivery.ConnectorFiles()))
}

func only(list []map[string][]byte, names []string) map[string][]byte {
	out := map[string][]byte{}
	for _, m := range list {
		for _, name := range names {
			if data, ok := m[name]; ok {
				out[name] = data
			}
		}
	}
	return out
}

// token writes a token for an account of the community, as the kubelet would.
func (p *pods) token(account string) string {
	p.t.Helper()
	path := filepath.Join(p.t.TempDir(), "token")
	p.writeToken(path, pod.Token{Namespace: "team", Account: account, Audience: delivery.Audience("team", "acme")})
	return path
}

func (p *pods) writeToken(path string, token pod.Token) {
	p.t.Helper()
	token.Pod, token.Issued, token.Expires = token.Account+"-0", time.Now(), time.Now().Add(time.Hour)
	put(p.t, path, p.issuer.Sign(token))
}

// process is one that runs beside the test.
type process struct {
	said  *screen
	stop  context.CancelFunc
	ended chan error
}

// spawn runs something until the test ends.
func spawn(t *testing.T, run func(context.Context, Stdio) error) *process {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	std, _, said := stdio("")
	log, err := NewLog(said, LogJSON, 0)
	if err != nil {
		t.Fatal(err)
	}
	std.Log = log
	x := &process{said: said, stop: stop, ended: make(chan error, 1)}
	go func() { x.ended <- run(ctx, std) }()
	t.Cleanup(func() { x.end(t) })
	return x
}

// end ends it in good order.
func (x *process) end(t *testing.T) {
	t.Helper()
	x.stop()
	select {
	case err := <-x.ended:
		if err != nil {
			t.Errorf("it ended with %v\n%s", err, x.said)
		}
		x.ended <- nil
	case <-time.After(30 * time.Second):
		t.Fatalf("it did not stop\n%s", x.said)
	}
}

func (p *pods) startHub() *process {
	p.t.Helper()
	api, metrics := make(chan string, 1), make(chan string, 1)
	o := HubOptions{Config: p.hubConfig.Dir, DataDir: p.data, SecretsDir: p.secrets.Dir, TLSDir: p.tls.Dir, Listen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0",
		Ready: func(a string) { api <- a }, MetricsReady: func(a string) { metrics <- a }}
	x := spawn(p.t, func(ctx context.Context, std Stdio) error { return Hub(ctx, std, o) })
	p.metrics, p.api = "http://"+<-metrics, "https://"+<-api
	return x
}

// startConnector gives the process, and where its metrics are.
func (p *pods) startConnector(token string, change func(*ConnectorOptions)) (x *process, metrics string) {
	p.t.Helper()
	at := make(chan string, 1)
	o := ConnectorOptions{Config: p.connectorConfig.Dir, SecretsDir: p.secrets.Dir, Channels: []string{"forum"}, Hub: p.api,
		HubCA: p.connectorConfig.Path(delivery.FileCA), TokenFile: token, Listen: "127.0.0.1:0", Ready: func(a string) { at <- a }}
	if change != nil {
		change(&o)
	}
	x = spawn(p.t, func(ctx context.Context, std Stdio) error { return Connector(ctx, std, o) })
	return x, "http://" + <-at
}

// status asks the hub as the operator does.
func (p *pods) status(t *testing.T) (wire.Status, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	p.writeToken(path, pod.Token{Namespace: "kith-system", Account: "kith-operator", Audience: delivery.AudienceStatus})
	ca := filepath.Join(t.TempDir(), "ca.crt")
	put(t, ca, string(p.authority.PEM))
	client, err := hubclient.New(p.api, tokenFrom(path), hubclient.Options{Transport: newHubTransport(ca), Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	return client.Status(t.Context())
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come to this within 30 s: %s", what)
		}
		time.Sleep(20 * time.Millisecond) // other processes would offer nothing to wait on either
	}
}

func (p *pods) awaitStatus(what string, holds func(wire.Status) bool) wire.Status {
	p.t.Helper()
	var last wire.Status
	var lastErr error
	defer func() {
		if p.t.Failed() {
			p.t.Logf("last status: %+v, %v", last, lastErr)
		}
	}()
	await(p.t, what, func() bool {
		last, lastErr = p.status(p.t)
		return lastErr == nil && last.ProblemReason != wire.Starting && holds(last)
	})
	return last
}

func code(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

func connected(s wire.Status) bool {
	for _, c := range s.Channels {
		if c.State == nil || c.State.Phase != reader.Connected || c.History != "Complete" {
			return false
		}
	}
	return len(s.Channels) > 0
}

func TestPodsWaitForTheirConfigurationAndFollowIt(t *testing.T) {
	_, server := forum(t)
	p := newPods(t, server.URL, nil)
	p.tls.Set(nil)
	hubProcess := p.startHub()
	_, connector := p.startConnector(p.token("forum-connector"), nil)
	for name, at := range map[string]string{"hub": p.metrics, "connector": connector} {
		await(t, name+" says what it waits for", func() bool {
			n, says := code(t, at+"/readyz")
			return n == http.StatusServiceUnavailable && strings.Contains(says, "the operator writes it")
		})
		if n, _ := code(t, at+"/healthz"); n != http.StatusOK {
			t.Errorf("%s is not alive while it waits: %d", name, n)
		}
	}
	p.deliver()
	await(t, "the hub is ready", func() bool { n, _ := code(t, p.metrics+"/readyz"); return n == http.StatusOK })
	await(t, "the connector is ready, although the hub cannot be reached", func() bool { n, _ := code(t, connector+"/readyz"); return n == http.StatusOK })

	p.tls.Set(p.authority.Files())
	first := p.awaitStatus("the forum has been read", connected)
	if s := first.Channels[0].State; s.Generation != 7 || !s.Ready {
		t.Errorf("generation %d, ready %t: want that of the resource, connected", s.Generation, s.Ready)
	}
	if first.Problem != "" || first.ProblemReason != "" {
		t.Errorf("a problem: %s %s", first.ProblemReason, first.Problem)
	}
	if first.LedgerID == "" || first.LedgerFreeBytes == nil || *first.LedgerFreeBytes <= 0 || first.LedgerBytes <= 0 {
		t.Errorf("the ledger is not told: %q, %d bytes, %v free", first.LedgerID, first.LedgerBytes, first.LedgerFreeBytes)
	}
	p.awaitStatus("the behaviours' recent cases are counted", func(s wire.Status) bool {
		return len(s.Behaviours) == 2 && s.Behaviours[0].Name == "answered-in-time" && s.Behaviours[0].Recent != nil
	})

	// The API is not where metrics are, nor metrics where the API is.
	if n, _ := code(t, p.metrics+wire.PathStatus); n != http.StatusNotFound {
		t.Errorf("the API answers %d beside the metrics", n)
	}
	if m := get(t, p.metrics+"/metrics/community"); !strings.Contains(m, "kith_community_readable{") {
		t.Errorf("no community metrics:\n%s", m)
	}
	if m := get(t, p.metrics+"/metrics"); strings.Contains(m, "kith_connector_state{") {
		t.Error("the hub repeats what the connector exports")
	}
	if m := get(t, connector+"/metrics"); !strings.Contains(m, `kith_connector_state{channel="forum",community="acme",platform="discourse",state="Connected"} 1`) {
		t.Errorf("the connector's state is not in its metrics:\n%s", m)
	}

	// An edit is put in force without a restart; what cannot be used leaves what was in force.
	declared := community(server.URL)
	declared["rules.yaml"] = strings.Replace(declared["rules.yaml"], "0.50", "0.75", 1)
	p.declare(declared)
	p.deliver()
	edited := p.awaitStatus("the edit is in force", func(s wire.Status) bool { return s.Blueprint == p.files.Blueprint.Digest() && connected(s) })
	if edited.Channels[0].Epoch != first.Channels[0].Epoch {
		t.Error("the channel was connected anew, though nothing about it had changed")
	}
	p.hubConfig.Set(map[string][]byte{delivery.FileBlueprint: []byte("{"), delivery.FileAccess: mustEncode(t, p)[delivery.FileAccess]})
	p.awaitStatus("the broken configuration is told", func(s wire.Status) bool {
		return s.ProblemReason == wire.ConfigurationUnusable && s.Blueprint == edited.Blueprint && connected(s)
	})
	p.deliver()
	p.awaitStatus("all is well again", func(s wire.Status) bool { return s.ProblemReason == "" })

	// Certificates, their authority and the issuer's keys are replaced in place.
	before := p.authority
	p.authority = pod.NewAuthority(t)
	p.files.CA = append(append([]byte{}, before.PEM...), p.authority.PEM...)
	p.deliver()
	await(t, "the connector trusts both", func() bool {
		data := p.connectorConfig.Path(delivery.FileCA)
		return len(read(t, data)) == len(p.files.CA)
	})
	p.tls.Set(p.authority.Files())
	p.awaitStatus("the hub serves with the new certificate", connected)
	hubProcess.end(t)
	if strings.Contains(hubProcess.said.String(), "panic") {
		t.Error(hubProcess.said)
	}
	p.startHub()
	p.awaitStatus("the ledger is there again", func(s wire.Status) bool {
		return s.LedgerID == first.LedgerID && len(s.Channels) == 1 && s.Channels[0].History == "Complete"
	})
}

func mustEncode(t *testing.T, p *pods) map[string][]byte {
	t.Helper()
	list, err := p.files.Encode()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, m := range list {
		maps.Copy(out, m)
	}
	return out
}

func TestPodsTakeSecretsInPlace(t *testing.T) {
	server, web := forum(t, discoursetest.WithAPIKey("abc", "kith", true))
	_ = server
	p := newPods(t, web.URL, func(f map[string]string) { f["channel.yaml"] += "  credentialsSecretRef: {name: acme-forum}\n" })
	p.deliver()
	p.startHub()
	x, metrics := p.startConnector(p.token("forum-connector"), nil)
	phase := func(want reader.Phase) func(wire.Status) bool {
		return func(s wire.Status) bool {
			return len(s.Channels) == 1 && s.Channels[0].State != nil && s.Channels[0].State.Phase == want
		}
	}
	p.awaitStatus("the Secret is missed", phase(reader.SecretKeyMissing))
	if n, _ := code(t, metrics+"/readyz"); n != http.StatusOK {
		t.Error("a connector whose Secret is missing is not ready: it would never be rolled out")
	}
	key := func(s string) map[string][]byte {
		return map[string][]byte{"acme-forum/apiKey": []byte(s), "acme-forum/apiUsername": []byte("kith")}
	}
	p.secrets.Set(key("wrong"))
	p.awaitStatus("the wrong key is refused", phase(reader.BadCredentials))
	p.secrets.Set(key("abc"))
	p.awaitStatus("the right key is used", connected)
	if strings.Contains(x.said.String(), "abc") {
		t.Error("the key was logged")
	}
}

func TestAHubInAPodNeedsTheKeyItWasGiven(t *testing.T) {
	_, server := forum(t)
	p := newPods(t, server.URL, nil)
	p.deliver()
	api, metrics := make(chan string, 1), make(chan string, 1)
	o := HubOptions{Config: p.hubConfig.Dir, DataDir: p.data, SecretsDir: p.secrets.Dir, KeySecret: "identity", TLSDir: p.tls.Dir, Listen: "127.0.0.1:0",
		MetricsListen: "127.0.0.1:0", Ready: func(a string) { api <- a }, MetricsReady: func(a string) { metrics <- a }}
	x := spawn(t, func(ctx context.Context, std Stdio) error { return Hub(ctx, std, o) })
	p.metrics, p.api = "http://"+<-metrics, "https://"+<-api
	p.awaitStatus("the key is missed", func(s wire.Status) bool {
		return s.ProblemReason == wire.KeyMissing && strings.Contains(s.Problem, "identity")
	})
	p.secrets.Set(map[string][]byte{"identity/key": []byte(strings.Repeat("k", 64))})
	p.awaitStatus("the hub runs", func(s wire.Status) bool { return s.ProblemReason == "" && s.Blueprint != "" })
	if _, err := ledger.Open(t.Context(), filepath.Join(p.data, ledgerFile), ledger.Options{}); !errors.Is(err, ledger.ErrLocked) {
		t.Errorf("the hub does not hold its ledger: %v", err)
	}
	// A new key is taken without a restart of the process.
	p.secrets.Set(map[string][]byte{"identity/key": []byte(strings.Repeat("n", 64)), "identity/previous": []byte(strings.Repeat("k", 64))})
	await(t, "the ledger is opened anew", func() bool { return strings.Contains(x.said.String(), "opened anew") })
	p.awaitStatus("the hub runs under the new key", func(s wire.Status) bool { return s.Blueprint != "" && s.ProblemReason == "" })
}
