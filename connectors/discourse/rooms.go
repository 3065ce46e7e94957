// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discourse

import (
	"net/url"
	"strconv"

	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
	"github.com/kith-dev/kith/connectors/sdk"
)

// directory reads the categories once a call.
func (r *reading) directory() (*discoursejson.Directory, error) {
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
	r.rooms = discoursejson.NewDirectory(all, found)
	return r.rooms, nil
}

// categories prefers /categories.json, which says it all in every version, to /site.json.
func (r *reading) categories() ([]discoursejson.Category, bool, error) {
	const pageSize, maxPages = 20, 50
	var all []discoursejson.Category
	seen := map[int64]bool{}
	for page := 1; page <= maxPages; page++ {
		var list discoursejson.Categories
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
	var site discoursejson.Categories
	found, err := r.optional("/site.json", nil, &site)
	return site.Site, found, err
}

// reads says whether a category's topics are read. What a key can see and the forum does not list counts as private.
func (r *reading) reads(d *discoursejson.Directory, id *int64) bool {
	return d.Reads(r.c.roomSpec, id, r.c.hasKey())
}
