// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/sdk"
)

// room is a category.
type room struct {
	id       int64
	slugPath string
	private  bool
	solvable *bool
	topics   int64
}

// directory is what the forum says of its categories.
type directory struct {
	// known is false where the forum does not show its categories: rooms are then called by their numbers.
	known bool
	rooms map[int64]*room
	// definitions are the topics that describe a category; listings leave them out, and so does the reader.
	definitions map[int64]bool
}

// category is a category as /categories.json and /site.json show it.
type category struct {
	ID               int64      `json:"id"`
	Slug             string     `json:"slug"`
	ParentCategoryID int64      `json:"parent_category_id"`
	ReadRestricted   bool       `json:"read_restricted"`
	TopicCount       int64      `json:"topic_count"`
	TopicURL         string     `json:"topic_url"`
	SubcategoryList  []category `json:"subcategory_list"`
	// EnableAcceptedAnswers is text ("true") in custom fields, and has been a boolean elsewhere.
	CustomFields struct {
		EnableAcceptedAnswers any `json:"enable_accepted_answers"`
	} `json:"custom_fields"`
}

// directory reads the categories once a call.
func (r *reading) directory() (*directory, error) {
	if r.rooms != nil {
		return r.rooms, nil
	}
	all, found, err := r.categories()
	if err != nil {
		return nil, err
	}
	if !found && r.c.hasKey() {
		if err := r.checkForumAnswers(); err != nil {
			return nil, err
		}
		return nil, &sdk.Error{
			Reason:  sdk.PlatformError,
			Message: "the forum shows neither /categories.json nor /site.json, so that private categories cannot be told from public ones; give the API key the scope to read categories, or read without a key",
		}
	}
	r.rooms = newDirectory(all, found)
	return r.rooms, nil
}

// categories prefers /categories.json, which says it all in every version, to /site.json.
func (r *reading) categories() ([]category, bool, error) {
	const pageSize, maxPages = 20, 50
	var all []category
	seen := map[int64]bool{}
	for page := 1; page <= maxPages; page++ {
		var list struct {
			CategoryList struct {
				Categories []category `json:"categories"`
			} `json:"category_list"`
		}
		query := url.Values{"include_subcategories": {"true"}}
		if page > 1 {
			query.Set("page", strconv.Itoa(page))
		}
		found, err := r.optional("/categories.json", query, &list)
		if err != nil {
			return nil, false, err
		}
		if !found {
			break
		}
		fresh := 0
		for _, c := range list.CategoryList.Categories {
			if !seen[c.ID] {
				seen[c.ID], fresh = true, fresh+1
				all = append(all, c)
			}
		}
		if fresh < pageSize {
			return all, true, nil
		}
	}
	if len(all) > 0 {
		return all, true, nil
	}
	var site struct {
		Categories []category `json:"categories"`
	}
	found, err := r.optional("/site.json", nil, &site)
	return site.Categories, found, err
}

func newDirectory(all []category, known bool) *directory {
	d := &directory{known: known, rooms: map[int64]*room{}, definitions: map[int64]bool{}}
	flat := map[int64]category{}
	flatten(all, 0, flat)
	for id, c := range flat {
		d.rooms[id] = &room{id: id, slugPath: slugPath(c, flat), private: c.ReadRestricted, solvable: enabled(c.CustomFields.EnableAcceptedAnswers), topics: c.TopicCount}
		if n, err := strconv.ParseInt(path.Base(c.TopicURL), 10, 64); err == nil && n > 0 {
			d.definitions[n] = true
		}
	}
	return d
}

func flatten(list []category, parent int64, into map[int64]category) {
	for _, c := range list {
		if c.ID <= 0 {
			continue
		}
		if c.ParentCategoryID == 0 {
			c.ParentCategoryID = parent
		}
		if _, ok := into[c.ID]; ok {
			continue
		}
		into[c.ID] = c
		flatten(c.SubcategoryList, c.ID, into)
	}
}

// slugPath is "parent/child". A category without a slug (its name has no letter that fits an address) goes by number.
func slugPath(c category, flat map[int64]category) string {
	const deepest = 8
	var parts []string
	for range deepest {
		slug := c.Slug
		if slug == "" || slug == "-" {
			slug = strconv.FormatInt(c.ID, 10)
		}
		parts = append(parts, slug)
		parent, ok := flat[c.ParentCategoryID]
		if !ok {
			break
		}
		c = parent
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

func enabled(v any) *bool {
	var is bool
	switch v := v.(type) {
	case bool:
		is = v
	case string:
		is = v == "true" || v == "t"
	default:
		return nil
	}
	return &is
}

// lookup is what the mapping is told of a category.
func (d *directory) lookup(id int64) discoursejson.Room {
	if c, ok := d.rooms[id]; ok {
		return discoursejson.Room{Path: c.slugPath, Solvable: c.solvable}
	}
	return discoursejson.Room{}
}

// reads says whether a category's topics are read. What a key can see and the forum does not list counts as private.
func (r *reading) reads(d *directory, id *int64) bool {
	if id == nil {
		return r.c.roomSpec.Reads("", false)
	}
	number := strconv.FormatInt(*id, 10)
	if c, ok := d.rooms[*id]; ok {
		return r.c.roomSpec.Reads(c.slugPath, c.private)
	}
	return r.c.roomSpec.Reads(number, r.c.hasKey())
}

// readable are the categories that are read, in the order of their numbers.
func (r *reading) readable(d *directory) []*room {
	var out []*room
	for _, id := range slices.Sorted(maps.Keys(d.rooms)) {
		if r.reads(d, &id) {
			out = append(out, d.rooms[id])
		}
	}
	return out
}
