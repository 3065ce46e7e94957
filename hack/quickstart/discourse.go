// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"time"
)

// stamp is a time as Discourse writes it.
type stamp time.Time

// MarshalJSON gives milliseconds and UTC.
func (s stamp) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Time(s).UTC().Format("2006-01-02T15:04:05.000Z"))
}

// topic is what /t/{id}.json answers, as far as readers care.
type topic struct {
	ID                int64           `json:"id"`
	Title             string          `json:"title"`
	FancyTitle        string          `json:"fancy_title"`
	Slug              string          `json:"slug"`
	PostsCount        int             `json:"posts_count"`
	HighestPostNumber int             `json:"highest_post_number"`
	CreatedAt         stamp           `json:"created_at"`
	LastPostedAt      stamp           `json:"last_posted_at"`
	Views             int             `json:"views"`
	ReplyCount        int             `json:"reply_count"`
	LikeCount         int             `json:"like_count"`
	ParticipantCount  int             `json:"participant_count"`
	Visible           bool            `json:"visible"`
	Closed            bool            `json:"closed"`
	Archived          bool            `json:"archived"`
	Archetype         string          `json:"archetype"`
	Pinned            bool            `json:"pinned"`
	PinnedGlobally    bool            `json:"pinned_globally"`
	CategoryID        int64           `json:"category_id"`
	Tags              []string        `json:"tags"`
	UserID            int64           `json:"user_id"`
	DeletedAt         *stamp          `json:"deleted_at"`
	AcceptedAnswer    *acceptedAnswer `json:"accepted_answer,omitempty"`
	Details           details         `json:"details"`
	PostStream        postStream      `json:"post_stream"`
}

type acceptedAnswer struct {
	PostNumber int    `json:"post_number"`
	Username   string `json:"username"`
}

type details struct {
	CreatedBy    user   `json:"created_by"`
	Participants []user `json:"participants"`
}

type user struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

type postStream struct {
	Posts  []*post `json:"posts"`
	Stream []int64 `json:"stream"`
}

type post struct {
	ID                int64         `json:"id"`
	TopicID           int64         `json:"topic_id"`
	Username          string        `json:"username"`
	UserID            int64         `json:"user_id"`
	CreatedAt         stamp         `json:"created_at"`
	UpdatedAt         stamp         `json:"updated_at"`
	Cooked            string        `json:"cooked"`
	PostNumber        int           `json:"post_number"`
	PostType          int           `json:"post_type"`
	ReplyToPostNumber *int          `json:"reply_to_post_number"`
	ReplyCount        int           `json:"reply_count"`
	Reads             int           `json:"reads"`
	Version           int           `json:"version"`
	ActionCode        string        `json:"action_code,omitempty"`
	ActionsSummary    []actionCount `json:"actions_summary"`
	LinkCounts        []linkCount   `json:"link_counts,omitempty"`
	PrimaryGroupName  *string       `json:"primary_group_name"`
	TrustLevel        int           `json:"trust_level"`
	Moderator         bool          `json:"moderator"`
	Admin             bool          `json:"admin"`
	Staff             bool          `json:"staff"`
	Hidden            bool          `json:"hidden"`
	DeletedAt         *stamp        `json:"deleted_at"`
	UserDeleted       bool          `json:"user_deleted"`
	AcceptedAnswer    bool          `json:"accepted_answer"`
}

type actionCount struct {
	ID    int `json:"id"`
	Count int `json:"count"`
}

type linkCount struct {
	URL        string `json:"url"`
	Internal   bool   `json:"internal"`
	Reflection bool   `json:"reflection"`
}

// Post types and the action that is a like.
const (
	regularPost = 1
	smallAction = 3
	likeAction  = 2
)

// categoryList is what /categories.json answers.
type categoryList struct {
	CategoryList struct {
		Categories []category `json:"categories"`
	} `json:"category_list"`
}

type category struct {
	ID               int64             `json:"id"`
	Name             string            `json:"name"`
	Slug             string            `json:"slug"`
	ParentCategoryID *int64            `json:"parent_category_id"`
	ReadRestricted   bool              `json:"read_restricted"`
	CustomFields     map[string]string `json:"custom_fields,omitempty"`
	SubcategoryList  []category        `json:"subcategory_list,omitempty"`
}

// The forum's categories.
const (
	categoryHelp    = 5
	categoryHeating = 6
	categoryApp     = 7
	categoryIdeas   = 8
	categoryGuides  = 9
	categoryLounge  = 10
)

func categories() categoryList {
	solvable := map[string]string{"enable_accepted_answers": "true"}
	help := int64(categoryHelp)
	var list categoryList
	list.CategoryList.Categories = []category{
		{ID: categoryHelp, Name: "Hilfe / Help", Slug: "help", CustomFields: solvable, SubcategoryList: []category{
			{ID: categoryHeating, Name: "Heizung / Heating", Slug: "heating", ParentCategoryID: &help, CustomFields: solvable},
			{ID: categoryApp, Name: "App", Slug: "app", ParentCategoryID: &help, CustomFields: solvable},
		}},
		{ID: categoryIdeas, Name: "Ideen / Ideas", Slug: "ideas"},
		{ID: categoryGuides, Name: "Anleitungen / Guides", Slug: "guides"},
		{ID: categoryLounge, Name: "Lounge", Slug: "lounge"},
	}
	return list
}
