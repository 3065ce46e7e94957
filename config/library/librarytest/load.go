// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package librarytest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Load reads every .yaml file of a folder, strictly: an unknown field is an error. Files come in the order of their
// names, with Count filled in.
func Load(dir fs.FS) ([]File, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, err
	}
	files := make([]File, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		var file File
		if err := yaml.UnmarshalStrict(text, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := file.check(strings.TrimSuffix(path.Base(name), ".yaml")); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, file)
	}
	return files, nil
}

func (f *File) check(name string) error {
	var errs []error
	if f.Behaviour != name {
		errs = append(errs, fmt.Errorf("behaviour is %q: it must be the file's name", f.Behaviour))
	}
	seen := map[string]bool{}
	for i := range f.Cases {
		c := &f.Cases[i]
		if seen[c.Name] {
			errs = append(errs, fmt.Errorf("case %q: there are two of this name", c.Name))
		}
		seen[c.Name] = true
		for _, err := range c.check() {
			errs = append(errs, fmt.Errorf("case %q: %w", c.Name, err))
		}
	}
	return errors.Join(errs...)
}

var threadLink = regexp.MustCompile(`<thread:([^>]*)>`)

// check finds names that lead nowhere, which would make an expectation pass for the wrong reason.
func (c *Case) check() (errs []error) {
	threads := map[string]bool{}
	for _, t := range c.Threads {
		threads[t.ID] = true
	}
	person := func(where, who string) {
		if _, ok := c.Parties[who]; who != "" && !ok {
			errs = append(errs, fmt.Errorf("%s: %q is not among the parties", where, who))
		}
	}
	for who, e := range c.Earlier {
		person("earlier", who)
		if e.Days < 1 || e.Messages < e.Days {
			errs = append(errs, fmt.Errorf("earlier %s: %d messages on %d days cannot be", who, e.Messages, e.Days))
		}
	}
	for _, t := range c.Threads {
		if len(t.Messages) == 0 || t.Messages[0].At != 0 {
			errs = append(errs, fmt.Errorf("%s: the first message opens the thread and has no at", t.ID))
		}
		var ids []string
		for _, m := range t.Messages {
			where := t.ID + "/" + m.ID
			if slices.Contains(ids, m.ID) {
				errs = append(errs, fmt.Errorf("%s: there are two of this id", where))
			}
			if m.ReplyTo != "" && !slices.Contains(ids, m.ReplyTo) {
				errs = append(errs, fmt.Errorf("%s: replyTo %q is no earlier message", where, m.ReplyTo))
			}
			ids = append(ids, m.ID)
			person(where, m.By)
			for _, r := range m.Reactions {
				person(where, r.By)
			}
			for _, link := range threadLink.FindAllStringSubmatch(m.Text, -1) {
				if !threads[link[1]] {
					errs = append(errs, fmt.Errorf("%s: it links to thread %q, which is not there", where, link[1]))
				}
			}
		}
		if d := t.Duplicate; d != nil && !threads[d.Of] {
			errs = append(errs, fmt.Errorf("%s: duplicate of %q, which is not there", t.ID, d.Of))
		}
	}
	for i := range c.Expect {
		e := &c.Expect[i]
		if e.Count == 0 {
			e.Count = 1
		}
		person("expect", e.Credit)
		person("expect", e.Benefits)
		if !threads[e.Thread] {
			errs = append(errs, fmt.Errorf("expect: thread %q is not there", e.Thread))
		}
	}
	return errs
}
