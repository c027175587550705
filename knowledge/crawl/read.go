package crawl

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/plaintext"
)

// An FAQ is what pages say, as if it were one file.
type FAQ struct {
	File     string // what the file is called
	Rows     []knowledge.Row
	Problems []knowledge.Problem // one is fatal if there are no rows
	Data     []byte              // the file; nil if there are no rows
}

// Read fetches pages, and reads the questions on them. The errors are those of Fetch and of files.
func (c *Crawler) Read(ctx context.Context, files *faqfile.Pool, address string, below bool) (FAQ, error) {
	site, err := c.Fetch(ctx, address, below)
	if err != nil {
		return FAQ{}, err
	}
	joined, err := files.ParseAll(ctx, func(yield func(faqfile.File, error) bool) {
		for _, p := range site.Pages {
			if !yield(faqfile.File{Name: p.Address, Kind: ".html", Data: p.HTML, Spare: below}, nil) {
				return
			}
		}
	}, faqfile.Options{})
	if err != nil {
		return FAQ{}, err
	}
	faq := FAQ{File: fileName(site.Pages[0].Address), Rows: joined.Rows, Data: joined.Data, Problems: append(joined.Problems, site.problems()...)}
	if len(faq.Rows) == 0 {
		faq.Problems = append([]knowledge.Problem{{Fatal: true, Text: "No questions and answers were found. Look for the page that shows them, or save it in a browser and import the file."}}, faq.Problems...)
	}
	return faq, nil
}

// problems names the pages that were not read. A page that may be there later costs none of the entries that are
// published: a problem with a line keeps them.
func (s Site) problems() (list []knowledge.Problem) {
	for _, f := range s.Failed {
		p := knowledge.Problem{Text: f.Address + ": " + f.Why.Error()}
		if f.Why.Passing() {
			p.Line = 1
		}
		list = append(list, p)
	}
	if s.NotRead > 0 {
		list = append(list, knowledge.Problem{Line: 1, Text: fmt.Sprintf(
			"%d pages were read, and %d that they link to were not: that is as much as is read at once. Read the rest by their own addresses.", len(s.Pages), s.NotRead)})
	}
	return list
}

// fileName is what the file of a page is called: help.example.com-faq.jsonl.
func fileName(address string) string {
	const longest = 100
	u, err := url.Parse(address)
	if err != nil {
		return "page.jsonl"
	}
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, u.Hostname()+strings.TrimRight(u.Path, "/"))
	return plaintext.Cut(name, longest) + ".jsonl"
}
