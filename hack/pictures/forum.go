// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/kith-dev/kith/connectors/discourse/discoursetest"
)

// runForum serves the quickstart's invented forum as a live Discourse, in which people go on asking and answering: what
// the pictures show has to come from somewhere.
func runForum(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("forum", flag.ContinueOnError)
	listen := f.String("listen", "127.0.0.1:8090", "where to serve it")
	file := f.String("archive", "config/samples/quickstart/forum.zip", "the forum")
	every := f.Duration("every", 3*time.Second, "how often somebody does something; 0: never")
	if err := f.Parse(args); err != nil {
		return err
	}
	archive, err := zip.OpenReader(*file)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }() // it was only read
	categories, err := categoriesOf(archive)
	if err != nil {
		return fmt.Errorf("categories of %s: %w", *file, err)
	}
	topics, err := fs.Sub(archive, "topics")
	if err != nil {
		return err
	}
	forum, err := discoursetest.New(topics, discoursetest.WithCategories(categories...))
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: forum, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // there is nothing to finish
	if *every > 0 {
		go live(ctx, forum, *every)
	}
	fmt.Printf("a forum on http://%s, until interrupted\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func categoriesOf(archive fs.FS) ([]discoursetest.Category, error) {
	doc, err := fs.ReadFile(archive, "categories.json")
	if err != nil {
		return nil, err
	}
	type category struct {
		ID     int64             `json:"id"`
		Name   string            `json:"name"`
		Slug   string            `json:"slug"`
		Parent int64             `json:"parent_category_id"`
		Custom map[string]string `json:"custom_fields"`
		Below  []json.RawMessage `json:"subcategory_list"`
	}
	var list struct {
		List struct {
			Categories []json.RawMessage `json:"categories"`
		} `json:"category_list"`
	}
	if err := json.Unmarshal(doc, &list); err != nil {
		return nil, err
	}
	var out []discoursetest.Category
	for todo := list.List.Categories; len(todo) > 0; {
		var c category
		if err := json.Unmarshal(todo[0], &c); err != nil {
			return nil, err
		}
		out = append(out, discoursetest.Category{
			ID: c.ID, Name: c.Name, Slug: c.Slug, Parent: c.Parent, Solved: c.Custom["enable_accepted_answers"] == "true",
		})
		todo = append(todo[1:], c.Below...)
	}
	return out, nil
}

// live has newcomers ask and others answer, some sooner, some later, some not at all.
func live(ctx context.Context, forum *discoursetest.Server, every time.Duration) {
	const heating, people = 6, 40
	random := rand.New(rand.NewPCG(7, 7))
	person := func(i int) discoursetest.User {
		return discoursetest.User{ID: int64(8_000 + i), Username: fmt.Sprintf("member%d", i), TrustLevel: 1}
	}
	type question struct {
		topic int64
		asker int
	}
	var open []question
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if len(open) < 4 || random.IntN(3) == 0 {
			asker := random.IntN(people)
			topic, _ := forum.NewTopic(person(asker), heating, "The controller shows a code", "<p>What does the code on the display mean, and what can I do?</p>")
			open = append(open, question{topic, asker})
			continue
		}
		i := random.IntN(len(open))
		q := open[i]
		by := (q.asker + 1 + random.IntN(people-1)) % people
		answer := forum.Reply(q.topic, person(by), "<p>Hold the left button for five seconds; the manual has the list of codes on page 12.</p>", 0)
		if random.IntN(2) == 0 {
			forum.Accept(answer)
			open = append(open[:i], open[i+1:]...)
		}
	}
}
