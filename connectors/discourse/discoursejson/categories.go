// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursejson

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kith-dev/kith/connectors/sdk"
)

// Category is a category as /categories.json and /site.json show it.
type Category struct {
	ID               int64      `json:"id"`
	Slug             string     `json:"slug"`
	ParentCategoryID int64      `json:"parent_category_id"`
	ReadRestricted   bool       `json:"read_restricted"`
	TopicCount       int64      `json:"topic_count"`
	TopicURL         string     `json:"topic_url"`
	SubcategoryList  []Category `json:"subcategory_list"`
	// EnableAcceptedAnswers is text ("true") in custom fields, and has been a boolean elsewhere.
	CustomFields struct {
		EnableAcceptedAnswers any `json:"enable_accepted_answers"`
	} `json:"custom_fields"`
}

// Categories is the answer of /categories.json or of /site.json; each fills one of the fields.
type Categories struct {
	CategoryList struct {
		Categories []Category `json:"categories"`
	} `json:"category_list"`
	Site []Category `json:"categories"`
}

// All are the categories of either answer, as they come.
func (c *Categories) All() []Category {
	return slices.Concat(c.CategoryList.Categories, c.Site)
}

// DecodeCategories reads the answer of /categories.json or of /site.json; it is empty for JSON that is neither. The
// error says what is wrong with the shape and repeats none of the content.
func DecodeCategories(b []byte) ([]Category, error) {
	var c Categories
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("categories cannot be understood: %s", shapeOf(err))
	}
	return c.All(), nil
}

// Room is what is known of a category.
type Room struct {
	ID int64
	// Path is "parent/child" by slugs.
	Path string
	// Private is what Discourse calls read_restricted.
	Private bool
	// Solvable is whether answers can be accepted in it; nil: not known.
	Solvable *bool
	// Topics is how many topics it says it has.
	Topics int64
}

// Directory is what a forum says of its categories.
type Directory struct {
	// Known is false where the forum does not show its categories: rooms are then called by their numbers.
	Known bool
	// Rooms are the categories by their ids.
	Rooms map[int64]Room
	// Definitions are the topics that describe a category; listings leave them out, and so do readers.
	Definitions map[int64]bool
}

// NewDirectory arranges the categories that a forum shows, subcategories within their parents or beside them. Of two
// with one id the first counts.
func NewDirectory(all []Category, known bool) *Directory {
	d := &Directory{Known: known, Rooms: map[int64]Room{}, Definitions: map[int64]bool{}}
	flat := map[int64]Category{}
	flatten(all, 0, flat)
	for id, c := range flat {
		d.Rooms[id] = Room{
			ID: id, Path: slugPath(c, flat), Private: c.ReadRestricted,
			Solvable: enabled(c.CustomFields.EnableAcceptedAnswers), Topics: c.TopicCount,
		}
		if n, err := strconv.ParseInt(path.Base(c.TopicURL), 10, 64); err == nil && n > 0 {
			d.Definitions[n] = true
		}
	}
	return d
}

func flatten(list []Category, parent int64, into map[int64]Category) {
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
func slugPath(c Category, flat map[int64]Category) string {
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

// Room is what a mapping is told of a category (Options.Room); the zero value for one that is not listed.
func (d *Directory) Room(id int64) Room { return d.Rooms[id] }

// Reads says whether a category's topics are read; nil stands for topics without one. A category that is not listed
// goes by its number, and counts as private where unlistedPrivate says so.
func (d *Directory) Reads(rooms sdk.Rooms, id *int64, unlistedPrivate bool) bool {
	if id == nil {
		return rooms.Reads("", false)
	}
	if room, ok := d.Rooms[*id]; ok {
		return rooms.Reads(room.Path, room.Private)
	}
	return rooms.Reads(strconv.FormatInt(*id, 10), unlistedPrivate)
}

// Readable are the listed categories that are read, in the order of their ids.
func (d *Directory) Readable(rooms sdk.Rooms) []Room {
	var out []Room
	for _, id := range slices.Sorted(maps.Keys(d.Rooms)) {
		if d.Reads(rooms, &id, false) {
			out = append(out, d.Rooms[id])
		}
	}
	return out
}
