// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
)

// The files that say what the categories are, as the forum answers under these names; in any folder.
const (
	categoriesFile = "categories.json"
	siteFile       = "site.json"
)

// maxCategoryFiles bounds how many of them are looked at: an export holds one or two.
const maxCategoryFiles = 20

func isCategories(name string) bool {
	base := path.Base(name)
	return base == categoriesFile || base == siteFile
}

// rooms are the categories that an archive tells of, and a digest of the files that do; empty where none does.
type rooms struct {
	*discoursejson.Directory
	mark string
}

// readRooms prefers, as over HTTP, categories.json to site.json, and what lies higher to what lies deeper. A file that
// cannot be understood is an error and not left out, because rooms would else be called otherwise than they are meant.
func readRooms(s source, files []entry) (rooms, error) {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b entry) int {
		return cmp.Or(strings.Compare(path.Base(a.name), path.Base(b.name)),
			cmp.Compare(strings.Count(a.name, "/"), strings.Count(b.name, "/")), strings.Compare(a.name, b.name))
	})
	var all []discoursejson.Category
	marks := sha256.New()
	for _, f := range files[:min(len(files), maxCategoryFiles)] {
		if f.size > maxEntryBytes {
			return rooms{}, fmt.Errorf("%s: %w", f.name, errTooLarge)
		}
		raw, err := s.read(f)
		if err != nil {
			return rooms{}, fmt.Errorf("%s: %w", f.name, err)
		}
		found, err := discoursejson.DecodeCategories(bytes.TrimPrefix(raw, []byte("\ufeff")))
		if err != nil {
			return rooms{}, fmt.Errorf("%s: %w; export it again, or take it out for rooms to go by their numbers", f.name, err)
		}
		all = append(all, found...)
		fmt.Fprintf(marks, "%q %s\n", f.name, markOf(f))
	}
	r := rooms{Directory: discoursejson.NewDirectory(all, len(all) > 0)}
	if r.Known {
		r.mark = hex.EncodeToString(marks.Sum(nil)[:8])
	}
	return r, nil
}
