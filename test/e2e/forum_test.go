// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
)

// apiUser is whose key the connector presents.
const apiUser = "kith-reader"

// forum is a Discourse of the outside world: it listens on this machine, and pods reach it over the network.
type forum struct {
	*discoursetest.Server
	url string
	// known is what stood there when it was opened; year is where that is from, if it is the real forum's.
	known []topicJSON
	year  string

	mu  sync.Mutex
	ids []int64
}

// openForum serves the real forum's year where it is at hand, else the quickstart's invented one.
func openForum(t *testing.T, root, address, key string) *forum {
	t.Helper()
	folder, year := forumData(t, root)
	server, err := discoursetest.New(folder, discoursetest.WithAPIKey(key, apiUser, false))
	if err != nil {
		t.Fatal(err)
	}
	known, err := readTopics(folder)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: server, ReadHeaderTimeout: time.Minute}
	go func() { _ = web.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = web.Close() })
	f := &forum{Server: server, url: "http://" + listener.Addr().String(), known: known, year: year}
	for _, topic := range known {
		f.ids = append(f.ids, topic.ID)
	}
	t.Logf("the forum of %s: %d topics on %s", map[bool]string{true: "the quickstart", false: "the year"}[year == ""], len(known), f.url)
	return f
}

func forumData(t *testing.T, root string) (folder fs.FS, year string) {
	t.Helper()
	year = filepath.Join(root, "..", "shared", "data", "discourse-forum", "topics")
	if _, err := os.Stat(year); err == nil {
		return os.DirFS(year), year
	}
	archive, err := zip.OpenReader(filepath.Join(root, "config", "samples", "quickstart", "forum.zip"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = archive.Close() })
	folder, err = fs.Sub(archive, "topics")
	if err != nil {
		t.Fatal(err)
	}
	return folder, ""
}

// began is told of a new topic.
func (f *forum) began(id int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = append(f.ids, id)
}

// read reads every topic as a visitor sees it now.
func (f *forum) read() (all []topicJSON, err error) {
	f.mu.Lock()
	ids := append([]int64(nil), f.ids...)
	f.mu.Unlock()
	for _, id := range ids {
		page := httptest.NewRecorder()
		f.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/t/"+strconv.FormatInt(id, 10)+".json?print=true", http.NoBody))
		var topic topicJSON
		if page.Code != http.StatusOK {
			return nil, fmt.Errorf("topic %d: %d", id, page.Code)
		}
		if err := json.Unmarshal(page.Body.Bytes(), &topic); err != nil {
			return nil, fmt.Errorf("topic %d: %w", id, err)
		}
		all = append(all, topic)
	}
	return all, nil
}
