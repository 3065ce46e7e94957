// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-logr/logr/funcr"

	"github.com/kith-dev/kith/internal/delivery"
	"github.com/kith-dev/kith/internal/hub"
	"github.com/kith-dev/kith/internal/hub/wire"
	"github.com/kith-dev/kith/internal/reader"
	"github.com/kith-dev/kith/internal/testing/pod"
)

func apiClock() time.Time { return apiNow }

// acmeAccess lets the forum's connector, the intranet's feeder and the operator in.
func acmeAccess(t *testing.T, issuers ...*pod.Issuer) *delivery.Access {
	return &delivery.Access{Issuer: issuers[0].URL, Keys: pod.Keys(t, issuers...), Namespace: "team", Audience: delivery.Audience("team", "acme"),
		Accounts: []delivery.Account{{Name: "forum-connector", Channels: []string{"forum"}}, {Name: "intranet-connector", Channels: []string{"intranet"}}},
		Operator: delivery.OperatorAccount{Namespace: "kith-system", Name: "kith-operator"}}
}

// forumToken is what the kubelet gives to the forum's connector.
func forumToken() pod.Token {
	return pod.Token{Namespace: "team", Account: "forum-connector", Audience: delivery.Audience("team", "acme"), Pod: "forum-connector-0",
		Issued: apiNow.Add(-time.Minute), Expires: apiNow.Add(time.Hour)}
}

func operatorToken() pod.Token {
	token := forumToken()
	token.Namespace, token.Account, token.Audience, token.Pod = "kith-system", "kith-operator", delivery.AudienceStatus, "kith-operator-0"
	return token
}

func bearer(token string) *http.Request {
	r := request(http.MethodGet, wire.PathStatus, "", "")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func TestTokensOfEveryWrongKindAreRefused(t *testing.T) {
	issuer, other := pod.NewIssuer(t, "one"), pod.NewIssuer(t, "one")
	v := hub.NewAccountTokens(apiClock)
	if _, err := v.Verify(bearer(issuer.Sign(forumToken()))); err == nil {
		t.Error("somebody was recognised before anybody was known")
	}
	if err := v.Update(acmeAccess(t, issuer)); err != nil {
		t.Fatal(err)
	}
	with := func(base pod.Token, change func(*pod.Token)) string {
		change(&base)
		return issuer.Sign(base)
	}
	forum := func(change func(*pod.Token)) string { return with(forumToken(), change) }
	for name, tc := range map[string]struct{ token, want string }{
		"none":                 {"", "no bearer token"},
		"a word":               {"letmein", "no token signed with a key pair"},
		"another issuer":       {forum(func(c *pod.Token) { c.Issuer = "https://elsewhere.example" }), "another issuer"},
		"another key":          {other.Sign(forumToken()), "not signed with one of the issuer's keys"},
		"an unknown key":       {func() string { i := *issuer; i.KeyID = "two"; return i.Sign(forumToken()) }(), "not signed with one of the issuer's keys"},
		"another community":    {forum(func(c *pod.Token) { c.Audience = delivery.Audience("team", "other") }), "another audience"},
		"the API server's":     {forum(func(c *pod.Token) { c.Audience = "https://kubernetes.default.svc" }), "another audience"},
		"expired":              {forum(func(c *pod.Token) { c.Expires = apiNow.Add(-61 * time.Second) }), "has expired"},
		"for ever":             {forum(func(c *pod.Token) { c.Expires = time.Time{} }), "never expires"},
		"not yet valid":        {forum(func(c *pod.Token) { c.Issued = apiNow.Add(61 * time.Second) }), "not valid yet"},
		"bound to no pod":      {forum(func(c *pod.Token) { c.Pod = "" }), "not bound to a pod"},
		"another namespace":    {forum(func(c *pod.Token) { c.Namespace = "others" }), "reads no channel of this community"},
		"another account":      {forum(func(c *pod.Token) { c.Account = "default" }), "reads no channel of this community"},
		"a connector's status": {forum(func(c *pod.Token) { c.Audience = delivery.AudienceStatus }), "another account than the operator's"},
		"an operator elsewhere": {with(operatorToken(), func(c *pod.Token) { c.Namespace = "team" }),
			"another account than the operator's"},
		"the operator for a hub":    {with(operatorToken(), func(c *pod.Token) { c.Audience = delivery.Audience("team", "acme") }), "reads no channel of this community"},
		"unsigned":                  {unsigned(issuer.Sign(forumToken())), "no token signed with a key pair"},
		"unsigned, signature kept":  {unsignedKept(issuer.Sign(forumToken())), "no token signed with a key pair"},
		"HMAC with the public key":  {hmacWith(t, issuer, true), "no token signed with a key pair"},
		"HMAC with the PEM":         {hmacWith(t, issuer, false), "no token signed with a key pair"},
		"somebody else's claims":    {spliced(issuer.Sign(forumToken()), forum(func(c *pod.Token) { c.Account = "intranet-connector" })), "not signed with one of the issuer's keys"},
		"an operator without a pod": {with(operatorToken(), func(c *pod.Token) { c.Pod = "" }), "not bound to a pod"},
	} {
		t.Run(name, func(t *testing.T) {
			caller, err := v.Verify(bearer(tc.token))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("recognised as %+v, %v, want %q", caller, err, tc.want)
			}
			if err != nil && tc.token != "" && strings.Contains(err.Error(), tc.token) {
				t.Errorf("the error repeats the token: %v", err)
			}
		})
	}
	for name, token := range map[string]string{
		"good":           issuer.Sign(forumToken()),
		"just expired":   forum(func(c *pod.Token) { c.Expires = apiNow.Add(-50 * time.Second) }),
		"a clock behind": forum(func(c *pod.Token) { c.Issued = apiNow.Add(50 * time.Second) }),
	} {
		if caller, err := v.Verify(bearer(token)); err != nil || caller.Name != "forum-connector" || caller.All || caller.Status {
			t.Errorf("%s: %+v, %v", name, caller, err)
		}
	}
}

