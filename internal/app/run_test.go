// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
)

// community is a small one of the test forum at an address.
func community(url string) map[string]string {
	return map[string]string{
		"community.yaml": `apiVersion: kith.dev/v1alpha1
kind: Community
metadata: {name: acme}
spec:
  title: Acme
  audience: {kind: Customers}
  timeZone: Europe/Berlin
  languages: [en, de]
  teams: [{name: community, party: Company}]
  parties: [{party: Company, match: {roles: [admin]}}]
`,
		"channel.yaml": `apiVersion: kith.dev/v1alpha1
kind: Channel
metadata: {name: forum}
spec:
  communityRef: {name: acme}
  team: community
  platform: discourse
  url: ` + url + `
  since: all
`,
		"rules.yaml": `apiVersion: kith.dev/v1alpha1
kind: Behaviour
metadata: {name: question-due}
spec:
  communityRef: {name: acme}
  title: {en: A question falls due}
  family: PeerSupport
  role: Basis
  "on": [ThreadAged]
  after: 24h
  when: thread.question
  credit: None
  benefits: None
  per: {scope: Thread}
---
apiVersion: kith.dev/v1alpha1
kind: Behaviour
metadata: {name: answered-in-time}
spec:
  communityRef: {name: acme}
  title: {en: Answered within a day}
  family: PeerSupport
  of: question-due
  within: 24h
  when: event.firstResponse
  credit: Author
  benefits: ThreadAuthor
  per: {scope: Thread}
---
apiVersion: kith.dev/v1alpha1
kind: Objective
metadata: {name: answers}
spec:
  communityRef: {name: acme}
  statement: Questions get an answer within a day
  indicator: {share: answered-in-time}
  target: {atLeast: "0.50"}
  window: {rolling: 90d}
`,
	}
}

// running is a kith run under way.
type running struct {
	out, said *screen
	address   chan string
	stop      context.CancelFunc
	ended     chan error
}

func start(t *testing.T, o RunOptions) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	std, out, said := stdio("")
	r := &running{out: out, said: said, address: make(chan string, 1), stop: stop, ended: make(chan error, 1)}
	o.Output, o.Listen, o.Ready = OutputText, "127.0.0.1:0", func(a string) { r.address <- a }
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	go func() { r.ended <- Run(ctx, std, o) }()
	t.Cleanup(func() {
		stop()
		select {
		case <-r.ended:
		case <-time.After(30 * time.Second):
			t.Error("it did not stop")
		}
	})
	return r
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestRunFollowsTheFolder(t *testing.T) {
	_, server := forum(t)
	files := community(server.URL)
	dir := folder(t, files)
	r := start(t, RunOptions{Folder: dir, Now: forumTime})
	if m := get(t, "http://"+<-r.address+"/metrics"); !strings.Contains(m, "kith_build_info") {
		t.Errorf("no metrics:\n%s", m)
	}
	r.out.await(t, "answers    met", 1)

	// A broken edit keeps what was good, and says so.
	rules := filepath.Join(dir, "rules.yaml")
	put(t, rules, strings.Replace(files["rules.yaml"], "when: event.firstResponse", "when: event.firstRespons", 1))
	r.said.await(t, "Behaviour answered-in-time: the last good state is kept", 1)
	put(t, filepath.Join(dir, "channel.yaml"), "kind: [")
	r.said.await(t, "Channel forum: the last good state is kept", 1)
	put(t, filepath.Join(dir, "channel.yaml"), files["channel.yaml"])
	put(t, rules, strings.Replace(files["rules.yaml"], "0.50", "0.99", 1))
	r.said.await(t, "Applied the edited manifests: 1 channel, 2 behaviours, 1 objective.", 1)
	r.out.await(t, "answers    not met", 1)

	// Channels come, rest and go.
	put(t, filepath.Join(dir, "channel.yaml"), files["channel.yaml"]+"  suspend: true\n")
	r.out.await(t, "Suspended", 1)
	if err := os.Remove(filepath.Join(dir, "channel.yaml")); err != nil {
		t.Fatal(err)
	}
	r.out.await(t, "No channel is declared", 1)
	put(t, filepath.Join(dir, "channel.yaml"), files["channel.yaml"])
	r.out.await(t, "answers    not met", 2)

	// Without its community nothing could run: what ran before goes on.
	if err := os.Remove(filepath.Join(dir, "community.yaml")); err != nil {
		t.Fatal(err)
	}
	r.said.await(t, "What ran before goes on.", 1)
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("stopped: %v", err)
	}
	r.ended <- nil
}

