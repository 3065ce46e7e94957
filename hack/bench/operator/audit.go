// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// The API server's audit log tells who asked what: every request of the operator, and nothing else, is counted.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  users: [kith-operator]
- level: None
`

// request is one line of the audit log.
type request struct {
	Verb      string `json:"verb"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	StageTimestamp time.Time `json:"stageTimestamp"`
}

func (r request) writes() bool {
	return slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, r.Verb)
}

// kind is what was written: deployments, channels/status.
func (r request) kind() string {
	if r.ObjectRef.Subresource != "" {
		return r.ObjectRef.Resource + "/" + r.ObjectRef.Subresource
	}
	return r.ObjectRef.Resource
}

// audit reads the log from where it was read last.
type audit struct {
	file   string
	offset int64
}

// since gives the requests that were answered since the last call.
func (a *audit) since() ([]request, error) {
	f, err := os.Open(a.file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	if _, err := f.Seek(a.offset, io.SeekStart); err != nil {
		return nil, err
	}
	var out []request
	lines := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return out, nil //nolint:nilerr // The rest of a line that is being written comes with the next call.
		}
		a.offset += int64(len(line))
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		out = append(out, r)
	}
}

// counts of requests.
type counts struct {
	reads, writes, leases, conflicts, failed int
	byKind                                   map[string]int
	names                                    []string
}

func count(requests []request) counts {
	c := counts{byKind: map[string]int{}}
	for _, r := range requests {
		switch {
		case r.ObjectRef.Resource == "leases":
			c.leases++
			continue
		case !r.writes():
			c.reads++
			continue
		}
		c.writes++
		c.byKind[r.kind()]++
		c.names = append(c.names, r.kind()+" "+r.ObjectRef.Name)
		switch {
		case r.ResponseStatus.Code == 409:
			c.conflicts++
		case r.ResponseStatus.Code >= 400:
			c.failed++
		}
	}
	return c
}

// lines tells the writes by kind, with how many that is for each of n.
func (c counts) lines(n int) string {
	var kinds []string
	for kind := range c.byKind {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b string) int { return c.byKind[b] - c.byKind[a] })
	var b strings.Builder
	for _, kind := range kinds {
		fmt.Fprintf(&b, "  %-28s %6d  %.2f per channel\n", kind, c.byKind[kind], float64(c.byKind[kind])/float64(n))
	}
	return b.String()
}
