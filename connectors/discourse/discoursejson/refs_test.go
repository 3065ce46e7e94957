// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package discoursejson_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/connectors/discourse/discoursejson"
)

// TestRefs: the topic under test is number 7.
func TestRefs(t *testing.T) {
	const root, folder = "https://f.example", "https://f.example/forum"
	link := func(href string) string { return `<a href="` + href + `">x</a>` }
	quote := func(topic, title, words string) string {
		return `<aside class="quote no-group" data-username="ben" data-post="2" data-topic="` + topic + `"><div class="title">` + title +
			`</div><blockquote>` + words + `</blockquote></aside>`
	}
	var many, first strings.Builder
	var twenty []string
	for n := 101; n <= 150; n++ {
		many.WriteString(link(fmt.Sprintf("/t/%d", n)))
		if n <= 120 {
			first.WriteString(link(fmt.Sprintf("/t/%d", n)))
			twenty = append(twenty, fmt.Sprint(n))
		}
	}
	tests := map[string]struct {
		base, cooked, counts string
		want                 []string
	}{
		"slug and number":               {root, link("/t/pump/9"), "", []string{"9"}},
		"number":                        {root, link("/t/9"), "", []string{"9"}},
		"post of a topic":               {root, link("/t/pump/9/4"), "", []string{"9"}},
		"post, without the slug":        {root, link("/t/9/4?u=ann#reply"), "", []string{"9"}},
		"slug that is a dash":           {root, link("/t/-/9"), "", []string{"9"}},
		"slug in another script":        {root, link("/t/%D0%BD%D0%B0%D1%81%D0%BE%D1%81/9"), "", []string{"9"}},
		"trailing slash":                {root, link("/t/pump/9/"), "", []string{"9"}},
		"print view":                    {root, link("/t/pump/9/print"), "", []string{"9"}},
		"absolute":                      {root, link("https://f.example/t/pump/9"), "", []string{"9"}},
		"other scheme":                  {root, link("http://f.example:80/t/pump/9"), "", []string{"9"}},
		"without a scheme":              {root, link("//f.example/t/pump/9"), "", []string{"9"}},
		"host in capitals":              {root, link("https://F.Example/t/pump/9"), "", []string{"9"}},
		"forum on a port":               {"http://localhost:3000", link("http://localhost:3000/t/9") + link("http://localhost/t/8"), "", []string{"9"}},
		"another forum":                 {root, link("https://g.example/t/pump/9") + link("https://f.example.org/t/8") + link("https://f.example:8443/t/6"), "", nil},
		"another scheme":                {root, link("ftp://f.example/t/9") + link("mailto:/t/9"), "", nil},
		"forum in a folder":             {folder, link("/forum/t/pump/9") + link("https://f.example/forum/t/8"), "", []string{"9", "8"}},
		"beside the folder":             {folder, link("/t/pump/9") + link("https://f.example/t/8") + link("/forumt/t/6"), "", nil},
		"address not known":             {"", link("/t/pump/9") + link("https://f.example/t/8"), "", []string{"9"}},
		"no topic":                      {root, link("/tag/9") + link("/c/help/9") + link("/t/pump") + link("/t/") + link("/x/t/9") + link("/t/0") + link("/t/-9") + link("t/9"), "", nil},
		"external id":                   {root, link("/t/external_id/9"), "", nil},
		"not an address":                {root, link("https://f.example:x/t/9") + link("%"), "", nil},
		"own topic":                     {root, link("/t/pump/7/2") + link("https://f.example/t/07") + quote("7", "", ""), "", nil},
		"once each, in order":           {root, link("/t/9") + link("/t/8") + link("https://f.example/t/pump/9/3"), "", []string{"9", "8"}},
		"at most twenty":                {root, many.String(), "", twenty},
		"twenty, and more counted":      {root, first.String(), `{"url":"/t/200"}`, twenty},
		"onebox":                        {root, `<aside class="onebox">` + link("https://f.example/t/pump/9") + `</aside>`, "", []string{"9"}},
		"quote of another topic":        {root, quote("9", "", ""), "", []string{"9"}},
		"quote with a linked title":     {root, quote("9", link("/t/pump/9/2"), ""), "", []string{"9"}},
		"linked title alone":            {root, `<aside class="quote"><div class="title">` + link("/t/9") + `</div><blockquote>x</blockquote></aside>`, "", []string{"9"}},
		"link in what is quoted":        {root, quote("9", "", link("/t/8")), "", []string{"9"}},
		"quote in what is quoted":       {root, quote("9", "", quote("8", link("/t/8"), link("/t/6"))) + link("/t/5"), "", []string{"9", "5"}},
		"after a quote that stays open": {root, `<aside class="quote" data-topic="9"><blockquote><blockquote>x</aside>` + link("/t/8"), "", []string{"9", "8"}},
		"quote of nothing":              {root, quote("x", "", ""), "", nil},
		"people and rooms":              {root, `<a class="mention" href="/t/9">x</a>`, "", nil},
		"counted":                       {root, "", `{"url":"/t/pump/9","internal":true},{"url":"/t/8","reflection":true}`, []string{"9"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			cooked, err := json.Marshal(tc.cooked)
			if err != nil {
				t.Fatal(err)
			}
			raw := topic("", post(100, 1, fmt.Sprintf(`"cooked":%s,"link_counts":[%s]`, cooked, tc.counts)))
			_, messages, _ := observe(t, raw, discoursejson.Options{Base: tc.base})
			if d := cmp.Diff(tc.want, messages["100"].Refs); d != "" {
				t.Errorf("refs (-want +got):\n%s", d)
			}
		})
	}
	if len(twenty) != event.MaxRefs {
		t.Errorf("the test knows of %d refs, the contract of %d", len(twenty), event.MaxRefs)
	}
}

func TestNothingIsReferredToByWhatIsGone(t *testing.T) {
	raw := topic("", post(100, 1, `"user_deleted":true,"cooked":"<a href=\"/t/9\">x</a>"`))
	if _, messages, _ := observe(t, raw, discoursejson.Options{}); messages["100"].Refs != nil {
		t.Errorf("refs %v", messages["100"].Refs)
	}
}