func TestRunWaitsForSecretsAndTakesThemInPlace(t *testing.T) {
	_, server := forum(t, discoursetest.WithAPIKey("abc", "kith", true))
	files := community(server.URL)
	files["channel.yaml"] += "  credentialsSecretRef: {name: acme-forum}\n"
	dir, secrets := folder(t, files), t.TempDir()
	r := start(t, RunOptions{Folder: dir, SecretsDir: secrets, Now: forumTime})
	r.out.await(t, "SecretKeyMissing", 1)
	put(t, filepath.Join(secrets, "acme-forum", "apiUsername"), "kith\n")
	put(t, filepath.Join(secrets, "acme-forum", "apiKey"), "abc\n")
	r.said.await(t, "forum: history read", 1)
	if strings.Contains(r.said.String()+r.out.String(), "abc") {
		t.Error("the key was shown")
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	_, server := forum(t)
	other := strings.Replace(community(server.URL)["community.yaml"], "name: acme", "name: other", 1)
	with := func(change func(map[string]string)) map[string]string {
		files := community(server.URL)
		change(files)
		return files
	}
	for name, tc := range map[string]struct {
		files map[string]string
		o     RunOptions
		want  string
		said  string
	}{
		"no community": {with(func(f map[string]string) { delete(f, "community.yaml") }), RunOptions{}, "no Community can be used", "there is no Community \"acme\""},
		"empty":        {map[string]string{}, RunOptions{}, "there is no Community: declare one", ""},
		"several":      {with(func(f map[string]string) { f["other.yaml"] = other }), RunOptions{}, "several communities (acme, other)", ""},
		"unknown":      {community(server.URL), RunOptions{Community: "nobody"}, "there is no Community \"nobody\", but acme", ""},
		"bad address":  {community(server.URL), RunOptions{Listen: "256.0.0.1:x"}, "choose another address with --listen", ""},
		"bad resource": {with(func(f map[string]string) { f["bad.yaml"] = strings.Replace(f["rules.yaml"], "timeZone", "", 1) }), RunOptions{}, "", "is also in"},
		"bad output":   {community(server.URL), RunOptions{Output: "xml"}, "-o \"xml\" is not known", ""},
	} {
		t.Run(name, func(t *testing.T) {
			std, out, said := stdio("")
			o := tc.o
			o.Folder, o.DataDir, o.ExitWhenRead, o.Now = folder(t, tc.files), t.TempDir(), true, forumTime
			if o.Output == "" {
				o.Output = OutputText
			}
			err := Run(context.Background(), std, o)
			if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(OneLine(err), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if !strings.Contains(said.String(), tc.said) {
				t.Errorf("%q was not said:\n%s", tc.said, said)
			}
			if tc.want == "" && !strings.Contains(out.String(), "answers    met") {
				t.Errorf("what is good did not run:\n%s", out)
			}
		})
	}
}

func TestRunNeedsTheKeyOfItsLedger(t *testing.T) {
	dir := readQuickstart(t)
	if err := os.Remove(filepath.Join(dir, keyFile)); err != nil {
		t.Fatal(err)
	}
	std, _, _ := stdio("")
	err := Run(context.Background(), std, RunOptions{Folder: quickstart, DataDir: dir, ExitWhenRead: true, Output: OutputText})
	if err == nil || !strings.Contains(err.Error(), "put it back") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, keyFile)); err == nil {
		t.Error("a new key was made for an old ledger")
	}
}

// Hub and connector apart come to the same ledger as both in one process.
func TestHalvesComeToTheSameLedger(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	apart, token := t.TempDir(), filepath.Join(t.TempDir(), "token")
	put(t, token, "a token that is long enough\n")
	address, ended := make(chan string, 1), make(chan error, 1)
	std, _, said := stdio("")
	go func() {
		ended <- Hub(ctx, std, HubOptions{Folder: quickstart, DataDir: apart, Listen: "127.0.0.1:0", TokenFile: token, Ready: func(a string) { address <- a }})
	}()
	var at string
	select {
	case at = <-address:
	case err := <-ended:
		t.Fatalf("%v\n%s", err, said)
	}
	std, _, said = stdio("")
	o := ConnectorOptions{Folder: quickstart, Channels: []string{"forum"}, Hub: "http://" + at, TokenFile: token, ExitWhenRead: true}
	if err := Connector(ctx, std, o); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	o.Channels = []string{"nowhere"}
	if err := Connector(ctx, std, o); err == nil || !strings.Contains(err.Error(), "it has forum") {
		t.Errorf("an unknown channel: %v", err)
	}
	awaitDrained(t, "http://"+at)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(copyOut(t, readQuickstart(t)), copyOut(t, apart)); diff != "" {
		t.Errorf("one process and two differ (-one +two):\n%s", diff)
	}
}

// awaitDrained waits until the hub has processed all history.
func awaitDrained(t *testing.T, at string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(get(t, at+"/metrics/community"), "kith_objective_cases{") {
		if time.Now().After(deadline) {
			t.Fatal("the history was not processed")
		}
		time.Sleep(50 * time.Millisecond) // the hub offers nothing to wait on from outside
	}
}

func copyOut(t *testing.T, dir string) string {
	t.Helper()
	std, out, _ := stdio("")
	if err := LedgerCopyOut(context.Background(), std, LedgerOptions{DataDir: dir}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