// unsigned takes the signature off a token, and says so in its header.
func unsigned(token string) string { return unsignedKept(token)[:strings.LastIndex(unsignedKept(token), ".")+1] }

// unsignedKept says that a token has no signature, and keeps it.
func unsignedKept(token string) string {
	parts := strings.Split(token, ".")
	parts[0] = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"one"}`))
	return strings.Join(parts, ".")
}

// spliced has the header and signature of one token and the claims of another.
func spliced(token, claims string) string {
	parts := strings.Split(token, ".")
	parts[1] = strings.Split(claims, ".")[1]
	return strings.Join(parts, ".")
}

// hmacWith signs with the public key as if it were a shared one.
func hmacWith(t *testing.T, issuer *pod.Issuer, jwk bool) string {
	t.Helper()
	secret, err := x509.MarshalPKIXPublicKey(issuer.Public())
	if jwk {
		secret, err = json.Marshal(jose.JSONWebKey{Key: issuer.Public(), KeyID: issuer.KeyID})
	}
	if err != nil {
		t.Fatal(err)
	}
	forger := *issuer
	forger.Key, forger.Algorithm = secret, jose.HS256
	return forger.Sign(forumToken())
}

func TestKeysAreReplacedInPlace(t *testing.T) {
	before, after := pod.NewIssuer(t, "one"), pod.NewIssuer(t, "two")
	v := hub.NewAccountTokens(apiClock)
	knows := func(i *pod.Issuer) bool {
		_, err := v.Verify(bearer(i.Sign(forumToken())))
		return err == nil
	}
	for _, step := range []struct {
		name        string
		access      *delivery.Access
		bad         bool
		first, next bool
	}{
		{name: "the first key", access: acmeAccess(t, before), first: true},
		{name: "both", access: acmeAccess(t, before, after), first: true, next: true},
		{name: "no keys", access: &delivery.Access{Issuer: before.URL, Audience: "x", Namespace: "team", Keys: json.RawMessage(`{"keys":[]}`)}, bad: true, first: true, next: true},
		{name: "a shared key", access: &delivery.Access{Issuer: before.URL, Audience: "x", Namespace: "team", Keys: json.RawMessage(`{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"one"}]}`)}, bad: true, first: true, next: true},
		{name: "no issuer", access: &delivery.Access{Keys: pod.Keys(t, before)}, bad: true, first: true, next: true},
		{name: "the next one", access: acmeAccess(t, after), next: true},
	} {
		if err := v.Update(step.access); (err != nil) != step.bad {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := knows(before); got != step.first {
			t.Errorf("%s: the first key is known: %t", step.name, got)
		}
		if got := knows(after); got != step.next {
			t.Errorf("%s: the next key is known: %t", step.name, got)
		}
	}
}

func TestAccountsSpeakForTheirOwnChannelsOnly(t *testing.T) {
	issuer := pod.NewIssuer(t, "one")
	v := hub.NewAccountTokens(apiClock)
	if err := v.Update(acmeAccess(t, issuer)); err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	h, api := newAPI(t, hub.ServerOptions{Verifier: v, Log: funcr.New(func(_, args string) { logged.WriteString(args + "\n") }, funcr.Options{})})
	feeder := forumToken()
	feeder.Account = "intranet-connector"
	as := func(c pod.Token, r *http.Request) (int, string) {
		r.Header.Set("Authorization", "Bearer "+issuer.Sign(c))
		code, _, body := do(api, r)
		return code, body
	}
	send := func(c pod.Token, path string, v any) (int, string) {
		doc, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return as(c, request(http.MethodPost, path, "application/json", string(doc)))
	}
	lease := wire.LeaseRequest{Channel: forumRef(), Name: "forum"}
	state := wire.StateRequest{Channel: "forum", State: reader.State{Channel: "forum", Platform: "discourse", Phase: reader.Connected, Since: apiNow, Heartbeat: apiNow}}
	page := forumPage(1, "null", "1", message("1", "t", apiNow))
	calls := map[string]func(pod.Token) (int, string){
		"1 lease": func(c pod.Token) (int, string) { return send(c, wire.PathLease, lease) },
		"2 since": func(c pod.Token) (int, string) {
			return as(c, request(http.MethodGet, wire.PathSince+"?channel=forum", "", ""))
		},
		"3 page":  func(c pod.Token) (int, string) { return send(c, wire.PathPages, page) },
		"4 state": func(c pod.Token) (int, string) { return send(c, wire.PathState, state) },
	}
	order := []string{"1 lease", "2 since", "3 page", "4 state"}
	for _, name := range order {
		if code, body := calls[name](forumToken()); code != http.StatusOK {
			t.Errorf("%s by the channel's own connector: %d %s", name, code, body)
		}
	}
	for who, token := range map[string]pod.Token{"another connector": feeder, "the operator": operatorToken()} {
		for _, name := range order {
			if code, body := calls[name](token); code != http.StatusForbidden {
				t.Errorf("%s by %s: %d %s, want 403", name, who, code, body)
			}
		}
		// A lease under its own name does not give somebody else's data.
		own := wire.LeaseRequest{Channel: forumRef(), Name: "intranet"}
		if code, body := send(token, wire.PathLease, own); code != http.StatusForbidden {
			t.Errorf("the forum's data under another name, by %s: %d %s, want 403", who, code, body)
		}
	}
	if n := countRows(t, h, "messages"); n != 1 {
		t.Errorf("%d messages, want the one of the channel's own connector", n)
	}
	_, _, figures := do(api, request(http.MethodGet, "/metrics", "", ""))
	for _, want := range []string{`kith_hub_forbidden_total{account="intranet-connector"} 5`, `kith_hub_forbidden_total{account="operator"} 5`} {
		if !strings.Contains(figures, want) {
			t.Errorf("%s is not in the metrics", want)
		}
	}
	if !strings.Contains(logged.String(), `"caller"="intranet-connector" "channel"="forum"`) {
		t.Errorf("not logged:\n%s", &logged)
	}
	if strings.Contains(logged.String(), "eyJ") {
		t.Error("a token was logged")
	}

	// What each may see of the status.
	see := func(c pod.Token) (seen wire.Status) {
		code, body := as(c, request(http.MethodGet, wire.PathStatus, "", ""))
		if err := json.Unmarshal([]byte(body), &seen); err != nil || code != http.StatusOK {
			t.Fatal(code, body, err)
		}
		return seen
	}
	if s := see(operatorToken()); len(s.Channels) != 2 {
		t.Errorf("the operator sees %d channels, want all", len(s.Channels))
	}
	if s := see(forumToken()); len(s.Channels) != 1 || s.Channels[0].Name != "forum" || len(s.Objectives) != 0 {
		t.Errorf("a connector sees more than its own: %+v", s)
	}
	events := request(http.MethodPost, wire.PathEvents+"?channel=intranet", "application/cloudevents+json", `{}`)
	if code, body := as(operatorToken(), events); code == http.StatusOK {
		t.Errorf("the operator may feed a channel: %d %s", code, body)
	}
}

