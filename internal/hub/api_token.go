// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/kith-dev/kith/internal/delivery"
)

// tokenLeeway is how far the clocks of the cluster's control plane and of the hub may be apart.
const tokenLeeway = time.Minute

// tokenAlgorithms are those with which a key that everybody may know verifies what only its owner can sign. Without
// them a token that names no algorithm, or takes the public key for a shared one, would be believed.
var tokenAlgorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// AccountTokens recognises ServiceAccount tokens that the cluster has signed, by the keys that it publishes: no call to
// the cluster is made. It knows nobody until Update has been called, and is safe for concurrent use.
type AccountTokens struct {
	now    func() time.Time
	access atomic.Pointer[accountAccess]
}

// accountAccess is delivery.Access, taken apart.
type accountAccess struct {
	issuer   string
	keys     jose.JSONWebKeySet
	audience string
	// callers by subject.
	callers  map[string]Caller
	operator string
}

// NewAccountTokens makes a verifier that knows nobody yet. Now is the clock; nil means time.Now.
func NewAccountTokens(now func() time.Time) *AccountTokens {
	if now == nil {
		now = time.Now
	}
	return &AccountTokens{now: now}
}

// Update replaces who is recognised. After an error those recognised before still are.
func (v *AccountTokens) Update(a *delivery.Access) error {
	if a.Issuer == "" || a.Audience == "" || a.Namespace == "" {
		return errors.New("who may call the hub cannot be told: issuer, audience and namespace are needed")
	}
	next := &accountAccess{issuer: a.Issuer, audience: a.Audience, callers: make(map[string]Caller, len(a.Accounts))}
	if err := json.Unmarshal(a.Keys, &next.keys); err != nil {
		return fmt.Errorf("the issuer's keys are no JSON Web Key Set: %w", err)
	}
	next.keys.Keys = slices.DeleteFunc(next.keys.Keys, func(k jose.JSONWebKey) bool { return !k.Valid() || !k.IsPublic() })
	if len(next.keys.Keys) == 0 {
		return errors.New("the issuer's key set holds no public key: nobody could be recognised")
	}
	for _, account := range a.Accounts {
		next.callers[subject(a.Namespace, account.Name)] = Caller{Name: account.Name, Channels: account.Channels}
	}
	if a.Operator.Name != "" && a.Operator.Namespace != "" {
		next.operator = subject(a.Operator.Namespace, a.Operator.Name)
	}
	v.access.Store(next)
	return nil
}

func subject(namespace, account string) string {
	return "system:serviceaccount:" + namespace + ":" + account
}

// boundTo is what Kubernetes adds to the claims of a token.
type boundTo struct {
	Kubernetes struct {
		Pod *struct {
			Name string `json:"name"`
		} `json:"pod"`
	} `json:"kubernetes.io"`
}

// Verify implements Verifier. Its errors say which of the checks failed, and repeat nothing of the token.
func (v *AccountTokens) Verify(r *http.Request) (Caller, error) {
	access := v.access.Load()
	if access == nil {
		return Caller{}, errors.New("who may call the hub has not been delivered yet")
	}
	scheme, raw, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if raw = strings.TrimSpace(raw); raw == "" || !strings.EqualFold(scheme, "Bearer") {
		return Caller{}, errors.New("no bearer token was presented")
	}
	token, err := jwt.ParseSigned(raw, tokenAlgorithms)
	if err != nil {
		return Caller{}, errors.New("what was presented is no token signed with a key pair")
	}
	var claims jwt.Claims
	var bound boundTo
	if err := token.Claims(access.keys, &claims, &bound); err != nil {
		return Caller{}, errors.New("the token was not signed with one of the issuer's keys")
	}
	if claims.Expiry == nil {
		return Caller{}, errors.New("the token never expires")
	}
	if err := claims.ValidateWithLeeway(jwt.Expected{Issuer: access.issuer, Time: v.now()}, tokenLeeway); err != nil {
		return Caller{}, reason(err)
	}
	if bound.Kubernetes.Pod == nil || bound.Kubernetes.Pod.Name == "" {
		return Caller{}, errors.New("the token is not bound to a pod")
	}
	return access.caller(claims)
}

// caller finds who a valid token is from. The audience decides what it may be for: a token for one hub opens no other,
// and one for statuses opens nothing else.
func (a *accountAccess) caller(claims jwt.Claims) (Caller, error) {
	switch {
	case claims.Audience.Contains(a.audience):
		if caller, ok := a.callers[claims.Subject]; ok {
			return caller, nil
		}
		return Caller{}, errors.New("the token is from an account that reads no channel of this community")
	case claims.Audience.Contains(delivery.AudienceStatus):
		if a.operator != "" && claims.Subject == a.operator {
			return Caller{Name: "operator", Status: true}, nil
		}
		return Caller{}, errors.New("the token is for statuses, and from another account than the operator's")
	}
	return Caller{}, errors.New("the token is for another audience")
}

// reason puts the library's errors, which name the claim alone, into words.
func reason(err error) error {
	switch {
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return errors.New("the token is from another issuer")
	case errors.Is(err, jwt.ErrExpired):
		return errors.New("the token has expired")
	case errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return errors.New("the token is not valid yet: compare the clocks of the hub's node and of the control plane")
	}
	return errors.New("the token's claims are not valid")
}
