// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Where an API server publishes who signs its ServiceAccount tokens. Every ServiceAccount may read both by default.
const (
	pathIssuer = "/.well-known/openid-configuration"
	pathKeys   = "/openid/v1/jwks"
)

// maxKeys is how large the published keys may be.
const maxKeys = 256 << 10

// SigningKeys are the cluster's issuer of ServiceAccount tokens and its public keys, by which hubs recognise their
// callers without access to the cluster. They are read again every few minutes: clusters rotate their keys.
type SigningKeys struct {
	// REST speaks to the API server.
	REST rest.Interface
	// Every is how long to wait between two looks.
	Every time.Duration
	// Changed is called when they are no longer what they were.
	Changed func(ctx context.Context)

	mu     sync.Mutex
	issuer string
	keys   json.RawMessage
}

// Start implements manager.Runnable: it looks until ctx ends.
func (s *SigningKeys) Start(ctx context.Context) error {
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		changed, err := s.refresh(ctx)
		if err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "Hubs go on with the signing keys that they have")
		}
		if changed {
			s.Changed(ctx)
		}
	}
}

// Get gives the issuer and its keys, as a JSON Web Key Set.
func (s *SigningKeys) Get(ctx context.Context) (issuer string, keys json.RawMessage, err error) {
	s.mu.Lock()
	issuer, keys = s.issuer, s.keys
	s.mu.Unlock()
	if keys != nil {
		return issuer, keys, nil
	}
	if _, err := s.refresh(ctx); err != nil {
		return "", nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issuer, s.keys, nil
}

// refresh reads them, and says whether they have changed.
func (s *SigningKeys) refresh(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var configuration struct {
		Issuer string `json:"issuer"`
	}
	if err := s.read(ctx, pathIssuer, &configuration); err != nil {
		return false, err
	}
	if configuration.Issuer == "" {
		return false, fmt.Errorf("read who signs ServiceAccount tokens: %s names no issuer", pathIssuer)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := s.read(ctx, pathKeys, &set); err != nil {
		return false, err
	}
	if len(set.Keys) == 0 {
		return false, fmt.Errorf("read the keys of ServiceAccount tokens: %s holds none", pathKeys)
	}
	keys, err := json.Marshal(set)
	if err != nil {
		return false, fmt.Errorf("encode the keys of ServiceAccount tokens: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	same := s.issuer == configuration.Issuer && bytes.Equal(s.keys, keys)
	s.issuer, s.keys = configuration.Issuer, keys
	return !same, nil
}

func (s *SigningKeys) read(ctx context.Context, path string, into any) error {
	document, err := s.REST.Get().AbsPath(path).DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("read %s of the API server, which every ServiceAccount may by the ClusterRole system:service-account-issuer-discovery: %w", path, err)
	}
	if len(document) > maxKeys {
		return fmt.Errorf("read %s of the API server: it has more than %d bytes", path, maxKeys)
	}
	if err := json.Unmarshal(document, into); err != nil {
		return errors.Join(fmt.Errorf("read %s of the API server: it is not what is expected there", path), err)
	}
	return nil
}
